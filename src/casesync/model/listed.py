"""What lists and search need of a stream's records: names, values, words (model).

Nearly every record is written by few segments, each cell by one of them, and nothing has arrived
that does not count: then its values stand in the segments as they are shown, and resolving each
cell on its own would only repeat them. Such a record is read off its segments; every other one goes
through ``projection``, and so does whatever this module does not know at a glance. Both ways give
the same (``tests/properties/test_listing_ways.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, NamedTuple

from casesync.foundation.compiled import compiled
from casesync.model.cells import Form
from casesync.model.listed_values import (
    DISPUTED,
    NOT_SEARCHED,
    Gathered,
    ListedField,
    is_text,
    listed_field,
    searched,
    searched_text,
)
from casesync.model.projection import CellProjection, RecordProjection
from casesync.model.resolvers.resolution import canonical_bytes
from casesync.model.schema import Schema
from casesync.model.segment_body import Content, decode_checked, forms_of, is_copies
from casesync.model.value_format import json_value

listed_kernel = compiled("casesync.model._listed", 1)
"""Takes nearly every segment; what it leaves ``ListedRecords`` takes."""

PART_IN_CASE, CLIENT = "role_in_case", "client"

RecordName = tuple[int, bytes]
"""(type, id)."""
Projections = Callable[[Collection[RecordName] | None], list[RecordProjection]]
"""The projections of these records, None = of all."""
_KEY_BITS: Final = 20


class ListedRecord(NamedTuple):
    """One record as lists take it."""

    type: int
    id: bytes
    is_client: bool
    oldest_ms: int
    newest_ms: int
    """The smallest and the largest claimed clock of its live writes."""
    fields: dict[str, Any]
    """"type.field" -> effective JSON value; none of an entry, of which a case has many."""
    texts: list[str]
    conflicts: tuple[CellProjection, ...]

    @property
    def leading(self) -> tuple[bool, int, bytes]:
        """Sort key: of several records of a type a list shows the first one.

        The client goes before all, then whoever was written first.
        """
        return not self.is_client, self.oldest_ms, self.id


class ListedRecords:
    """Reads records under one schema; remembers what it found out about its fields."""

    def __init__(self, schema: Schema) -> None:
        """Args: schema: the newest."""
        self.schema = schema
        self.steps: dict[int, ListedField] = {}
        """By type and key, what ``step`` found."""
        self._types: dict[int, tuple[str, bool]] = {}

    def read(
        self,
        segments: Sequence[tuple[int, int, int]] | None,
        bodies: Sequence[bytes | None],
        projections: Projections,
    ) -> list[ListedRecord]:
        """The records of a stream, in no particular order.

        Args:
            segments: the merged stream's ``plain_segments``.
            bodies: what they open to, None = not readable here; each was merged before.
            projections: the slow way, asked for what has no fast one.
        """
        found = None if segments is None else self._gathered(segments, bodies)
        if found is None:
            return [self.projected(record) for record in projections(None)]
        records: list[ListedRecord] = []
        others: list[RecordName] = []
        for name, gathered in found.items():
            record = self._at_a_glance(name, gathered)
            if record is None:
                others.append(name)
            else:
                records.append(record)
        if others:
            records += [self.projected(record) for record in projections(others)]
        return records

    def simple(
        self, segments: Sequence[tuple[int, int, int]], bodies: Sequence[bytes | None]
    ) -> list[ListedRecord] | None:
        """As ``read`` where no record needs its projection, else None."""
        found = self._gathered(segments, bodies)
        if found is None:
            return None
        records = [self._at_a_glance(name, gathered) for name, gathered in found.items()]
        known = [record for record in records if record is not None]
        return known if len(known) == len(records) else None

    def projected(self, record: RecordProjection) -> ListedRecord:
        """What lists take of a projection."""
        record_type = self.schema.types.get(record.type)
        fields: dict[str, Any] = {}
        texts: list[str] = []
        is_client = False
        for field in record.fields.values():
            if field.field is None or record_type is None:
                continue
            is_client = is_client or (field.field.name, field.value) == (PART_IN_CASE, CLIENT)
            name, value = (
                f"{record_type.name}.{field.field.name}",
                json_value(field.field, field.value),
            )
            if not record_type.entry:
                fields[name] = value
            if name in NOT_SEARCHED:
                continue
            if field.cell is None or not is_text(field.field):
                texts += searched(field.field, value)
                continue
            for write in field.cell.writes:
                texts += searched_text(self.schema, field.field, write.value)
        clocks = [write.clock_ms for cell in record.cells() for write in cell.writes]
        oldest, newest = min(clocks, default=0), max(clocks, default=0)
        disputed = tuple(cell for cell in record.cells() if cell.conflict)
        return ListedRecord(
            record.type, record.id, is_client, oldest, newest, fields, texts, disputed
        )

    # -- records that are read off their segments -----------------------------------------------

    def _gathered(
        self, segments: Sequence[tuple[int, int, int]], bodies: Sequence[bytes | None]
    ) -> dict[RecordName, Gathered] | None:
        """What each record has in its segments, None where that is not all there is to know."""
        found: dict[RecordName, Gathered] = {}
        for (_, _, mask), body in zip(segments, bodies, strict=True):
            if body is None:
                return None
            if listed_kernel is not None and listed_kernel.take(body, mask, found, self):
                continue
            content = decode_checked(body)
            if is_copies(content):
                return None
            self.take(content, mask, found)
        return found

    def take(self, content: Content, mask: int, found: dict[RecordName, Gathered]) -> None:
        """Add the live cells of one segment to what was gathered."""
        clock_ms, _, _, groups, _ = content
        for group, form in zip(groups, forms_of(content), strict=True):
            live = mask & form.full
            mask >>= form.size
            if live:
                record = found.setdefault((form.type, group[0]), Gathered())
                taken = self._take_scalars(record, form, live, group[2][1::2])
                taken = taken and self._take_sets(record, form, live >> len(form.keys), group)
                record.note(clock_ms, [], taken)

    def _take_scalars(self, record: Gathered, form: Form, live: int, values: list[Any]) -> bool:
        """Take single values; False if one has another beside it, or needs a person."""
        for at, (key, value) in enumerate(zip(form.keys, values, strict=True)):
            step = self.step(form.type, key)
            if step is None or step.is_set:
                return False
            if not live >> at & 1:
                continue
            shown, texts = step.shown[value] if value.__class__ is str else step.shown.other(value)
            if step.name in record.values or shown is DISPUTED:
                return False
            record.values[step.name] = shown
            record.texts += texts
        return True

    def _take_sets(self, record: Gathered, form: Form, live: int, group: list[Any]) -> bool:
        """Take elements and parts; False if one has another write beside it."""
        for at, (key, element, part) in enumerate(form.elements):
            step = self.step(form.type, key)
            if step is None or not step.is_set or element is None:
                return False
            named = (element, part) if part else element
            is_member = not part and group[3][at][3] is True
            if live >> at & 1 and not record.put(step, named, is_member):
                return False
        return True

    def _at_a_glance(self, name: RecordName, gathered: Gathered) -> ListedRecord | None:
        """The record, None if it is not so simple."""
        if not gathered.is_simple:
            return None
        values, texts = gathered.values, gathered.texts
        for full_name, (field, held) in gathered.members.items():
            named = [element for element, member in held.items() if member]
            if full_name in values:
                return None
            values[full_name] = value = json_value(field, sorted(named, key=canonical_bytes))
            texts += searched(field, value)
        part, is_entry = self._types[name[0]]
        is_client = values.get(part) == CLIENT
        fields = {} if is_entry else values
        oldest, newest = gathered.oldest_ms, gathered.newest_ms
        return ListedRecord(*name, is_client, oldest, newest, fields, texts, ())

    def step(self, type_number: int, key: int) -> ListedField | None:
        """What to do with the cells of a type that have this key; None if it is not known."""
        name = type_number << _KEY_BITS | key
        step = self.steps.get(name)
        if step is None:
            record_type = self.schema.types.get(type_number)
            field = None if record_type is None else record_type.fields.get(key >> 4)
            if record_type is None or field is None:
                return None
            self._types[type_number] = f"{record_type.name}.{PART_IN_CASE}", record_type.entry
            step = self.steps[name] = listed_field(self.schema, record_type.name, field)
        return step
