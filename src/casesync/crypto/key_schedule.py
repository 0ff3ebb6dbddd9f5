"""Labels, hashes and key derivation, each use in a domain of its own (crypto).

Specification: ``protocol/conventions.md``, *Bytes*. The table of uses is closed: a use that is not
listed is a type error for mypy and a ``KeyError`` at the first call. Opens and seals nothing, so
that the relay may import it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, Literal, get_args

from casesync.foundation.errors import CryptoError

Use = Literal[
    # hashes
    "stream-id",
    "link",
    "nonce",
    "control-nonce",
    "box-nonce",
    "unit-key",
    "conflict",
    "record",
    "access-entry",
    "invitation-id",
    "enrol-commit",
    "sas",
    "compare",
    # signatures
    "change",
    "control",
    "enrol",
    # HPKE info and associated data
    "blob",
    "wrap",
    "box",
    # derived keys
    "sealing-key",
    "commitment",
    "network-sealing",
    "network-commitment",
    "predecessor",
    "base-predecessor",
    "box-key",
    "rendezvous",
    "rendezvous-slot",
    # this device's own files
    "database-key",
]
"""Everything a hash, a signature or a key is made for; no two share a label."""

_LABELS: Final[dict[str, bytes]] = {
    use: b"casesync/v1/" + use.encode("ascii") + b"\x00" for use in get_args(Use)
}

KEY_BYTES: Final = 32
"""Length of every symmetric key, seed and hash in suite 1."""

# HMAC (RFC 2104): a key is padded to the hash's block of 64 bytes and combined with two constants.
_XOR_36: Final = bytes(byte ^ 0x36 for byte in range(256))
_XOR_5C: Final = bytes(byte ^ 0x5C for byte in range(256))
_REST_36: Final = b"\x36" * (64 - KEY_BYTES)
_REST_5C: Final = b"\x5c" * (64 - KEY_BYTES)


def label(use: Use) -> bytes:
    """The bytes ``casesync/v1/<use>`` and a zero byte that start everything made for ``use``."""
    return _LABELS[use]


def H(use: Use, *parts: bytes) -> bytes:  # noqa: N802 - its name in the specification
    """SHA-256 over the label of ``use`` and the concatenated ``parts``; 32 bytes.

    Callers give parts of fixed lengths, or at most one of variable length, last.
    """
    return sha256(_LABELS[use] + b"".join(parts)).digest()


def expand(key: bytes, use: Use, context: bytes) -> bytes:
    """HKDF-Expand (RFC 5869, SHA-256) of a uniformly random ``key``; 32 bytes of output.

    Written as the two hashes it is: one block, HMAC(key, info | 0x01). A first sync derives tens of
    thousands of keys, and the library's object costs three times as much; a test holds them equal.

    Args:
        key: exactly 32 bytes; a shorter one is a mistake of ours, not of a peer.
        use: what the derived key is for.
        context: what it is bound to.
    """
    assert len(key) == KEY_BYTES
    inner = sha256(key.translate(_XOR_36) + _REST_36 + _LABELS[use] + context + b"\x01").digest()
    return sha256(key.translate(_XOR_5C) + _REST_5C + inner).digest()


def check_secret(secret: object) -> bytes:
    """``secret`` itself if it is 32 bytes and not all zero (attack 16).

    Raises:
        CryptoError: ``does-not-verify``.
    """
    if not isinstance(secret, bytes) or len(secret) != KEY_BYTES or not any(secret):
        raise CryptoError("does-not-verify")
    return secret
