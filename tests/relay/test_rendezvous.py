"""Rendezvous (``protocol/enrolment.md``, ``protocol/relay-http.md``)."""

from __future__ import annotations

import pytest

from casesync.foundation.errors import AccessDenied, CasesyncError
from casesync.foundation.limits import (
    RENDEZVOUS_LIFETIME_MS_MAX,
    RENDEZVOUS_MESSAGE_BYTES_MAX,
    RENDEZVOUS_PER_DEVICE_MAX,
    RENDEZVOUS_RESULT_MS,
)
from relay.blind_worlds import World, make_world

INVITATION = b"i" * 16
HOUR_MS = 3_600_000


@pytest.fixture
def world() -> World:
    world = make_world()
    world.channels[1].rendezvous_open(INVITATION, world.clock.now_ms() + HOUR_MS)
    return world


@pytest.fixture
def joiner(world: World):
    return world.relays.channel(world.network.id)


def code_of(act) -> str:
    with pytest.raises(CasesyncError) as caught:
        act()
    return caught.value.code


def fill(world: World, joiner, slots: int) -> None:
    for slot in range(1, slots + 1):
        side = joiner if slot % 2 else world.channels[1]
        side.rendezvous_put(INVITATION, slot, b"message %d" % slot)


def test_messages_pass_both_ways(world: World, joiner):
    assert joiner.rendezvous_get(INVITATION, 2) is None
    fill(world, joiner, 4)
    got = [world.channels[1].rendezvous_get(INVITATION, slot) for slot in (1, 2, 3, 4)]
    assert got == [b"message %d" % slot for slot in (1, 2, 3, 4)]


def test_a_slot_is_written_once(world: World, joiner):
    fill(world, joiner, 1)
    joiner.rendezvous_put(INVITATION, 1, b"message 1")  # repeated: nothing changes
    assert code_of(lambda: joiner.rendezvous_put(INVITATION, 1, b"another")) == "invitation-used"
    assert joiner.rendezvous_get(INVITATION, 1) == b"message 1"


def test_slots_are_filled_in_order(world: World, joiner):
    assert code_of(lambda: joiner.rendezvous_put(INVITATION, 3, b"reveal")) == "invitation-gone"
    assert joiner.rendezvous_get(INVITATION, 3) is None


def test_only_the_inviter_answers(world: World, joiner):
    """Not even another active device of the network."""
    fill(world, joiner, 1)
    other = world.channels[world.second.number]
    assert code_of(lambda: other.rendezvous_put(INVITATION, 2, b"nonce")) == "invitation-gone"
    assert joiner.rendezvous_get(INVITATION, 2) is None


def test_cancelling_removes_it_and_only_the_inviter_can(world: World, joiner):
    fill(world, joiner, 1)
    other = world.channels[world.second.number]
    assert code_of(lambda: other.rendezvous_cancel(INVITATION)) == "invitation-gone"
    assert joiner.rendezvous_get(INVITATION, 1) == b"message 1"
    world.channels[1].rendezvous_cancel(INVITATION)
    assert code_of(lambda: joiner.rendezvous_get(INVITATION, 1)) == "invitation-gone"


def test_it_expires(world: World, joiner):
    world.clock.advance(HOUR_MS)
    assert code_of(lambda: joiner.rendezvous_get(INVITATION, 1)) == "invitation-gone"
    assert code_of(lambda: joiner.rendezvous_put(INVITATION, 1, b"late")) == "invitation-gone"


def test_what_expired_is_removed_when_the_next_one_opens(world: World, joiner):
    fill(world, joiner, 1)
    world.clock.advance(HOUR_MS)
    world.channels[1].rendezvous_open(b"j" * 16, world.clock.now_ms() + HOUR_MS)
    world.clock.advance(-HOUR_MS)
    assert code_of(lambda: joiner.rendezvous_get(INVITATION, 1)) == "invitation-gone"


def test_the_result_waits_a_day_and_is_then_gone(world: World, joiner):
    expires = world.clock.now_ms() + 10 * RENDEZVOUS_RESULT_MS
    world.channels[1].rendezvous_cancel(INVITATION)
    world.channels[1].rendezvous_open(INVITATION, expires)
    fill(world, joiner, 4)
    world.clock.advance(RENDEZVOUS_RESULT_MS - 1)
    assert joiner.rendezvous_get(INVITATION, 4) == b"message 4"
    world.clock.advance(1)
    assert code_of(lambda: joiner.rendezvous_get(INVITATION, 4)) == "invitation-gone"


def test_opening_it_again_is_harmless_for_the_inviter_only(world: World, joiner):
    fill(world, joiner, 1)
    expires = world.clock.now_ms() + HOUR_MS
    world.channels[1].rendezvous_open(INVITATION, expires)
    assert joiner.rendezvous_get(INVITATION, 1) == b"message 1"
    other = world.channels[world.second.number]
    assert code_of(lambda: other.rendezvous_open(INVITATION, expires)) == "invitation-used"


@pytest.mark.parametrize("length", [0, RENDEZVOUS_MESSAGE_BYTES_MAX + 1])
def test_a_message_has_a_size(world: World, joiner, length: int):
    assert code_of(lambda: joiner.rendezvous_put(INVITATION, 1, bytes(length))) == "relay-refused"


@pytest.mark.parametrize("lifetime_ms", [0, -1, RENDEZVOUS_LIFETIME_MS_MAX + 1])
def test_a_time_that_is_over_or_too_far_is_refused(world: World, lifetime_ms: int):
    expires = world.clock.now_ms() + lifetime_ms
    channel = world.channels[1]
    assert code_of(lambda: channel.rendezvous_open(b"j" * 16, expires)) == "relay-refused"


def test_a_device_opens_only_so_many(world: World):
    channel, expires = world.channels[1], world.clock.now_ms() + HOUR_MS
    for number in range(1, RENDEZVOUS_PER_DEVICE_MAX):
        channel.rendezvous_open(number.to_bytes(16, "big"), expires)
    assert code_of(lambda: channel.rendezvous_open(b"j" * 16, expires)) == "relay-quota"


def test_a_suspended_inviter_opens_and_answers_nothing(world: World, joiner):
    fill(world, joiner, 1)
    channel = world.channels[world.second.number]
    channel.rendezvous_open(b"j" * 16, world.clock.now_ms() + HOUR_MS)
    joiner.rendezvous_put(b"j" * 16, 1, b"commitment")
    world.network.suspend(world.channels[1], world.second.number)
    with pytest.raises(AccessDenied) as caught:
        channel.rendezvous_put(b"j" * 16, 2, b"nonce")
    assert caught.value.code == "device-suspended"
