"""An office whose devices play a workload: real changes, sealed, signed and pushed (testing).

Saves become changes the way an edit makes them: what the device holds is replaced, cells are those
of the schema. Only the reading of forms and the access log are left out, which are not what a
workload is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from casesync.client.control_driver import pull
from casesync.client.core import Core
from casesync.foundation.ids import RecordId, StreamId, StreamKind
from casesync.model.cells import CellId, Form, intern_form
from casesync.model.merge import StreamState
from casesync.model.own_content import made_content, made_form
from casesync.model.schema import Schema
from casesync.model.segment_body import Content, Write
from casesync.sync.author import Draft, open_stream, write_change
from casesync.sync.form_saves import FormSave, write_forms
from casesync.sync.ports import Transaction
from casesync.sync.stream_merge import state_of
from casesync.sync.stream_row import StreamRow
from casesync.testing.offices import Offices
from casesync.testing.workloads.saves import Save, Workload

SAVES_PER_TRANSACTION: Final = 500
ROLE: Final = "caseworker"


class Cell(NamedTuple):
    """Where a field of a form lies."""

    compartment: int
    type: int
    field: int
    element: str | None
    resolver: int


class FormPart(NamedTuple):
    """What one compartment takes of a form."""

    compartment: int
    form: Form
    places: tuple[int, ...]
    """Of its values among those of the save."""

    def values(self, save: Save) -> list[Any]:
        """Its values."""
        return [save.values[place] for place in self.places]


class Cells:
    """Cells by the names that saves use."""

    def __init__(self, schema: Schema) -> None:
        """Args: schema: of the network."""
        self._schema = schema
        self._known: dict[tuple[str, str], Cell] = {}
        self._forms: dict[tuple[str, tuple[str, ...]], list[FormPart] | None] = {}

    def form(self, save: Save) -> list[FormPart] | None:
        """The form that a save fills in, by compartment; None if it writes elements."""
        name = (save.type, save.fields)
        if name not in self._forms:
            self._forms[name] = self._parts(save)
        return self._forms[name]

    def _parts(self, save: Save) -> list[FormPart] | None:
        cells = [self.of(save.type, field) for field in save.fields]
        if any(cell.element is not None for cell in cells):
            return None
        places: dict[int, list[int]] = {}
        for place, cell in enumerate(cells):
            places.setdefault(cell.compartment, []).append(place)
        return [
            FormPart(
                compartment,
                intern_form(
                    cells[0].type, [cells[at].field << 4 | cells[at].resolver for at in found]
                ),
                tuple(found),
            )
            for compartment, found in places.items()
        ]

    def of(self, type_name: str, field: str) -> Cell:
        """The cell of ``field`` or ``field[element]``."""
        known = self._known.get((type_name, field))
        if known is None:
            record_type = self._schema.type_by_name(type_name)
            name, _, element = field.partition("[")
            found = record_type.field_by_name(name)
            known = Cell(
                int(found.compartment),
                record_type.number,
                found.number,
                element.removesuffix("]") or None,
                int(found.resolver),
            )
            self._known[type_name, field] = known
        return known

    def by_compartment(self, save: Save, record: bytes) -> dict[int, list[Write]]:
        """What a save writes, by compartment."""
        writes: dict[int, list[Write]] = {}
        for field, value in zip(save.fields, save.values, strict=True):
            cell = self.of(save.type, field)
            writes.setdefault(cell.compartment, []).append(
                Write(CellId(record, cell.type, cell.field, cell.element, 0), cell.resolver, value)
            )
        return writes


class CaseIds:
    """Streams and record ids of the cases of a workload."""

    def __init__(self) -> None:
        self.streams: dict[int, StreamId] = {}
        self._records: dict[int, bytes] = {}

    def open(self, case: int, record: bytes, stream: StreamId) -> None:
        """Note a new case."""
        self._records[case] = record
        self.streams[case] = stream

    def own(self, case: int) -> bytes:
        """The id of a case's own record."""
        return self._records[case]

    def record(self, save: Save) -> bytes:
        """The record a save writes to; the case's own id, or one made of it and a number."""
        own = self._records[save.case]
        return own if not save.record else own[:8] + save.record.to_bytes(8, "big")


class Author:
    """One device that writes saves; also on a store of its own, for timing."""

    def __init__(self, core: Core, ids: CaseIds) -> None:
        """Args: core: an open replica; ids: shared by all devices."""
        self.core = core
        self._ids = ids
        self._version = core.engine.schema.version
        self._cells = Cells(core.engine.schema)

    def write(self, saves: Sequence[Save], per_transaction: int = SAVES_PER_TRANSACTION) -> None:
        """Make one change of each save, so many to a durable transaction."""
        for at in range(0, len(saves), per_transaction):
            with self.core.transaction() as tx:
                self._write_all(tx, saves[at : at + per_transaction])

    def _write_all(self, tx: Transaction, saves: Sequence[Save]) -> None:
        """Forms of one compartment in cases that are there are written together."""
        together: list[FormSave] = []
        for save in saves:
            form = self._cells.form(save)
            if form is not None and len(form) == 1 and save.case in self._ids.streams:
                [part] = form
                stream, record = self._ids.streams[save.case], self._ids.record(save)
                values = part.values(save)
                together.append(FormSave(stream, record, part.compartment, part.form, values))
                continue
            write_forms(self.core.engine, tx, together)
            together.clear()
            self._write_one(tx, save)
        write_forms(self.core.engine, tx, together)

    def _write_one(self, tx: Transaction, save: Save) -> None:
        engine, ids = self.core.engine, self._ids
        if save.case not in ids.streams:
            record = self.core.entropy.bytes(16)
            unit = engine.control.unit(engine.unit)
            assert unit is not None
            draft = open_stream(engine, tx, StreamKind.CASE, RecordId(record), unit.feed)
            ids.open(save.case, record, draft.stream)
            row = StreamRow()
        else:
            stream = ids.streams[save.case]
            draft = Draft(stream=stream)
            row = StreamRow(tx.stream_rows([stream])[stream])
        for compartment, (body, content) in self._bodies(save, state_of(row)).items():
            draft.bodies[compartment] = body
            draft.decoded[compartment] = content
        write_change(engine, tx, draft, row)

    def _bodies(self, save: Save, state: StreamState) -> dict[int, tuple[bytes, Content]]:
        """What a save writes, by compartment; it replaces what the device holds."""
        clock_ms, version = self.core.clock.now_ms(), self._version
        record = self._ids.record(save)
        bodies = {}
        form = self._cells.form(save)
        if form is not None:
            for part in form:
                replaced = state.replaces_for_form(record, part.form, part.compartment)
                bodies[part.compartment] = made_form(
                    clock_ms, version, replaced, record, part.form, part.values(save)
                )
            return bodies
        for compartment, writes in self._cells.by_compartment(save, record).items():
            replaced = state.replaces_for([w.cell for w in writes], compartment)
            bodies[compartment] = made_content(clock_ms, version, replaced, writes)
        return bodies


class Office:
    """Devices of one office, and a further one that only reads."""

    def __init__(self, workload: Workload, offices: Offices | None = None) -> None:
        """Args: offices: of the relay to be used; default one in memory."""
        self.workload = workload
        self.offices = offices or Offices(workload.seed)
        founder = self.offices.found()
        unit = founder.whoami().unit
        self.writers = [founder]
        for number in range(2, workload.devices + 1):
            self.writers.append(self.offices.enrol(founder, unit, ROLE, f"Máy {number}"))
        self.reader = self.offices.enrol(founder, unit, ROLE, "Máy mới")
        self.ids = CaseIds()
        self.exchange()
        pull(self.reader.core)

    def exchange(self) -> None:
        """Everybody who writes holds everything afterwards."""
        self._push()
        self._push()

    def play(self, rounds: Iterable[Sequence[Save]], *, settle: bool = True) -> None:
        """Write round by round; everybody exchanges after each.

        Args:
            rounds: of a workload.
            settle: after the last one, too; else it is only pushed, and whoever pushed first
                does not hold what others pushed.
        """
        authors = [Author(writer.core, self.ids) for writer in self.writers]
        for at, chosen in enumerate(rounds):
            if at:
                self._push()
            for number, author in enumerate(authors):
                author.write([save for save in chosen if save.device == number])
            self._push()
        if settle:
            self._push()

    def _push(self) -> None:
        for writer in self.writers:
            pull(writer.core)
