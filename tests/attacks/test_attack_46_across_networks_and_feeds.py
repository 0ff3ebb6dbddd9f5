"""Attack 46: reading or writing across networks and feeds (no oracle of existence or size).

Layer that refuses: the relay's mailbox. ``protocol/sync.md``, ``protocol/relay-http.md``: what does
not exist and what is not allowed answer alike.
"""

from __future__ import annotations

from hashlib import sha256

import pytest

from casesync.foundation.errors import CasesyncError, NetworkError
from casesync.foundation.ids import BlobHash
from casesync.relay.mailbox import Caller
from casesync.testing.blind_device import BlindNetwork
from casesync.wire.messages import Owed, SyncAnswer
from casesync.wire.refusals import Refusal, RequestRefused
from relay.blind_worlds import World, make_world


@pytest.fixture
def world() -> World:
    world = make_world()
    stream = world.first.open_stream()
    world.first.write(stream)
    world.sync(world.first)
    return world


@pytest.fixture
def strangers(world: World) -> BlindNetwork:
    """A second network at the same relay."""
    return BlindNetwork(world.relays.channel(), seed="strangers")


def error_of(act) -> tuple[str, dict]:
    with pytest.raises(CasesyncError) as caught:
        act()
    return caught.value.code, caught.value.params


def test_a_device_of_another_network_is_as_unknown_as_a_network_that_is_not_there(
    world: World, strangers: BlindNetwork
):
    """Device 2 exists in one network and not in the other."""
    request = world.first.request().encode()
    answers = [
        error_of(lambda network=network: world.relays.channel(network, 2).sync(request))
        for network in (strangers.id, b"n" * 32)
    ]
    assert answers[0] == answers[1] == ("relay-other-network", {"reason": "not-found"})


def test_a_blob_of_another_network_is_as_unknown_as_no_blob(world: World, strangers: BlindNetwork):
    theirs = world.relays.channel(strangers.id, 1)
    named = blob_name(world)
    assert error_of(lambda: theirs.blob(named)) == error_of(
        lambda: theirs.blob(BlobHash(b"x" * 32))
    )
    assert world.channels[1].blob(named)


def blob_name(world: World) -> BlobHash:
    return BlobHash(sha256(world.network.founder.keys.blob).digest())


def test_a_stream_of_another_network_cannot_be_written(world: World, strangers: BlindNetwork):
    stream = world.first.written[1].stream
    thief = strangers.founder
    channel = world.relays.channel(strangers.id, 1)
    thief.sync(channel)
    thief.write(stream)
    held = SyncAnswer.decode(channel.sync(thief.request().encode()))
    assert held.refusal == (1, Refusal.STREAM_UNKNOWN)


def test_a_stream_that_exists_and_one_that_does_not_are_refused_alike(world: World):
    stream = world.first.written[1].stream
    other = world.other
    world.sync(other)
    enrolment = other.newest[1]
    answers = []
    for target in (stream, b"u" * 16):
        other.newest, other.outbox, other.previous_here = (0, enrolment), [], {}
        other.write(target)
        answers.append(world.sync(other))
    assert answers[0] == answers[1]
    assert answers[0].refusal == (1, Refusal.STREAM_UNKNOWN)


def test_a_backfill_tells_neither_existence_nor_size(world: World):
    stream = world.first.written[1].stream
    channel = world.channels[world.other.number]
    world.other.sync(channel)
    answers = [
        world.other.sync(channel, owed=(Owed(0, (asked,)),)) for asked in (stream, b"u" * 16)
    ]
    assert answers[0] == answers[1]


def test_a_feed_guessed_by_another_device_shows_it_nothing(world: World):
    """Linking one's own stream to a feed gives to it, it does not take from it."""
    world.other.open_stream(world.first.feed)
    world.sync(world.other, world.other)
    assert all(leaf.own for leaf in world.other.leaves)


def test_the_feed_all_cannot_be_linked_to(world: World):
    """It belongs to audit devices; a link to it is ignored."""
    world.other.open_stream(b"\xff" * 16)
    world.sync(world.other, world.first)
    assert len(world.first.leaves) == 2


def test_a_suspended_device_is_served_nothing_and_nothing_is_taken(world: World):
    world.network.suspend(world.channels[1], world.second.number)
    channel = world.channels[world.second.number]
    world.second.open_stream()
    acts = [
        lambda: world.second.sync(channel),
        lambda: channel.blob(blob_name(world)),
        lambda: channel.rendezvous_open(b"i" * 16, world.clock.now_ms() + 1000),
        lambda: channel.append_control([b"entry"], []),
    ]
    assert {error_of(act)[0] for act in acts} == {"device-suspended"}
    world.sync(world.first)
    assert world.first.seen.size == 2


@pytest.mark.parametrize("device", [1, 99])
def test_a_rendezvous_is_found_only_by_its_id(world: World, strangers: BlindNetwork, device: int):
    world.channels[1].rendezvous_open(b"i" * 16, world.clock.now_ms() + 1000)
    mailbox = world.relays.relay
    for network, invitation in (
        (strangers.id, b"i" * 16),
        (world.network.id, b"j" * 16),
        (b"n" * 32, b"i" * 16),
    ):
        with pytest.raises(RequestRefused) as caught:
            mailbox.rendezvous_get(network, invitation, 1)
        assert caught.value.refusal is Refusal.NOT_FOUND
    with pytest.raises(RequestRefused) as caught:
        mailbox.rendezvous_cancel(Caller(strangers.id, device, 1000), b"i" * 16)
    assert caught.value.refusal is Refusal.NOT_FOUND


def test_creating_a_network_again_gives_nothing_away(world: World):
    """Whoever holds the genesis entry may not read checkpoints with it later."""
    entry, blob = world.network.entries[0], world.network.founder.keys.blob
    with pytest.raises(NetworkError) as caught:
        world.relays.channel().create_network([entry], [blob])
    assert caught.value.code == "head-moved"
