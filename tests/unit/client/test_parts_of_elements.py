"""A part is written of an element that is in its set (record-model.md, Author), or to decide."""

from __future__ import annotations

import pytest

from attack_world import AttackWorld
from casesync.foundation.errors import UsageError

PHONE = "+84900000001"
PART = f"person.phones[{PHONE}].whose"


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld(2)


def phones(world: AttackWorld, stream) -> dict[object, object]:
    person = next(r for r in world.lan.show(stream).records if r.type == "person")
    return {e.element: e.parts["whose"].value for e in person.fields["phones"].elements or ()}


def disputed_and_removed(world: AttackWorld):
    stream = world.case(given_name="Hòa")
    with world.lan.edit(stream) as edit:
        edit.add("person.phones", PHONE)
    world.sync(rounds=2)
    for name, whose in (("lan", "self"), ("mai", "relative")):
        world.set(name, stream, PART, whose)
    world.sync(rounds=2)
    with world.lan.edit(stream) as edit:
        edit.remove("person.phones", PHONE)
    return stream


def test_what_several_wrote_of_a_removed_element_can_be_decided(world):
    stream = disputed_and_removed(world)
    [conflict] = world.lan.conflicts()
    assert list(phones(world, stream)) == [PHONE], "what needs a person is shown with its case"
    assert world.lan.show(stream).conflicts == 1
    world.lan.resolve(conflict.id, "self")
    assert world.lan.conflicts() == []
    assert phones(world, stream) == {}, "a number that was taken out stays out"


@pytest.mark.parametrize("resolve", [False, True])
def test_a_part_of_what_is_not_there_is_refused_with_or_without_a_decision(world, resolve):
    stream = world.case(given_name="Hòa")
    with pytest.raises(UsageError) as error, world.lan.edit(stream) as edit:
        edit.set(PART, "self", resolve=resolve)
    assert error.value.code == "element-unknown"
    assert f"person.phones+={PHONE}" in error.value.advice("vi")
    with world.lan.edit(stream) as edit:
        edit.add("person.phones", PHONE)
        edit.set(PART, "self", resolve=resolve)
    assert phones(world, stream) == {PHONE: "self"}
