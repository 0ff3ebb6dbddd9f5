"""Keeping lists, search and the conflict inbox in step with merged state (client).

``protocol/decisions/0004-listing-after-the-page.md``: streams are marked when merged, refreshed
before anything is listed, some hundreds to a transaction. A crash in between leaves the marks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from casesync.client.case_reader import CaseReader
from casesync.client.core import Core
from casesync.foundation.errors import UsageError
from casesync.foundation.ids import StreamId
from casesync.model.conflict_id import conflict_id
from casesync.model.projection import RecordProjection
from casesync.model.schema import ValueKind
from casesync.model.value_format import json_value
from casesync.model.values import Fit, fit
from casesync.sync.ports import ConflictRow, ListingRow, StreamFlag, Transaction

STREAMS_PER_TRANSACTION = 300
"""A few tenths of a second each, so that Ctrl-C is answered soon."""
PART_IN_CASE, CLIENT = "role_in_case", "client"


def refresh_listings(core: Core, progress: Callable[[int, int], None] | None = None) -> int:
    """Refresh every stale stream; returns how many there were."""
    with core.store.transaction() as tx:
        stale = tx.streams_marked(StreamFlag.LISTING_STALE)
    for at in range(0, len(stale), STREAMS_PER_TRANSACTION):
        with core.store.transaction() as tx:
            for stream in stale[at : at + STREAMS_PER_TRANSACTION]:
                _refresh(core, tx, stream)
            tx.mark_streams(
                stale[at : at + STREAMS_PER_TRANSACTION], StreamFlag.LISTING_STALE, on=False
            )
        if progress is not None:
            progress(min(at + STREAMS_PER_TRANSACTION, len(stale)), len(stale))
    return len(stale)


def _refresh(core: Core, tx: Transaction, stream: StreamId) -> None:
    try:
        reader = CaseReader(core, tx, stream)
    except UsageError:  # not a case, or its opening is not here yet
        tx.drop_listing(stream)
        return
    records = reader.projections()
    fields: dict[str, Any] = {}
    texts: list[str] = []
    shown: set[int] = set()
    for record in sorted(records, key=_leading):
        _collect(reader, record, fields if record.type not in shown else {}, texts)
        shown.add(record.type)
    tx.put_listing(
        ListingRow(
            stream=stream,
            record=reader.record,
            code=reader.code,
            sort_ms=max((record.newest_clock_ms for record in records), default=0),
            fields=fields,
            texts=texts,
        )
    )
    tx.put_conflicts(stream, _conflicts(reader, records))


def _leading(record: RecordProjection) -> tuple[bool, int, bytes]:
    """Of several records of a type a list shows one, and never parts of two people as one.

    The client goes first, then whoever was written first.
    """
    parts = [f.value for f in record.fields.values() if f.field and f.field.name == PART_IN_CASE]
    oldest = min((w.clock_ms for cell in record.cells() for w in cell.writes), default=0)
    return CLIENT not in parts, oldest, record.id


def _collect(
    reader: CaseReader, record: RecordProjection, fields: dict[str, Any], texts: list[str]
) -> None:
    record_type = reader.schema.types.get(record.type)
    if record_type is None:
        return
    for field in record.fields.values():
        if field.field is None:
            continue
        name = f"{record_type.name}.{field.field.name}"
        value = json_value(field.field, field.value)
        if not record_type.entry:
            fields[name] = value
        if field.cell is None or field.field.value.kind not in (ValueKind.TEXT, ValueKind.PHONE):
            texts += [item for item in _strings(value) if len(item) <= 256]
            continue
        for write in field.cell.writes:
            if fit(reader.schema, field.field, write.value) is Fit.FITS:
                texts += _strings(write.value)


def disputed(reader: CaseReader) -> dict[str, tuple[object, ...]]:
    """The values that stand against each other in the fields that a list shows."""
    found: dict[str, tuple[object, ...]] = {}
    shown: set[int] = set()
    for record in sorted(reader.projections(), key=_leading):
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


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return []


def _conflicts(reader: CaseReader, records: list[RecordProjection]) -> list[ConflictRow]:
    rows = []
    for record in records:
        record_type = reader.schema.types.get(record.type)
        for cell in record.cells():
            if not cell.conflict:
                continue
            known = None if record_type is None else record_type.fields.get(cell.cell.field)
            rows.append(
                ConflictRow(
                    conflict_id=conflict_id(reader.stream, cell.cell),
                    stream=reader.stream,
                    record=record.id,
                    type_name=f"type-{record.type}" if record_type is None else record_type.name,
                    field=f"field-{cell.cell.field}" if known is None else known.name,
                    element=cell.cell.element,
                    part=cell.cell.part,
                    since_ms=max((w.clock_ms for w in cell.writes), default=0),
                )
            )
    return rows
