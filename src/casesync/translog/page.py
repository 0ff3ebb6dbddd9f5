"""Reader of pages: what is served, proven against a target checkpoint (translog).

Specification: ``protocol/sync.md``, *Page*; ``protocol/transparency-log.md``, *Span proof*. Either
everything adds up to the target's root, or nothing is returned. Signatures are not checked here:
``run_starts`` tells which leaves one check covers. The relay's side is ``page_builder``.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final, NamedTuple

from casesync.codec.canonical import ARRAYS
from casesync.foundation.compiled import compiled
from casesync.foundation.errors import RelayMisbehaviour
from casesync.merkle.compact_range import SIZE_MAX, CompactRange
from casesync.merkle.hashing import HASH_BYTES, LEAF_PREFIX
from casesync.merkle.subtrees import aligned_subtrees
from casesync.translog.chain import LINK_LABEL, bridge
from casesync.translog.frame import OWN, decode_frame, decode_own_frame
from casesync.translog.header import PlainHeader, plain_header
from casesync.translog.served_leaf import ServedLeaf, leaf_kernel

REFERENCES_MAX: Final = 1 << 16
"""Streams, or devices, of one page: a reference is below 2^16."""
OWN_FRAMES_MAX: Final = 1 << 16
"""Own frames of one page: each makes the receiver load a change of its own."""
AT_ONCE: Final = 128
"""Frames that the compiled reader hands from one thread to the other together."""
FOLD_AT: Final = 1024
"""Leaves that are hashed into the tree together while a second thread reads what comes next."""
WORTH_A_THREAD: Final = 1024
"""Frames to come that are worth a second thread (``protocol/decisions/0024``)."""
WORTH_IT: Final = 4096
"""Frames taken by two threads in one run; if they were fewer, the rest of the page is read by one:
what the second has read behind an unusual frame is read again."""
_NEVER: Final = -1
frame_kernel = leaf_kernel and (
    compiled("casesync.translog._frame_chunks", 6) and compiled("casesync.translog._frames", 11)
)
"""Takes runs of usual frames; without it ``_Reading`` takes each."""
plain_of: Final[Callable[[bytes], PlainHeader | None]] = (
    plain_header if frame_kernel is None else frame_kernel.plain_header
)
"""``header.plain_header``, compiled where that is."""


class OwnChange(NamedTuple):
    """What a receiver holds of its own change."""

    previous_link: bytes
    header: bytes
    signature: bytes
    segments: tuple[bytes | None, ...]


class ReadPage(NamedTuple):
    """What a page proved."""

    leaves: list[ServedLeaf]
    compact_range: CompactRange
    """Of [0, t): where the next page begins."""


OwnLookup = Callable[[int], OwnChange | None]
"""Own number to own change; None if it is not held."""


def read_page(
    page: list[Any],
    compact_range: CompactRange,
    target_size: int,
    target_root: bytes,
    own_lookup: OwnLookup,
    *,
    second_thread: bool = False,
) -> ReadPage:
    """Check a page against the target and restore its leaves.

    Args:
        page: ``[t, streams, devices, items, hashes]``, decoded but not trusted; ``items`` is one of
            ``canonical.ARRAYS``.
        compact_range: of [0, m), m being the cursor; it is not changed.
        target_size: n, from a verified checkpoint (or the own cursor, for a back-fill).
        target_root: the root at n.
        own_lookup: gives own changes that the page serves as "own".
        second_thread: whether there is a processor for one, which parses and hashes ahead.

    Raises:
        RelayMisbehaviour: ``page-contradicts-log``: anything that does not add up.
    """
    try:
        reading = _Reading(page, compact_range, target_size, own_lookup)
        reading.worth_a_thread = WORTH_A_THREAD if second_thread else _NEVER
        reading.take_items()
        return reading.finish(target_size, target_root)
    except IndexError as error:
        raise _contradiction("frame") from error


class _Reading:
    """State of one page while its items are taken in order."""

    __slots__ = (
        "_device_ids",
        "_devices",
        "_hashes",
        "_hashes_at",
        "_items",
        "_last_link",
        "_leaf_hashes",
        "_log_time",
        "_numbers",
        "_own_lookup",
        "_own_number",
        "_own_room",
        "_position",
        "_range",
        "_stream_ids",
        "_streams",
        "_t",
        "leaves",
        "worth_a_thread",
    )

    def __init__(
        self, page: list[Any], compact_range: CompactRange, target_size: int, own: OwnLookup
    ) -> None:
        if type(page) is not list or len(page) != 5:
            raise _contradiction("shape")
        t, streams, numbers, items, hashes = page
        if type(t) is not int or not compact_range.size <= t <= target_size <= SIZE_MAX:
            raise _contradiction("size")
        if type(items) not in ARRAYS or type(hashes) is not bytes or len(hashes) % HASH_BYTES:
            raise _contradiction("shape")
        self._stream_ids = streams
        self._streams = _stream_table(streams)
        self._numbers, self._devices = _device_table(numbers)
        self._device_ids = b"".join(self._devices)
        self._items = items
        self._hashes = hashes
        self._hashes_at = 0
        self._t = t
        self._range = compact_range.copy()
        self._position = compact_range.size
        self._leaf_hashes: list[bytes] = []  # of leaves not in the range yet
        self._last_link: dict[bytes, bytes] = {}  # by device, as its 4 bytes
        self._log_time = 0
        self._own_lookup = own
        self._own_number = 0
        self._own_room = OWN_FRAMES_MAX
        self.leaves: list[ServedLeaf] = []
        self.worth_a_thread = _NEVER

    def take_items(self) -> None:
        at = self._take_plain(0)
        while at < len(self._items):
            self._take_item(self._items[at])
            at = self._take_plain(at + 1)
        if self._position != self._t:
            raise _contradiction("size")

    def _take_plain(self, at: int) -> int:
        """Let the compiled reader take what it can from item ``at`` on; where it stopped."""
        if frame_kernel is None or at == len(self._items) or type(self._items[at]) is not bytes:
            return at
        before = at
        at, self._position, self._log_time = frame_kernel.take_frames(
            self._items,
            at,
            self._stream_ids,
            self._device_ids,
            self._numbers,
            self._devices,
            self._last_link,
            self.leaves,
            self._leaf_hashes,
            self._position,
            self._t,
            self._log_time,
            self._flush,
            FOLD_AT,
            AT_ONCE,
            self.worth_a_thread,
        )
        if AT_ONCE <= at - before < WORTH_IT:
            self.worth_a_thread = _NEVER
        return at

    def _take_item(self, item: object) -> None:
        if type(item) is bytes:
            if item[0] & OWN:
                self._take_own(item)
            else:
                self._take_frame(item)
        elif type(item) is int:
            self._skip(item)
        elif type(item) is list:
            self._take_bridge(item)
        else:
            raise _contradiction("item")

    def finish(self, target_size: int, target_root: bytes) -> ReadPage:
        self._flush()
        reached = self._range.copy()
        self._append_subtrees(self._t, target_size)
        if self._hashes_at != len(self._hashes):
            raise _contradiction("hashes left over")
        if self._range.root() != target_root:
            raise _contradiction("root")
        return ReadPage(self.leaves, reached)

    def _take_frame(self, frame: bytes) -> None:
        log_time_ms, given, reference, header, signature, segments = decode_frame(
            frame, self._log_time, self._streams, self._devices
        )
        device = self._devices[reference]
        previous = self._last_link.get(device) if given is None else given
        if previous is None:
            raise _contradiction("previous link")
        number = self._numbers[reference]
        self._append(log_time_ms, previous, header, signature, segments, None, device, number)

    def _take_own(self, frame: bytes) -> None:
        log_time_ms, number = decode_own_frame(frame, self._log_time)
        self._own_room -= 1
        if number <= self._own_number or not self._own_room:
            raise _contradiction("own frame")
        self._own_number = number
        own = self._own_lookup(number)
        if own is None:
            raise _contradiction("own change unknown")
        device = own.header[3:7]
        self._append(log_time_ms, *own, number, device, int.from_bytes(device, "big"))

    def _append(
        self,
        log_time_ms: int,
        previous: bytes,
        header: bytes,
        signature: bytes,
        segments: tuple[bytes | None, ...],
        own: int | None,
        device: bytes,
        device_number: int,
    ) -> None:
        index = self._position
        if index >= self._t:
            raise _contradiction("size")
        self._log_time = log_time_ms
        self._position = index + 1
        links = self._last_link
        run_starts = links.get(device) != previous
        link = links[device] = sha256(LINK_LABEL + previous + sha256(header).digest()).digest()
        self.leaves.append(
            ServedLeaf(
                index,
                log_time_ms,
                previous,
                header,
                signature,
                segments,
                own,
                device_number,
                link,
                run_starts,
            )
        )
        time = log_time_ms.to_bytes(6, "big")
        leaf = b"".join((LEAF_PREFIX, time, previous, header, signature))
        self._leaf_hashes.append(sha256(leaf).digest())

    def _take_bridge(self, item: list[Any]) -> None:
        if len(item) < 2 or type(item[0]) is not int or item[0] < 0:
            raise _contradiction("bridge")
        device = self._devices[item[0]]
        link = self._last_link.get(device)
        if link is None:
            raise _contradiction("bridge")
        for skipped in item[1:]:
            if type(skipped) is not bytes or len(skipped) != HASH_BYTES:
                raise _contradiction("bridge")
            link = bridge(link, skipped)
        self._last_link[device] = link

    def _skip(self, count: int) -> None:
        end = self._position + count
        if count < 1 or end > self._t:
            raise _contradiction("size")
        if count == 1:
            self._leaf_hashes.append(self._next_hash())
        else:
            self._flush()
            self._append_subtrees(self._position, end)
        self._position = end

    def _append_subtrees(self, low: int, high: int) -> None:
        for level, _index in aligned_subtrees(low, high):
            self._range.append_subtree(level, self._next_hash())

    def _next_hash(self) -> bytes:
        start = self._hashes_at
        self._hashes_at = start + HASH_BYTES
        if self._hashes_at > len(self._hashes):
            raise _contradiction("hashes missing")
        return self._hashes[start : self._hashes_at]

    def _flush(self) -> list[bytes]:
        """Put the leaves that were read into the tree; the list of those to come."""
        self._range.extend(self._leaf_hashes)
        self._leaf_hashes = []
        return self._leaf_hashes


def _stream_table(streams: object) -> list[bytes]:
    if type(streams) is not bytes or len(streams) % 16 or len(streams) > 16 * REFERENCES_MAX:
        raise _contradiction("streams")
    return [streams[at : at + 16] for at in range(0, len(streams), 16)]


def _device_table(numbers: object) -> tuple[list[int], list[bytes]]:
    if type(numbers) is not list or len(numbers) > REFERENCES_MAX:
        raise _contradiction("devices")
    for number in numbers:
        if type(number) is not int or not 1 <= number < 1 << 32:
            raise _contradiction("devices")
    return numbers, [number.to_bytes(4, "big") for number in numbers]


def _contradiction(what: str) -> RelayMisbehaviour:
    return RelayMisbehaviour("page-contradicts-log", what=what)
