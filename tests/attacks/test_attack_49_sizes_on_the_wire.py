"""Attack 49: sizes on the wire only in allowed classes.

Layer that refuses: the relay's push rules, through ``translog.header``. ``conventions.md``,
*Padding*: a member's careless client would otherwise tell the relay the length of what it wrote.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from casesync.codec.padding import is_allowed_length
from casesync.translog.header import parse_header
from casesync.wire.messages import SyncAnswer
from casesync.wire.refusals import Refusal
from relay.blind_worlds import World, make_world


@pytest.fixture
def world() -> World:
    return make_world()


def push_with_length(world: World, length: int) -> SyncAnswer:
    """A change whose one sealed segment is ``length`` bytes, honest in everything else."""
    device = world.first
    device.open_stream()
    [change] = device.outbox
    header = change.header
    at = len(header) - 45
    segment = bytes(length)
    row = header[at : at + 9] + length.to_bytes(4, "big") + sha256(segment).digest()
    raw = header[:at] + row + change.signature + change.segments[0] + segment
    request = replace(device.request(), outbox=(raw,))
    return SyncAnswer.decode(world.channels[1].sync(request.encode()))


@pytest.mark.parametrize("length", [0, 1, 16, 63, 65, 100, 129, 513, 1000, 4097, 1024 * 1024 + 1])
def test_a_segment_of_another_length_is_not_taken(world: World, length: int):
    answer = push_with_length(world, length)
    assert answer.refusal == (1, Refusal.MALFORMED)
    assert answer.newest[0] == 0


@pytest.mark.parametrize("length", [64, 128, 192, 256, 384, 512, 544])
def test_the_allowed_lengths_fail_only_for_their_signature(world: World, length: int):
    assert push_with_length(world, length).refusal == (1, Refusal.SIGNATURE_INVALID)


@pytest.mark.parametrize("content_bytes", [1, 40, 100, 300, 700, 5000, 70_000])
def test_everything_the_relay_holds_sealed_has_an_allowed_length(world: World, content_bytes: int):
    stream = world.first.open_stream()
    world.first.write(stream, content_bytes=content_bytes)
    world.sync(world.first, world.second)
    lengths = [
        entry.length
        for leaf in world.second.leaves
        for entry in parse_header(leaf.header).segments
        if entry.kind
    ]
    assert lengths
    assert all(is_allowed_length(length) for length in lengths)
