"""Sealed changes as they came, in blocks of about 32 kB (storage floor, DESIGN.md 9).

A location is the block's number and the change's slot in it. Blocks are filled before a new one
is begun, so that a local save does not cost a database row for each change.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

import msgpack

from casesync.storage.session import Session
from casesync.sync.ports import StoredChange

BLOCK_BYTES: Final = 32 * 1024
_SLOT_BITS: Final = 10
SLOTS_MAX: Final = 1 << _SLOT_BITS
_SLOT: Final = SLOTS_MAX - 1
_ARRAY_HEADER_BYTES: Final = 3
_DECODED_BLOCKS_MAX: Final = 8


class ChangeBlocks:
    """Append, read, and destroy the segments of changes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._decoded: OrderedDict[int, list[Any]] = OrderedDict()

    def forget(self) -> None:
        """Drop decoded blocks: the transaction is over."""
        self._decoded.clear()

    def append(self, changes: Sequence[StoredChange]) -> list[int]:
        """Store changes; their locations, ascending."""
        if not changes:
            return []
        packed = list(map(msgpack.Packer().pack, changes))
        ends = list(accumulate(map(len, packed)))
        block, held, held_bytes = self._last_block()
        locations: list[int] = []
        rows = []
        count = _fitting(ends, 0, BLOCK_BYTES - held_bytes, SLOTS_MAX - held) if held else 0
        if count:
            rows.append((block, held + count, self._extended(block, held, packed[:count])))
            self._decoded.pop(block, None)
            locations.extend(_locations(block, held, count))
        at = count
        while at < len(packed):
            block += 1
            # A change larger than a block has one to itself.
            count = max(1, _fitting(ends, at, BLOCK_BYTES, SLOTS_MAX))
            rows.append((block, count, _array(packed[at : at + count], count)))
            locations.extend(_locations(block, 0, count))
            at += count
        self._session.executemany(
            "INSERT OR REPLACE INTO change_block(id, count, body) VALUES (?, ?, ?)", rows
        )
        return locations

    def read(self, locations: Sequence[int]) -> list[StoredChange]:
        """The changes at these locations, in the order asked."""
        found: dict[int, StoredChange] = {}
        for block, wanted in _by_block(locations).items():
            slots = self._slots(block)
            for location in wanted:
                link, header, signature, segments = slots[location & _SLOT]
                found[location] = StoredChange(link, header, signature, tuple(segments))
        return [found[location] for location in locations]

    def drop_segments(self, cuts: Mapping[int, Sequence[int]]) -> None:
        """Destroy segments' bytes, by location and position; what remains says where they were."""
        for block, wanted in _by_block(cuts).items():
            slots = self._slots(block)
            for location in wanted:
                segments = slots[location & _SLOT][3]
                for position in cuts[location]:
                    segments[position] = None
            body = _array(map(msgpack.Packer().pack, slots), len(slots))
            self._session.execute("UPDATE change_block SET body = ? WHERE id = ?", (body, block))

    def _last_block(self) -> tuple[int, int, int]:
        row = self._session.execute(
            "SELECT id, count, length(body) FROM change_block ORDER BY id DESC LIMIT 1"
        ).fetchone()
        return (0, 0, 0) if row is None else (row[0], row[1], row[2])

    def _body(self, block: int) -> bytes:
        row = self._session.execute(
            "SELECT body FROM change_block WHERE id = ?", (block,)
        ).fetchone()
        body: bytes = row[0]
        return body

    def _slots(self, block: int) -> list[Any]:
        """The changes of a block; the last few are kept, for readers who ask one by one."""
        slots = self._decoded.get(block)
        if slots is None:
            slots = self._decoded[block] = msgpack.unpackb(self._body(block))
            if len(self._decoded) > _DECODED_BLOCKS_MAX:
                self._decoded.popitem(last=False)
        return slots

    def _extended(self, block: int, held: int, packed: list[bytes]) -> bytes:
        body = self._body(block)[_ARRAY_HEADER_BYTES:]
        return _array([body, *packed], held + len(packed))


def _fitting(ends: list[int], start: int, space_bytes: int, slots: int) -> int:
    """How many changes from ``start`` fit; ``ends`` are the running totals of their sizes."""
    before = ends[start - 1] if start else 0
    return bisect_right(ends, before + space_bytes, start, min(start + slots, len(ends))) - start


def _locations(block: int, first_slot: int, count: int) -> range:
    first = (block << _SLOT_BITS) + first_slot
    return range(first, first + count)


def _array(packed: Iterable[bytes], count: int) -> bytes:
    """A msgpack array in its 16-bit form, whatever its length: items can be added behind it."""
    return b"".join((b"\xdc", count.to_bytes(2, "big"), *packed))


def _by_block(locations: Iterable[int]) -> dict[int, list[int]]:
    blocks: defaultdict[int, list[int]] = defaultdict(list)
    for location in locations:
        blocks[location >> _SLOT_BITS].append(location)
    return blocks
