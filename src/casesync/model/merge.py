"""Merging: the live state of a stream as a function of the set of applied segments (model).

Specified in ``protocol/record-model.md``, *Cell* and *Copies*. One stream's state is a plain list
that msgpack stores as it is and that this module changes in place: per (device, compartment) the
numbers applied, the live references and, rarely, what waits for an earlier segment. A reference
names a sealed change, a mask of its live cells and its shape; values stay where they are. Merging
one form save is one mask step per replaced change (``apply``); everything uncommon (late, copied,
not counting, several groups) goes through ``replacement.Replacer``, which is slow and general.

It never looks at values or schemas, and asks nobody whether a change counts: callers say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Self, final

from casesync.model.cells import CellId, Form, positions
from casesync.model.replacement import CountsOriginal, Replacer
from casesync.model.segment_body import Content, Replacement, is_copies
from casesync.model.state_row import (
    COPIES,
    GENERAL,
    NAMED,
    NAMED_BY_COPY,
    SHADOWS,
    Row,
    contains,
    form_ref,
    insert,
    mask_int,
    new_row,
    new_slot,
    rares,
    record_ref,
    shape_cells,
    shape_mask,
)


class LiveWrite(NamedTuple):
    """A live write: its cell, its identity, and where its value is."""

    cell: CellId
    device: int
    number: int
    position: int
    compartment: int
    link8: bytes
    location: int
    copy: int | None
    """Index among the copies of the segment at ``location``; None = the original."""


def _always(_device: int, _number: int) -> bool:
    return True


class Segment(NamedTuple):
    """A segment to rebuild from: what ``StreamState.apply`` takes."""

    device: int
    number: int
    compartment: int
    link8: bytes
    content: Content
    location: int


@final
class StreamState:
    """The merged state of one stream, all compartments; a view of its ``row``.

    Compartments do not influence each other. Devices and numbers are the authors' (``change.md``);
    a location is the caller's name of a stored change and comes back unchanged.
    """

    __slots__ = ("_keys", "_slots", "row")

    def __init__(self, row: Row | None = None) -> None:
        """Args: row: a stored row, used in place; None = an empty stream."""
        self.row: Row = new_row() if row is None else row
        self._keys, self._slots = self.row[:2]

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """The state that ``to_row`` gave; ``row`` is used in place."""
        return cls(row)

    def to_row(self) -> Row:
        """The row to store, not a copy."""
        return self.row

    def apply(  # noqa: C901 - the hottest path: a call here is 4% of a first sync
        self,
        device: int,
        number: int,
        compartment: int,
        link8: bytes,
        content: Content,
        location: int,
        counts: bool = True,
        counts_original: CountsOriginal = _always,
    ) -> bool:
        """Merge one segment; False, and nothing changed, if it was applied before.

        Args:
            device: the author's device, as in the header.
            number: the author's number of the change.
            compartment: the segment's kind.
            link8: first 8 bytes of the change's link.
            content: what ``decode_content`` returned.
            location: where the change is stored.
            counts: False for a refused or quarantined segment, which is transparent.
            counts_original: for copies, whether the change (device, number) they are of counts.
        """
        keys = self._keys
        key = device << 4 | compartment
        if key in keys:
            slot = self._slots[keys.index(key)]
            if number > slot[0][-1]:
                slot[0].append(number)
            elif not insert(slot[0], number):
                return False
        else:
            slot = new_slot(self.row, key, [number])
        form = content[4]
        if (
            form.__class__ is not Form
            or not counts
            or (slot[2] is not None and any(number in part for part in slot[2]))
        ):
            general = Replacer(self.row, compartment)
            general.merge(slot, number, link8, content, location, counts)
            if counts and is_copies(content):
                general.merge_copies((device, number), content, location, counts_original)
            return True
        record, shape = record_ref(self.row, content[3][0][0]), form_ref(self.row, form)
        slot[1][number] = [link8, location, form.full, record, shape]
        for entry in content[2]:
            try:
                live = self._slots[keys.index(entry[0] << 4 | compartment)][1]
                reference = live[entry[1]]
            except (ValueError, KeyError):  # not here yet, or not live any more
                Replacer(self.row, compartment).replace(entry, record, shape)
                continue
            if reference[3] != record or reference[4] != shape:
                Replacer(self.row, compartment).replace(entry, record, shape)
            elif reference[0] == entry[2]:
                reference[2] &= ~entry[3]
                if not reference[2]:
                    del live[entry[1]]
        return True

    # -- questions ------------------------------------------------------------------------------

    def holds(self, device: int, number: int, compartment: int) -> bool:
        """Whether this segment was applied, counting or not."""
        key = device << 4 | compartment
        if key not in self._keys:
            return False
        return contains(self._slots[self._keys.index(key)][0], number)

    def live_writes(self, compartments: Iterable[int] | None = None) -> Iterator[LiveWrite]:
        """All live writes (of ``compartments``, if given), in no particular order."""
        wanted = None if compartments is None else set(compartments)
        for key, slot in zip(self._keys, self._slots, strict=True):
            if wanted is not None and key & 15 not in wanted:
                continue
            for number, (link8, location, mask, record, form) in slot[1].items():
                cells = shape_cells(self.row, record, form)
                for at in positions(mask_int(mask)):
                    yield LiveWrite(
                        cells[at], key >> 4, number, at, key & 15, link8, location, None
                    )
        for key, rare in rares(self.row):
            if wanted is None or key & 15 in wanted:
                yield from _copy_writes(key, rare)

    def plain_segments(self) -> list[tuple[int, int, int]] | None:
        """(location, compartment, mask) of the segments with live writes.

        None where that is not all: there are copies, or segments that do not count.
        """
        for _, rare in rares(self.row):
            if rare[SHADOWS] or rare[COPIES]:
                return None
        return [
            (reference[1], key & 15, mask_int(reference[2]))
            for key, slot in zip(self._keys, self._slots, strict=True)
            for reference in slot[1].values()
        ]

    def shadow_writes(self) -> Iterator[LiveWrite]:
        """The writes of applied segments that do not count: shown as reported, not admitted."""
        for key, rare in rares(self.row):
            for number, (link8, location, _, _, record, form, _) in rare[SHADOWS].items():
                for at, cell in enumerate(shape_cells(self.row, record, form)):
                    yield LiveWrite(cell, key >> 4, number, at, key & 15, link8, location, None)

    def named_writes(self, compartment: int) -> Iterator[tuple[CellId, Replacement]]:
        """What is replaced in each cell although its original is not here (yet)."""
        for key, rare in rares(self.row):
            if key & 15 != compartment:
                continue
            for number, entries in rare[NAMED].items():
                for link8, mask, record, form in entries:
                    named = Replacement(key >> 4, number, link8, mask_int(mask))
                    for cell in shape_cells(self.row, record, form):
                        yield cell, named

    def has_conflict_candidates(self) -> bool:
        """Whether any cell has two or more live writes."""
        if sum(len(slot[1]) for slot in self._slots) < 2 and not any(rares(self.row)):
            return False
        seen: set[tuple[int, CellId]] = set()
        for write in self.live_writes():
            cell = (write.compartment, write.cell)
            if cell in seen:
                return True
            seen.add(cell)
        return False

    def replaces_for(self, cells: Iterable[CellId], compartment: int) -> list[Replacement]:
        """What a segment of ``compartment`` that writes ``cells`` names to replace what is live.

        An author calls it on the state that was shown when the edit began.
        """
        asked = set(cells)
        masks: dict[tuple[int, int, bytes], int] = {}
        for key, slot in zip(self._keys, self._slots, strict=True):
            if key & 15 == compartment:
                for number, (link8, _, mask, record, form) in slot[1].items():
                    named = shape_mask(self.row, record, form, asked) & mask_int(mask)
                    if named:
                        masks[key >> 4, number, link8] = named
        for key, rare in rares(self.row):
            if key & 15 == compartment:
                for write in _copy_writes(key, rare):
                    if write.cell in asked:
                        target = (write.device, write.number, write.link8)
                        masks[target] = masks.get(target, 0) | 1 << write.position
        return [Replacement(*target, masks[target]) for target in sorted(masks)]

    def replaces_for_form(self, record: bytes, form: Form, compartment: int) -> list[Replacement]:
        """As ``replaces_for``, for all cells that ``form`` (without elements) has of ``record``."""
        found = []
        for key, slot in zip(self._keys, self._slots, strict=True):
            if key & 15 != compartment:
                continue
            if slot[2] is not None:
                return self.replaces_for(form.cells(record), compartment)
            for number, (link8, _, mask, own, shape) in slot[1].items():
                if own == GENERAL:
                    return self.replaces_for(form.cells(record), compartment)
                if (self.row[2][own] if own.__class__ is int else own) == record:
                    stored = self.row[3][shape] if shape.__class__ is int else shape
                    named = form.mask_of(stored) & mask_int(mask)
                    if named:
                        found.append(Replacement(key >> 4, number, link8, named))
        found.sort()
        return found

    def relocate(self, device: int, number: int, location: int) -> None:
        """The change (``device``, ``number``) is stored at ``location`` from now on."""
        for key, slot in zip(self._keys, self._slots, strict=True):
            if key >> 4 == device and number in slot[1]:
                slot[1][number][1] = location
        for key, rare in rares(self.row):
            if key >> 4 == device and number in rare[SHADOWS]:
                rare[SHADOWS][number][1] = location
            for copies in rare[COPIES].values():
                for copy in copies:
                    if copy[2:4] == [device, number]:
                        copy[4] = location

    def normalised(self) -> dict[str, frozenset[tuple[Any, ...]]]:
        """What the state means, locations apart: equal for equal sets of segments.

        For checks (rebuilt against incremental, one replica against another); slow.
        """
        named = {NAMED: set(self._named_bits(NAMED))}
        named[NAMED_BY_COPY] = set(self._named_bits(NAMED_BY_COPY)) - named[NAMED]
        return {
            "applied": frozenset(
                (key >> 4, key & 15, number)
                for key, slot in zip(self._keys, self._slots, strict=True)
                for number in slot[0]
            ),
            "live": frozenset((*write[:6], write.copy) for write in self.live_writes()),
            "shadows": frozenset(write[:6] for write in self.shadow_writes()),
            "named": frozenset(named[NAMED]),
            "named by copies": frozenset(named[NAMED_BY_COPY]),
            "carriers": frozenset(
                (key >> 4, key & 15, number, *copy[:4], copy[5], CellId(*copy[6]), copy[8])
                for key, rare in rares(self.row)
                for number, copies in rare[COPIES].items()
                for copy in copies
            ),
        }

    def _named_bits(self, level: int) -> Iterator[tuple[Any, ...]]:
        for key, rare in rares(self.row):
            for number, entries in rare[level].items():
                for link8, mask, record, form in entries:
                    for at in positions(mask_int(mask)):
                        for cell in shape_cells(self.row, record, form):
                            yield key >> 4, key & 15, number, link8, at, cell


def _copy_writes(key: int, rare: Row) -> Iterator[LiveWrite]:
    for number, copies in rare[COPIES].items():
        for link8, at, _, _, location, index, cell, _, counts, _ in copies:
            if counts:
                yield LiveWrite(
                    CellId(*cell), key >> 4, number, at, key & 15, link8, location, index
                )


def rebuild(
    segments: Iterable[Segment], counts: Callable[[int, int, int], bool] | None = None
) -> StreamState:
    """The state of a set of segments, in whatever order they come.

    Args:
        segments: applied segments; repetitions are harmless.
        counts: whether (device, number, compartment) counts; None = all do.
    """
    state = StreamState()
    for segment in segments:
        if counts is None:
            state.apply(*segment)
        else:
            compartment = segment.compartment
            counting = counts(segment.device, segment.number, compartment)

            def original(device: int, number: int, kind: int = compartment) -> bool:
                return counts(device, number, kind)

            state.apply(*segment, counts=counting, counts_original=original)
    return state
