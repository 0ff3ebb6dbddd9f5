"""The memory network fails in the ways networks fail."""

from __future__ import annotations

import pytest

from casesync.foundation.errors import NetworkError
from casesync.testing.memory_network import Fault
from relay.blind_worlds import World, make_world


@pytest.fixture
def world() -> World:
    world = make_world()
    world.first.open_stream()
    return world


def sync_with(world: World, fault: Fault):
    channel = world.relays.channel(world.network.id, 1, fault_of=lambda _method: fault)
    channel._counter_next = world.channels[1]._counter_next
    return world.first.sync(channel)


def test_a_dropped_request_never_reaches_the_relay(world: World):
    with pytest.raises(NetworkError) as caught:
        sync_with(world, Fault.DROP_REQUEST)
    assert caught.value.code == "relay-unreachable"
    world.sync(world.other)
    assert world.other.seen.size == 0


def test_a_dropped_answer_leaves_the_change_at_the_relay(world: World):
    with pytest.raises(NetworkError):
        sync_with(world, Fault.DROP_ANSWER)
    world.sync(world.other)
    assert world.other.seen.size == 1
    assert len(world.sync(world.first).receipts) == 1
    assert world.first.seen.size == 1


def test_a_duplicated_request_is_taken_once(world: World):
    answer = sync_with(world, Fault.DUPLICATE)
    assert [receipt.log_index for receipt in answer.receipts] == [0]
    world.sync(world.other)
    assert world.other.seen.size == 1
