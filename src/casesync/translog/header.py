"""Change header: head and segment table (translog; ``protocol/change.md``, *Header*).

Fixed big-endian layout, read without copying more than its parts. What a header proves (chain,
signature, rights) is judged elsewhere; here stands only what every valid header looks like.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct
from struct import error as StructError  # noqa: N812 - the exception's own name is lower case
from typing import Final, NamedTuple

from casesync.codec.padding import is_allowed_length
from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.ids import UNSEALED_KIND
from casesync.foundation.limits import (
    AFTER_MAX,
    CHANGE_BYTES_MAX,
    HEADER_BYTES_MAX,
    PADDING_CLASSES,
    SEGMENT_BYTES_MAX,
    SEGMENTS_PER_CHANGE_MAX,
)

SUITE: Final = 1
NO_KEY_NAME: Final = bytes(8)
"""Key name of the unsealed segment."""

_FRONT: Final = Struct(">BHIHI16sHIB")  # suite ... after count; a u48 is read as H, I
_AFTER: Final = Struct(">IHI8s")
_BACK: Final = Struct(">HI8sHI")  # control size, random, checkpoint size
_SEGMENT: Final = Struct(">B8sI32s")
_ROOT_BYTES: Final = 32
_CLASSES: Final = frozenset(PADDING_CLASSES)
NUMBER_PART: Final = slice(7, 13)
"""Where the change's number stands in a header."""
STREAM_PART: Final = slice(13, 29)
"""Where the stream's id stands in a header."""
_AFTER_COUNT_AT: Final = _FRONT.size - 1
PLAIN_TABLE_BYTES: Final = 1 + _SEGMENT.size
"""The segment table of a plain header, which its head stands before."""
_PLAIN: Final = {
    (count, layout.size): layout
    for count in range(9)
    for root in ("", "32x")
    for layout in [Struct(">BHIHI16xHIB" + "IHI8x" * count + "HI8xHI" + root + "BB8sI32x")]
}
"""Plain headers by number of ``after`` entries and length: without and with a checkpoint."""


PlainHeader = tuple[int, int, int, bytes]
"""(number, control size, kind, key name) of a plain header."""


class After(NamedTuple):
    """The newest change of another device that the author had applied in this stream."""

    device: int
    number: int
    link8: bytes


class SegmentEntry(NamedTuple):
    """One row of the segment table."""

    kind: int
    """0 unsealed, else the compartment's number."""
    key_name: bytes
    """8 bytes; eight zeros for kind 0."""
    length: int
    digest: bytes
    """SHA-256 of the segment's bytes."""


class Header(NamedTuple):
    """A parsed change header; its bytes stay the thing that is hashed."""

    suite: int
    generation: int
    device: int
    number: int
    stream: bytes
    previous_here: int
    """The author's previous number in this stream, 0 = none."""
    after: tuple[After, ...]
    control_size: int
    random8: bytes
    checkpoint_size: int
    """Change-log size the author had verified, 0 = none."""
    checkpoint_root: bytes
    """32 bytes, empty if the size is 0."""
    segments: tuple[SegmentEntry, ...]


def parse_header(data: bytes) -> Header:
    """The header that ``data`` is, exactly.

    Raises:
        RemoteProtocolError: ``malformed``: anything the specification forbids in a header.
    """
    if len(data) > HEADER_BYTES_MAX:
        raise _malformed("length")
    try:
        front = _FRONT.unpack_from(data)
        back_at = _FRONT.size + front[8] * _AFTER.size
        back = _BACK.unpack_from(data, back_at)
        root_at = back_at + _BACK.size
        checkpoint_size = back[3] << 32 | back[4]
        head_end = root_at + (_ROOT_BYTES if checkpoint_size else 0)
        if len(data) != head_end + 1 + data[head_end] * _SEGMENT.size:
            raise _malformed("length")
        segments = tuple(map(SegmentEntry._make, _SEGMENT.iter_unpack(data[head_end + 1 :])))
    except (StructError, IndexError) as error:
        raise _malformed("length") from error
    suite, generation, device, number_high, number_low, stream, here_high, here_low, count = front
    header = Header(
        suite,
        generation,
        device,
        number_high << 32 | number_low,
        stream,
        here_high << 32 | here_low,
        _parse_after(data[_FRONT.size : back_at]) if count else (),
        back[0] << 32 | back[1],
        back[2],
        checkpoint_size,
        data[root_at:head_end],
        segments,
    )
    _check_head(header)
    _check_segments(segments)
    return header


def plain_header(data: bytes) -> PlainHeader | None:
    """(number, control size, kind, key name) of a plain header: what most changes of a page have.

    Plain is a valid header with one sealed segment of at most 512 bytes and at most eight ``after``
    entries; of every other, None: ``parse_header`` reads it or says what is wrong.
    """
    try:
        layout = _PLAIN[data[_AFTER_COUNT_AT], len(data)]
    except (KeyError, IndexError):
        return None
    fields = layout.unpack(data)
    suite, _, device, number_high, number_low, here_high, here_low, count = fields[:8]
    control_high, control_low, size_high, size_low, segments, kind, key_name, length = fields[-8:]
    number = number_high << 32 | number_low
    has_root = len(data) - PLAIN_TABLE_BYTES > _FRONT.size + _AFTER.size * count + _BACK.size
    if (
        suite != SUITE
        or segments != 1
        or kind == UNSEALED_KIND
        or length not in _CLASSES
        or has_root != bool(size_high or size_low)
        or not device
        or here_high << 32 | here_low >= number
    ):
        return None
    previous = 0
    for at in range(8, 8 + 3 * count, 3):
        other = fields[at]
        if other <= previous or other == device or not (fields[at + 1] or fields[at + 2]):
            return None
        previous = other
    return number, control_high << 32 | control_low, kind, key_name


def head_length(data: bytes) -> int:
    """Bytes of ``data`` (a header that has been parsed) that stand before its segment table.

    Raises:
        RemoteProtocolError: ``malformed``: the bytes end before the head does.
    """
    try:
        back_at = _FRONT.size + data[_FRONT.size - 1] * _AFTER.size
        back = _BACK.unpack_from(data, back_at)
    except (StructError, IndexError) as error:
        raise _malformed("length") from error
    return back_at + _BACK.size + (_ROOT_BYTES if back[3] or back[4] else 0)


def head_bytes(data: bytes, header: Header) -> bytes:
    """The head of ``data``, of which ``header`` was parsed."""
    return data[: len(data) - 1 - len(header.segments) * _SEGMENT.size]


def segment_place(data: bytes, kind: int) -> tuple[bytes, int, bytes] | None:
    """(head, position, key name) of the segment of this kind in a header that has been parsed.

    None if there is none. For who opens many stored segments and needs no more of the header.
    """
    head = head_length(data)
    row = head + 1
    for position in range(data[head]):
        if data[row] == kind:
            return data[:head], position, data[row + 1 : row + 1 + len(NO_KEY_NAME)]
        row += _SEGMENT.size
    return None


def encode_head(  # noqa: PLR0913 - one argument per field of the format
    *,
    device: int,
    number: int,
    stream: bytes,
    previous_here: int,
    after: Iterable[tuple[int, int, bytes]],
    control_size: int,
    random8: bytes,
    checkpoint_size: int = 0,
    checkpoint_root: bytes = b"",
    generation: int = 0,
) -> bytes:
    """The head's bytes; ``after`` is (device, number, link8) and is put into its order.

    Raises: ValueError: parts that no head may have.
    """
    rows = sorted(after)
    if len(rows) > AFTER_MAX or len(checkpoint_root) != (_ROOT_BYTES if checkpoint_size else 0):
        raise ValueError("after over 255 entries, or a root that does not go with its size")
    if len(stream) != 16 or len(random8) != 8 or any(len(row[2]) != 8 for row in rows):
        raise ValueError("stream is 16 bytes, random and links are 8")
    return b"".join(
        (
            _FRONT.pack(
                SUITE,
                generation,
                device,
                *_u48_parts(number),
                stream,
                *_u48_parts(previous_here),
                len(rows),
            ),
            *(_AFTER.pack(row[0], *_u48_parts(row[1]), row[2]) for row in rows),
            _BACK.pack(*_u48_parts(control_size), random8, *_u48_parts(checkpoint_size)),
            checkpoint_root,
        )
    )


def encode_header(head: bytes, segments: Sequence[tuple[int, bytes, int, bytes]]) -> bytes:
    """``head`` and the segment table; rows are (kind, key name, length, SHA-256), kinds ascending.

    Raises: ValueError: the result would be no valid header.
    """
    header = b"".join((head, bytes((len(segments),)), *(_SEGMENT.pack(*row) for row in segments)))
    try:
        if plain_header(header) is None:
            parse_header(header)
    except RemoteProtocolError as error:
        raise ValueError(f"not a valid header: {error.params}") from error
    return header


def _u48_parts(number: int) -> tuple[int, int]:
    if not 0 <= number < 1 << 48:
        raise ValueError("a u48 holds 0 to 2^48 - 1")
    return number >> 32, number & 0xFFFFFFFF


def _parse_after(data: bytes) -> tuple[After, ...]:
    return tuple(
        After(device, high << 32 | low, link8)
        for device, high, low, link8 in _AFTER.iter_unpack(data)
    )


def _check_head(header: Header) -> None:
    if header.suite != SUITE:
        raise _malformed("suite")
    if not header.device or not header.number or header.previous_here >= header.number:
        raise _malformed("device or number")
    previous = 0
    for device, number, _link8 in header.after:
        if device <= previous or not number or device == header.device:
            raise _malformed("after")
        previous = device


def _check_segments(segments: tuple[SegmentEntry, ...]) -> None:
    if not 1 <= len(segments) <= SEGMENTS_PER_CHANGE_MAX:
        raise _malformed("segment count")
    previous = -1
    total = 0
    for kind, key_name, length, _digest in segments:
        if kind <= previous:
            raise _malformed("segment kinds")
        if kind == UNSEALED_KIND:
            if key_name != NO_KEY_NAME or not length:
                raise _malformed("unsealed segment")
        elif length not in _CLASSES and not is_allowed_length(length):
            raise _malformed("segment length")
        if length > SEGMENT_BYTES_MAX:
            raise _malformed("segment length")
        previous = kind
        total += length
    if total > CHANGE_BYTES_MAX:
        raise _malformed("change length")


def _malformed(part: str) -> RemoteProtocolError:
    return RemoteProtocolError("malformed", what=f"change header: {part}")
