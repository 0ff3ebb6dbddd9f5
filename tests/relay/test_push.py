"""What the relay takes (``protocol/sync.md``, *Push rules at the relay*)."""

from __future__ import annotations

import dataclasses

import pytest

from casesync.foundation import limits
from casesync.relay import push, stream_feeds
from casesync.testing.blind_device import BlindDevice, Written
from casesync.translog.unsealed import decode_unsealed, encode_unsealed
from casesync.wire.messages import SyncAnswer
from casesync.wire.refusals import Refusal
from relay.blind_worlds import World, make_world


@pytest.fixture
def world() -> World:
    return make_world()


def pushed(world: World, device: BlindDevice, *raw: bytes) -> SyncAnswer:
    """Push exactly these bytes, after what the device has pushed so far."""
    first = device.outbox[0]
    request = dataclasses.replace(
        device.request(), outbox=raw, newest=(first.number - 1, first.previous_link)
    )
    return SyncAnswer.decode(world.channels[device.number].sync(request.encode()))


def with_byte(change: Written, position: int) -> bytes:
    raw = bytearray(change.pushed)
    raw[position] ^= 1
    return bytes(raw)


def test_changes_get_receipts_in_order_with_log_time_that_never_goes_back(world: World):
    stream = world.first.open_stream()
    world.clock.advance(5000)
    receipts = world.sync(world.first).receipts
    world.clock.advance(-3_600_000)
    world.first.write(stream)
    later = world.sync(world.first).receipts
    assert [r.log_index for r in (*receipts, *later)] == [0, 1]
    assert later[0].log_time_ms == receipts[0].log_time_ms


def test_a_repeated_push_gets_the_same_receipts_and_appends_nothing(world: World):
    world.first.open_stream()
    request = world.first.request().encode()
    channel = world.channels[1]
    once, twice = (SyncAnswer.decode(channel.sync(request)) for _ in range(2))
    assert once.receipts == twice.receipts != ()
    assert once.change_checkpoint == twice.change_checkpoint


def test_a_push_that_overlaps_gets_receipts_for_all(world: World):
    """The answer was lost; meanwhile the device wrote on."""
    device = world.first
    stream = device.open_stream()
    world.channels[1].sync(device.request().encode())
    device.write(stream)
    answer = world.sync(device)
    assert [(r.number, r.log_index) for r in answer.receipts] == [(1, 0), (2, 1)]


def test_another_change_under_a_taken_number_is_a_fork(world: World):
    device = world.first
    stream = device.open_stream()
    world.sync(device)
    before = device.newest
    device.write(stream)
    world.sync(device)
    device.newest, device.previous_here = before, {stream: 1}
    device.write(stream)
    answer = pushed(world, device, *(one.pushed for one in device.outbox))
    assert answer.refusal == (2, Refusal.DEVICE_FORKED)
    assert answer.newest[0] == 2


def test_a_device_that_builds_on_another_past_is_a_fork(world: World):
    """Restored from a backup: same number before the outbox, another link."""
    device = world.first
    device.open_stream()
    world.sync(device)
    device.newest = (1, b"x" * 32)
    device.write(b"s" * 16)
    assert world.channels[1] is not None
    answer = SyncAnswer.decode(world.channels[1].sync(device.request().encode()))
    assert answer.refusal == (2, Refusal.DEVICE_FORKED)


def test_a_hole_in_the_numbers_ends_the_push_there(world: World):
    device = world.first
    stream = device.open_stream()
    device.write(stream)
    third = device.write(stream)
    answer = pushed(world, device, device.outbox[0].pushed, third.pushed)
    assert [r.number for r in answer.receipts] == [1]
    assert answer.refusal == (2, Refusal.NUMBER_GAP)


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_bad_signature_ends_the_push_there(world: World, bad: int):
    device = world.first
    stream = device.open_stream()
    device.write(stream)
    device.write(stream)
    raw = [one.pushed for one in device.outbox]
    raw[2] = with_byte(device.outbox[2], len(device.outbox[2].header) + 3)
    if bad != 2:
        raw[bad] = with_byte(device.outbox[bad], len(device.outbox[bad].header) + 3)
    answer = pushed(world, device, *raw)
    assert answer.refusal == (bad + 1, Refusal.SIGNATURE_INVALID)
    assert [r.number for r in answer.receipts] == list(range(1, bad + 1))


def test_an_honest_push_costs_one_signature_check(world: World, monkeypatch: pytest.MonkeyPatch):
    """DESIGN.md 10: counted, not timed."""
    calls = []
    real = push.verify_change
    monkeypatch.setattr(push, "verify_change", lambda *a: (calls.append(1), real(*a)))
    stream = world.first.open_stream()
    for _ in range(50):
        world.first.write(stream)
    assert len(world.sync(world.first).receipts) == 51
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("position", "refusal"),
    [
        (0, Refusal.VERSION_REFUSED),  # suite
        (2, Refusal.VERSION_REFUSED),  # generation
        (6, Refusal.MALFORMED),  # device: an author it is not
        (-1, Refusal.MALFORMED),  # a segment that is not the one the header names
    ],
)
def test_an_altered_change_is_refused_with_its_reason(
    world: World, position: int, refusal: Refusal
):
    world.first.open_stream()
    answer = pushed(world, world.first, with_byte(world.first.outbox[0], position))
    assert answer.refusal == (1, refusal)
    assert answer.newest[0] == 0


@pytest.mark.parametrize("length", [1, 2, 3, 50, 90, 200, -1])
def test_a_truncated_change_is_refused(world: World, length: int):
    world.first.open_stream()
    answer = pushed(world, world.first, world.first.outbox[0].pushed[:length])
    assert answer.refusal is not None
    assert answer.newest[0] == 0


def test_a_segment_of_an_unknown_kind_is_refused(world: World):
    """What nobody reads, nobody could judge or withhold."""
    stream = world.first.open_stream()
    world.first.write(stream, kind=10)
    assert world.sync(world.first).refusal == (2, Refusal.MALFORMED)


def test_a_change_that_claims_to_know_more_than_the_relay_is_refused(world: World):
    device = world.first
    device.control = [*device.control, b"another entry"]
    device.open_stream()
    device.control.pop()
    assert world.sync(device).refusal == (1, Refusal.CONTROL_AHEAD)


def test_a_stream_nobody_opened_is_refused(world: World):
    world.first.write(b"s" * 16)
    assert world.sync(world.first).refusal == (1, Refusal.STREAM_UNKNOWN)


def test_a_stream_id_that_does_not_derive_opens_nothing(world: World):
    """Otherwise a device could take another's stream id for its own."""
    real = world.other.open_stream()
    world.other.outbox.clear()
    opening = decode_unsealed(world.other.written[1].segments[0])
    world.first.write(real, unsealed=encode_unsealed(opening.random16))
    assert world.sync(world.first).refusal == (1, Refusal.STREAM_UNKNOWN)


def test_a_device_of_another_office_cannot_write_until_it_is_served(world: World):
    stream = world.first.open_stream()
    world.sync(world.first)
    world.other.write(stream)
    assert world.sync(world.other).refusal == (1, Refusal.STREAM_UNKNOWN)
    world.first.link(stream, world.other.feed)
    world.sync(world.first, world.other)
    assert world.other.outbox == []


def test_late_work_behind_an_unlink_is_still_taken(world: World):
    """DESIGN.md 7: pushes are accepted to any stream the device was ever served."""
    stream = world.first.open_stream(world.other.feed)
    world.sync(world.first, world.other)
    world.first.link(stream, world.other.feed, linked=False)
    world.sync(world.first)
    world.other.write(stream)
    assert world.sync(world.other).refusal is None
    assert world.other.outbox == []


def test_a_revoked_device_cannot_link_itself_back(world: World):
    stream = world.first.open_stream(world.other.feed)
    world.sync(world.first, world.other)
    world.first.link(stream, world.other.feed, linked=False)
    world.sync(world.first, world.other)
    served = len(world.other.leaves)
    world.other.link(stream, world.other.feed)
    world.first.write(stream)
    world.sync(world.other, world.first, world.other)
    assert [leaf.own for leaf in world.other.leaves[served:]] == [1]


def test_a_quota_stops_the_push_and_passes_with_the_day(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(push, "QUOTA_BYTES_PER_DEVICE_DAY", 2000)
    stream = world.first.open_stream()
    for _ in range(10):
        world.first.write(stream)
    answer = world.sync(world.first)
    assert answer.refusal is not None
    assert answer.refusal.refusal is Refusal.QUOTA
    taken = len(answer.receipts)
    assert 0 < taken < 11
    assert world.sync(world.first).receipts == ()
    world.clock.advance(24 * 3600 * 1000)
    assert len(world.sync(world.first).receipts) == 11 - taken


def test_a_network_has_a_quota_too(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(push, "QUOTA_BYTES_PER_NETWORK", 0)
    world.first.open_stream()
    assert world.sync(world.first).refusal == (1, Refusal.QUOTA)


def test_a_stream_cannot_be_linked_to_endless_feeds(world: World, monkeypatch: pytest.MonkeyPatch):
    """Each feed costs a row per change for ever; attack 47."""
    monkeypatch.setattr(stream_feeds, "FEEDS_PER_STREAM_MAX", 2)
    world.first.open_stream(b"a" * 16)
    world.first.open_stream(b"a" * 16, b"b" * 16)
    assert world.sync(world.first).refusal == (2, Refusal.FEEDS_EXCEEDED)


def test_limits_of_changes_are_those_of_the_client():
    """Checked before the local commit with the same numbers (DESIGN.md 3)."""
    assert push.QUOTA_BYTES_PER_DEVICE_DAY == limits.QUOTA_BYTES_PER_DEVICE_DAY
