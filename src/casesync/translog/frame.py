"""Frame: one served leaf of a page (translog; ``protocol/sync.md``, *Frame*).

A frame leaves out what the receiver restores exactly: hashes of segments that travel along, the
stream's and the device's ids (a reference into the page's tables), mostly the previous link. The
restored bytes are what is hashed, so a wrong frame shows as a wrong root.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from hashlib import sha256
from struct import Struct
from typing import Final

from casesync.foundation.errors import RelayMisbehaviour
from casesync.translog.header import head_length

EXPLICIT: Final = 1 << 15
"""Flag: the previous link stands in the frame."""
OWN: Final = 1 << 14
"""Flag: the receiver's own change, named by its number."""
OWN_FRAME_BYTES: Final = 14
WITHHELD_POSITIONS: Final = 14
"""Segments 0 to 13 can be withheld: one flag each."""

_FRONT: Final = Struct(">HIHHH")  # log time as H, I; flags; stream and device references
_OWN: Final = Struct(">HIHHI")
_LINK_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_AFTER_BYTES: Final = 18
_ROW_BYTES: Final = 13  # kind, key name, length
_DIGEST_BYTES: Final = 32
_NO_CHECKPOINT: Final = bytes(6)

Decoded = tuple[int, bytes | None, int, bytes, bytes, tuple[bytes | None, ...]]
"""Log time, previous link or None, device reference, header, signature, segments."""


def decode_frame(frame: bytes, streams: Sequence[bytes], devices: Sequence[bytes]) -> Decoded:
    """Restore the leaf's parts.

    Args:
        frame: a frame without the own flag.
        streams: the page's streams, 16 bytes each.
        devices: the page's devices, 4 bytes each.

    Raises:
        RelayMisbehaviour: ``page-contradicts-log``: lengths that do not add up.
        IndexError, struct.error: the frame ends early or a reference leads nowhere; ``read_page``
            converts them, a try block here would cost every honest frame.
    """
    time_high, time_low, flags, stream_ref, device_ref = _FRONT.unpack_from(frame)
    at = _FRONT.size
    previous = None
    if flags & EXPLICIT:
        previous = frame[at : at + _LINK_BYTES]
        at += _LINK_BYTES
    back = at + 16 + _AFTER_BYTES * frame[at + 15]
    table = back + 21 if frame[back + 14 : back + 20] == _NO_CHECKPOINT else back + 53
    count = frame[table - 1]
    withheld = flags & (OWN - 1)
    if withheld >> count:
        raise RelayMisbehaviour("page-contradicts-log", what="frame")
    log_time_ms = time_high << 32 | time_low
    if count == 1 and not withheld:  # most frames by far: one pass of slices
        signature_at = table + _ROW_BYTES
        segment = frame[signature_at + _SIGNATURE_BYTES :]
        if len(segment) != int.from_bytes(frame[table + 9 : signature_at], "big"):
            raise RelayMisbehaviour("page-contradicts-log", what="frame")
        header = b"".join(
            (
                frame[at : at + 3],
                devices[device_ref],
                frame[at + 3 : at + 9],
                streams[stream_ref],
                frame[at + 9 : signature_at],
                sha256(segment).digest(),
            )
        )
        signature = frame[signature_at : signature_at + _SIGNATURE_BYTES]
        return log_time_ms, previous, device_ref, header, signature, (segment,)
    before = (
        frame[at : at + 3],
        devices[device_ref],
        frame[at + 3 : at + 9],
        streams[stream_ref],
        frame[at + 9 : table],
    )
    return (log_time_ms, previous, device_ref, *_decode_table(frame, before, table, withheld))


def _decode_table(
    frame: bytes, before: tuple[bytes, ...], table: int, withheld: int
) -> tuple[bytes, bytes, tuple[bytes | None, ...]]:
    """Header, signature and segments of a frame with any number of segments.

    Args:
        frame: the whole frame.
        before: what the header holds before its segment table.
        table: where the frame's segment table begins, behind its count.
        withheld: bit j is set if segment j is not in the frame.
    """
    count = frame[table - 1]
    parts = list(before)
    segments: list[bytes | None] = []
    signature_at = table + _ROW_BYTES * count + _DIGEST_BYTES * withheld.bit_count()
    start = signature_at + _SIGNATURE_BYTES
    for position in range(count):
        row = frame[table : table + _ROW_BYTES]
        table += _ROW_BYTES
        if withheld >> position & 1:
            digest = frame[table : table + _DIGEST_BYTES]
            table += _DIGEST_BYTES
            segments.append(None)
        else:
            end = start + int.from_bytes(row[9:], "big")
            segment = frame[start:end]
            start = end
            digest = sha256(segment).digest()
            segments.append(segment)
        parts.append(row)
        parts.append(digest)
    if start != len(frame):
        raise RelayMisbehaviour("page-contradicts-log", what="frame")
    signature = frame[signature_at : signature_at + _SIGNATURE_BYTES]
    return b"".join(parts), signature, tuple(segments)


def decode_own_frame(frame: bytes) -> tuple[int, int]:
    """Log time and number of an own frame (14 bytes).

    Raises:
        RelayMisbehaviour: ``page-contradicts-log``: further flags.
        struct.error: it is shorter.
    """
    time_high, time_low, flags, number_high, number_low = _OWN.unpack(frame)
    if flags != OWN:
        raise RelayMisbehaviour("page-contradicts-log", what="own frame")
    return time_high << 32 | time_low, number_high << 32 | number_low


def encode_frame(
    log_time_ms: int,
    references: tuple[int, int],
    explicit_previous: bytes | None,
    header: bytes,
    signature: bytes,
    segments: bytes,
    withheld_kinds: Container[int],
) -> bytes:
    """The frame of a change.

    Args:
        log_time_ms: the leaf's stamp.
        references: positions of stream and device in the page's tables.
        explicit_previous: the previous link where the receiver cannot know it, else None.
        header: a valid header.
        signature: 64 bytes.
        segments: all segments' bytes, one after the other, in the order of the table.
        withheld_kinds: segment kinds that are not served to this receiver.
    """
    head_end = head_length(header)
    flags = 0 if explicit_previous is None else EXPLICIT
    table = []
    served = []
    start = 0
    rows = range(head_end + 1, len(header), _ROW_BYTES + _DIGEST_BYTES)
    for position, row_at in enumerate(rows):
        row = header[row_at : row_at + _ROW_BYTES]
        end = start + int.from_bytes(row[9:], "big")
        table.append(row)
        if row[0] in withheld_kinds:
            assert position < WITHHELD_POSITIONS
            flags |= 1 << position
            table.append(header[row_at + _ROW_BYTES : row_at + _ROW_BYTES + _DIGEST_BYTES])
        else:
            served.append(segments[start:end])
        start = end
    assert start == len(segments)
    return b"".join(
        (
            _FRONT.pack(log_time_ms >> 32, log_time_ms & 0xFFFFFFFF, flags, *references),
            explicit_previous or b"",
            header[:3],
            header[7:13],
            header[29 : head_end + 1],
            *table,
            signature,
            *served,
        )
    )


def encode_own_frame(log_time_ms: int, number: int) -> bytes:
    """The frame of a change that the receiver wrote and holds."""
    return _OWN.pack(
        log_time_ms >> 32, log_time_ms & 0xFFFFFFFF, OWN, number >> 32, number & 0xFFFFFFFF
    )
