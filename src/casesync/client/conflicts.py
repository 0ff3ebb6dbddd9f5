"""The inbox of conflicts: listing, showing, settling them (client).

A look is logged before its result is returned. What is said of a conflict that is settled already
is a look, too: it shows who wrote what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from casesync.client import shown_conflicts
from casesync.client.case_edit import CaseEdit
from casesync.client.case_reader import CaseReader
from casesync.client.core import Core
from casesync.client.listing import refresh_listings
from casesync.client.look_log import log_list
from casesync.client.views import Assignment, ConflictView
from casesync.foundation.errors import ConflictStop, UsageError
from casesync.foundation.ids import RecordId, StreamId, StreamKind
from casesync.model.cells import CellId
from casesync.model.conflict_id import conflict_id
from casesync.model.projection import CellProjection, RecordProjection
from casesync.model.schema import Field, Part
from casesync.model.value_format import json_element, json_value
from casesync.sync.ports import ConflictRow, Transaction
from casesync.sync.stream_merge import state_of
from casesync.sync.stream_row import StreamRow

STREAMS_PER_READ: Final = 200


class Conflicts:
    """The part of a replica that settles conflicts."""

    def __init__(self, core: Core, edit: Callable[..., AbstractContextManager[CaseEdit]]) -> None:
        """Args: core: the open replica; edit: ``Records.edit``."""
        self._core = core
        self._edit = edit

    def open(self, purpose: str | None = None) -> list[ConflictView]:
        """Open conflicts, oldest first."""
        refresh_listings(self._core)
        with self._core.store.transaction() as tx:
            rows = sorted(tx.conflicts(), key=lambda row: (row.since_ms, row.conflict_id))
        records = (row.record for row in rows)
        log_list(self._core, "conflict", records, hits=len(rows), purpose=purpose)
        with self._core.store.transaction() as tx:
            views = [view for row in rows if (view := self._conflict_view(tx, row)) is not None]
        shown_conflicts.remember(self._core, views)
        return views

    def one(self, conflict: str, purpose: str | None = None) -> ConflictView:
        """One open conflict. Raises: UsageError: ``conflict-unknown``."""
        row = self._conflict_row(conflict)
        ids = [RecordId(row.record)]
        self._core.log("conflict", stream=row.stream, records=ids, purpose=purpose)
        with self._core.store.transaction() as tx:
            view = self._conflict_view(tx, row)
        if view is None:
            raise UsageError("conflict-unknown", conflict=conflict)
        shown_conflicts.remember(self._core, [view])
        return view

    def resolve(
        self,
        conflict: str,
        value: str,
        reason: str | None = None,
        shown: Sequence[str] | None = None,
        purpose: str | None = None,
    ) -> ConflictView:
        """Settle a conflict with a value; the write names every write that was shown.

        Args:
            conflict: its id.
            value: as people type it; empty = absent.
            reason: kept in the access log.
            shown: dots of the values that were shown; None = those this replica showed last. If
                others came since, nothing is written.
            purpose: of the access.

        Returns: what was a conflict, with the one value it has now.

        Raises:
            ConflictStop: ``conflict-moved``: other values came since; ``conflict-decided``:
                somebody has settled it.
            UsageError: ``conflict-unknown``; a wrong value.
        """
        try:
            row = self._conflict_row(conflict)
        except UsageError as unknown:
            raise self._decided(conflict, purpose) or unknown from None
        with self._core.store.transaction() as tx:
            view = self._conflict_view(tx, row)
            shown = shown_conflicts.shown(tx, row.conflict_id) if shown is None else shown
        if view is None:
            raise UsageError("conflict-unknown", conflict=conflict)
        if shown is not None and {v.dot for v in view.values} != set(shown):
            raise ConflictStop("conflict-moved", ids=[conflict])
        with self._edit(row.stream, action="conflict", purpose=purpose, reason=reason) as edit:
            edit.apply(
                Assignment(
                    type=row.type_name,
                    record=row.record.hex(),
                    field=row.field,
                    element=None if row.element is None else json_element(row.element),
                    part=view.part,
                    op="set" if value else "unset",
                    text=value or None,
                ),
                resolve=True,
            )
        with self._core.store.transaction() as tx:
            settled = self._conflict_view(tx, row)
        assert settled is not None, "the cell has the value just written"
        return settled

    def _conflict_row(self, conflict: str) -> ConflictRow:
        refresh_listings(self._core)
        with self._core.store.transaction() as tx:
            rows = tx.conflicts(conflict.strip().upper())
        if len(rows) != 1:
            raise UsageError("conflict-unknown", conflict=conflict)
        return rows[0]

    def _conflict_view(self, tx: Transaction, row: ConflictRow) -> ConflictView | None:
        reader = CaseReader(self._core, tx, row.stream)
        for record in reader.projections():
            for cell in record.cells():
                if conflict_id(row.stream, cell.cell) == row.conflict_id:
                    return self._view_of(reader, record, cell, row)
        return None

    @staticmethod
    def _view_of(
        reader: CaseReader, record: RecordProjection, cell: CellProjection, row: ConflictRow
    ) -> ConflictView:
        field = record.fields[cell.cell.field].field
        part = _part(field, cell.cell)
        return ConflictView(
            id=row.conflict_id,
            case=reader.code,
            type=row.type_name,
            record_hex=record.id.hex(),
            field=row.field,
            element=None if cell.cell.element is None else json_element(cell.cell.element),
            part=None if part is None else part.name,
            values=tuple(reader.value_view(None if part else field, w) for w in cell.writes),
            effective=json_value(part or field, cell.value),
            since_ms=row.since_ms,
        )

    # -- conflicts that are none any more ---------------------------------------------------------

    def _decided(self, conflict: str, purpose: str | None) -> ConflictStop | None:
        """What became of a conflict that somebody settled; None: no cell here has this id."""
        found = self._cell_named(conflict.strip().upper())
        if found is None:
            return None
        stream, cell = found
        self._core.log("conflict", stream=stream, records=[RecordId(cell.record)], purpose=purpose)
        with self._core.store.transaction() as tx:
            reader = CaseReader(self._core, tx, stream)
            for record in reader.projections(records=[(cell.type, cell.record)]):
                for projected in record.cells():
                    if projected.cell == cell and projected.writes:
                        return _stop(reader, record, projected, conflict)
        return None

    def _cell_named(self, conflict: str) -> tuple[StreamId, CellId] | None:
        """The cell whose conflict would have this id: of every case here, nothing is opened."""
        with self._core.store.transaction() as tx:
            streams = tx.stream_ids(int(StreamKind.CASE))
            for at in range(0, len(streams), STREAMS_PER_READ):
                rows = tx.stream_rows(streams[at : at + STREAMS_PER_READ])
                for stream, raw in rows.items():
                    row = StreamRow(raw)
                    for cell in {write.cell for write in state_of(row).live_writes()}:
                        if conflict_id(stream, cell) == conflict:
                            return stream, cell
        return None


def _part(field: Field | None, cell: CellId) -> Part | None:
    return None if field is None or not cell.part else field.parts.get(cell.part)


def _stop(
    reader: CaseReader, record: RecordProjection, cell: CellProjection, conflict: str
) -> ConflictStop:
    """Who settled a conflict, and with what: the newest of its live writes."""
    projected = record.fields[cell.cell.field]
    field = projected.field
    part = _part(field, cell.cell)
    known = reader.schema.types.get(record.type)
    write = reader.value_view(None if part else field, cell.writes[-1])
    kind = f"type-{record.type}" if known is None else known.name
    name = f"field-{cell.cell.field}" if field is None else field.name
    element = cell.cell.element
    return ConflictStop(
        "conflict-decided",
        conflict=conflict,
        case=reader.code,
        field=f"{kind}.{name}",
        element=None if element is None else json_element(element),
        part=None if part is None else part.name,
        value=json_value(part or field, cell.value),
        author=write.author,
        unit=write.unit,
    )
