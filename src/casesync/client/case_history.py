"""Every write of a case, replaced ones too (client)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from casesync.client.core import Core
from casesync.client.names import Names
from casesync.client.views import HistoryView
from casesync.foundation.ids import Compartment
from casesync.model.merge import StreamState
from casesync.model.segment_body import Content, Write, copy_at, forms_of, is_copies, write_at
from casesync.model.value_format import json_element, json_value
from casesync.sync.change_reader import may_copy
from casesync.sync.grants import ContentCache
from casesync.sync.stream_row import HistoryEntry, StreamRow


class _Segment(NamedTuple):
    """A content segment that can be read here."""

    entry: HistoryEntry
    kind: int
    content: Content


class _Made(NamedTuple):
    """One write, whoever brought it."""

    device: int
    number: int
    position: int
    clock_ms: int
    write: Write


class CaseHistory:
    """The history of one case inside one transaction."""

    def __init__(self, core: Core, row: StreamRow, cache: ContentCache, state: StreamState) -> None:
        """Args: the open replica; the stream, its segments, what is merged."""
        self._engine = core.engine
        self._names = Names(core)
        self._row = row
        self._cache = cache
        self._live = {(w.device, w.number, w.position, w.compartment) for w in state.live_writes()}

    def rows(self, wanted: str | None) -> list[HistoryView]:
        """Writes in log order, those of ``wanted`` = TYPE.FIELD if given.

        Copies stand where they came, once, and only if their original cannot be read here; those
        that do not count would put words into somebody's mouth and are left out.
        """
        segments = list(self._segments())
        originals = {
            (s.entry.device, s.entry.number, s.kind) for s in segments if not is_copies(s.content)
        }
        told: set[tuple[int, int, int, int]] = set()
        found = []
        for segment in segments:
            copied = is_copies(segment.content)
            for made in _copies(segment.content) if copied else _writes(segment):
                write = (made.device, made.number, made.position, segment.kind)
                if copied and (
                    (made.device, made.number, segment.kind) in originals or write in told
                ):
                    continue
                told.add(write)
                row = self._view(segment, made, copied=copied)
                if wanted is None or wanted in (row.field, f"{row.type}.{row.field}"):
                    found.append(row)
        return found

    def _segments(self) -> Iterator[_Segment]:
        for entry in self._row.in_log_order():
            for segment in self._cache.change(entry.location).header.segments:
                if Compartment.BASE < segment.kind < Compartment.ACCESS:
                    content = self._cache.content(entry.location, segment.kind)
                    if content is not None and self._may_stand(entry, content):
                        yield _Segment(entry, segment.kind, content)

    def _may_stand(self, entry: HistoryEntry, content: Content) -> bool:
        if not is_copies(content):
            return True
        return entry.counts and may_copy(self._engine, self._row.rights, entry.device)

    def _view(self, segment: _Segment, made: _Made, *, copied: bool) -> HistoryView:
        cell, entry = made.write.cell, segment.entry
        record_type = self._engine.schema.types.get(cell.type)
        field = None if record_type is None else record_type.fields.get(cell.field)
        part = None if field is None or not cell.part else field.parts.get(cell.part)
        author = self._names.device(made.device)
        own_time = entry.sent and not copied
        live = (made.device, made.number, made.position, segment.kind) in self._live
        return HistoryView(
            type=f"type-{cell.type}" if record_type is None else record_type.name,
            record_hex=cell.record.hex(),
            field=f"field-{cell.field}" if field is None else field.name,
            element=None if cell.element is None else json_element(cell.element),
            part=None if part is None else part.name,
            value=json_value(part or field, made.write.value),
            author=author.author,
            unit=author.unit,
            device=made.device,
            time_ms=made.clock_ms,
            log_time_ms=entry.log_time_ms if own_time else None,
            dot=f"{made.device}.{made.number}.{made.position}",
            live=live and entry.counts,
            sent=entry.sent,
            copied_by=self._names.copier(entry.device) if copied else None,
        )


def _writes(segment: _Segment) -> Iterator[_Made]:
    device, number, content = segment.entry.device, segment.entry.number, segment.content
    for position in range(sum(form.size for form in forms_of(content))):
        yield _Made(device, number, position, content[0], write_at(content, position))


def _copies(content: Content) -> Iterator[_Made]:
    for at in range(len(content[3][3])):
        copy = copy_at(content, at)
        write = Write(copy.cell, copy.code, copy.value)
        yield _Made(copy.device, copy.number, copy.position, copy.clock_ms, write)
