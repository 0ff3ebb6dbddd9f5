"""Replacing, in general: late, transparent, copied and many-group segments (model).

Specified in ``protocol/record-model.md``, *Cell*, *Transparency* and *Copies*. ``merge`` handles a
form save that replaces an earlier one of the same shape by itself; everything else comes here. It
changes the row of ``state_row`` in place.

Replacing is a least fixed point: named bits are only ever added, and a segment that does not count
passes on what is named of it, so the order in which segments come does not show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from casesync.model.cells import CellId, Form, mask_value, positions
from casesync.model.segment_body import Content, is_copies
from casesync.model.state_row import (
    COPIES,
    GENERAL,
    NAMED,
    NAMED_BY_COPY,
    SHADOWS,
    Row,
    cells_shape,
    contains,
    form_ref,
    mask_int,
    record_ref,
    shape_cells,
    stored_form,
)

CountsOriginal = Callable[[int, int], bool]
"""Whether the change (device, number) counts."""


class _Naming(NamedTuple):
    """Something names bits of a segment, as far as the shape writes the same cells."""

    level: int
    device: int
    number: int
    link8: bytes
    mask: int
    record: Any
    form: Any


class Replacer:
    """The general way through one compartment of one stream's row."""

    __slots__ = ("_compartment", "_row")

    def __init__(self, row: Row, compartment: int) -> None:
        self._row = row
        self._compartment = compartment

    # -- segments arrive --------------------------------------------------------------------------

    def merge(
        self,
        slot: Row,
        number: int,
        link8: bytes,
        content: Content,
        location: int,
        counts: bool,
    ) -> None:
        """Merge a segment whose number stands in ``slot`` already; copies have no own writes."""
        record, form, size = self._shape(content)
        table = content[2] or ()
        rare = slot[2]
        named = self._named(rare, NAMED, number, link8, record, form) & (1 << size) - 1
        if counts:
            if rare is not None:
                for part in rare:
                    part.pop(number, None)
                if not any(rare):
                    slot[2] = None
            if live := (1 << size) - 1 & ~named:
                slot[1][number] = [link8, location, mask_value(live), record, form]
            self._spread(
                [
                    _Naming(NAMED, dev, num, link, bits, record, form)
                    for dev, num, link, bits in table
                ]
            )
            return
        by_copy = self._named(rare, NAMED_BY_COPY, number, link8, record, form)
        by_copy &= (1 << size) - 1 & ~named
        replaces = [[*entry[:3], mask_value(entry[3])] for entry in table]
        shadow = [link8, location, mask_value(named), mask_value(by_copy), record, form, replaces]
        if rare is None:
            slot[2] = rare = [{}, {}, {}, {}]
        rare[SHADOWS][number] = shadow
        self._spread([*self._passed_on(shadow, NAMED, named)])
        self._spread([*self._passed_on(shadow, NAMED_BY_COPY, by_copy)])

    def replace(self, entry: Sequence[Any], record: Any, form: Any) -> None:  # noqa: ANN401
        """One entry of the table of a counting original with the stored shape given."""
        self._spread([_Naming(NAMED, entry[0], entry[1], entry[2], entry[3], record, form)])

    def merge_copies(
        self,
        carrier: tuple[int, int],
        content: Content,
        location: int,
        counts_original: CountsOriginal,
    ) -> None:
        """Merge the copies that the counting change ``carrier`` (device, number) brought."""
        for index, row in enumerate(content[3][3]):
            device, number, link8, position, record, kind, key, element, part = row[:9]
            cell = CellId(record, kind, key >> 4, element, part)
            shape = cells_shape((cell,))
            copy = [link8, position, *carrier, location, index, list(cell), False, True, []]
            if counts_original(device, number):
                self._add_copy(device, number, copy, cell)
                names = [
                    _Naming(NAMED_BY_COPY, dev, num, link, bits, *shape)
                    for dev, num, link, bits in row[11]
                ]
            else:
                copy[8] = False
                copy[9] = [[*entry[:3], mask_value(entry[3])] for entry in row[11]]
                rare = self._rare(device)
                copy[7] = self._copy_named(rare, number, link8, position, cell)
                rare[COPIES].setdefault(number, []).append(copy)
                names = self._copy_passed_on(copy) if copy[7] else []
            self._spread(names)

    def _add_copy(self, device: int, number: int, copy: Row, cell: CellId) -> None:
        """Keep a counting copy unless its original is here or something named it."""
        slot = self._slot(device)
        if slot is not None and contains(slot[0], number):
            return
        rare = self._rare(device)
        if self._copy_named(rare, number, copy[0], copy[1], cell):
            return
        beside = rare[COPIES].setdefault(number, [])
        for place, other in enumerate(beside):
            if other[:2] == copy[:2] and other[6] == copy[6] and other[8]:
                if copy[2:6] < other[2:6]:  # one carrier wins, whichever came first
                    beside[place] = copy
                return
        beside.append(copy)

    # -- what names what --------------------------------------------------------------------------

    def _spread(self, work: list[_Naming]) -> None:
        """Apply namings and all that follows from them."""
        while work:
            naming = work.pop()
            slot = self._slot(naming.device)
            shadow = None
            if slot is not None:
                live = slot[1].get(naming.number)
                if live is not None:
                    if naming.level == NAMED and live[0] == naming.link8:
                        self._clear(slot[1], naming, live)
                    continue
                shadow = None if slot[2] is None else slot[2][SHADOWS].get(naming.number)
                if shadow is None and contains(slot[0], naming.number):
                    continue
            rare = self._rare(naming.device)
            if not self._remember(rare, naming):
                continue
            if shadow is not None and shadow[0] == naming.link8:
                work += self._name_shadow(shadow, naming)
            work += self._name_copies(rare, naming)

    def _clear(self, live: dict[int, Row], naming: _Naming, reference: Row) -> None:
        common = self._common(reference[3], reference[4], naming.record, naming.form)
        left = mask_int(reference[2]) & ~(naming.mask & common)
        if left:
            reference[2] = mask_value(left)
        else:
            del live[naming.number]

    def _remember(self, rare: Row, naming: _Naming) -> bool:
        """Keep a naming for what arrives later; False if it was known."""
        known = rare[naming.level].setdefault(naming.number, [])
        for entry in known:
            if entry[0] == naming.link8 and entry[2] == naming.record and entry[3] == naming.form:
                before = mask_int(entry[1])
                entry[1] = mask_value(before | naming.mask)
                return before | naming.mask != before
        known.append([naming.link8, mask_value(naming.mask), naming.record, naming.form])
        return True

    def _name_shadow(self, shadow: Row, naming: _Naming) -> Iterable[_Naming]:
        common = self._common(shadow[4], shadow[5], naming.record, naming.form)
        before = mask_int(shadow[2])
        if naming.level == NAMED_BY_COPY:
            before |= mask_int(shadow[3])
        fresh = naming.mask & common & ~before
        shadow[2 + naming.level] = mask_value(mask_int(shadow[2 + naming.level]) | fresh)
        return self._passed_on(shadow, naming.level, fresh)

    def _passed_on(self, shadow: Row, level: int, mask: int) -> Iterable[_Naming]:
        """What is named through the bits ``mask`` of a segment that does not count."""
        if not mask:
            return
        cells = shape_cells(self._row, shadow[4], shadow[5])
        shape = cells_shape([cells[p] for p in positions(mask) if p < len(cells)])
        for device, number, link8, named in shadow[6]:
            yield _Naming(level, device, number, link8, mask_int(named), *shape)

    def _name_copies(self, rare: Row, naming: _Naming) -> list[_Naming]:
        copies = rare[COPIES].get(naming.number)
        if not copies:
            return []
        cells = set(shape_cells(self._row, naming.record, naming.form))
        kept, passed_on = [], []
        for copy in copies:
            hit = (
                copy[0] == naming.link8 and naming.mask >> copy[1] & 1 and CellId(*copy[6]) in cells
            )
            if hit and copy[8]:
                continue
            if hit and not copy[7]:
                copy[7] = True
                passed_on += self._copy_passed_on(copy)
            kept.append(copy)
        rare[COPIES][naming.number] = kept
        if not kept:
            del rare[COPIES][naming.number]
        return passed_on

    def _copy_passed_on(self, copy: Row) -> list[_Naming]:
        shape = cells_shape((CellId(*copy[6]),))
        return [
            _Naming(NAMED_BY_COPY, device, number, link8, mask_int(mask), *shape)
            for device, number, link8, mask in copy[9]
        ]

    def _copy_named(
        self, rare: Row, number: int, link8: bytes, position: int, cell: CellId
    ) -> bool:
        return any(
            entry[0] == link8
            and mask_int(entry[1]) >> position & 1
            and cell in shape_cells(self._row, entry[2], entry[3])
            for level in (NAMED, NAMED_BY_COPY)
            for entry in rare[level].get(number, ())
        )

    def _named(
        self,
        rare: Row | None,
        level: int,
        number: int,
        link8: bytes,
        record: Any,  # noqa: ANN401
        form: Any,  # noqa: ANN401
    ) -> int:
        """The bits of an arriving segment that were named before it came."""
        mask = 0
        for entry in () if rare is None else rare[level].get(number, ()):
            if entry[0] == link8:
                mask |= mask_int(entry[1]) & self._common(record, form, entry[2], entry[3])
        return mask

    def _common(self, record: Any, form: Any, by_record: Any, by_form: Any) -> int:  # noqa: ANN401
        """The bits of the first shape whose cells the second shape has too; -1 = all."""
        if record == by_record and form == by_form:
            return -1
        if GENERAL not in (record, by_record):
            if record != by_record:
                return 0
            return stored_form(self._row, by_form).mask_of(stored_form(self._row, form).row)
        cells = set(shape_cells(self._row, by_record, by_form))
        mine = shape_cells(self._row, record, form)
        return sum(1 << position for position, cell in enumerate(mine) if cell in cells)

    # -- the row ---------------------------------------------------------------------------------

    def _shape(self, content: Content) -> tuple[Any, Any, int]:
        """The stored shape of a segment and its number of cells."""
        forms = content[4]
        if is_copies(content):
            return GENERAL, [], 0
        if isinstance(forms, Form):
            record = record_ref(self._row, content[3][0][0])
            return record, form_ref(self._row, forms), forms.size
        groups = [
            [group[0], form.type, list(form.keys), [list(element) for element in form.elements]]
            for group, form in zip(content[3], forms, strict=True)
        ]
        return GENERAL, groups, sum(form.size for form in forms)

    def _slot(self, device: int) -> Row | None:
        keys = self._row[0]
        key = device << 4 | self._compartment
        return self._row[1][keys.index(key)] if key in keys else None

    def _rare(self, device: int) -> Row:
        """Where things about segments of ``device`` wait; made if there is none."""
        slot = self._slot(device)
        if slot is None:
            key = device << 4 | self._compartment
            stray: Row = self._row[4].setdefault(key, [{}, {}, {}, {}])
            return stray
        if slot[2] is None:
            slot[2] = [{}, {}, {}, {}]
        rare: Row = slot[2]
        return rare
