"""Labels, hashes and key derivation, each use in a domain of its own (crypto).

Specification: ``protocol/conventions.md``, *Bytes*. The table of uses is closed: a use that is not
listed is a type error for mypy and a ``KeyError`` at the first call. Opens and seals nothing, so
that the relay may import it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, Literal, get_args

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

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
    "access-entry",
    "invitation-id",
    "enrol-commit",
    "sas",
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

    Args:
        key: exactly 32 bytes; a shorter one is a mistake of ours, not of a peer.
        use: what the derived key is for.
        context: what it is bound to.
    """
    assert len(key) == KEY_BYTES
    info = _LABELS[use] + context
    return HKDFExpand(algorithm=hashes.SHA256(), length=KEY_BYTES, info=info).derive(key)


def check_secret(secret: object) -> bytes:
    """``secret`` itself if it is 32 bytes and not all zero (attack 16).

    Raises:
        CryptoError: ``does-not-verify``.
    """
    if not isinstance(secret, bytes) or len(secret) != KEY_BYTES or not any(secret):
        raise CryptoError("does-not-verify")
    return secret
