"""From merged state to records: which values a case has now, and what they mean (model).

Specified in ``protocol/record-model.md``, *Resolvers* and *Projection*. Takes the live writes of a
stream, the segments they stand in, and the schema; gives records with fields, elements and parts,
each with its live writes, effective value and conflict flag. A pure function: replicas with the
same segments, schema and log times show the same. Values are passed on as they came, whatever
their type; making them harmless to look at is for those who show them (``safe_text``). Types and
fields of a newer schema are kept and marked; nothing here raises for what a peer wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple

from casesync.model.cells import CellId, Element
from casesync.model.merge import LiveWrite, StreamState
from casesync.model.resolvers import presence
from casesync.model.resolvers.registry import SET_CODE, resolve
from casesync.model.resolvers.resolution import (
    CellWrite,
    Effective,
    canonical_bytes,
)
from casesync.model.schema import Field, Schema
from casesync.model.segment_body import Content, copy_at, is_copies, values_of

OpenBody = Callable[[int, int], Content | None]
"""(location, compartment) -> what ``decode_content`` gave; None = not readable here (any more)."""
LogTimeOf = Callable[[int, int, int], int | None]
"""(device, number, location) -> log time of a write's change in ms; None = not sent yet."""

_ALL_CODE = 3


class WriteProjection(NamedTuple):
    """One live write with its value."""

    value: Any
    """None = absent, or not readable (see ``opened``)."""
    device: int
    number: int
    position: int
    clock_ms: int
    log_time_ms: int | None
    """None = not sent yet."""
    link8: bytes
    compartment: int
    code: int
    """The resolver's code that travelled with the write."""
    schema_version: int
    location: int
    copied: bool
    """A copy that a grant brought; the original is not here."""
    opened: bool
    """False: the segment cannot be read here; the write takes no part in resolving."""


class CellProjection(NamedTuple):
    """A cell: a scalar field, an element's presence, or one of its parts."""

    cell: CellId
    value: Any
    conflict: bool
    writes: tuple[WriteProjection, ...]
    """Live writes, oldest clock first."""
    reported: tuple[WriteProjection, ...]
    """Writes of changes that do not count (yet), shown beside the others where the resolver is
    ``revoke`` or ``protective``."""


class ElementProjection(NamedTuple):
    """An element of a set field with its parts."""

    element: Element
    member: bool
    presence: CellProjection
    parts: dict[int, CellProjection]
    """By part number, ascending, those ever written."""


class FieldProjection(NamedTuple):
    """A field: one cell, or the elements of a set."""

    number: int
    field: Field | None
    """None = from a newer version of the schema."""
    code: int
    """Of the resolver that was used."""
    value: Any
    """Effective; of a set the list of its members in order."""
    conflict: bool
    cell: CellProjection | None
    """None for a set."""
    elements: tuple[ElementProjection, ...]

    def cells(self) -> Iterator[CellProjection]:
        """All cells of the field."""
        if self.cell is not None:
            yield self.cell
        for element in self.elements:
            yield element.presence
            yield from element.parts.values()


class RecordProjection(NamedTuple):
    """A record with the fields that were ever written and are readable here."""

    type: int
    id: bytes
    known: bool
    """False: its type is from a newer version of the schema."""
    fields: dict[int, FieldProjection]
    """By field number, ascending."""

    def cells(self) -> Iterator[CellProjection]:
        """All cells of the record."""
        for field in self.fields.values():
            yield from field.cells()

    def conflicts(self) -> list[CellId]:
        """The cells that need a person."""
        return [cell.cell for cell in self.cells() if cell.conflict]

    @property
    def newest_clock_ms(self) -> int:
        """The largest claimed clock among the live writes; 0 if none could be read."""
        return max((w.clock_ms for cell in self.cells() for w in cell.writes), default=0)


def project(
    state: StreamState,
    open_body: OpenBody,
    schema: Schema | None,
    log_time_of: LogTimeOf,
    compartments: Iterable[int] | None = None,
    records: Collection[tuple[int, bytes]] | None = None,
) -> list[RecordProjection]:
    """The records of a stream, ascending by type and id.

    Args:
        state: the merged stream.
        open_body: opens a stored segment; asked once for each.
        schema: what the fields mean; None or unknown numbers: by the codes in the cells.
        log_time_of: the relay's time of a change.
        compartments: only cells of these; None = all.
        records: only records with these (type, id); None = all.
    """
    wanted = None if compartments is None else frozenset(compartments)

    def asked(cell: CellId) -> bool:
        return records is None or (cell.type, cell.record) in records

    reader = _Reader(open_body, log_time_of)
    live: dict[CellId, list[WriteProjection]] = {}
    shadows: dict[CellId, list[WriteProjection]] = {}
    for write in state.live_writes(wanted):
        if asked(write.cell):
            live.setdefault(write.cell, []).append(reader.read(write))
    for write in state.shadow_writes():
        if (wanted is None or write.compartment in wanted) and asked(write.cell):
            shadows.setdefault(write.cell, []).append(reader.read(write))
    found: dict[tuple[int, bytes], dict[int, list[CellId]]] = {}
    for cell in live:
        fields = found.setdefault((cell.type, cell.record), {})
        fields.setdefault(cell.field, []).append(cell)
    for cell in shadows.keys() - live.keys():
        fields = found.setdefault((cell.type, cell.record), {})
        fields.setdefault(cell.field, []).append(cell)
    return [
        RecordProjection(
            kind,
            record,
            schema is not None and kind in schema.types,
            {number: _field(schema, fields[number], live, shadows) for number in sorted(fields)},
        )
        for (kind, record), fields in sorted(found.items())
    ]


class _Segment(NamedTuple):
    """A stored segment, opened once for all its writes."""

    content: Content | None
    values: list[tuple[int, Any]]
    """(resolver's code, value) by position; empty for copies and what cannot be opened."""


class _Reader:
    """Reads values out of segments."""

    def __init__(self, open_body: OpenBody, log_time_of: LogTimeOf) -> None:
        self._open_body = open_body
        self._log_time_of = log_time_of
        self._opened: dict[tuple[int, int], _Segment] = {}
        self._times: dict[tuple[int, int, int], int | None] = {}

    def read(self, write: LiveWrite) -> WriteProjection:
        _, device, number, position, compartment, link8, location, copied = write
        segment = self._opened.get((location, compartment))
        if segment is None:
            segment = self._open(location, compartment)
        content = segment.content
        value, code, clock_ms, version = None, 0, 0, 0
        if content is not None:
            clock_ms, version = content[0], content[1]
            if copied is None:
                code, value = segment.values[position]
            else:
                copy = copy_at(content, copied)
                code, value, clock_ms = copy.code, copy.value, copy.clock_ms
        change = (device, number, location)
        if change not in self._times:
            self._times[change] = self._log_time_of(*change)
        log_time_ms = self._times[change]
        place = (link8, compartment, code, version, location, copied is not None)
        return WriteProjection(
            value, device, number, position, clock_ms, log_time_ms, *place, content is not None
        )

    def _open(self, location: int, compartment: int) -> _Segment:
        content = self._open_body(location, compartment)
        values = [] if content is None or is_copies(content) else values_of(content)
        segment = _Segment(content, values)
        self._opened[location, compartment] = segment
        return segment


_Writes = dict[CellId, list[WriteProjection]]


def _field(
    schema: Schema | None, cells: list[CellId], live: _Writes, shadows: _Writes
) -> FieldProjection:
    first = cells[0]
    field = None if schema is None else schema.field(first.type, first.field)
    code = _code(cells, live, shadows) if field is None else int(field.resolver)
    if code != SET_CODE and all(cell.element is None for cell in cells):
        cell = _cell(first, code, field, live, shadows)
        return FieldProjection(first.field, field, code, cell.value, cell.conflict, cell, ())
    elements = _elements(cells, field, live, shadows)
    stray = CellId(first.record, first.type, first.field, None, 0)
    alone = _cell(stray, _ALL_CODE, None, live, shadows) if stray in cells else None
    members = [element.element for element in elements if element.member]
    conflict = any(part.conflict for element in elements for part in element.parts.values())
    conflict = conflict or (alone is not None and alone.conflict)
    return FieldProjection(first.field, field, code, members, conflict, alone, elements)


def _code(cells: list[CellId], live: _Writes, shadows: _Writes) -> int:
    """The code all readable writes of an unknown field agree on, else that of ``all``."""
    codes = {
        write.code
        for cell in cells
        for write in (*live.get(cell, ()), *shadows.get(cell, ()))
        if write.opened
    }
    return codes.pop() if len(codes) == 1 else _ALL_CODE


def _elements(
    cells: list[CellId], field: Field | None, live: _Writes, shadows: _Writes
) -> tuple[ElementProjection, ...]:
    parts: dict[Element, list[CellId]] = {}
    for cell in cells:
        if cell.element is not None:
            parts.setdefault(cell.element, []).append(cell)
    found = []
    for element in sorted(parts, key=canonical_bytes):
        here = parts[element][0]._replace(part=0)
        shown = _cell(here, SET_CODE, field, live, shadows)
        inner = {
            cell.part: _part(cell, field, live, shadows)
            for cell in sorted(parts[element], key=lambda cell: cell.part)
            if cell.part
        }
        found.append(ElementProjection(element, shown.value is True, shown, inner))
    return tuple(found)


def _part(cell: CellId, field: Field | None, live: _Writes, shadows: _Writes) -> CellProjection:
    facts = None if field is None else field.parts.get(cell.part)
    writes = _sorted(live.get(cell, ()))
    effective = presence.resolve_part(_resolvable(writes), facts)
    reported = _sorted(shadows.get(cell, ())) if facts is not None and facts.order else ()
    return _shown(cell, effective, writes, reported)


def _cell(
    cell: CellId, code: int, field: Field | None, live: _Writes, shadows: _Writes
) -> CellProjection:
    writes = _sorted(live.get(cell, ()))
    effective = resolve(code, _resolvable(writes), field)
    reported = _sorted(shadows.get(cell, ())) if code in _REPORTING else ()
    return _shown(cell, effective, writes, reported)


_REPORTING = frozenset({4, 6})
"""protective and revoke: a quarantined withdrawal is shown at once, as reported."""


def _shown(
    cell: CellId,
    effective: Effective,
    writes: tuple[WriteProjection, ...],
    reported: tuple[WriteProjection, ...],
) -> CellProjection:
    return CellProjection(cell, effective.value, effective.conflict, writes, reported)


def _sorted(writes: Iterable[WriteProjection]) -> tuple[WriteProjection, ...]:
    return tuple(sorted(writes, key=lambda w: (w.clock_ms, w.device, w.number, w.position)))


def _resolvable(writes: Iterable[WriteProjection]) -> list[CellWrite]:
    return [
        CellWrite(w.value, w.clock_ms, w.log_time_ms, w.device, w.number, w.position)
        for w in writes
        if w.opened
    ]
