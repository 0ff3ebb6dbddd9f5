"""Keeping lists, search and the conflict inbox in step with merged state (client).

``protocol/decisions/0004-listing-after-the-page.md``: streams are marked when merged, refreshed
before anything is listed, a thousand to a transaction. A crash in between leaves the marks.
"""

from __future__ import annotations

from typing import Any

from casesync.client.bulk_work import uncollected
from casesync.client.case_batch import CaseBatch
from casesync.client.case_reader import CaseReader
from casesync.client.core import Core
from casesync.codec.crockford import case_code
from casesync.foundation.ids import StreamId
from casesync.model.conflict_id import conflict_id
from casesync.model.listed import ListedRecord, ListedRecords
from casesync.model.schema import Schema
from casesync.model.value_format import json_value
from casesync.sync.ports import ConflictRow, ListingRow, StreamFlag, Transaction

STREAMS_PER_TRANSACTION = 1000
"""A second or two, so that Ctrl-C loses little; fewer would open the same blocks more often."""


def refresh_listings(core: Core) -> int:
    """Refresh every stale stream; returns how many there were.

    Whatever interrupts it, what was refreshed stays and the rest is still marked.
    """
    with core.store.transaction() as tx:
        stale = tx.streams_marked(StreamFlag.LISTING_STALE)
    if not stale:
        return 0
    records = ListedRecords(core.engine.schema)
    for at in range(0, len(stale), STREAMS_PER_TRANSACTION):
        streams = stale[at : at + STREAMS_PER_TRANSACTION]
        with uncollected(), core.store.transaction() as tx:
            batch = CaseBatch(core, tx, streams)
            disputed_before = {row.stream for row in tx.conflicts()}
            for stream in streams:
                conflicts = _refresh(tx, batch, stream, records)
                if conflicts or stream in disputed_before:
                    tx.put_conflicts(stream, conflicts)
            tx.mark_streams(streams, StreamFlag.LISTING_STALE, on=False)
        core.engine.keys.trim()
        if core.listing_progress is not None:
            core.listing_progress(at + len(streams), len(stale))
    return len(stale)


def _refresh(
    tx: Transaction, batch: CaseBatch, stream: StreamId, known: ListedRecords
) -> list[ConflictRow]:
    """Put or drop one row; returns the open conflicts."""
    case = batch.cases.get(stream)
    if case is None:  # not a case, or its opening is not here yet
        tx.drop_listing(stream)
        return []
    records = batch.records(stream, known)
    first: dict[int, ListedRecord] = {}
    texts: list[str] = []
    newest_ms = 0
    for record in records:
        texts += record.texts
        newest_ms = max(newest_ms, record.newest_ms)
        leading = first.setdefault(record.type, record)
        if leading is not record and record.leading < leading.leading:
            first[record.type] = record
    fields: dict[str, Any] = {}
    for record in first.values():
        fields.update(record.fields)
    tx.put_listing(
        ListingRow(
            stream=stream,
            record=case,
            code=case_code(case),
            sort_ms=newest_ms,
            fields=dict(sorted(fields.items())),
            texts=texts,
        )
    )
    return _conflicts(known.schema, stream, records)


def disputed(reader: CaseReader) -> dict[str, tuple[object, ...]]:
    """The values that stand against each other in the fields that a list shows."""
    found: dict[str, tuple[object, ...]] = {}
    shown: set[int] = set()
    known = ListedRecords(reader.schema)
    for record in sorted(reader.projections(), key=lambda r: known.projected(r).leading):
        record_type = reader.schema.types.get(record.type)
        if record_type is None or record_type.entry or record.type in shown:
            continue
        shown.add(record.type)
        for field in record.fields.values():
            if field.field is None or field.cell is None or not field.conflict:
                continue
            values = [json_value(field.field, write.value) for write in field.cell.writes]
            distinct = tuple(v for i, v in enumerate(values) if v not in values[:i])
            found[f"{record_type.name}.{field.field.name}"] = distinct
    return found


def _conflicts(schema: Schema, stream: StreamId, records: list[ListedRecord]) -> list[ConflictRow]:
    rows = []
    for record in records:
        record_type = schema.types.get(record.type)
        for cell in record.conflicts:
            known = None if record_type is None else record_type.fields.get(cell.cell.field)
            rows.append(
                ConflictRow(
                    conflict_id=conflict_id(stream, cell.cell),
                    stream=stream,
                    record=record.id,
                    type_name=f"type-{record.type}" if record_type is None else record_type.name,
                    field=f"field-{cell.cell.field}" if known is None else known.name,
                    element=cell.cell.element,
                    part=cell.cell.part,
                    since_ms=max((w.clock_ms for w in cell.writes), default=0),
                )
            )
    return rows
