"""Histories that honest authors make: offices that work offline, and one that gets a grant."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.model.cells import CellId
from casesync.model.copies import copy_differs, snapshot_copies, supplement_copies
from casesync.model.merge import Segment, StreamState, rebuild
from casesync.model.segment_body import (
    Content,
    Write,
    cells_of,
    copy_at,
    decode_content,
    encode_content,
    encode_copies,
    is_copies,
)
from properties.merge_worlds import CODE, link_of

COMPARTMENT = 2
CELLS = tuple(
    CellId(bytes([record]) * 16, 1, number, None, 0) for record in (1, 2) for number in (1, 2, 3)
)
GRANTEE = 9


@dataclass
class Leaf:
    """A change in the log: who wrote it, what, and whether the grantee holds its key."""

    device: int
    number: int
    content: Content
    new_key: bool

    def segment(self, location: int) -> Segment:
        link8 = link_of(self.device, self.number)
        return Segment(self.device, self.number, COMPARTMENT, link8, self.content, location)


@dataclass
class Office:
    """One laptop: its state, how far it read the log, what it has not sent."""

    device: int
    state: StreamState = field(default_factory=StreamState)
    read: int = 0
    written: int = 0
    outbox: list[Leaf] = field(default_factory=list)
    knows_grant: bool = False


class World:
    """A log, some laptops of one office, and perhaps a grantee."""

    def __init__(self, rnd: random.Random, devices: int) -> None:
        self.rnd = rnd
        self.log: list[Leaf] = []
        self.offices = [Office(device) for device in range(1, devices + 1)]
        self.granted_at: int | None = None
        self.supplemented: set[tuple[int, int]] = set()
        self.contents: dict[tuple[int, int], Content] = {}

    def open_body(self, location: int, _compartment: int) -> Content:
        return self.contents[location >> 16, location & 0xFFFF]

    def author(self, office: Office, content: Content) -> None:
        office.written += 1
        leaf = Leaf(office.device, office.written, content, office.knows_grant)
        self.contents[leaf.device, leaf.number] = content
        office.state.apply(*leaf.segment(leaf.device << 16 | leaf.number))
        office.outbox.append(leaf)

    def edit(self, office: Office) -> None:
        cells = self.rnd.sample(CELLS, self.rnd.randint(1, 3))
        replaces = office.state.replaces_for(cells, COMPARTMENT)
        writes = [Write(cell, CODE, self.rnd.choice(("a", "b", None))) for cell in cells]
        clock_ms = self.rnd.randrange(1000)
        self.author(office, decode_content(encode_content(clock_ms, 1, replaces, writes)))

    def sync(self, office: Office) -> None:
        self.log += office.outbox
        office.outbox = []
        for leaf in self.log[office.read :]:
            office.state.apply(*leaf.segment(leaf.device << 16 | leaf.number))
        office.read = len(self.log)
        if self.granted_at is not None and office.read > self.granted_at:
            office.knows_grant = True
            self.supplement(office)

    def grant(self, office: Office) -> None:
        """Online: synced first, and sent at once."""
        self.sync(office)
        copies = snapshot_copies(office.state, COMPARTMENT, self.open_body)
        office.knows_grant = True
        self.author(office, decode_content(encode_copies(0, 1, b"g" * 16, 1, 1, copies)))
        self.granted_at = len(self.log)
        self.sync(office)

    def supplement(self, office: Office) -> None:
        """Copy what landed behind the grant under the older key."""
        assert self.granted_at is not None
        for leaf in self.log[self.granted_at :]:
            identity = (leaf.device, leaf.number)
            if leaf.new_key or is_copies(leaf.content) or identity in self.supplemented:
                continue
            self.supplemented.add(identity)
            change = (*identity, COMPARTMENT)
            copies = supplement_copies(office.state, change, leaf.content, self.open_body)
            self.author(office, decode_content(encode_copies(0, 1, b"g" * 16, 0, 0, copies)))

    def finish(self) -> None:
        for _ in range(3):
            for office in self.offices:
                self.sync(office)


def run(rnd: random.Random, devices: int, steps: int, *, with_grant: bool) -> World:
    world = World(rnd, devices)
    for step in range(steps):
        office = rnd.choice(world.offices)
        if with_grant and world.granted_at is None and step >= steps // 3:
            world.grant(office)
        elif rnd.random() < 0.35:
            world.sync(office)
        else:
            world.edit(office)
    world.finish()
    return world


def live_ids(state: StreamState) -> set[tuple[CellId, int, int, int]]:
    return {write[:4] for write in state.live_writes()}


@given(st.integers(0, 1 << 30), st.integers(2, 8), st.integers(1, 25))
def test_offices_converge_and_equal_what_is_rebuilt(seed: int, devices: int, steps: int) -> None:
    """record-model.md, Cell."""
    rnd = random.Random(seed)
    world = run(rnd, devices, steps, with_grant=False)
    states = [office.state.normalised() for office in world.offices]
    assert all(state == states[0] for state in states)
    shuffled = rnd.sample(world.log, len(world.log))
    again = rebuild([leaf.segment(n) for n, leaf in enumerate(shuffled)])
    assert again.normalised() == states[0]


@given(st.integers(0, 1 << 30), st.integers(2, 4), st.integers(1, 15))
def test_no_word_is_lost_that_nobody_had_read(seed: int, devices: int, steps: int) -> None:
    """A write that is not live any more stands in the table of somebody who read it."""
    world = run(random.Random(seed), devices, steps, with_grant=False)
    live = live_ids(world.offices[0].state)
    named = {
        (device, number, position)
        for leaf in world.log
        for device, number, _, mask in leaf.content[2]
        for position in range(mask.bit_length())
        if mask >> position & 1
    }
    for leaf in world.log:
        for position, cell in enumerate(cells_of(leaf.content)):
            dot = (leaf.device, leaf.number, position)
            assert ((cell, *dot) in live) is not (dot in named)


@given(st.integers(0, 1 << 30), st.integers(2, 4), st.integers(3, 20))
def test_a_grantee_sees_the_live_writes_of_the_owner(seed: int, devices: int, steps: int) -> None:
    """DESIGN.md 5: snapshot and supplements; the grantee opens nothing under an older key."""
    rnd = random.Random(seed)
    world = run(rnd, devices, steps, with_grant=True)
    assert world.granted_at is not None
    given_to = [leaf for leaf in world.log[world.granted_at :] if leaf.new_key]
    rnd.shuffle(given_to)
    grantee = rebuild([leaf.segment(n) for n, leaf in enumerate(given_to)])
    assert live_ids(grantee) == live_ids(world.offices[0].state)


@given(st.integers(0, 1 << 30), st.integers(2, 4), st.integers(3, 20))
def test_true_copies_do_not_change_who_holds_the_originals(
    seed: int, devices: int, steps: int
) -> None:
    """record-model.md, Copies: originals win, and honest copies differ in nothing."""
    world = run(random.Random(seed), devices, steps, with_grant=True)
    plain = [leaf for leaf in world.log if not is_copies(leaf.content)]
    without = rebuild([leaf.segment(n) for n, leaf in enumerate(plain)])
    assert live_ids(without) == live_ids(world.offices[0].state)
    for leaf in world.log:
        if is_copies(leaf.content):
            for index in range(len(leaf.content[3][3])):
                copy = copy_at(leaf.content, index)
                original = world.contents[copy.device, copy.number]
                assert not copy_differs(copy, link_of(copy.device, copy.number), original)
                assert copy_differs(copy._replace(value="other"), copy.link8, original)


@pytest.mark.parametrize("seed", range(3))
def test_a_location_may_be_pointed_elsewhere(seed: int) -> None:
    """A change that moves in the store keeps its place in the state."""
    world = run(random.Random(seed), 3, 12, with_grant=True)
    state = world.offices[0].state
    before = state.normalised()
    for leaf in world.log:
        state.relocate(leaf.device, leaf.number, 7)
    assert {write.location for write in state.live_writes()} == {7}
    assert state.normalised() == before
