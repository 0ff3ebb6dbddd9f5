"""Checkpoint: the relay's signed size and root of a log (translog).

Specification: ``protocol/transparency-log.md``, *Checkpoint*; C2SP ``tlog-checkpoint`` and
``signed-note``. Two forms of the same statement: the note's text, for auditors, witnesses and
mirrors, and 102 bytes on the sync path, from which the note is restored.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Final, Literal, NamedTuple, Self

from casesync.codec.fixed import Reader, u48
from casesync.crypto.signatures import ED25519_SIGNATURE_BYTES, ed25519_verify
from casesync.foundation.errors import CryptoError, RelayMisbehaviour
from casesync.merkle.hashing import EMPTY_ROOT, HASH_BYTES

CHECKPOINT_BYTES: Final = 102
NOTE_BYTES_MAX: Final = 16 * 1024
SIGNATURE_LINES_MAX: Final = 16
"""The relay's line and as many cosignatures of witnesses as a note reader must take."""
_ED25519_TYPE: Final = b"\x01"
_LINE_START: Final = b"\xe2\x80\x94 "
"""Em dash and space (C2SP signed-note)."""
_SIZE_DIGITS_MAX: Final = 15
"""2^48 - 1 has as many."""
_SIZE_MAX: Final = (1 << 48) - 1


class LogName(NamedTuple):
    """Which log of which network; two logs never share an origin."""

    network: bytes
    """32 bytes."""
    log: Literal["control", "change"]

    @property
    def origin(self) -> bytes:
        """The note's first line, and the name of the key that signs it."""
        return f"casesync/v1/{self.network.hex()}/{self.log}".encode("ascii")


class Checkpoint(NamedTuple):
    """A verified (or self-made) statement: the log had this root at this size."""

    name: LogName
    size: int
    root: bytes
    signature: bytes
    """64 bytes, by the relay's log key."""

    @classmethod
    def make(cls, name: LogName, size: int, root: bytes, sign: Callable[[bytes], bytes]) -> Self:
        """Sign a checkpoint; ``sign`` is the log key's, which signs nothing else."""
        return cls(name, size, root, sign(_text(name, size, root)))

    @classmethod
    def from_binary(cls, name: LogName, data: bytes, log_key: bytes) -> Self:
        """The verified checkpoint that ``data`` (size u48, root, signature) is.

        Args:
            name: the log it must be of.
            data: 102 bytes.
            log_key: the relay's public log key, 32 bytes.

        Raises:
            RelayMisbehaviour: ``checkpoint-invalid``.
        """
        if len(data) != CHECKPOINT_BYTES:
            raise RelayMisbehaviour("checkpoint-invalid")
        reader = Reader(data)
        size, root = reader.u48(), reader.take(HASH_BYTES)
        return cls._verified(name, size, root, reader.rest(), log_key)

    @classmethod
    def from_note(cls, name: LogName, note: bytes, log_key: bytes) -> Self:
        """The verified checkpoint of a note; lines of other keys are passed over (C2SP).

        Raises:
            RelayMisbehaviour: ``checkpoint-invalid``: any deviation from the format, another
                origin, extension lines, no signature of the log key or more than one.
        """
        size, root, signature = _parse_note(note, name, key_id(name, log_key))
        return cls._verified(name, size, root, signature, log_key)

    @classmethod
    def _verified(
        cls, name: LogName, size: int, root: bytes, signature: bytes, log_key: bytes
    ) -> Self:
        if not size and root != EMPTY_ROOT:
            raise RelayMisbehaviour("checkpoint-invalid")
        try:
            ed25519_verify(log_key, _text(name, size, root), signature)
        except CryptoError as error:
            raise RelayMisbehaviour("checkpoint-invalid") from error
        return cls(name, size, root, signature)

    def to_binary(self) -> bytes:
        """The 102 bytes of the sync path."""
        return u48(self.size) + self.root + self.signature

    def to_note(self, log_key: bytes) -> bytes:
        """The signed note; ``log_key`` is the public key that made the signature."""
        blob = b64encode(key_id(self.name, log_key) + self.signature)
        line = _LINE_START + self.name.origin + b" " + blob + b"\n"
        return _text(self.name, self.size, self.root) + b"\n" + line


def key_id(name: LogName, log_key: bytes) -> bytes:
    """First 4 bytes of SHA-256(origin | 0x0A | 0x01 | public key)."""
    return sha256(name.origin + b"\n" + _ED25519_TYPE + log_key).digest()[:4]


def _text(name: LogName, size: int, root: bytes) -> bytes:
    """What is signed: three lines."""
    return b"%s\n%d\n%s\n" % (name.origin, size, b64encode(root))


def _parse_note(note: bytes, name: LogName, our_key_id: bytes) -> tuple[int, bytes, bytes]:
    """Size, root and the log key's signature; everything else is refused."""
    text, separator, signatures = note.partition(b"\n\n")
    lines = text.split(b"\n")
    if len(note) > NOTE_BYTES_MAX or not separator or len(lines) != 3:
        raise RelayMisbehaviour("checkpoint-invalid")
    if lines[0] != name.origin:
        raise RelayMisbehaviour("checkpoint-invalid")
    return (
        _parse_size(lines[1]),
        _parse_base64(lines[2], HASH_BYTES),
        _find_signature(signatures, name.origin, our_key_id),
    )


def _parse_size(digits: bytes) -> int:
    plain = digits.isdigit() and len(digits) <= _SIZE_DIGITS_MAX
    if not plain or (digits.startswith(b"0") and digits != b"0") or int(digits) > _SIZE_MAX:
        raise RelayMisbehaviour("checkpoint-invalid")
    return int(digits)


def _parse_base64(text: bytes, length: int) -> bytes:
    """Exactly ``length`` bytes in their one base64 form."""
    try:
        data = b64decode(text, validate=True)
    except ValueError as error:
        raise RelayMisbehaviour("checkpoint-invalid") from error
    if len(data) != length or b64encode(data) != text:
        raise RelayMisbehaviour("checkpoint-invalid")
    return data


def _find_signature(lines: bytes, origin: bytes, our_key_id: bytes) -> bytes:
    """The one signature under our key's name and id; each line must be well-formed."""
    *rows, end = lines.split(b"\n")
    if end or not 1 <= len(rows) <= SIGNATURE_LINES_MAX:
        raise RelayMisbehaviour("checkpoint-invalid")
    found = []
    for row in rows:
        name, _, blob = row.removeprefix(_LINE_START).partition(b" ")
        if not row.startswith(_LINE_START) or not name or b"+" in name:
            raise RelayMisbehaviour("checkpoint-invalid")
        try:
            signature = b64decode(blob, validate=True)
        except ValueError as error:
            raise RelayMisbehaviour("checkpoint-invalid") from error
        if len(signature) <= len(our_key_id) or b64encode(signature) != blob:
            raise RelayMisbehaviour("checkpoint-invalid")
        if name == origin and signature[:4] == our_key_id:
            found.append(signature[4:])
    if len(found) != 1 or len(found[0]) != ED25519_SIGNATURE_BYTES:
        raise RelayMisbehaviour("checkpoint-invalid")
    return found[0]
