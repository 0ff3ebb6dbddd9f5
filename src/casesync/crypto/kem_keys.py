"""Hybrid KEM key pairs out of seeds (crypto).

Specification: ``protocol/keys.md``, *Suite 1* (key encodings). The library has no serialiser for
``MLKEM768_X25519``, so the encoding is ours: public = ML-KEM-768 1184 | X25519 32, private = a
32-byte seed. Seals and opens nothing.
"""

from __future__ import annotations

from hashlib import shake_256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

from casesync.crypto.key_schedule import check_secret
from casesync.foundation.errors import CryptoError

MLKEM_PUBLIC_BYTES: Final = 1184
KEM_PUBLIC_BYTES: Final = 1216


def kem_private(seed: bytes) -> MLKEM768X25519PrivateKey:
    """The private key of a 32-byte seed; keep it, making one costs half an opening.

    Raises:
        CryptoError: ``does-not-verify`` if the seed has another length or is all zero.
    """
    mlkem, x25519 = _kem_halves(seed)
    return MLKEM768X25519PrivateKey(mlkem, x25519)


def unit_key_from_seed(seed: bytes) -> bytes:
    """The public key (1216 bytes, ML-KEM-768 | X25519) of a 32-byte seed.

    Raises:
        CryptoError: ``does-not-verify`` if the seed has another length or is all zero.
    """
    mlkem, x25519 = _kem_halves(seed)
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def _kem_halves(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    expanded = shake_256(check_secret(seed)).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        X25519PrivateKey.from_private_bytes(expanded[64:]),
    )


def kem_check_public(public: bytes) -> None:
    """Refuse a KEM key that nothing can be sealed to, or whose X25519 half is of small order.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    try:
        kem_public(public)
        # Any scalar: a point of small order gives the all-zero secret, which the library refuses.
        probe = X25519PrivateKey.from_private_bytes(b"\x01" * 32)
        probe.exchange(X25519PublicKey.from_public_bytes(public[MLKEM_PUBLIC_BYTES:]))
    except ValueError as error:
        raise CryptoError("does-not-verify") from error


def kem_public(public: bytes) -> MLKEM768X25519PublicKey:
    """The key of a 1216-byte encoding.

    Raises:
        ValueError: it is none; the caller converts.
    """
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:MLKEM_PUBLIC_BYTES]),
        X25519PublicKey.from_public_bytes(public[MLKEM_PUBLIC_BYTES:]),
    )
