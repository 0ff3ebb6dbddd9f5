"""Editing one case: what the person changed, and nothing else, becomes one change (client).

DESIGN.md 4: an edit replaces what was *read when it began*; a save writes only the cells the person
changed; a field in conflict stops the edit unless it is a resolution. What others wrote since stays
beside it. What this very device wrote since stops the edit: nobody means to contradict herself, and
whoever edits with an old token has not seen her own newer words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from casesync.client import case_cells
from casesync.client.case_cells import Place, arrived_since, parse_path, read_cells, writable
from casesync.client.core import Core
from casesync.client.views import Assignment
from casesync.codec import canonical
from casesync.foundation.errors import AccessDenied, ConflictStop, UsageError
from casesync.foundation.ids import Compartment, StreamId
from casesync.foundation.limits import CELLS_PER_CHANGE_MAX
from casesync.model.cells import CellId
from casesync.model.conflict_id import conflict_id
from casesync.model.merge import StreamState
from casesync.model.only_record import only_record
from casesync.model.own_content import made_content
from casesync.model.schema import Field, RecordType, ResolverCode
from casesync.model.segment_body import Write
from casesync.model.value_text import parse_element
from casesync.model.values import validate, validate_element, validate_part
from casesync.sync.author import Draft
from casesync.sync.ports import Transaction
from casesync.sync.stream_merge import state_of
from casesync.sync.stream_row import StreamRow

_NEVER_CONFLICT: Final = frozenset({ResolverCode.LATEST, ResolverCode.EARLIEST})
_PRESENCE: Final = 0


class CaseEdit:
    """What is to be changed in one case; the caller writes it with ``draft``."""

    def __init__(
        self,
        core: Core,
        tx: Transaction,
        stream: StreamId,
        row: StreamRow,
        *,
        base: StreamState | None = None,
        case_record: bytes | None = None,
    ) -> None:
        """Remember what is read now.

        Args:
            core: the open replica.
            tx: a transaction to read the case with.
            stream: the case's stream.
            row: its row; empty for a new case.
            base: the state that was read when the edit began; None = as of now.
            case_record: id of the case's own record, for a case that is being made.
        """
        self._core = core
        self._stream = stream
        self._row = row
        self._schema = core.engine.schema
        self._case_record = case_record
        now = state_of(row) if row.merge_row else StreamState()
        # Masks name exactly what was read, even if more arrives before the save: that is merged
        # into a row read anew.
        self._base = now if base is None else base
        self._cells = read_cells(core, tx, stream, row, self._base)
        self._since = (
            {}
            if base is None
            else arrived_since(read_cells(core, tx, stream, row, now), self._cells)
        )
        self.disputed: list[str] = []
        """``TYPE.FIELD`` of what others changed since the edit began: both values stay."""
        self._writes: dict[int, dict[CellId, Write]] = {}
        self._allowed: set[int] | None = None

    # -- public ways to change ------------------------------------------------------------------

    def set(self, path: str, value: object, *, resolve: bool = False) -> None:
        """Set a field, element's part or state; text is parsed as people type it."""
        if isinstance(value, str):
            self.apply(parse_path(path, "set", value), resolve=resolve)
        else:
            self._set_value(parse_path(path, "set", None), value, resolve=resolve)

    def unset(self, path: str, *, resolve: bool = False) -> None:
        """Write ``absent``."""
        self.apply(parse_path(path, "unset", None), resolve=resolve)

    def add(self, path: str, element: str) -> None:
        """Add an element to a set."""
        self.apply(parse_path(path, "add", element))

    def remove(self, path: str, element: str) -> None:
        """Remove an element from a set; a concurrent add or edit wins."""
        self.apply(parse_path(path, "remove", element))

    def new_record(
        self, type_name: str, values: Sequence[Assignment] | Mapping[str, object] = ()
    ) -> bytes:
        """A new record of a type; returns its id (16 bytes).

        Raises: UsageError: ``record-empty``: a record is what is written of it;
            ``consent-by-itself``: a consent is given as a whole; ``case-record-exists``: a case is
            one.
        """
        record_type = self._type(type_name)
        if record_type.name == "case":
            raise UsageError("case-record-exists")
        if not values:
            raise UsageError("record-empty", type=record_type.name)
        if record_type.name == "consent" and "permission" not in values:
            raise UsageError("consent-by-itself")
        record = self._core.entropy.bytes(16)
        self._fill(record_type, record, values)
        return record

    def amend(self, target: str, values: Sequence[Assignment] | Mapping[str, object]) -> bytes:
        """A new entry that amends an older one (``TYPE/ID``); returns its id."""
        record_type = self._type(target.partition("/")[0])
        if not record_type.entry:
            raise UsageError("not-an-entry", type=record_type.name)
        amended = self.record(target)
        record = self._core.entropy.bytes(16)
        field = record_type.field_by_name("amends")
        self._put(field, Place(record_type, record, field).cell(), amended)
        self._fill(record_type, record, values)
        return record

    def record(self, target: str) -> bytes:
        """The id (16 bytes) of ``TYPE/ID``, whose ID may be the beginning of one.

        Raises: UsageError: ``record-unknown``.
        """
        type_name, _, prefix = target.partition("/")
        return self._record(self._type(type_name), prefix or None, create=False)

    def _fill(
        self,
        record_type: RecordType,
        record: bytes,
        values: Sequence[Assignment] | Mapping[str, object],
    ) -> None:
        if isinstance(values, Mapping):
            for name, value in values.items():
                path = parse_path(f"{record_type.name}.{name}", "set", None)
                if isinstance(value, str):
                    self._assign(path, value, record, resolve=False)
                else:
                    self._set_value(path, value, resolve=False, record=record)
            return
        self._each(values, record, resolve=False)

    def apply(self, assignment: Assignment, *, resolve: bool = False) -> None:
        """Take one assignment in.

        Raises:
            UsageError: unknown type, field, code or element; a value of the wrong type;
                ``field-once``; ``element-unknown``: a part of what is not in the set.
            AccessDenied: ``compartment-not-written``: the role or grant does not write the field.
            ConflictStop: ``conflict-open``: the field is in conflict and ``resolve`` is not set;
                ``base-outdated``: this device itself changed it since the edit began.
        """
        self._assign(assignment, assignment.text, None, resolve=resolve)

    def apply_each(self, assignments: Iterable[Assignment], *, resolve: bool = False) -> None:
        """Take in what was said at once: of two words on one cell nobody knows which is meant.

        Raises: as ``apply``; UsageError: ``assignment-twice``, however its record was named.
        """
        self._each(assignments, None, resolve=resolve)

    def _each(
        self, assignments: Iterable[Assignment], record: bytes | None, *, resolve: bool
    ) -> None:
        said: set[CellId] = set()
        for assignment in assignments:
            cell = self._assign(assignment, assignment.text, record, resolve=resolve)
            if cell in said:
                raise UsageError("assignment-twice", field=f"{assignment.type}.{assignment.field}")
            said.add(cell)

    # -- one assignment ---------------------------------------------------------------------------

    def _assign(
        self, assignment: Assignment, text: str | None, record: bytes | None, *, resolve: bool
    ) -> CellId:
        place = self._place(assignment, record, create=assignment.op != "unset")
        field = place.field
        if assignment.op in ("add", "remove"):
            if field.element is None:
                raise UsageError("field-no-set", type=place.type.name, field=field.name)
            element = parse_element(self._schema, field, text or "")
            if assignment.op == "remove" and not self._has_element(place, place.cell(element)):
                words = {"type": place.type.name, "field": field.name}
                raise UsageError("element-absent", element=text, **words)
            return self._presence(place, element, present=assignment.op == "add")
        value: object = None
        if assignment.op == "set":
            value = case_cells.parsed(self._schema, field, assignment, text or "")
        return self._write_value(place, assignment, value, resolve=resolve)

    def _set_value(
        self,
        assignment: Assignment,
        value: object,
        *,
        resolve: bool,
        record: bytes | None = None,
    ) -> None:
        place = self._place(assignment, record, create=True)
        self._write_value(place, assignment, value, resolve=resolve)

    def _place(self, assignment: Assignment, record: bytes | None, *, create: bool) -> Place:
        record_type = self._type(assignment.type)
        field = record_type.field_by_name(assignment.field)
        self._may_write(field)  # before the value: no advice on what is not this device's to say
        if record is None:
            record = self._record(record_type, assignment.record, create=create)
        return Place(record_type, record, field)

    def _write_value(
        self, place: Place, assignment: Assignment, value: object, *, resolve: bool
    ) -> CellId:
        field = place.field
        element: str | bytes | None = None
        if assignment.element is not None:
            if field.element is None:
                raise UsageError("field-no-set", type=place.type.name, field=field.name)
            element = parse_element(self._schema, field, assignment.element)
            element = validate_element(self._schema, field, element)
        if field.element is not None and element is None:
            raise UsageError("field-is-set", field=field.name)
        cell = place.cell(element)
        if assignment.part is not None:
            part = field.part_by_name(assignment.part)
            cell = cell._replace(part=part.number)
            self._check_element(place, cell, assignment, resolve=resolve)
            if value is not None:
                value = validate_part(self._schema, field, part, value)
            if self._has_element(place, cell._replace(part=_PRESENCE)):
                self._presence(place, element, present=True)
        elif field.resolver is ResolverCode.STATE:
            value = case_cells.step(self._schema, field, self._live(field, cell), value)
        elif value is not None:
            value = validate(self._schema, field, value)
        self._check_conflict(field, cell, resolve=resolve)
        self._check_since(place, cell, value)
        return self._put(field, cell, value)

    def _presence(self, place: Place, element: str | bytes | None, *, present: bool) -> CellId:
        value: object = True if present else None
        if place.field.resolver is ResolverCode.REVOKE:
            value = present
        return self._put(place.field, place.cell(element), value)

    def _check_element(
        self, place: Place, cell: CellId, assignment: Assignment, *, resolve: bool
    ) -> None:
        """A part needs its element in the set, or added by this edit: a typing error adds none.

        To decide what several wrote in the part is no typing error; an element that was removed
        stays removed for it.
        """
        field = place.field
        if not self._core.engine.reads(field.compartment):
            return
        if self._has_element(place, cell._replace(part=_PRESENCE)):
            return
        if not resolve or len(case_cells.different(self._live(field, cell))) < 2:
            words = {"type": place.type.name, "field": field.name, "part": assignment.part}
            raise UsageError("element-unknown", element=assignment.element, **words)

    def _has_element(self, place: Place, presence: CellId) -> bool:
        """Whether the element is in the set, or added by this edit; so it is if nobody can tell."""
        field = place.field
        own = self._writes.get(int(field.compartment), {}).get(presence)
        readable = self._core.engine.reads(field.compartment)
        return not readable or case_cells.has_element(self._live(field, presence), own)

    def _live(self, field: Field, cell: CellId) -> case_cells.Live:
        return self._cells.get((int(field.compartment), cell), [])

    def _check_conflict(self, field: Field, cell: CellId, *, resolve: bool) -> None:
        live = self._live(field, cell)
        values = case_cells.different(live)
        if field.resolver is ResolverCode.ONCE and live and len(values) < 2:
            raise UsageError("field-once", field=field.name)
        if len(values) > 1 and field.resolver not in _NEVER_CONFLICT and not resolve:
            raise ConflictStop(
                "conflict-open", field=field.name, ids=[conflict_id(self._stream, cell)]
            )

    def _check_since(self, place: Place, cell: CellId, value: object) -> None:
        """Stop at own newer words; a repeated save, which says the same, goes through."""
        field = place.field
        if field.resolver in _NEVER_CONFLICT:
            return
        since = self._since.get((int(field.compartment), cell), [])
        said = canonical.pack(value)
        different = [write for write, newer in since if canonical.pack(newer) != said]
        if any(write.device == self._core.engine.device for write in different):
            raise ConflictStop("base-outdated", field=place.name)
        if different:
            self.disputed.append(place.name)

    def _put(self, field: Field, cell: CellId, value: object) -> CellId:
        writes = self._writes.setdefault(int(field.compartment), {})
        writes[cell] = Write(cell, int(field.resolver), value)
        return cell

    def _may_write(self, field: Field) -> None:
        if self._allowed is None:
            self._allowed = writable(self._core, self._row)
        if int(field.compartment) not in self._allowed:
            raise AccessDenied(
                "compartment-not-written",
                field=field.name,
                compartment=Compartment(field.compartment).word,
            )

    # -- names ------------------------------------------------------------------------------------

    def _type(self, name: str) -> RecordType:
        return self._schema.type_by_name(name)

    def _record(self, record_type: RecordType, prefix: str | None, *, create: bool) -> bytes:
        known = dict.fromkeys(
            cell.record
            for _, cell in [*self._cells, *self._new_cells()]
            if cell.type == record_type.number
        )
        if prefix is not None:
            found = [record for record in known if record.hex().startswith(prefix.lower())]
            if len(found) != 1:
                raise UsageError("record-unknown", type=record_type.name, record=prefix)
            return found[0]
        opening = self._row.rights.opening
        own = self._case_record if opening is None else opening[2]
        assert own is not None
        if record_type.name == "case":
            return own
        if len(known) == 1 and not record_type.entry:
            return next(iter(known))
        if known and not record_type.entry:
            ids = ", ".join(record.hex()[:8] for record in known)
            raise UsageError("record-ambiguous", type=record_type.name, known=ids)
        if record_type.entry:
            raise UsageError("entry-immutable", type=record_type.name)
        if not create:
            raise UsageError("record-unknown", type=record_type.name, record="-")
        if record_type.name == "consent":
            raise UsageError("consent-by-itself")
        if any(
            cell.type == record_type.number and write.device == self._core.engine.device
            for (_, cell), live in self._since.items()
            for write, _ in live
        ):
            raise ConflictStop("base-outdated", field=record_type.name)
        return only_record(own, record_type.number)

    def _new_cells(self) -> list[tuple[int, CellId]]:
        return [(comp, cell) for comp, writes in self._writes.items() for cell in writes]

    # -- the change ----------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        """Whether nothing was changed."""
        return not self._writes

    @property
    def compartments(self) -> list[Compartment]:
        """Compartments that will be written."""
        return [Compartment(compartment) for compartment in sorted(self._writes)]

    def drafts(self) -> list[Draft]:
        """The changes to write, one unless it has more than 256 cells; their bodies sealed later.

        Raises:
            UsageError: ``change-too-large``.
        """
        if sum(len(writes) for writes in self._writes.values()) > CELLS_PER_CHANGE_MAX:
            raise UsageError("change-too-large")
        draft = Draft(stream=self._stream)
        clock = self._core.clock.now_ms()
        for compartment, writes in sorted(self._writes.items()):
            replaces = self._base.replaces_for(writes, compartment)
            draft.bodies[compartment], draft.decoded[compartment] = made_content(
                clock, self._schema.version, replaces, writes.values()
            )
        return [draft]
