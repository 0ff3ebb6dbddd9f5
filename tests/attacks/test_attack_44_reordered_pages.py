"""Attack 44: reordering, repetition, interleaving.

Layer that refuses: ``translog.page`` at the client (the page contradicts its target's root), and at
the relay the push rules (numbers without holes). ``protocol/sync.md``.
"""

from __future__ import annotations

import pytest

from casesync.foundation.errors import RelayMisbehaviour
from casesync.testing import hostile_relay as hostile
from casesync.testing.clock import FakeClock
from casesync.testing.entropy import SeededEntropy
from casesync.testing.hostile_relay import HostileRelay
from casesync.wire.messages import SyncAnswer
from casesync.wire.refusals import Refusal
from relay.blind_worlds import World, make_world


@pytest.fixture
def relay() -> HostileRelay:
    return HostileRelay(FakeClock(), SeededEntropy("hostile"))


@pytest.fixture
def world(relay: HostileRelay) -> World:
    world = make_world(relay)
    stream = world.first.open_stream()
    for _ in range(4):
        world.first.write(stream)
    other = world.other.open_stream(world.first.feed)
    world.other.write(other)
    world.sync(world.first, world.other)
    return world


EDITS = {
    "two changes swapped": hostile.with_frames_swapped,
    "the first and the last swapped": lambda a: hostile.with_frames_swapped(a, 0, -1),
    "two authors interleaved anew": lambda a: hostile.with_frames_swapped(a, 4, 5),
    "a change repeated": hostile.with_frame_repeated,
    "a change dropped": hostile.with_frame_dropped,
    "a byte of content": hostile.with_byte_flipped,
    "a byte of the log time": lambda a: hostile.with_byte_flipped(a, 1, 1),
    "a byte of the head": lambda a: hostile.with_byte_flipped(a, 2, 10),
    "a page of nothing": lambda a: hostile.with_items(a, lambda _items: []),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edited_page_is_refused_whole_and_the_cursor_stays(
    world: World, relay: HostileRelay, edit
):
    relay.edit = lambda caller, answer: (
        edit(answer) if caller.device == world.second.number else answer
    )
    before = world.second.seen.to_bytes()
    with pytest.raises(RelayMisbehaviour) as caught:
        world.sync(world.second)
    assert caught.value.code == "page-contradicts-log"
    assert world.second.seen.to_bytes() == before
    assert world.second.leaves == []
    relay.edit = None
    world.sync(world.second)
    assert [leaf.index for leaf in world.second.leaves] == list(range(7))


def test_an_old_answer_served_again_is_refused(world: World, relay: HostileRelay):
    """Delivered twice: the second time it does not follow from the cursor."""
    request = world.second.request().encode()
    channel = world.channels[world.second.number]
    answer = SyncAnswer.decode(channel.sync(request))
    world.second.take(answer)
    relay.stale(world.second.number, answer)
    with pytest.raises((RelayMisbehaviour, AssertionError)):
        world.sync(world.second)
    assert len(world.second.leaves) == 7


def test_a_push_in_another_order_is_not_taken(world: World):
    stream = world.second.open_stream()
    world.second.write(stream)
    world.second.outbox.reverse()
    request = world.second.request()
    moved = SyncAnswer.decode(
        world.channels[world.second.number].sync(
            type(request)(
                control_size=request.control_size,
                cursor=request.cursor,
                outbox=request.outbox,
                newest=(0, world.second.written[1].previous_link),
            ).encode()
        )
    )
    assert moved.receipts == ()
    assert moved.refusal == (1, Refusal.NUMBER_GAP)
