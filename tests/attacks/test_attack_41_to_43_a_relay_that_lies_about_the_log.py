"""Attacks 41 (roll-back for one client), 42 (a fork between two), 43 (a withheld change).

Layers: ``sync/session`` (checkpoints), ``translog/page`` (span proofs), and for what is withheld
``client/case_completeness`` (``after``). A fork is shown by two checkpoints compared by hand: there
are no witnesses yet, and ``status`` says so.
"""

from __future__ import annotations

import pytest

from attack_world import OSSO, AttackWorld
from casesync.foundation.errors import RelayMisbehaviour
from casesync.testing.hostile_relay import with_frame_dropped


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


def device(world: AttackWorld, name: str) -> int:
    return int(world.replicas[name].core.engine.device)


def test_41_a_relay_rolled_back_for_one_client_is_refused_and_nothing_is_lost(world):
    stream = world.case()
    world.sync()
    world.relay.keep("yesterday")
    world.set("lan", stream, "person.given_name", "Hoa")
    world.sync()
    before = world.mai.status().change_checkpoint
    world.relay.serve("yesterday", device(world, "mai"))
    with pytest.raises(RelayMisbehaviour) as raised:
        world.mai.sync()
    assert raised.value.exit_code == 6
    assert world.values("mai", stream, "person.given_name") == ["Hoa"]
    assert world.mai.status().change_checkpoint == before
    world.relay.serve("honest", device(world, "mai"))
    assert world.mai.sync().synced


def test_41_a_relay_that_lost_what_it_acknowledged_is_caught_by_its_author(world):
    """The author's chain at the relay is shorter than what it has a receipt for."""
    stream = world.case()
    world.sync()
    world.relay.keep("yesterday")
    world.set("mai", stream, "person.given_name", "Hoa")
    world.sync()
    world.relay.serve("yesterday", device(world, "mai"))
    with pytest.raises(RelayMisbehaviour):
        world.mai.sync()


def test_42_a_fork_shows_two_checkpoints_of_one_size_that_differ(world):
    stream = world.case()
    world.sync(rounds=2)
    assert world.lan.status().change_checkpoint == world.mai.status().change_checkpoint
    assert world.lan.status().comparison_code == world.mai.status().comparison_code
    assert "no-witnesses" in {fact.code for fact in world.lan.status().warnings}
    world.relay.keep("other")
    world.relay.serve("other", device(world, "mai"))
    world.set("lan", stream, "person.given_name", "Hoa")
    world.set("mai", stream, "person.given_name", "Hà")
    world.sync("lan", "mai")
    one, other = (world.replicas[n].status().change_checkpoint for n in ("lan", "mai"))
    assert one.split()[0] == other.split()[0]
    assert one != other
    assert world.lan.status().comparison_code != world.mai.status().comparison_code


def test_42_whoever_was_shown_one_history_refuses_the_other(world):
    stream = world.case()
    world.sync()
    world.relay.keep("other")
    world.relay.serve("other", device(world, "mai"))
    world.set("lan", stream, "person.given_name", "Hoa")
    world.set("mai", stream, "person.given_name", "Hà")
    world.sync("lan", "mai")
    held = world.dump("mai")["change_block"]
    world.relay.serve("honest", device(world, "mai"))
    with pytest.raises(Exception) as raised:
        world.mai.sync()
    assert getattr(raised.value, "code", "") in {
        "relay-forked",
        "relay-rolled-back",
        "page-contradicts-log",
        "device-forked",
    }
    assert world.dump("mai")["change_block"] == held


def waited_for(world: AttackWorld, stream) -> list[object]:
    facts = world.oanh.show(stream).incomplete
    return [fact.params for fact in facts if fact.code == "waiting-for-change"]


def test_43_a_withheld_change_shows_as_soon_as_somebody_who_saw_it_writes(world):
    stream = world.case()
    world.share(stream, OSSO, ("identity", "contact"))
    world.sync(rounds=2)
    at = world.relay.answers[-1].page[0]
    world.set("lan", stream, "person.given_name", "Hoa")
    world.sync("lan")
    world.sync("mai")
    world.relay.withhold(at, at + 1)
    world.sync("oanh")
    assert waited_for(world, stream) == [], "nobody else has seen it: not detected"
    world.set("mai", stream, "person.family_name", "Lê")
    world.sync("mai")
    world.sync("oanh")
    assert waited_for(world, stream) == [{"number": 5, "unit": "Nhà Bình Minh"}]
    assert world.values("oanh", stream, "person.family_name") == ["Lê"], "nothing is held back"


def test_43_a_leaf_left_out_of_its_page_without_its_hash_is_refused(world):
    stream = world.case()
    world.sync()
    world.set("lan", stream, "person.given_name", "Hoa")
    world.sync("lan")
    world.relay.edit = lambda caller, answer: (
        with_frame_dropped(answer) if caller.device == device(world, "mai") else answer
    )
    with pytest.raises(RelayMisbehaviour):
        world.mai.sync()
    world.relay.edit = None
    world.mai.sync()
    assert world.values("mai", stream, "person.given_name") == ["Hoa"]
