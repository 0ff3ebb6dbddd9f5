"""AES-256-GCM-SIV with one way to fail (crypto).

Specification: ``protocol/conventions.md``, *Bytes* (``SIV``), RFC 8452. Every failure is the same
``CryptoError``: wrong key, wrong tag, wrong place and too short look alike. The cipher does not
commit to its key; callers bind a commitment into the associated data (``keys.md``).
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from casesync.crypto.key_schedule import KEY_BYTES
from casesync.foundation.errors import CryptoError

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
ZERO_NONCE: Final = bytes(NONCE_BYTES)
"""For keys that seal exactly one message."""


def prepare(key: bytes) -> AESGCMSIV:
    """A cipher ready for use; making one costs as much as an opening, so keep it.

    Args:
        key: exactly 32 bytes.
    """
    assert len(key) == KEY_BYTES
    return AESGCMSIV(key)


def siv_seal(cipher: AESGCMSIV, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
    """Ciphertext with its 16-byte tag at the end."""
    return cipher.encrypt(nonce, plaintext, aad)


def siv_open(cipher: AESGCMSIV, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
    """The plaintext of ``sealed``.

    Raises:
        CryptoError: ``does-not-verify``, whatever the reason.
    """
    try:
        return cipher.decrypt(nonce, sealed, aad)
    except (InvalidTag, ValueError, OverflowError) as error:
        raise CryptoError("does-not-verify") from error
