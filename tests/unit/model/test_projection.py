"""From merged state to records (record-model.md, Resolvers and Projection)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from casesync.model.cells import CellId
from casesync.model.merge import StreamState
from casesync.model.projection import RecordProjection, project
from casesync.model.segment_body import (
    Content,
    Copy,
    Write,
    decode_content,
    encode_content,
    encode_copies,
)
from unit.model.shipped import shipped_schema

SCHEMA = shipped_schema()
PERSON = b"\x01" * 16


def cell(name: str, element: str | None = None, part: int = 0, record: bytes = PERSON) -> CellId:
    kind, found = SCHEMA.field_by_name(name)
    return CellId(record, kind.number, found.number, element, part)


@dataclass
class Stream:
    """A stream with its segments, authored as a client does."""

    state: StreamState = field(default_factory=StreamState)
    contents: dict[tuple[int, int], Content] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)
    sent: dict[tuple[int, int], int] = field(default_factory=dict)
    opened: list[tuple[int, int]] = field(default_factory=list)

    def write(self, device: int, *writes: Write, clock: int = 5, **options: object) -> None:
        """One change of ``device``; ``blind`` writes replace nothing."""
        compartment = int(options.pop("compartment", 2))
        blind = options.pop("blind", False)
        named = [] if blind else self.state.replaces_for([w.cell for w in writes], compartment)
        body = encode_content(clock, 3, named, list(writes))
        self.put(device, body, compartment, **options)

    def put(self, device: int, body: bytes, compartment: int = 2, **options: object) -> None:
        number = self.numbers[device] = self.numbers.get(device, 0) + 1
        location = len(self.contents) + 1
        self.contents[location, compartment] = content = decode_content(body)
        link8 = bytes([device, number]) * 4
        self.state.apply(device, number, compartment, link8, content, location, **options)

    def open_body(self, location: int, compartment: int) -> Content | None:
        self.opened.append((location, compartment))
        return self.contents.get((location, compartment))

    def records(self, schema: object = SCHEMA, **options: object) -> list[RecordProjection]:
        times = lambda device, number, _: self.sent.get((device, number))  # noqa: E731
        return project(self.state, self.open_body, schema, times, **options)

    def record(self, **options: object) -> RecordProjection:
        [found] = self.records(**options)
        return found


def test_a_field_shows_value_author_and_time() -> None:
    stream = Stream()
    stream.write(7, Write(cell("person.given_name"), 3, "Vi Du"), clock=99)
    stream.sent[7, 1] = 120
    record = stream.record()
    shown = record.fields[cell("person.given_name").field]
    assert (shown.value, shown.conflict, shown.field.name) == ("Vi Du", False, "given_name")
    [write] = shown.cell.writes
    assert (write.value, write.device, write.number, write.position) == ("Vi Du", 7, 1, 0)
    assert (write.clock_ms, write.log_time_ms, write.schema_version) == (99, 120, 3)
    assert record.known
    assert record.newest_clock_ms == 99


def test_a_conflict_shows_every_value_until_somebody_resolves_it() -> None:
    stream = Stream()
    name = cell("person.given_name")
    stream.write(1, Write(name, 3, "Lan"), clock=2)
    stream.write(2, Write(name, 3, "Lan Anh"), clock=1, blind=True)
    record = stream.record()
    shown = record.fields[name.field]
    assert (shown.value, shown.conflict) == (None, True)
    assert [w.value for w in shown.cell.writes] == ["Lan Anh", "Lan"]
    assert record.conflicts() == [name]
    stream.write(3, Write(name, 3, "Lan"))
    assert stream.record().conflicts() == []


def test_a_protective_field_has_an_effective_value_while_in_conflict() -> None:
    stream = Stream()
    contact = cell("person.safe_to_contact")
    stream.write(1, Write(contact, 4, "yes"))
    stream.write(2, Write(contact, 4, "no"), blind=True)
    shown = stream.record().fields[contact.field]
    assert (shown.value, shown.conflict) == ("no", True)


def test_the_schema_decides_the_resolver_not_the_code_in_the_cell() -> None:
    """A hostile author cannot turn a protective field into one where the latest wins."""
    stream = Stream()
    contact = cell("person.safe_to_contact")
    stream.write(1, Write(contact, 4, "no"), clock=1)
    stream.write(2, Write(contact, 2, "yes"), clock=1 << 47, blind=True)
    assert stream.record().fields[contact.field].value == "no"


def test_a_set_shows_members_in_order_and_adding_wins() -> None:
    stream = Stream()
    kinds = "case.kinds"
    stream.write(1, Write(cell(kinds, "gbv"), 5, True), Write(cell(kinds, "children"), 5, True))
    other = Stream(contents=stream.contents)
    other.state.row = stream.state.row
    stream.write(2, Write(cell(kinds, "gbv"), 5, False))
    shown = stream.record().fields[cell(kinds).field]
    assert shown.value == ["children"]
    assert [e.element for e in shown.elements] == ["gbv", "children"]
    stream.write(3, Write(cell(kinds, "gbv"), 5, True), blind=True)
    shown = stream.record().fields[cell(kinds).field]
    assert shown.value == ["gbv", "children"]
    assert not shown.conflict


def test_parts_of_an_element_conflict_by_themselves() -> None:
    stream = Stream()
    phone, number = CellId(PERSON, 2, 9999, "p1", 0), CellId(PERSON, 2, 9999, "p1", 1)
    stream.write(1, Write(phone, 5, True), Write(number, 5, "0900"))
    stream.write(2, Write(phone, 5, True), Write(number, 5, "0911"), blind=True)
    shown = stream.record().fields[9999]
    assert shown.conflict
    assert stream.record().conflicts() == [number]
    [element] = shown.elements
    assert element.member
    assert element.parts[1].value is None


def test_fields_and_types_of_a_newer_schema_are_kept_and_marked() -> None:
    stream = Stream()
    newer, unknown = CellId(PERSON, 2, 4000, None, 0), CellId(PERSON, 900, 1, None, 0)
    stream.write(1, Write(newer, 2, "kept"), Write(unknown, 12, b"\x00"), clock=1)
    stream.write(2, Write(newer, 2, "later"), clock=2, blind=True)
    person, odd = stream.records()
    assert person.known
    assert person.fields[4000].field is None
    assert (person.fields[4000].value, person.fields[4000].code) == ("later", 2)
    assert not odd.known
    assert odd.fields[1].value == b"\x00"
    assert [r.known for r in stream.records(schema=None)] == [False, False]


def test_an_unknown_field_with_two_resolvers_shows_everything() -> None:
    stream = Stream()
    newer = CellId(PERSON, 2, 4000, None, 0)
    stream.write(1, Write(newer, 2, "a"), clock=1)
    stream.write(2, Write(newer, 9, "b"), clock=2, blind=True)
    assert stream.record().fields[4000][3:5] == (None, True)


def test_a_withdrawal_that_does_not_count_yet_is_shown_as_reported() -> None:
    """DESIGN.md 4: at once, beside the value that counts."""
    stream = Stream()
    contact, name = cell("person.safe_to_contact"), cell("person.given_name")
    stream.write(1, Write(contact, 4, "yes"), Write(name, 3, "Lan"))
    stream.write(2, Write(contact, 4, "no"), Write(name, 3, "Mai"), counts=False)
    fields = stream.record().fields
    assert fields[contact.field].value == "yes"
    assert [w.value for w in fields[contact.field].cell.reported] == ["no"]
    assert fields[name.field].cell.reported == ()


def test_a_reported_value_of_a_field_never_written_is_shown_too() -> None:
    stream = Stream()
    contact = cell("person.safe_to_contact")
    stream.write(2, Write(contact, 4, "no"), counts=False)
    shown = stream.record().fields[contact.field]
    assert shown.cell.writes == ()
    assert [w.value for w in shown.cell.reported] == ["no"]


def test_what_cannot_be_opened_is_marked_and_takes_no_part() -> None:
    stream = Stream()
    name = cell("person.given_name")
    stream.write(1, Write(name, 3, "Lan"))
    stream.write(2, Write(name, 3, "Mai"), blind=True)
    stream.contents[2, 2] = None
    shown = stream.record().fields[name.field]
    assert (shown.value, shown.conflict) == ("Lan", False)
    assert sorted(w.opened for w in shown.cell.writes) == [False, True]


def test_copies_show_their_own_clock_and_value() -> None:
    stream = Stream()
    name = cell("person.given_name")
    copy = Copy(4, 8, b"original", 0, name, 3, 17, "Lan", ())
    stream.put(1, encode_copies(99, 1, b"g" * 16, 1, 1, [copy]))
    [write] = stream.record().fields[name.field].cell.writes
    assert (write.value, write.device, write.number, write.clock_ms) == ("Lan", 4, 8, 17)
    assert write.copied


def test_only_the_compartments_asked_for_are_opened() -> None:
    stream = Stream()
    stream.write(1, Write(cell("person.given_name"), 3, "Lan"), compartment=2)
    stream.write(1, Write(cell("person.safe_to_contact"), 4, "no"), compartment=6)
    shown = stream.record(compartments=[6])
    assert list(shown.fields) == [cell("person.safe_to_contact").field]
    assert stream.opened == [(2, 6)]


def test_what_does_not_count_is_not_opened_in_other_compartments() -> None:
    stream = Stream()
    stream.write(1, Write(cell("person.given_name"), 3, "Lan"), counts=False)
    assert stream.records(compartments=[6]) == []
    assert stream.opened == []


def test_parts_are_reported_only_where_they_are_protective() -> None:
    stream = Stream()
    part = CellId(PERSON, 2, 9999, "p1", 1)
    stream.write(1, Write(part, 5, "0900"), counts=False)
    [element] = stream.record().fields[9999].elements
    assert element.parts[1].reported == ()


def test_a_segment_is_opened_once_however_many_cells_live() -> None:
    stream = Stream()
    names = [CellId(PERSON, 2, n, None, 0) for n in range(1, 30)]
    stream.write(1, *(Write(name, 3, "x") for name in names))
    stream.record()
    assert stream.opened == [(1, 2)]


@pytest.mark.parametrize("seed", range(3))
def test_records_fields_and_writes_come_in_one_order(seed: int) -> None:
    """Must hold 1: equal bytes of exported JSON whatever the order of delivery."""
    rnd = random.Random(seed)
    shown = []
    for _ in range(2):
        stream = Stream()
        state, order = stream.state, list(range(12))
        rnd.shuffle(order)
        for n in order:
            cells = [CellId(bytes([n % 2]) * 16, 1 + n % 3, 1 + n % 4, None, 0)]
            cells.append(CellId(bytes([n % 2]) * 16, 1 + n % 3, 9, f"e{n % 2}", n % 3))
            writes = [Write(c, 3 if c.element is None else 5, n) for c in cells]
            content = decode_content(encode_content(n % 5, 1, [], writes))
            stream.contents[n, 2] = content
            state.apply(1 + n % 4, n + 1, 2, b"%08d" % n, content, n)
        shown.append(stream.records())
    assert shown[0] == shown[1]
    assert [(r.type, r.id) for r in shown[0]] == sorted((r.type, r.id) for r in shown[0])
