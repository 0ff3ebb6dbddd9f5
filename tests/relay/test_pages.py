"""What a device is served (``protocol/sync.md``, *Page*); every page is proven as clients do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.foundation.errors import RelayMisbehaviour
from casesync.merkle.compact_range import CompactRange
from casesync.relay import sync_answer
from casesync.testing.blind_device import BlindDevice
from casesync.translog.page import read_page
from casesync.translog.served_leaf import ServedLeaf
from casesync.wire.messages import Backfill, Owed, SyncRequest
from relay.blind_worlds import World, make_world


@pytest.fixture
def world() -> World:
    return make_world()


def indexes(device: BlindDevice) -> list[int]:
    return [leaf.index for leaf in device.leaves]


def backfilled(
    device: BlindDevice, backfill: Backfill, seen: CompactRange | None = None
) -> list[ServedLeaf]:
    """Prove a back-fill against the root the device holds at its cursor."""
    start = seen or CompactRange()
    held = device.seen
    return read_page(backfill.page, start, held.size, held.root(), device.own).leaves


def test_a_colleague_is_served_whole_changes_in_order(world: World):
    stream = world.first.open_stream()
    for _ in range(5):
        world.first.write(stream)
    world.sync(world.first, world.second)
    assert indexes(world.second) == list(range(6))
    served = [(leaf.header, leaf.segments) for leaf in world.second.leaves]
    assert served == [(one.header, one.segments) for one in world.first.written.values()]


def test_another_office_is_served_proofs_only(world: World):
    stream = world.first.open_stream()
    for _ in range(1000):
        world.first.write(stream)
    world.sync(world.first)
    answer = world.sync(world.other)
    assert world.other.leaves == []
    assert world.other.seen.size == 1001
    assert len(answer.page[4]) <= 32 * 10


def test_own_changes_come_back_as_numbers(world: World):
    stream = world.first.open_stream()
    world.first.write(stream, content_bytes=100_000)
    answer = world.sync(world.first)
    assert [leaf.own for leaf in world.first.leaves] == [1, 2]
    assert len(answer.encode()) < 500


def test_an_idle_sync_is_small_both_ways(world: World):
    """DESIGN.md 10: under 400 bytes of body each way."""
    stream = world.first.open_stream()
    for _ in range(300):
        world.first.write(stream)
    world.sync(world.first, world.second)
    request = world.second.request().encode()
    assert len(request) < 400
    assert len(world.channels[world.second.number].sync(request)) < 400


def test_ten_new_changes_among_many_are_small(world: World):
    """DESIGN.md 10: ten among 100,000 under 8 kB; here among 4,000, the rest is logarithmic."""
    theirs, mine = world.other.open_stream(), world.first.open_stream()
    for _ in range(2000):
        world.other.write(theirs)
    world.sync(world.other, world.first, world.second)
    for _ in range(10):
        world.first.write(mine)
        world.other.write(theirs)
        world.sync(world.first, world.other)
    world.second.target = 0
    answer = world.sync(world.second)
    assert len(answer.page[3]) > 10
    assert len(answer.encode()) < 8000


def test_the_auditor_is_served_every_leaf_without_content(world: World):
    stream = world.first.open_stream()
    world.first.write(stream)
    world.first.write(stream, kind=9)
    world.other.open_stream()
    world.sync(world.first, world.other, world.auditor)
    assert indexes(world.auditor) == [0, 1, 2, 3]
    assert [leaf.segments[-1] is None for leaf in world.auditor.leaves] == [True, True, False, True]
    assert world.auditor.leaves[0].segments[0] is not None


def test_a_grant_serves_the_linking_change_and_owes_the_rest(world: World):
    stream = world.first.open_stream()
    for _ in range(3):
        world.first.write(stream)
    world.sync(world.first, world.other)
    world.first.link(stream, world.other.feed)
    world.first.write(stream)
    world.sync(world.first, world.other)
    assert indexes(world.other) == [4, 5]
    answer = world.other.sync(world.channels[world.other.number], owed=(Owed(0, (stream,)),))
    assert [leaf.index for leaf in backfilled(world.other, answer.backfills[0])] == list(range(6))
    assert not answer.more


def test_a_stream_linked_late_in_a_span_is_served_from_the_cursor_on(world: World):
    """The link is at the end of the span, the leaves before it are served in the page."""
    stream = world.first.open_stream()
    world.first.write(stream)
    world.first.link(stream, world.other.feed)
    world.sync(world.first, world.other)
    assert indexes(world.other) == [0, 1, 2]


def test_pages_against_one_target_serve_what_is_linked_there(world: World):
    """The link stands in the second page; the first serves the stream already."""
    stream = world.first.open_stream()
    for _ in range(4):
        world.first.write(stream, content_bytes=40_000)
    world.first.link(stream, world.other.feed)
    world.sync(world.first)
    channel = world.channels[world.other.number]
    while world.other.sync(channel, answer_bytes_max=1).more:
        world.first.write(stream)  # what comes later is for the next target
        world.sync(world.first)
    assert indexes(world.other) == list(range(6))


def test_the_unlinking_change_is_the_last_one_served(world: World):
    stream = world.first.open_stream(world.other.feed)
    world.sync(world.first, world.other)
    world.first.link(stream, world.other.feed, linked=False)
    world.first.write(stream)
    world.sync(world.first, world.other)
    assert indexes(world.other) == [0, 1]


def test_a_stream_shared_again_is_served_again(world: World):
    stream = world.first.open_stream(world.other.feed)
    world.first.link(stream, world.other.feed, linked=False)
    world.first.write(stream)
    world.sync(world.first, world.other)
    world.first.write(stream)
    world.first.link(stream, world.other.feed)
    world.sync(world.first, world.other)
    assert indexes(world.other)[-2:] == [3, 4]
    answer = world.other.sync(world.channels[world.other.number], owed=(Owed(0, (stream,)),))
    assert [leaf.index for leaf in backfilled(world.other, answer.backfills[0])] == list(range(5))


def test_a_page_ends_at_the_bytes_asked_for_and_gets_further_every_time(world: World):
    stream = world.first.open_stream()
    for _ in range(30):
        world.first.write(stream, content_bytes=20_000)
    world.sync(world.first)
    channel = world.channels[world.second.number]
    trips = 1
    while world.second.sync(channel, answer_bytes_max=100_000).more:
        trips += 1
    assert indexes(world.second) == list(range(31))
    assert 6 <= trips <= 9


def test_a_backfill_goes_on_where_it_ended(world: World):
    stream = world.first.open_stream()
    for _ in range(10):
        world.first.write(stream, content_bytes=30_000)
    world.sync(world.first, world.other)
    world.first.link(stream, world.other.feed)
    world.sync(world.first, world.other)
    device, channel = world.other, world.channels[world.other.number]
    position, seen, got = 0, CompactRange(), []
    while position < device.seen.size:
        answer = device.sync(channel, owed=(Owed(position, (stream,)),), answer_bytes_max=100_000)
        held = device.seen
        page = read_page(answer.backfills[0].page, seen, held.size, held.root(), device.own)
        got += [leaf.index for leaf in page.leaves]
        position, seen = page.compact_range.size, page.compact_range
        assert answer.more == (position < device.seen.size)
    assert got == list(range(12))


def test_a_backfill_of_a_stream_not_linked_serves_nothing(world: World):
    """Attack 46: asking for another office's stream by its id tells nothing."""
    stream = world.first.open_stream()
    world.sync(world.first, world.other)
    channel = world.channels[world.other.number]
    known = world.other.sync(channel, owed=(Owed(0, (stream,)),))
    unknown = world.other.sync(channel, owed=(Owed(0, (b"u" * 16,)),))
    assert known.backfills == unknown.backfills
    assert backfilled(world.other, known.backfills[0]) == []


def test_a_backfill_serves_own_changes_whole(world: World):
    """The office lost the stream, destroyed its copy, and was given it again."""
    stream = world.first.open_stream(world.other.feed)
    world.sync(world.first, world.other)
    world.other.write(stream)
    world.sync(world.other)
    world.first.link(stream, world.other.feed, linked=False)
    world.first.link(stream, world.other.feed)
    world.sync(world.first, world.other)
    answer = world.other.sync(world.channels[world.other.number], owed=(Owed(0, (stream,)),))
    leaves = backfilled(world.other, answer.backfills[0])
    assert [leaf.own for leaf in leaves] == [None] * 4
    assert leaves[1].segments == world.other.written[1].segments


def test_an_auditor_reads_everything_again_from_the_relay(world: World):
    world.first.open_stream()
    world.other.open_stream()
    world.sync(world.first, world.other, world.auditor)
    answer = world.auditor.sync(world.channels[world.auditor.number], owed=(Owed(0, None),))
    assert [leaf.index for leaf in backfilled(world.auditor, answer.backfills[0])] == [0, 1]


def test_control_entries_come_before_changes(world: World, monkeypatch: pytest.MonkeyPatch):
    """A newcomer holds the whole control log before the first change is served."""
    stream = world.first.open_stream()
    world.sync(world.first)
    newcomer = world.network.enrol(world.channels[1], feeds=(world.first.feed,))
    channel = world.relays.channel(world.network.id, newcomer.number)
    monkeypatch.setattr(sync_answer, "_ROOM_MIN", 1)
    answer = newcomer.sync(channel, answer_bytes_max=8000)
    assert answer.more
    assert newcomer.leaves == []
    while newcomer.sync(channel, answer_bytes_max=8000).more:
        pass
    assert len(newcomer.control) == len(world.network.entries)
    assert indexes(newcomer) == [0]
    assert newcomer.leaves[0].header == world.first.written[1].header
    assert stream in newcomer.leaves[0].header


@pytest.mark.parametrize("held", ["control_size", "cursor", "target"])
def test_a_device_that_holds_more_than_the_relay_is_told_so(world: World, held: str):
    """A relay restored from a backup."""
    parts = {"control_size": 5, "cursor": 0, "target": 0, held: 99}
    parts["target"] = max(parts["target"], parts["cursor"])
    request = SyncRequest(newest=(0, b"l" * 32), **parts)
    with pytest.raises(RelayMisbehaviour, match="less than it has shown"):
        world.channels[1].sync(request.encode())


def test_a_sync_finds_its_leaves_by_index(world: World):
    """DESIGN.md 7: no scan; the rows read grow with what is served, not with the log."""
    stream = world.first.open_stream()
    for _ in range(1500):
        world.first.write(stream)
    world.sync(world.first, world.second)
    counts = []
    mailbox = world.relays.relay
    connection = mailbox._store._connection
    for _ in range(2):
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        connection.set_progress_handler(count, 10)
        world.first.write(stream)
        world.sync(world.first, world.second)
        connection.set_progress_handler(None, 0)
        counts.append(steps)
        for _ in range(1500):
            world.first.write(stream)
        world.sync(world.first, world.second)
    assert counts[1] < counts[0] * 1.5 + 50


class Model:
    """The slow, obvious twin: what the other office must be served, from the whole log."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.log: list[tuple[bytes, int]] = []
        self.links: dict[bytes, list[tuple[int, bool]]] = {}
        self.pending: dict[int, bool] = {}

    def push(self, device: BlindDevice) -> None:
        answer = self.world.sync(device)
        for receipt in answer.receipts:
            stream = device.written[receipt.number].stream
            self.log.append((stream, device.number))
            change = self.pending.get(receipt.number) if device is self.world.first else None
            history = self.links.setdefault(stream, [])
            if change is not None and change != (bool(history) and history[-1][1]):
                history.append((receipt.log_index, change))

    def expected(self, first: int, end: int) -> list[int]:
        return [i for i in range(first, end) if self._served(i, first, end)]

    def _served(self, index: int, first: int, end: int) -> bool:
        stream, device = self.log[index]
        if device == self.world.other.number:
            return True
        history = [entry for entry in self.links.get(stream, []) if entry[0] < end]
        if not history:
            return False
        last_index, linked = history[-1]
        return linked or (last_index >= first and index <= last_index)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["open", "write", "link", "unlink", "push", "pull", "pull a little"]),
        st.integers(0, 3),
    ),
    max_size=60,
)


@settings(max_examples=50)
@given(ACTIONS)
def test_every_page_serves_exactly_what_is_linked_at_its_target(actions: list[tuple[str, int]]):
    world = make_world()
    model = Model(world)
    other, first = world.other, world.first
    streams = [first.open_stream()]
    other.open_stream()
    model.push(other)
    for action, which in actions:
        stream = streams[which % len(streams)]
        if action == "open":
            streams.append(first.open_stream())
        elif action == "write":
            first.write(stream, content_bytes=40_000)
        elif action in {"link", "unlink"}:
            model.pending[first.newest[0] + 1] = action == "link"
            first.link(stream, other.feed, linked=action == "link")
        elif action == "push":
            model.push(first)
        else:
            cursor, target, held = other.seen.size, other.target, len(other.leaves)
            room = 1 if action == "pull a little" else 1 << 23
            other.sync(world.channels[other.number], answer_bytes_max=room)
            served = [leaf.index for leaf in other.leaves[held:]]
            expected = model.expected(cursor, target or len(model.log))
            assert served == expected[: len(served)]
            reached = other.seen.size
            assert [i for i in expected if i < reached] == served
