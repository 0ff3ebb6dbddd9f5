"""The hostile relay does what its tests believe it does (SECURITY.md, attacks 41 to 43)."""

from __future__ import annotations

import pytest

from casesync.foundation.errors import RelayMisbehaviour
from casesync.testing.clock import FakeClock
from casesync.testing.entropy import ConstantEntropy, SeededEntropy
from casesync.testing.hostile_relay import HONEST, HostileRelay
from relay.blind_worlds import World, make_world


@pytest.fixture
def relay() -> HostileRelay:
    return HostileRelay(FakeClock(), SeededEntropy("hostile"))


@pytest.fixture
def world(relay: HostileRelay) -> World:
    world = make_world(relay)
    world.stream = world.first.open_stream()
    world.sync(world.first, world.second)
    return world


def test_left_alone_it_is_honest(world: World):
    world.first.write(world.stream)
    world.sync(world.first, world.second)
    assert len(world.second.leaves) == 2


def test_a_roll_back_shows_the_device_less_than_it_holds(world: World, relay: HostileRelay):
    relay.keep("old")
    world.first.write(world.stream)
    world.sync(world.first, world.second)
    relay.serve("old", world.second.number)
    with pytest.raises(RelayMisbehaviour):
        world.sync(world.second)
    relay.serve(HONEST, world.second.number)
    world.sync(world.second)


def test_a_fork_shows_two_devices_two_histories_of_one_size(world: World, relay: HostileRelay):
    relay.keep("twin")
    relay.serve("twin", world.second.number)
    mine = world.second.open_stream()
    world.second.write(mine)
    world.first.write(world.stream)
    world.first.write(world.stream)
    world.sync(world.first, world.second)
    assert world.first.seen.size == world.second.seen.size == 3
    assert world.first.seen.root() != world.second.seen.root()


def test_a_withheld_leaf_is_proven_but_not_served(world: World, relay: HostileRelay):
    world.first.write(world.stream)
    world.first.write(world.stream)
    relay.withhold(1)
    world.sync(world.first, world.second, world.auditor)
    assert [leaf.index for leaf in world.second.leaves] == [0, 2]
    assert [leaf.index for leaf in world.auditor.leaves] == [0, 2]
    assert world.second.seen.root() == world.first.seen.root()


def test_a_stale_answer_is_the_old_one(world: World, relay: HostileRelay):
    old = relay.answers[-1]
    world.first.write(world.stream)
    world.sync(world.first)
    relay.stale(world.second.number, old)
    with pytest.raises((RelayMisbehaviour, AssertionError)):
        world.sync(world.second)


def test_seeded_entropy_repeats_itself_and_forks_apart():
    one, two = SeededEntropy(1), SeededEntropy(1)
    assert [one.bytes(8), one.bytes(8)] == [two.bytes(8), two.bytes(8)]
    assert one.bytes(8) != SeededEntropy(2).bytes(8)
    assert one.fork("a").bytes(8) != one.fork("b").bytes(8)
    assert ConstantEntropy().bytes(3) == b"\x42" * 3
