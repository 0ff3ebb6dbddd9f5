"""Attack 33: record, field, compartment, version swap between two valid ciphertexts.

Layer that must refuse: the seal (``crypto/sealing``: key by stream, compartment and statement; AAD
by head, position and commitment), then ``change_reader`` for what a member may seal but not say.
Nothing of it ever blocks the honest change beside it.
"""

from __future__ import annotations

import pytest

from attack_world import OSSO, AttackWorld
from casesync.foundation.ids import Compartment
from casesync.model.segment_body import Write, encode_content
from casesync.sync.stream_row import StreamRow
from casesync.testing.hostile_member import Copied, HostileMember
from casesync.translog.header import parse_header
from casesync.translog.unsealed import decode_unsealed

IDENTITY, CONTACT = int(Compartment.IDENTITY), int(Compartment.CONTACT)
OPERATIONS = int(Compartment.OPERATIONS)


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


def sealed(world, stream, device: int, number: int) -> dict[int, Copied]:
    """The segments of a stored change as they stand, by kind."""
    with world.stores["mai"].transaction() as tx:
        entry = StreamRow(tx.stream_rows([stream])[stream]).find(device, number)
        [change] = tx.changes_at([entry.location])
    entries = parse_header(change.header).segments
    return {e.kind: Copied(e.key_name, s) for e, s in zip(entries, change.segments, strict=True)}


def judged(world, stream, made) -> tuple[str | None, str]:
    """(verdict of the change, reason shown in the quarantine) at Lan's."""
    world.sync("mai", "lan")
    device = world.mai.whoami().device
    return world.verdict("lan", stream, device, made.number), world.reasons("lan").get(
        (device, made.number), ""
    )


def test_an_older_version_of_a_field_does_not_open_under_a_newer_header(world):
    """Replay: the segment that said "no" put in again after it was changed to "yes"."""
    stream = world.case(safe_to_contact="no")
    world.sync()
    old = sealed(world, stream, 1, 1)[CONTACT]
    world.set("lan", stream, "person.safe_to_contact", "yes")
    world.sync()
    made = HostileMember(world.mai).write(stream, bodies={CONTACT: old})
    assert judged(world, stream, made) == ("", "segment-does-not-open")
    assert world.values("lan", stream, "person.safe_to_contact") == ["yes"]


def test_a_segment_of_another_case_is_not_taken_for_one_of_this(world):
    one, other = world.case(given_name="Hòa"), world.case(given_name="Lý")
    world.sync()
    moved = sealed(world, other, 1, 2)[IDENTITY]
    made = HostileMember(world.mai).write(one, bodies={IDENTITY: moved})
    assert judged(world, one, made) == ("statement-missing", "statement-missing")
    assert world.values("lan", one, "person.given_name") == ["Hòa"]


def test_nor_if_the_statement_is_moved_along_with_its_boxes(world):
    """Attack 14 on whole replicas: boxes are bound to stream, statement and commitment."""
    one, other = world.case(given_name="Hòa"), world.case(given_name="Lý")
    world.sync()
    parts = sealed(world, other, 1, 2)
    statements = decode_unsealed(parts[0].sealed).statements
    [of_identity] = [s for s in statements if s.compartment == IDENTITY]

    def add(plan) -> None:
        plan.statements.append(of_identity._replace(position=len(plan.statements)))

    mai = HostileMember(world.mai)
    made = mai.write(one, bodies={IDENTITY: parts[IDENTITY]}, change_plan=add)
    assert judged(world, one, made) == ("", "no-key")
    assert world.values("lan", one, "person.given_name") == ["Hòa"]
    world.set("lan", one, "person.given_name", "Hoa")
    world.sync("lan", "mai")
    assert world.values("mai", one, "person.given_name") == ["Hoa"]


def test_a_segment_does_not_open_in_another_compartment(world):
    stream = world.case(given_name="Hòa", safe_to_contact="no")
    world.sync()
    moved = sealed(world, stream, 1, 1)[IDENTITY]
    made = HostileMember(world.mai).write(stream, bodies={CONTACT: moved})
    assert judged(world, stream, made) == ("statement-missing", "statement-missing")


def test_a_segment_does_not_open_at_another_place_of_its_own_change(world):
    """Two compartments under one header, each in the other's place and name."""
    stream = world.case(given_name="Hòa", safe_to_contact="no")
    world.sync()
    mai = HostileMember(world.mai)
    person = world.person("mai", stream)
    honest = mai.write(
        stream,
        bodies={
            IDENTITY: mai.content(person, {"person.given_name": "X"}),
            CONTACT: mai.content(person, {"person.safe_to_contact": "yes"}),
        },
        queued=False,
    )
    segments = dict(zip((IDENTITY, CONTACT), honest.segments, strict=True))
    names = {e.kind: e.key_name for e in parse_header(honest.header).segments}
    swapped = {
        IDENTITY: Copied(names[IDENTITY], segments[CONTACT]),
        CONTACT: Copied(names[CONTACT], segments[IDENTITY]),
    }
    made = mai.write(stream, bodies=swapped)
    assert judged(world, stream, made) == ("", "segment-does-not-open")
    assert world.values("lan", stream, "person.safe_to_contact") == ["no"]


def test_a_field_sealed_in_a_compartment_it_does_not_belong_to_is_quarantined(world):
    """Who may write operations would so write the safe-contact rule past its compartment."""
    stream = world.case(safe_to_contact="no")
    world.share(stream, OSSO, ("operations",), write=True)
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    person = world.person("lan", stream)
    body = oanh.content(person, {"person.safe_to_contact": "yes"})
    made = oanh.write(stream, bodies={OPERATIONS: body})
    world.sync(rounds=2)
    for name in ("lan", "mai", "oanh"):
        assert world.reasons(name)[oanh.device, made.number] == "field-not-allowed", name
    assert world.values("lan", stream, "person.safe_to_contact") == ["no"]


def test_a_cell_with_another_resolver_than_its_fields_is_quarantined(world):
    """ "latest" instead of "protective" would let the last word win over the safe one."""
    stream = world.case(safe_to_contact="no")
    world.sync()
    mai = HostileMember(world.mai)
    person = world.person("mai", stream)
    cell, _ = mai.cell(person, "person.safe_to_contact")
    body = encode_content(0, mai.engine.schema.version, (), [Write(cell, 2, "yes")])
    made = mai.write(stream, bodies={CONTACT: body})
    assert judged(world, stream, made) == ("", "field-not-allowed")
    assert world.values("lan", stream, "person.safe_to_contact") == ["no"]
