"""Points of edwards25519, for checking a public key once when it is enrolled (crypto).

Specification: ``protocol/keys.md``, *One verifier*; RFC 8032 section 5.1. Slow (about a
millisecond), not constant-time and therefore only for public values. Signatures are judged by
``signatures.py`` and the crypto library, never here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

P: Final = 2**255 - 19
"""The field."""
L: Final = 2**252 + 27742317777372353535851937790883648493
"""The order of the base point."""
_D: Final = -121665 * pow(121666, P - 2, P) % P
_SQRT_MINUS_ONE: Final = pow(2, (P - 1) // 4, P)
_Y_MASK: Final = 2**255 - 1


class Point(NamedTuple):
    """Extended coordinates: x = X/Z, y = Y/Z, T = XY/Z."""

    x: int
    y: int
    z: int
    t: int


IDENTITY: Final = Point(0, 1, 1, 0)


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
    return None if x is None else Point(x, y, 1, x * y % P)


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


def encode(point: Point) -> bytes:
    """The canonical 32-byte encoding."""
    inverse = pow(point.z, P - 2, P)
    x, y = point.x * inverse % P, point.y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def add(one: Point, other: Point) -> Point:
    """The sum of two points (RFC 8032, 5.1.4)."""
    a = (one.y - one.x) * (other.y - other.x) % P
    b = (one.y + one.x) * (other.y + other.x) % P
    c = 2 * one.t * other.t * _D % P
    d = 2 * one.z * other.z % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return Point(e * f % P, g * h % P, f * g % P, e * h % P)


def double(point: Point) -> Point:
    """Twice a point (RFC 8032, 5.1.4)."""
    a = point.x * point.x % P
    b = point.y * point.y % P
    c = 2 * point.z * point.z % P
    h = a + b
    e = h - (point.x + point.y) * (point.x + point.y) % P
    g = a - b
    f = c + g
    return Point(e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar: int, point: Point) -> Point:
    """``scalar`` times a point; the time taken depends on ``scalar``, which must be public."""
    result = IDENTITY
    for bit in bin(scalar)[2:]:
        result = double(result)
        if bit == "1":
            result = add(result, point)
    return result


def is_identity(point: Point) -> bool:
    """Whether this is the neutral element."""
    return point.x % P == 0 and (point.y - point.z) % P == 0


def has_prime_order(point: Point) -> bool:
    """Whether the point has order L: neither small nor mixed order."""
    return not is_identity(point) and is_identity(multiply(L, point))
