"""Frame: one served leaf of a page (translog; ``protocol/sync.md``, *Frame*).

A frame leaves out what the receiver restores exactly: hashes of segments that travel along, the
stream's and the device's ids (a reference into the page's tables), mostly the previous link, the
zeros before a number. The restored bytes are what is hashed, so a wrong frame shows as a wrong
root.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from hashlib import sha256
from struct import Struct
from typing import Final

from casesync.foundation.errors import RelayMisbehaviour
from casesync.translog.header import head_length
from casesync.translog.varint import put_varints, read_varint

EXPLICIT: Final = 1
"""Flag: the previous link stands in the frame."""
OWN: Final = 2
"""Flag: the receiver's own change, named by its number."""
WITHHELD: Final = 4
"""Flag: some segments are not in the frame."""

_REFERENCE_BITS: Final = 16
_DEVICE_BITS: Final = 32
_LENGTH_BITS: Final = 32
_NUMBER_BITS: Final = 48
"""Of log times, numbers of changes and sizes of logs."""
_MASK_BITS: Final = 16
_LINK_BYTES: Final = 32
_LINK8_BYTES: Final = 8
_RANDOM_BYTES: Final = 8
_DIGEST_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_NAMED_BYTES: Final = 9
"""Kind and key name of a segment."""
_VERSION: Final = b"\x01\x00\x00"
"""Suite 1, generation 0: a relay takes no other change."""

_LOW: Final = 0xFFFFFFFF
_HEAD: Final = Struct(">3s4xHI16xHIB")  # as in a header: version, number, previous here, count
_FRONT: Final = Struct(">3s4sHI")  # its part before the stream
_HERE: Final = Struct(">HIB")  # and the one behind it
_AFTER: Final = Struct(">IHI8s")
_BACK: Final = Struct(">HI8sHI")  # control size, random, checkpoint size
_ROW: Final = Struct(">9sI32s")

Decoded = tuple[int, bytes | None, int, bytes, bytes, tuple[bytes | None, ...]]
"""Log time, previous link or None, device reference, header, signature, segments."""


def decode_frame(
    frame: bytes, log_time_ms: int, streams: Sequence[bytes], devices: Sequence[bytes]
) -> Decoded:
    """Restore the leaf's parts.

    Args:
        frame: a frame without the own flag.
        log_time_ms: of the page's previous frame, 0 before the first.
        streams: the page's streams, 16 bytes each.
        devices: the page's devices, 4 bytes each.

    Raises:
        RelayMisbehaviour: ``page-contradicts-log``: numbers or lengths that cannot be.
        IndexError: the frame ends early or a reference leads nowhere; ``read_page`` converts it, a
            try block here would cost every honest frame.
    """
    flags = frame[0]
    if flags & ~(EXPLICIT | WITHHELD):
        raise _contradiction()
    log_time_ms, at = _read_later(frame, log_time_ms)
    stream_ref, at = read_varint(frame, at, _REFERENCE_BITS)
    device_ref, at = read_varint(frame, at, _REFERENCE_BITS)
    withheld = 0
    if flags & WITHHELD:
        withheld, at = read_varint(frame, at, _MASK_BITS)
        if not withheld:
            raise _contradiction()
    previous = None
    if flags & EXPLICIT:
        previous = frame[at : at + _LINK_BYTES]
        at += _LINK_BYTES
    head, at = _decode_head(frame, at, devices[device_ref], streams[stream_ref])
    header, signature, segments = _decode_table(frame, at, head, withheld)
    return log_time_ms, previous, device_ref, header, signature, segments


def _read_later(frame: bytes, log_time_ms: int) -> tuple[int, int]:
    """The log time, which follows the flags as the difference to the one before."""
    since, at = read_varint(frame, 1, _NUMBER_BITS)
    log_time_ms += since
    if log_time_ms >> _NUMBER_BITS:
        raise _contradiction()
    return log_time_ms, at


def _decode_head(frame: bytes, at: int, device: bytes, stream: bytes) -> tuple[bytes, int]:
    """A header's head, and where what follows it in the frame begins."""
    number, at = read_varint(frame, at, _NUMBER_BITS)
    here, at = read_varint(frame, at, _NUMBER_BITS)
    count = frame[at]
    at += 1
    parts = [
        _FRONT.pack(_VERSION, device, number >> 32, number & _LOW),
        stream,
        _HERE.pack(here >> 32, here & _LOW, count),
    ]
    other = 0
    for _ in range(count):
        step, at = read_varint(frame, at, _DEVICE_BITS)
        other += step
        if other >> _DEVICE_BITS:
            raise _contradiction()
        newest, at = read_varint(frame, at, _NUMBER_BITS)
        end = at + _LINK8_BYTES
        parts.append(_AFTER.pack(other, newest >> 32, newest & _LOW, frame[at:end]))
        at = end
    control_size, at = read_varint(frame, at, _NUMBER_BITS)
    end = at + _RANDOM_BYTES
    random8 = frame[at:end]
    size, at = read_varint(frame, end, _NUMBER_BITS)
    parts.append(
        _BACK.pack(control_size >> 32, control_size & _LOW, random8, size >> 32, size & _LOW)
    )
    if size:
        parts.append(frame[at : at + _DIGEST_BYTES])
        at += _DIGEST_BYTES
    return b"".join(parts), at


def _decode_table(
    frame: bytes, at: int, head: bytes, withheld: int
) -> tuple[bytes, bytes, tuple[bytes | None, ...]]:
    """Header, signature and segments.

    Args:
        frame: the whole frame.
        at: where its segment count stands.
        head: what the header holds before its segment table.
        withheld: bit j is set if segment j is not in the frame.
    """
    count = frame[at]
    parts = [head, frame[at : at + 1]]
    at += 1
    if withheld >> count:
        raise _contradiction()
    rows = []
    for position in range(count):
        named = frame[at : at + _NAMED_BYTES]
        length, at = read_varint(frame, at + _NAMED_BYTES, _LENGTH_BITS)
        digest = None
        if withheld >> position & 1:
            digest = frame[at : at + _DIGEST_BYTES]
            at += _DIGEST_BYTES
        rows.append((named, length, digest))
    signature = frame[at : at + _SIGNATURE_BYTES]
    at += _SIGNATURE_BYTES
    segments: list[bytes | None] = []
    for named, length, digest in rows:
        segment = None
        if digest is None:
            segment = frame[at : at + length]
            at += length
            digest = sha256(segment).digest()  # noqa: PLW2901 - what the row lacked
        segments.append(segment)
        parts.append(_ROW.pack(named, length, digest))
    if at != len(frame):
        raise _contradiction()
    return b"".join(parts), signature, tuple(segments)


def decode_own_frame(frame: bytes, log_time_ms: int) -> tuple[int, int]:
    """Log time and number of an own frame.

    Args:
        frame: a frame with the own flag.
        log_time_ms: of the page's previous frame, 0 before the first.

    Raises:
        RelayMisbehaviour: ``page-contradicts-log``: further flags, or something behind the number.
        IndexError: it ends early.
    """
    log_time_ms, at = _read_later(frame, log_time_ms)
    number, at = read_varint(frame, at, _NUMBER_BITS)
    if frame[0] != OWN or at != len(frame):
        raise _contradiction()
    return log_time_ms, number


def encode_frame(
    since_ms: int,
    references: tuple[int, int],
    explicit_previous: bytes | None,
    header: bytes,
    signature: bytes,
    segments: bytes,
    withheld_kinds: Container[int],
) -> bytes:
    """The frame of a change.

    Args:
        since_ms: the leaf's stamp, less the one of the page's previous frame.
        references: positions of stream and device in the page's tables.
        explicit_previous: the previous link where the receiver cannot know it, else None.
        header: a valid header.
        signature: 64 bytes.
        segments: all segments' bytes, one after the other, in the order of the table.
        withheld_kinds: segment kinds that are not served to this receiver.
    """
    head_end = head_length(header)
    rows = list(_ROW.iter_unpack(header[head_end + 1 :]))
    withheld = sum(1 << at for at, row in enumerate(rows) if row[0][0] in withheld_kinds)
    out = bytearray(1)
    put_varints(out, since_ms, *references)
    if withheld:
        out[0] |= WITHHELD
        put_varints(out, withheld)
    if explicit_previous is not None:
        out[0] |= EXPLICIT
        out += explicit_previous
    _put_head(out, header)
    out.append(len(rows))
    served = []
    start = 0
    for position, (named, length, digest) in enumerate(rows):
        out += named
        put_varints(out, length)
        if withheld >> position & 1:
            out += digest
        else:
            served.append(segments[start : start + length])
        start += length
    assert start == len(segments)
    return b"".join((out, signature, *served))


def _put_head(out: bytearray, header: bytes) -> None:
    """Append what a frame has of a header's head."""
    version, number_high, number_low, here_high, here_low, count = _HEAD.unpack_from(header)
    assert version == _VERSION
    put_varints(out, number_high << 32 | number_low, here_high << 32 | here_low)
    out.append(count)
    at = _HEAD.size
    before = 0
    for _ in range(count):
        other, newest_high, newest_low, link8 = _AFTER.unpack_from(header, at)
        put_varints(out, other - before, newest_high << 32 | newest_low)
        out += link8
        before = other
        at += _AFTER.size
    control_high, control_low, random8, size_high, size_low = _BACK.unpack_from(header, at)
    put_varints(out, control_high << 32 | control_low)
    out += random8
    size = size_high << 32 | size_low
    put_varints(out, size)
    if size:
        at += _BACK.size
        out += header[at : at + _DIGEST_BYTES]


def encode_own_frame(since_ms: int, number: int) -> bytes:
    """The frame of a change that the receiver wrote and holds; ``since_ms`` as ``encode_frame``."""
    out = bytearray((OWN,))
    put_varints(out, since_ms, number)
    return bytes(out)


def _contradiction() -> RelayMisbehaviour:
    return RelayMisbehaviour("page-contradicts-log", what="frame")
