"""Attack 60: a rolled-back or cloned database writes nothing under the old identity.

Layers: the anchor at once (``client/anchor``, tested beside a real home), and where the whole disk
was restored the relay's first answer (``sync/session``). From then on nothing is written or sent.
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from attack_world import AttackWorld
from casesync.foundation.errors import LocalStateError
from simulation.founding import copied


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


def relay_size(world: AttackWorld) -> str:
    world.sync("dung")
    return world.dung.status().change_checkpoint.split()[0]


def refuses_everything(world: AttackWorld, name: str, stream) -> None:
    """Every way to write or send fails, and nothing of the database changes any more."""
    before = without_counter(world, name)
    replica = world.replicas[name]
    for attempt in (
        replica.sync,
        lambda: world.set(name, stream, "person.given_name", "X"),
        lambda: world.case(name),
        lambda: replica.show(stream),
        lambda: replica.give_consent(stream, "share_with_org", "Hội Phụ nữ", ["contact"]),
    ):
        with pytest.raises(LocalStateError):
            attempt()
    assert without_counter(world, name) == before


def without_counter(world: AttackWorld, name: str):
    """The database but for the counter of signed requests, which only grows."""
    dump = world.dump(name)
    dump["value"] = [row for row in dump["value"] if "'request-counter'" not in row]
    return dump


@pytest.mark.parametrize("unsent", [0, 1, 3])
def test_a_restored_database_stops_at_the_first_answer(world, unsent):
    stream = world.case()
    world.sync()
    backup = copied(world.stores["mai"])
    world.set("mai", stream, "person.given_name", "Hoa")
    world.sync()
    world.stores["mai"] = backup
    restored = world.open("mai")
    for number in range(unsent):
        world.set("mai", stream, "person.family_name", f"Lê {number}")
    size = relay_size(world)
    with pytest.raises(LocalStateError) as raised:
        restored.sync()
    assert raised.value.code in {"device-restored", "device-forked"}
    refuses_everything(world, "mai", stream)
    world.open("mai")
    refuses_everything(world, "mai", stream)
    assert relay_size(world) == size, "nothing of the fork reached the log"


def test_of_two_clones_the_second_to_sync_stops_and_nothing_of_it_is_sent(world):
    stream = world.case()
    world.sync()
    clone = copied(world.stores["mai"])
    world.set("mai", stream, "person.given_name", "Hoa")
    world.sync("mai")
    world.stores["clone"] = clone
    world.open("clone")
    world.set("clone", stream, "person.given_name", "Hà")
    with pytest.raises(LocalStateError):
        world.clone.sync()
    refuses_everything(world, "clone", stream)
    world.sync("lan", "dung")
    assert world.values("lan", stream, "person.given_name") == ["Hoa"]
    with suppress(LocalStateError):  # "restored or copied": the clone used up its counters
        world.mai.sync()
    assert world.values("mai", stream, "person.given_name") == ["Hoa"]


def test_clones_that_push_alternately_never_share_a_number(world):
    """Neither knows of the other until the relay answers; what it took has one author's chain."""
    stream = world.case()
    world.sync()
    world.stores["clone"] = copied(world.stores["mai"])
    world.open("clone")
    for name in ("clone", "mai"):
        try:
            world.set(name, stream, "person.given_name", name)
            world.replicas[name].sync()
        except LocalStateError:
            continue
    world.sync("lan", "dung")
    assert world.dung.audit_verify().entries > 0
    numbers = [d for d in world.reasons("lan").values() if d == "copied-device"]
    assert numbers == []


def test_a_lying_answer_stops_a_device_only_until_the_relay_answers_honestly(world):
    stream = world.case()
    world.sync()
    world.set("mai", stream, "person.given_name", "Hoa")
    world.mai.core.fail(LocalStateError("device-restored"))
    with pytest.raises(LocalStateError):
        world.set("mai", stream, "person.given_name", "Hà")
    assert world.mai.sync().synced
    world.set("mai", stream, "person.family_name", "Lê")
