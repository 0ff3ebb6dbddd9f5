"""Telling subscribers what a commit changed: cases, records, fields (client)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from casesync.client.core import Core
from casesync.foundation.ids import Compartment, StreamId
from casesync.model.segment_body import cells_of as cells_of_content
from casesync.model.segment_body import copy_at, is_copies
from casesync.sync.grants import ContentCache
from casesync.sync.stream_row import StreamRow


@dataclass(frozen=True, slots=True)
class Changed:
    """One case that a commit changed."""

    stream: StreamId
    fields: tuple[tuple[str, str, str], ...]
    """(record id in hex, type, field) that were written, as far as they can be read here."""


Subscriber = Callable[[Sequence[Changed]], None]


def notify(core: Core, streams: Sequence[StreamId], since_index: int) -> None:
    """Call every subscriber with what changes at or behind ``since_index`` wrote."""
    if not core.subscribers or not streams:
        return
    changed = [changed_fields(core, stream, since_index) for stream in streams]
    for subscriber in core.subscribers:
        subscriber(changed)


def changed_fields(core: Core, stream: StreamId, since_index: int) -> Changed:
    """What the stream's changes at or behind a log index wrote (``END_OF_LOG`` = unsent ones)."""
    names: dict[tuple[str, str, str], None] = {}
    with core.store.transaction() as tx:
        row = StreamRow(tx.stream_rows([stream]).get(stream))
        cache = ContentCache(core.engine, tx, stream, row)
        for entry in row.in_log_order():
            if entry.log_index < since_index:
                continue
            for segment in cache.change(entry.location).header.segments:
                if not Compartment.BASE < segment.kind < Compartment.ACCESS:
                    continue
                content = cache.content(entry.location, segment.kind)
                if content is None:
                    continue
                if is_copies(content):
                    cells = [copy_at(content, at).cell for at in range(len(content[3][3]))]
                else:
                    cells = cells_of_content(content)
                for cell in cells:
                    names[_name(core, cell.record, cell.type, cell.field)] = None
    return Changed(stream, tuple(names))


def _name(core: Core, record: bytes, type_number: int, field_number: int) -> tuple[str, str, str]:
    record_type = core.engine.schema.types.get(type_number)
    field = None if record_type is None else record_type.fields.get(field_number)
    return (
        record.hex(),
        f"type-{type_number}" if record_type is None else record_type.name,
        f"field-{field_number}" if field is None else field.name,
    )
