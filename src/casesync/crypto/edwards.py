"""Points of edwards25519, for checking a public key once when it is enrolled (crypto).

Specification: ``protocol/keys.md``, *One verifier*; RFC 8032 section 5.1. Not constant-time and
therefore only for public values. Signatures are judged by ``signatures.py`` and the crypto library,
never here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

P: Final = 2**255 - 19
"""The field."""
L: Final = 2**252 + 27742317777372353535851937790883648493
"""The order of the base point."""
_D: Final = -121665 * pow(121666, P - 2, P) % P
_SQRT_MINUS_ONE: Final = pow(2, (P - 1) // 4, P)
_Y_MASK: Final = 2**255 - 1
_ONTO_PRIME_ORDER: Final = X25519PrivateKey.from_private_bytes((5 * L - 1).to_bytes(32, "little"))
"""-1 modulo L and 0 modulo 8, and already of the form that X25519 makes of every scalar."""


class Point(NamedTuple):
    """Affine coordinates."""

    x: int
    y: int


def decode(encoded: bytes) -> Point | None:
    """The point of a canonical 32-byte encoding, or None if there is none.

    Not canonical are y >= 2^255 - 19, and x = 0 with the sign bit set.
    """
    if len(encoded) != 32:
        return None
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & _Y_MASK
    if y >= P:
        return None
    x = _recover_x(y, sign)
    return None if x is None else Point(x, y)


def _recover_x(y: int, sign: int) -> int | None:
    u, v = (y * y - 1) % P, (_D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    square = v * x * x % P
    if square == P - u and u:
        x = x * _SQRT_MINUS_ONE % P
    elif square != u:
        return None
    if x == 0 and sign:
        return None
    return P - x if x & 1 != sign else x


def has_prime_order(point: Point) -> bool:
    """Whether a point of the curve has order L: neither small nor mixed order.

    A point is Q + T with Q in the group of order L and T of order 1, 2, 4 or 8. Multiplying by
    5L - 1 makes -Q of it, which the crypto library does on the Montgomery form of the curve, where
    a point and its negative have the same coordinate u = (1 + y) / (1 - y). That is u of the point
    itself only if Q + T is Q or -Q: T = 0, or T = -2Q, which leaves no Q at all. Without a Q the
    result is zero, which the library refuses to hand out.
    """
    if point.y == 1:
        return False
    u = ((1 + point.y) * pow(1 - point.y, -1, P) % P).to_bytes(32, "little")
    try:
        return _ONTO_PRIME_ORDER.exchange(X25519PublicKey.from_public_bytes(u)) == u
    except ValueError:
        return False
