"""Padding to few lengths (codec; ``protocol/conventions.md``, *Padding*).

A ciphertext is 64, 128, 192, 256, 384 or 512 bytes long, above that a Padme length, so that the
relay learns little from sizes. The plaintext ends with 0x80 and zeros (ISO/IEC 7816-4).
"""

from __future__ import annotations

from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.limits import PADDING_CLASSES

_MARK = 0x80


def padded_length(length: int) -> int:
    """The smallest allowed ciphertext length that is at least ``length`` bytes."""
    if length > PADDING_CLASSES[-1]:
        return _padme(length)
    return next(size for size in PADDING_CLASSES if size >= length)


def is_allowed_length(length: int) -> bool:
    """Whether a ciphertext may be ``length`` bytes long."""
    return padded_length(length) == length


def pad(body: bytes, overhead: int = 16) -> bytes:
    """The plaintext for ``body``; its ciphertext is ``overhead`` bytes longer (the tag)."""
    room = padded_length(len(body) + 1 + overhead) - overhead
    return body + b"\x80" + bytes(room - len(body) - 1)


def unpad(padded: bytes) -> bytes:
    """The body of an opened plaintext.

    Raises:
        RemoteProtocolError: ``malformed``: no mark. The bytes were authentic, so their author made
            them so; this is not an oracle.
    """
    stripped = padded.rstrip(b"\x00")
    if not stripped or stripped[-1] != _MARK:
        raise RemoteProtocolError("malformed", what="padding")
    return stripped[:-1]


def _padme(length: int) -> int:
    """Padme: at most floor(log2(log2 n)) + 1 significant bits (length > 1)."""
    exponent = length.bit_length() - 1
    free_bits = exponent - exponent.bit_length()
    mask = (1 << free_bits) - 1
    return (length + mask) & ~mask
