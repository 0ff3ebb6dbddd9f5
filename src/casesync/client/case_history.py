"""Every write of a case, replaced ones too (client)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from casesync.client.core import Core
from casesync.client.names import Names
from casesync.client.views import HistoryView
from casesync.foundation.errors import UsageError
from casesync.foundation.ids import StreamId
from casesync.model.merge import StreamState
from casesync.model.resolvers.resolution import canonical_bytes
from casesync.model.schema import Schema
from casesync.model.segment_body import Write, copy_at, forms_of, is_copies, write_at
from casesync.model.value_format import json_element, json_value
from casesync.sync.change_reader import OpenedSegment, content_of
from casesync.sync.copy_check import CopyCheck
from casesync.sync.grants import ContentCache
from casesync.sync.stream_merge import holds_originals
from casesync.sync.stream_row import HistoryEntry, StreamRow


class _Made(NamedTuple):
    """One write where it stands: what its author wrote, or a copy that somebody brought."""

    entry: HistoryEntry
    kind: int
    device: int
    number: int
    position: int
    clock_ms: int
    write: Write
    live: bool
    copied: bool
    word: tuple[Hashable, ...] = ()
    """Of a copy: whose write it claims to be and what that says."""


class CaseHistory:
    """The history of one case inside one transaction."""

    def __init__(
        self, core: Core, stream: StreamId, row: StreamRow, cache: ContentCache, state: StreamState
    ) -> None:
        """Args: the open replica; the stream, its row, its changes, what is merged."""
        self._engine = core.engine
        self._names = Names(core)
        self._stream = stream
        self._row = row
        self._cache = cache
        self._state = state
        self._live = {
            (
                w.location,
                w.compartment,
                w.copy is not None,
                w.position if w.copy is None else w.copy,
            )
            for w in state.live_writes()
        }
        self._counts = {(entry.device, entry.number): entry.counts for entry in row.history()}

    def rows(self, wanted: str | None) -> list[HistoryView]:
        """Writes in log order, those of ``wanted`` = TYPE.FIELD if given.

        Every live write is among them. Copies stand where they came, each that says something else
        of its own, equal ones once: the live one if there is one.
        """
        found = list(self._all())
        live = {made.word for made in found if made.copied and made.live}
        told: set[tuple[Hashable, ...]] = set()
        rows = []
        for made in found:
            if made.copied:
                if made.word in told or (made.word in live and not made.live):
                    continue
                told.add(made.word)
            row = self._view(made)
            if wanted is None or wanted in (row.field, f"{row.type}.{row.field}"):
                rows.append(row)
        return rows

    def _all(self) -> Iterator[_Made]:
        whole = holds_originals(self._engine, self._row.rights)
        check = CopyCheck(whole=False)  # asked about copies only where not all originals are
        for entry in self._row.in_log_order():
            change = self._cache.change(entry.location)
            opened, _, _ = content_of(self._engine, self._stream, change, self._row.rights)
            differs = check.take(change, opened)
            for part in opened:
                if not is_copies(part.body):
                    yield from self._writes(entry, part)
                elif entry.counts and part.allowed and not whole:
                    yield from self._copies(entry, part, differs=differs)

    def _writes(self, entry: HistoryEntry, part: OpenedSegment) -> Iterator[_Made]:
        content, kind = part.body, part.compartment
        for at in range(sum(form.size for form in forms_of(content))):
            live = (entry.location, kind, False, at) in self._live
            dot = (entry.device, entry.number, at)
            yield _Made(entry, kind, *dot, content[0], write_at(content, at), live, copied=False)

    def _copies(
        self, entry: HistoryEntry, part: OpenedSegment, *, differs: bool
    ) -> Iterator[_Made]:
        """The copies that tell something: live ones, replaced ones whose original is not here.

        Where one copy of a change is known to be false, the replaced ones beside it say nothing.
        """
        content, kind = part.body, part.compartment
        for at in range(len(content[3][3])):
            copy = copy_at(content, at)
            dot = (copy.device, copy.number, copy.position)
            live = (entry.location, kind, True, at) in self._live
            if live or not (differs or self._has_original(copy.device, copy.number, kind)):
                claimed = (copy.link8, copy.cell, copy.code, copy.clock_ms)
                word = (kind, *dot, *claimed, canonical_bytes(copy.value))
                write = Write(copy.cell, copy.code, copy.value)
                yield _Made(entry, kind, *dot, copy.clock_ms, write, live, copied=True, word=word)

    def _has_original(self, device: int, number: int, kind: int) -> bool:
        """Whether the original stands here, or is known not to count."""
        counts = self._counts.get((device, number), True)
        return not counts or self._state.holds(device, number, kind)

    def _view(self, made: _Made) -> HistoryView:
        cell, entry = made.write.cell, made.entry
        record_type = self._engine.schema.types.get(cell.type)
        field = None if record_type is None else record_type.fields.get(cell.field)
        part = None if field is None or not cell.part else field.parts.get(cell.part)
        author = self._names.device(made.device)
        own_time = entry.sent and not made.copied
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
            live=made.live,
            sent=entry.sent,
            copied_by=self._names.copier(entry.device) if made.copied else None,
        )


def check_field(schema: Schema, name: str) -> None:
    """A field by TYPE.FIELD or alone; ``field-N`` is one of a newer version.

    Raises: UsageError: ``filter-field-unknown``, or no such type or field.
    """
    if "." in name:
        schema.field_by_name(name)
    elif not name.startswith("field-") and not any(
        field.name == name for kind in schema.types.values() for field in kind.fields.values()
    ):
        raise UsageError("filter-field-unknown", field=name)


def keys_of(rows: Sequence[HistoryView]) -> list[str]:
    """What names each row: its dot, which another compartment and a false copy may have, too."""
    seen: Counter[str] = Counter()
    keys = []
    for row in rows:
        seen[row.dot] += 1
        keys.append(row.dot if seen[row.dot] == 1 else f"{row.dot}.{seen[row.dot]}")
    return keys
