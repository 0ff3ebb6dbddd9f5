"""Keeping lists, search and the conflict inbox in step with merged state (client).

``protocol/decisions/0004-listing-after-the-page.md``: streams are marked when merged, refreshed
before anything is listed, two thousand to a transaction. A crash in between leaves the marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from casesync.client.bulk_work import made_ahead, uncollected
from casesync.client.case_batch import CaseBatch
from casesync.client.case_reader import CaseReader
from casesync.client.core import Core
from casesync.codec.crockford import case_code
from casesync.foundation.ids import StreamId
from casesync.model.conflict_id import conflict_id
from casesync.model.listed import ListedRecord, ListedRecords
from casesync.model.schema import Schema
from casesync.model.value_format import json_value
from casesync.storage.listing_entry import ListingEntries
from casesync.sync.ports import ConflictRow, ListingEntry, ListingRow, StreamFlag, Transaction

STREAMS_PER_TRANSACTION = 2000
"""A second or two, so that Ctrl-C loses little; fewer would read the same blocks more often."""
CASES_AHEAD = 100
"""Some 40 ms, which is as long as an interruption may have to wait for the other thread."""


def refresh_listings(core: Core) -> int:
    """Refresh every stale stream; returns how many there were.

    Whatever interrupts it, what was refreshed stays and the rest is still marked.
    """
    with core.store.transaction() as tx:
        stale = tx.streams_marked(StreamFlag.LISTING_STALE)
    if not stale:
        return 0
    records, entries = ListedRecords(core.engine.schema), ListingEntries()
    for at in range(0, len(stale), STREAMS_PER_TRANSACTION):
        streams = stale[at : at + STREAMS_PER_TRANSACTION]
        if len(stale) > len(streams):
            core.engine.keys.forget()  # those of the cases before are asked no more, and large
        with uncollected(), core.store.transaction() as tx:
            _Refresh(tx, CaseBatch(core, tx, streams), records, entries).run(streams)
            tx.mark_streams(streams, StreamFlag.LISTING_STALE, on=False)
        if core.listing_progress is not None:
            core.listing_progress(at + len(streams), len(stale))
    core.engine.keys.trim()
    return len(stale)


class _Refresh:
    """One transaction's streams. What needs no statement is made while others are carried out."""

    def __init__(
        self, tx: Transaction, batch: CaseBatch, records: ListedRecords, entries: ListingEntries
    ) -> None:
        self._tx = tx
        self._batch = batch
        self._records = records
        self._entries = entries

    def run(self, streams: Sequence[StreamId]) -> None:
        """Put or drop their rows and open conflicts."""
        disputed = {row.stream for row in self._tx.conflicts()}
        cases = [stream for stream in streams if stream in self._batch.cases]
        parts = [cases[at : at + CASES_AHEAD] for at in range(0, len(cases), CASES_AHEAD)]
        others: list[StreamId] = []
        with closing(made_ahead(self._made, parts)) as ahead:
            for part, entries in zip(parts, ahead, strict=True):
                self._tx.put_listings(entries)
                simple = {entry.stream for entry in entries}
                others += [stream for stream in part if stream not in simple]
        for stream in others:
            records = self._batch.records(stream, self._records)
            self._tx.put_listings([self._entry(stream, records)])
            conflicts = _conflicts(self._records.schema, stream, records)
            if conflicts or stream in disputed:
                self._tx.put_conflicts(stream, conflicts)
        settled = set(streams) - set(others)
        for stream in settled & disputed:
            self._tx.put_conflicts(stream, [])
        for stream in settled - set(cases):  # not a case, or its opening is not here yet
            self._tx.drop_listing(stream)

    def _made(self, cases: Sequence[StreamId]) -> list[ListingEntry]:
        """The entries of those cases that can be read without a statement: nearly all."""
        entries = []
        for stream in cases:
            records = self._batch.simple(stream, self._records)
            if records is not None:
                entries.append(self._entry(stream, records))
        return entries

    def _entry(self, stream: StreamId, records: Sequence[ListedRecord]) -> ListingEntry:
        first: dict[int, ListedRecord] = {}
        texts: list[str] = []
        for record in records:
            texts += record.texts
            leading = first.setdefault(record.type, record)
            if leading is not record and record.leading < leading.leading:
                first[record.type] = record
        fields: dict[str, Any] = {}
        for record in first.values():
            fields.update(record.fields)
        case = self._batch.cases[stream]
        return self._entries.entry(
            ListingRow(
                stream=stream,
                record=case,
                code=case_code(case),
                sort_ms=max((record.newest_ms for record in records), default=0),
                fields=dict(sorted(fields.items())),
                texts=texts,
            )
        )


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
