"""Sealed changes as they came, in blocks of about 128 kB (storage floor, DESIGN.md 9).

A location is the block's number and the change's slot in it. A transaction fills its blocks before
it begins a new one. What it leaves is added to by the next only while it is small: a save writes
the whole block again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

import msgpack

from casesync.foundation.compiled import compiled
from casesync.foundation.errors import LocalStateError
from casesync.storage.late_signatures import signatures
from casesync.storage.packing import pack_all
from casesync.storage.session import Session
from casesync.sync.ports import ChangeSigner, StoredChange, UnsignedChange

blocks_kernel = compiled("casesync.storage._blocks", 1)
"""Takes a few changes out of a block; without it the whole block is decoded."""

BLOCK_BYTES: Final = 128 * 1024
SMALL_BLOCK_BYTES: Final = 4 * 1024
"""Several to a page of the database, never a page of its own beside the tree."""
_SLOT_BITS: Final = 10
SLOTS_MAX: Final = 1 << _SLOT_BITS
_SLOT: Final = SLOTS_MAX - 1
_ARRAY_HEADER_BYTES: Final = 3
_DECODED_BLOCKS_MAX: Final = 8
FULL_BLOCKS_MAX: Final = 8
"""Held back, 1 MB: some 1,500 saves are signed together."""
SIGNATURE_BYTES: Final = 64
_NO_SIGNATURE: Final = bytes(SIGNATURE_BYTES)
_SEGMENT_TYPES: Final = frozenset({bytes, type(None)})


class _Filling:
    """A block that changes are added to; a change larger than a block has one to itself."""

    __slots__ = ("block", "changed", "count", "parts", "size_bytes")

    def __init__(self, block: int, count: int = 0, packed: bytes = b"") -> None:
        """Args: packed: the ``count`` changes that stand in the block already."""
        self.block = block
        self.count = count
        self.parts: list[bytes | bytearray | memoryview] = [packed]
        self.size_bytes = len(packed)
        self.changed = False

    def body(self) -> bytes:
        """The block as it is stored."""
        return _array(self.parts, self.count)

    def is_full(self, size_bytes: int) -> bool:
        """Whether a change of this size goes into the next block."""
        if not self.count:
            return False
        return self.size_bytes + size_bytes > BLOCK_BYTES or self.count == SLOTS_MAX

    def location(self) -> int:
        """Of the change that comes next."""
        return (self.block << _SLOT_BITS) + self.count

    def take(self, changes: bytes, ends: Sequence[int], at: int) -> int:
        """Add those of ``changes`` that fit, from the one at ``at`` on; how many they were.

        Args: ends: where each of them ends.
        """
        before = ends[at - 1] if at else 0
        room = min(SLOTS_MAX - self.count, len(ends) - at)
        fitting = bisect_right(ends, before + BLOCK_BYTES - self.size_bytes, at, at + room) - at
        if not self.count:
            fitting = max(fitting, 1)
        if fitting:
            end = ends[at + fitting - 1]
            self.parts.append(memoryview(changes)[before:end])
            self.size_bytes += end - before
            self.count += fitting
            self.changed = True
        return fitting

    def next(self) -> _Filling:
        """The block that the next transaction adds to."""
        if self.changed:
            return self  # it is not in its place yet
        if self.size_bytes >= SMALL_BLOCK_BYTES or self.count == SLOTS_MAX:
            return _Filling(self.block + 1)
        self.parts = [b"".join(self.parts)]  # a part may hold a whole page's batch in memory
        return self


class _Unsigned(NamedTuple):
    """A packed change with room for its signature."""

    packed: bytearray
    place: int
    message: bytes


class ChangeBlocks:
    """Append, read, and destroy the segments of changes.

    The block that is being filled is held back until it is full or the transaction ends: many small
    appends cost what one does. So are full ones with own changes that are not signed yet.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._decoded: OrderedDict[int, list[Any]] = OrderedDict()
        self._last: _Filling | None = None
        self._full: list[_Filling] = []
        self._unsigned: list[_Unsigned] = []
        self._signer: ChangeSigner | None = None

    def flush(self) -> None:
        """Sign what is not signed, and write the blocks that are held back to the database."""
        self._sign()
        held = self._full if self._last is None else [*self._full, self._last]
        for filling in held:
            if filling.changed:
                columns = {"id": filling.block, "count": filling.count}
                self._session.put_body("change_block", columns, filling.body())
                filling.changed = False
        self._full.clear()

    def pending(self) -> list[Any] | None:
        """What is not in the database, signed: empty, or [block, count, changes]; None: much."""
        self._sign()
        if self._full:
            return None
        last = self._last
        if last is None or not last.changed:
            return []
        return [last.block, last.count, b"".join(last.parts)]

    def restore(self, pending: list[Any]) -> None:
        """Take back what ``pending`` gave."""
        if pending:
            self._last = _Filling(*pending)
            self._last.changed = True

    def _sign(self) -> None:
        """Give every own change of this transaction its signature."""
        unsigned, signer = self._unsigned, self._signer
        if signer is None:
            return
        made = signatures(signer, [change.message for change in unsigned])
        for (packed, place, _), signature in zip(unsigned, made, strict=True):
            packed[place : place + SIGNATURE_BYTES] = signature
        unsigned.clear()
        self._signer = None

    def forget(self) -> None:
        """Drop what is decoded and held: the transaction was undone."""
        self._decoded.clear()
        self._last = None
        self._full.clear()
        self._unsigned.clear()
        self._signer = None

    def settle(self) -> None:
        """Drop what is decoded: the transaction is committed. A small last block stays in hand.

        Safe, as in ``stream_directory``: the connection holds the database's exclusive lock.
        """
        self._decoded.clear()
        if self._last is not None:
            self._last = self._last.next()

    def append(self, changes: Sequence[StoredChange]) -> list[int]:
        """Store changes; their locations, ascending."""
        packed = pack_all(changes)
        return self.append_packed(b"".join(packed), list(accumulate(map(len, packed))))

    def append_packed(self, changes: bytes, ends: Sequence[int]) -> list[int]:
        """As ``append``, packed already, one behind the other; where each of them ends."""
        if not ends:
            return []
        locations: list[int] = []
        last = self._filling()
        self._decoded.pop(last.block, None)
        at = 0
        while True:
            taken = last.take(changes, ends, at)
            locations += range(last.location() - taken, last.location())
            at += taken
            if at == len(ends):
                return locations
            self.flush()
            last = self._last = _Filling(last.block + 1)

    def append_own(self, change: UnsignedChange, signer: ChangeSigner) -> int:
        """Store a change that is signed before it is read, and by ``flush`` at the latest."""
        previous_link, header, segments, message = change
        [front, segments_packed] = pack_all(([previous_link, header, _NO_SIGNATURE], segments))
        packed = bytearray(front + segments_packed)
        packed[0] += 1  # the array of three has a fourth item now
        return self.append_own_packed(packed, len(front) - SIGNATURE_BYTES, message, signer)

    def append_own_packed(
        self, packed: bytearray, place: int, message: bytes, signer: ChangeSigner
    ) -> int:
        """As ``append_own``, packed already but for the signature, whose ``place`` is zeros."""
        if self._signer is not signer:
            self._sign()
            self._signer = signer
        last = self._filling()
        if last.is_full(len(packed)):
            self._full.append(last)
            if len(self._full) >= FULL_BLOCKS_MAX:
                self.flush()
                self._signer = signer
            last = self._last = _Filling(last.block + 1)
        self._unsigned.append(_Unsigned(packed, place, message))
        self._decoded.pop(last.block, None)
        last.parts.append(packed)
        last.size_bytes += len(packed)
        last.count += 1
        last.changed = True
        return last.location() - 1

    def read(self, locations: Sequence[int]) -> list[StoredChange]:
        """The changes at these locations, in the order asked."""
        found: dict[int, StoredChange] = {}
        many = len(locations) > 1
        for block, wanted in _by_block(locations).items():
            changes = self._taken(block, wanted) if many else None
            if changes is None:
                slots = self._slots(block)
                changes = [_change(slots, location & _SLOT) for location in wanted]
            found.update(zip(wanted, changes, strict=True))
        return [found[location] for location in locations]

    def drop_segments(self, cuts: Mapping[int, Sequence[int]]) -> None:
        """Destroy segments' bytes, by location and position; what remains says where they were."""
        self.flush()
        self._last = None
        for block, wanted in _by_block(cuts).items():
            slots = self._slots(block)
            for location in wanted:
                segments = slots[location & _SLOT][3]
                for position in cuts[location]:
                    segments[position] = None
            body = _array(pack_all(slots), len(slots))
            columns = {"id": block, "count": len(slots)}
            self._session.put_body("change_block", columns, body)

    def _taken(self, block: int, wanted: Sequence[int]) -> list[StoredChange] | None:
        """What the twin reads of a block; None where Python is to.

        The block is not kept: who asks for many changes at once asks for none of them again.
        """
        if blocks_kernel is None or block in self._decoded:
            return None
        slots = [location & _SLOT for location in wanted]
        changes: list[StoredChange] | None
        changes = blocks_kernel.changes(self._body(block), slots, StoredChange)
        return changes

    def _filling(self) -> _Filling:
        if self._last is None:
            row = self._session.execute(
                "SELECT id, count, body FROM change_block ORDER BY id DESC LIMIT 1"
            ).fetchone()
            if row is None:
                self._last = _Filling(1)
            else:
                self._last = _Filling(row[0], row[1], row[2][_ARRAY_HEADER_BYTES:]).next()
        return self._last

    def _body(self, block: int) -> bytes:
        self._sign()
        for filling in (self._last, *self._full):
            if filling is not None and filling.block == block:
                return filling.body()
        return self._session.body("change_block", block)

    def _slots(self, block: int) -> list[Any]:
        """The changes of a block; the last few are kept, for readers who ask one by one."""
        slots = self._decoded.get(block)
        if slots is None:
            slots = self._decoded[block] = _decoded(self._body(block))
            if len(self._decoded) > _DECODED_BLOCKS_MAX:
                self._decoded.popitem(last=False)
        return slots


def _array(packed: Iterable[bytes | bytearray | memoryview], count: int) -> bytes:
    """A msgpack array in its 16-bit form, whatever its length: items can be added behind it."""
    return b"".join((b"\xdc", count.to_bytes(2, "big"), *packed))


def _decoded(body: bytes) -> list[Any]:
    """The changes of a block. Raises: LocalStateError: ``database-corrupt``."""
    try:
        slots: list[Any] = msgpack.unpackb(body)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise LocalStateError("database-corrupt") from error
    return slots


def _change(slots: list[Any], slot: int) -> StoredChange:
    """One change of a block. Raises: LocalStateError: ``database-corrupt``: it is none."""
    try:
        link, header, signature, segments = slots[slot]
        change = StoredChange(link, header, signature, tuple(segments))
    except (ValueError, TypeError, IndexError) as error:
        raise LocalStateError("database-corrupt") from error
    if not (type(link) is type(header) is type(signature) is bytes):
        raise LocalStateError("database-corrupt")
    if not _SEGMENT_TYPES.issuperset(map(type, segments)):
        raise LocalStateError("database-corrupt")
    return change


def _by_block(locations: Iterable[int]) -> dict[int, list[int]]:
    blocks: defaultdict[int, list[int]] = defaultdict(list)
    for location in locations:
        blocks[location >> _SLOT_BITS].append(location)
    return blocks
