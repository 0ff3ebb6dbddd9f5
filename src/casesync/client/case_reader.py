"""A case as this device may see it: records, conflicts, what is sealed or missing (client)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from casesync.client.case_completeness import Completeness
from casesync.client.case_history import CaseHistory
from casesync.client.core import Core
from casesync.client.names import Names
from casesync.client.views import (
    CaseView,
    ElementView,
    Fact,
    FieldView,
    HistoryView,
    RecordView,
    ValueView,
)
from casesync.codec import canonical
from casesync.codec.crockford import case_code
from casesync.foundation.errors import RemoteProtocolError, UsageError
from casesync.foundation.ids import CONTENT_COMPARTMENTS, Compartment, StreamId
from casesync.model.merge import StreamState
from casesync.model.projection import (
    CellProjection,
    FieldProjection,
    RecordProjection,
    WriteProjection,
    project,
)
from casesync.model.rules import ChangeRef, LiveWrite, flags
from casesync.model.schema import Field, Schema
from casesync.model.value_format import json_element, json_value
from casesync.sync.change_reader import content_of
from casesync.sync.grants import ContentCache
from casesync.sync.ports import Transaction
from casesync.sync.stream_merge import (
    SeenVectors,
    SegmentSet,
    holds_originals,
    load_changes,
    state_of,
)
from casesync.sync.stream_row import HistoryEntry, StreamRow

_RULE_FACTS = {
    "late_entry": "late-entry",
    "approval_requested_again": "approval-again",
    "risk_level_without_assessment": "risk-without-assessment",
}


class Times(NamedTuple):
    """Log times of a stream's changes by (device, number); None while unsent."""

    by_change: dict[tuple[int, int], int | None]

    def of(self, device: int, number: int, _location: int) -> int | None:
        """The log time in ms."""
        return self.by_change.get((device, number))


class CaseReader:
    """Reads one case inside one transaction."""

    def __init__(self, core: Core, tx: Transaction, stream: StreamId) -> None:
        """Raises: UsageError: ``case-unknown``: no such case, not opened yet, or destroyed."""
        self._core = core
        self._tx = tx
        self.stream = stream
        raw = tx.stream_rows([stream]).get(stream)
        self.row = StreamRow(raw)
        opening = self.row.rights.opening
        if raw is None or opening is None or opening[2] is None or self.row.given_up:
            raise UsageError("case-unknown", case=stream.hex()[:8])
        self.record = opening[2]
        self.code = case_code(self.record)
        self._cache = ContentCache(core.engine, tx, stream, self.row)
        self._names = Names(core)
        self._entries = list(self.row.history())
        self._carriers = {entry.location: entry.device for entry in self._entries}
        self._times = Times(
            {(e.device, e.number): e.log_time_ms if e.sent else None for e in self._entries}
        )

    @property
    def schema(self) -> Schema:
        """The newest schema."""
        return self._core.engine.schema

    def state(self) -> StreamState:
        """The merged state, in place."""
        return state_of(self.row) if self.row.merge_row else StreamState()

    def projections(
        self,
        state: StreamState | None = None,
        records: Collection[tuple[int, bytes]] | None = None,
    ) -> list[RecordProjection]:
        """Records of the case (those of ``records``, by type and id, if given).

        One of which nothing counts (any more) is none.
        """
        found = project(
            self.state() if state is None else state,
            self._cache.content,
            self.schema,
            self._times.of,
            records=records,
        )
        return [r for r in found if any(cell.writes or cell.reported for cell in r.cells())]

    # -- base tokens ----------------------------------------------------------------------------

    def token(self) -> str:
        """What is read now, as ``--base`` takes it: the newest change of each device."""
        newest: dict[int, int] = {}
        for entry in self._entries:
            newest[entry.device] = max(newest.get(entry.device, 0), entry.number)
        packed = canonical.pack([[device, number] for device, number in sorted(newest.items())])
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")

    def state_at(self, token: str) -> StreamState:
        """The state that was read when ``token`` was made.

        Raises: UsageError: ``base-malformed``.
        """
        try:
            padded = token + "=" * (-len(token) % 4)
            rows = canonical.unpack(base64.urlsafe_b64decode(padded))
            seen = {int(device): int(number) for device, number in rows}
        except (ValueError, TypeError, RemoteProtocolError) as error:
            raise UsageError("base-malformed") from error
        held = [e for e in self._entries if e.number <= seen.get(e.device, 0)]
        return self._rebuilt(held)

    def _rebuilt(self, entries: list[HistoryEntry]) -> StreamState:
        segments = SegmentSet(whole=holds_originals(self._core.engine, self.row.rights))
        for entry, change in zip(entries, load_changes(self._tx, entries), strict=True):
            opened, _, _ = content_of(self._core.engine, self.stream, change, self.row.rights)
            segments.add(change, opened, counts=entry.counts)
        return segments.merged()

    # -- the case -------------------------------------------------------------------------------

    def view(self) -> CaseView:
        """Everything this device may see of the case."""
        projections = self.projections()
        flagged = self._flags(projections)
        records = tuple(self._record(record, flagged) for record in projections)
        owner = self.row.rights.owner
        assert owner is not None
        return CaseView(
            case=self.code,
            stream_hex=self.stream.hex(),
            base=self.token(),
            owner=self._names.unit(owner),
            records=records,
            incomplete=tuple(Completeness(self._core, self._tx, self.stream, self.row).facts()),
            sealed_compartments=tuple(c.word for c in self.sealed()),
            conflicts=sum(len(record.conflicts()) for record in projections),
            unsent=sum(1 for entry in self._entries if not entry.sent),
        )

    def records_shown(self, view: CaseView) -> list[bytes]:
        """Ids of the records in a view, for the access entry."""
        return [bytes.fromhex(record.id_hex) for record in view.records]

    def readable(self) -> list[Compartment]:
        """Content compartments of which this device holds a key here."""
        held = {compartment for compartment, _ in self._core.engine.keys.stream(self.stream)}
        return [c for c in CONTENT_COMPARTMENTS if int(c) in held]

    def sealed(self) -> list[Compartment]:
        """Content compartments that have segments here which this device cannot read at all."""
        readable = set(self.readable())
        found: dict[Compartment, None] = {}
        for fact in self.row.rights.statements:
            if Compartment.BASE < fact.compartment < Compartment.ACCESS:
                compartment = Compartment(fact.compartment)
                if compartment not in readable:
                    found[compartment] = None
        return sorted(found)

    def _record(self, record: RecordProjection, flagged: dict[Any, list[Fact]]) -> RecordView:
        record_type = self.schema.types.get(record.type)
        name = f"type-{record.type}" if record_type is None else record_type.name
        fields: dict[str, FieldView] = {}
        amends: str | None = None
        for number, field in record.fields.items():
            label = f"field-{number}" if field.field is None else field.field.name
            facts = flagged.get((record.id, number), [])
            fields[label] = self._field(field, facts)
            if label == "amends" and isinstance(field.value, bytes):
                amends = field.value.hex()
        if record_type is not None:
            sealed = set(self.sealed())
            for known in record_type.fields.values():
                if known.compartment in sealed and known.name not in fields:
                    fields[known.name] = FieldView(value=None, sealed=True)
        flags_of = () if record.known else (Fact("newer-schema", {"type": name}),)
        return RecordView(
            type=name, id_hex=record.id.hex(), fields=fields, amends_hex=amends, flags=flags_of
        )

    def _field(self, field: FieldProjection, facts: list[Fact]) -> FieldView:
        known = field.field
        if field.cell is not None and not field.elements:
            return FieldView(
                value=json_value(known, field.value),
                conflict=field.conflict,
                values=self._values(known, field.cell),
                flags=(*facts, *self._reported(field)),
            )
        elements = tuple(
            ElementView(
                element=None if e.element is None else json_element(e.element),
                value=json_value(None, e.presence.value),
                conflict=e.presence.conflict,
                values=self._values(None, e.presence),
                parts={
                    self._part_name(known, number): FieldView(
                        value=json_value(self._part(known, number), cell.value),
                        conflict=cell.conflict,
                        values=self._values(None, cell),
                    )
                    for number, cell in e.parts.items()
                },
            )
            for e in field.elements
            if e.presence.value not in (None, False)
            or e.presence.conflict
            or any(cell.conflict for cell in e.parts.values())
            or (known is not None and known.resolver.word == "revoke")
        )
        return FieldView(
            value=[element.element for element in elements if element.value],
            conflict=field.conflict,
            elements=elements,
            flags=tuple(facts),
        )

    def _reported(self, field: FieldProjection) -> list[Fact]:
        if field.cell is None or field.field is None:
            return []
        return [
            Fact(
                "reported-not-admitted",
                {
                    "type": "",
                    "field": field.field.name,
                    "value": json_value(field.field, write.value),
                },
            )
            for write in field.cell.reported
        ]

    @staticmethod
    def _part(field: Field | None, number: int) -> Any:  # noqa: ANN401 - Part or None
        return None if field is None else field.parts.get(number)

    def _part_name(self, field: Field | None, number: int) -> str:
        part = self._part(field, number)
        return f"part-{number}" if part is None else str(part.name)

    def _values(self, field: Field | None, cell: CellProjection) -> tuple[ValueView, ...]:
        return tuple(self.value_view(field, write) for write in cell.writes)

    def value_view(self, field: Field | None, write: WriteProjection) -> ValueView:
        """One live write with who made it."""
        author = self._names.device(write.device)
        return ValueView(
            value=json_value(field, write.value),
            author=author.author,
            unit=author.unit,
            device=write.device,
            time_ms=write.clock_ms,
            dot=f"{write.device}.{write.number}.{write.position}",
            sent=write.log_time_ms is not None or write.copied,
            copied_by=self._names.copier(self._carriers[write.location]) if write.copied else None,
        )

    # -- rules over changes ------------------------------------------------------------------------

    def _flags(self, projections: list[RecordProjection]) -> dict[Any, list[Fact]]:
        writes = [
            LiveWrite(
                cell.cell.record,
                cell.cell.type,
                cell.cell.field,
                write.value,
                ChangeRef(write.device, write.number),
            )
            for record in projections
            for cell in record.cells()
            for write in cell.writes
        ]
        found: dict[Any, list[Fact]] = {}
        for flag in flags(self.schema, writes, self._happened_after(), self.readable()):
            code = _RULE_FACTS.get(flag.rule)
            if code is None:
                continue
            record_type = self.schema.types.get(flag.type)
            params = (
                {"type": "" if record_type is None else record_type.name}
                if code == "late-entry"
                else {}
            )
            facts = found.setdefault((flag.record, flag.field), [])
            fact = Fact(code, params)  # the same of two values in conflict is said once
            if fact not in facts:
                facts.append(fact)
        return found

    def _happened_after(self) -> Callable[[ChangeRef, ChangeRef], bool]:
        vectors: SeenVectors | None = None

        def after(later: ChangeRef, earlier: ChangeRef) -> bool:
            nonlocal vectors
            if vectors is None:
                vectors = SeenVectors()
                for change in load_changes(self._tx, self.row.in_log_order()):
                    vectors.note(change)
            if later == earlier:
                return False
            seen = vectors.seen_by(later.device, later.number)
            return seen.get(earlier.device, 0) >= earlier.number

        return after

    # -- history -----------------------------------------------------------------------------------

    def history(self, wanted: str | None = None) -> list[HistoryView]:
        """Every write of the case that can be read, oldest first; ``wanted`` = TYPE.FIELD."""
        history = CaseHistory(self._core, self.stream, self.row, self._cache, self.state())
        return history.rows(wanted)
