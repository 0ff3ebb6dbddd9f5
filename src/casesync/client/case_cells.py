"""What an edit starts from: paths as people write them, rights, live values (client)."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from casesync.client.core import Core
from casesync.client.views import Assignment
from casesync.codec import canonical
from casesync.foundation.errors import UsageError
from casesync.foundation.ids import Compartment, StreamId
from casesync.model.cells import CellId
from casesync.model.merge import LiveWrite, StreamState
from casesync.model.schema import Field, RecordType, Schema
from casesync.model.segment_body import Write, copy_at, write_at
from casesync.model.value_text import parse_part, parse_value
from casesync.model.values import check_step, validate
from casesync.sync.grants import ContentCache
from casesync.sync.ports import Transaction
from casesync.sync.stream_row import StreamRow

_PATH: Final = re.compile(
    r"(?P<type>[a-z_]+)(?:/(?P<record>[0-9a-fA-F]+))?\.(?P<field>[a-z_0-9]+)"
    r"(?:\[(?P<element>(?:[^\]\\]|\\.)*)\])?(?:\.(?P<part>[a-z_0-9]+))?"
)
Live = list[tuple[LiveWrite, Any]]
"""Live writes of one cell with their values."""
Cells = dict[tuple[int, CellId], Live]
"""(compartment, cell) -> live writes with their values."""


class Place(NamedTuple):
    """A field of one record, which need not exist yet."""

    type: RecordType
    record: bytes
    field: Field

    @property
    def name(self) -> str:
        """``TYPE.FIELD``."""
        return f"{self.type.name}.{self.field.name}"

    def cell(self, element: str | bytes | None = None) -> CellId:
        """Its cell, or an element's presence."""
        return CellId(self.record, self.type.number, self.field.number, element, 0)


def parsed(schema: Schema, field: Field, assignment: Assignment, text: str) -> object:
    """The value that a text means where the assignment puts it.

    Raises: UsageError: what ``parse_value`` refuses; ``field-is-set``.
    """
    if assignment.part is not None:
        return parse_part(schema, field, field.part_by_name(assignment.part), text)
    if field.element is not None and assignment.element is None:
        raise UsageError("field-is-set", field=field.name)
    return parse_value(schema, field, text)


def step(schema: Schema, field: Field, live: Live, value: object) -> object:
    """A step from the state that counts now to ``value``, as a write carries it.

    Raises: UsageError: ``state-not-unset``, or a step that is not declared.
    """
    before = state_among(field, live)
    if not isinstance(value, str):
        raise UsageError("state-not-unset", field=field.name)
    check_step(field, before, value)
    return validate(schema, field, [before, value])


def parse_path(path: str, op: str, text: str | None) -> Assignment:
    """``TYPE[/ID].FIELD[ELEMENT].PART``. Raises: UsageError: ``assignment-malformed``."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise UsageError("assignment-malformed", text=path)
    element = match["element"]
    if element is not None:
        element = re.sub(r"\\(.)", r"\1", element)
    return Assignment(
        type=match["type"],
        record=match["record"],
        field=match["field"],
        element=element,
        part=match["part"],
        op=op,  # type: ignore[arg-type]
        text=text,
    )


def writable(core: Core, row: StreamRow) -> set[int]:
    """Compartments this device may write in the stream."""
    mask = core.engine.control.writes_mask(core.engine.device)
    rights = row.rights
    if rights.opening is not None and rights.owner != core.engine.unit:
        granted = 0
        for grant in rights.grants_in_force(1 << 62, core.engine.log_now_ms()):
            if grant.unit == core.engine.unit and grant.write:
                granted |= grant.mask
        mask &= granted
    return {int(c) for c in Compartment if mask >> c & 1}


def arrived_since(now: Cells, base: Cells) -> Cells:
    """What is live now and was not when the edit began."""
    read = {_dot(write) for live in base.values() for write, _ in live}
    found: Cells = {}
    for cell, live in now.items():
        newer = [(write, value) for write, value in live if _dot(write) not in read]
        if newer:
            found[cell] = newer
    return found


def has_element(presence: Live, own: Write | None) -> bool:
    """Whether an element is in its set by the writes of its presence, or by one's own newest."""
    if own is not None:
        return own.value is True
    return any(value is True for _, value in presence)


def different(live: Live) -> set[bytes]:
    """The different values that stand in a cell, each in its canonical bytes."""
    return {canonical.pack(value) for _, value in live}


def state_among(field: Field, live: Live) -> str | None:
    """The state that counts of live writes, None if nothing was set."""
    states = [
        value[1]
        for _, value in live
        if isinstance(value, list) and len(value) == 2 and value[1] in field.order
    ]
    return min(states, key=field.order.index) if states else None


def _dot(write: LiveWrite) -> tuple[int, int, int, int]:
    return int(write.device), int(write.number), write.position, int(write.compartment)


def read_cells(
    core: Core, tx: Transaction, stream: StreamId, row: StreamRow, state: StreamState
) -> Cells:
    """Live writes with their values, by cell."""
    cache = ContentCache(core.engine, tx, stream, row)
    cells: Cells = {}
    for write in state.live_writes():
        content = cache.content(write.location, write.compartment)
        if content is None:
            continue
        if write.copy is None:
            value = write_at(content, write.position).value
        else:
            value = copy_at(content, write.copy).value
        cells.setdefault((write.compartment, write.cell), []).append((write, value))
    return cells
