"""Attack 67 on whole replicas: what a member sends is refused or shown, and stops nobody.

Layers: ``sync/change_reader`` (malformed bodies do not count, with their reason), ``model`` (values
of the wrong type are shown harmlessly), ``sync/ingest`` (the page goes on).
"""

from __future__ import annotations

import json
import random

import pytest

from attack_world import AttackWorld
from attacks.test_attack_67_hostile_values import HOSTILE_VALUES
from casesync.codec import canonical
from casesync.foundation.ids import Compartment
from casesync.model.segment_body import decode_content
from casesync.testing.hostile_member import HostileMember

IDENTITY, CONTACT = int(Compartment.IDENTITY), int(Compartment.CONTACT)
R = b"r" * 16
BODIES = {
    "nothing": b"",
    "nil": b"\xc0",
    "an array too short": canonical.pack([0, 1, []]),
    "a map": canonical.pack({0: 1}),
    "not canonical": b"\x94\xcd\x00\x01\x01\x90\x91\x93\xc4\x10" + R + b"\x02\x90",
    "no groups": canonical.pack([0, 1, [], []]),
    "an empty group": canonical.pack([0, 1, [], [[R, 2, []]]]),
    "a short record": canonical.pack([0, 1, [], [[b"r", 2, [49, "x"]]]]),
    "a cell twice": canonical.pack([0, 1, [], [[R, 2, [49, "x", 49, "y"]]]]),
    "257 cells": canonical.pack([0, 1, [], [[R, 2, [16, 0] * 257]]]),
    "a mask of -1": canonical.pack([0, 1, [[1, 1, b"l" * 8, -1]], [[R, 2, [49, "x"]]]]),
    "a clock of 2^64 - 1": canonical.pack([2**64 - 1, 1, [], [[R, 2, [49, "x"]]]]),
    "deep nesting": b"\x91" * 5000 + b"\xc0",
    "a long array announced": b"\xdd\xff\xff\xff\xff",
    "a long text announced": b"\xdb\xff\xff\xff\xff",
    "a million of nothing": b"\xdd\x00\x0f\x42\x40" + b"\xc0" * 900_000,
    "copies of the future": canonical.pack([0, 1, [b"g" * 16, 9, 3, []]]),
    "a float": b"\x94\xcb" + bytes(8) + b"\x01\x90\x91\x93\xc4\x10" + R + b"\x02\x92\x31\xa1x",
    "an extension": b"\x94\xd4\x01\x00\x01\x90\x90",
}


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


@pytest.fixture
def stream(world):
    stream = world.case(given_name="Hòa", safe_to_contact="no")
    world.sync()
    return stream


def goes_on(world: AttackWorld, stream, mai: HostileMember) -> None:
    """After what was sent the honest words beside it arrive, and everything can be looked at."""
    person = world.person("lan", stream)
    mai.write(stream, bodies={IDENTITY: mai.content(person, {"person.middle_name": "Thị"})})
    mai.sync()
    world.sync("lan", "dung")
    assert "Thị" in world.values("lan", stream, "person.middle_name")
    assert world.lan.cases().count == 1
    assert world.lan.find("Hòa").count == 1
    json.dumps(repr(world.lan.show(stream)))
    world.lan.history(stream)
    world.lan.conflicts()
    assert world.lan.sync().synced


@pytest.mark.parametrize("body", BODIES)
def test_a_malformed_body_does_not_count_and_the_rest_goes_on(world, stream, body):
    mai = HostileMember(world.mai)
    made = mai.write(stream, bodies={CONTACT: BODIES[body]})
    goes_on(world, stream, mai)
    assert world.reasons("lan")[mai.device, made.number] in {
        "segment-malformed",
        "field-not-allowed",
    }
    assert world.values("lan", stream, "person.safe_to_contact") == ["no"]


def test_random_bytes_in_every_compartment_stop_nobody(world, stream):
    mai = HostileMember(world.mai)
    draw = random.Random(67)
    for _ in range(30):
        bodies = {c: draw.randbytes(draw.randrange(1, 300)) for c in (2, 3, 5, 6, 7)}
        mai.write(stream, bodies=bodies)
    goes_on(world, stream, mai)
    assert len(world.reasons("lan")) == 30


def test_mutations_of_an_honest_body_are_read_or_quarantined(world, stream):
    mai = HostileMember(world.mai)
    person = world.person("lan", stream)
    honest = mai.content(person, {"person.family_name": "Nguyễn", "person.given_name": "Hoa"})
    decode_content(honest)
    draw = random.Random(68)
    for _ in range(60):
        body = bytearray(honest)
        body[draw.randrange(len(body))] = draw.randrange(256)
        mai.write(stream, bodies={IDENTITY: bytes(body)})
    goes_on(world, stream, mai)


@pytest.mark.parametrize("name", HOSTILE_VALUES)
def test_a_hostile_value_is_shown_as_such_and_stops_nobody(world, stream, name):
    """Wrong types, a million characters, escapes, overrides, dunders: in fields of every kind."""
    mai = HostileMember(world.mai)
    person = world.person("lan", stream)
    value = HOSTILE_VALUES[name]
    for field in ("given_name", "date_of_birth", "sex_on_file", "current_area"):
        mai.write(stream, bodies={IDENTITY: mai.content(person, {f"person.{field}": value})})
    for field in ("safe_to_contact", "contact_rule"):
        mai.write(stream, bodies={CONTACT: mai.content(person, {f"person.{field}": value})})
    goes_on(world, stream, mai)
    shown = world.lan.show(stream)
    [record] = [r for r in shown.records if r.type == "person"]
    assert record.fields["safe_to_contact"].value != "yes"
    assert "Hòa" in [view.value for view in record.fields["given_name"].values]


def test_a_hundred_megabytes_are_refused_before_they_are_taken(world, stream):
    mai = HostileMember(world.mai)
    with pytest.raises(ValueError, match="header"):
        mai.write(stream, bodies={IDENTITY: b"x" * 100_000_000}, queued=False)


def test_fields_and_types_of_a_schema_nobody_has_wait_visibly(world, stream):
    """A schema version from the future: not counted, and said so."""
    mai = HostileMember(world.mai)
    body = mai.content(R, {"person.given_name": "Mai sau"}, schema_version=999)
    made = mai.write(stream, bodies={IDENTITY: body})
    goes_on(world, stream, mai)
    assert (mai.device, made.number) in world.reasons("lan")


def test_hostile_items_in_the_unsealed_part_are_refused_by_the_relay(world, stream):
    mai = HostileMember(world.mai)
    strange = (b"\x90", b"\xc0", canonical.pack([[9]]), canonical.pack([[2, 99, b"", [], None]]))
    for unsealed in strange:
        made = mai.write(stream, unsealed=unsealed, bodies={}, queued=False)
        assert mai.push(made).refusal.refusal.value == "malformed"
    world.sync("lan")
    assert world.reasons("lan") == {}
