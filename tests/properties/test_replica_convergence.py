"""Real replicas of one office and of its partners: any interleaving of work and delivery agrees.

Hypothesis chooses who does what in which order, what the network does to each exchange, and when a
process ends; ``tests/simulation`` has the people, the faults and the checkers. What fails shrinks
to a handful of acts.
"""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.testing.memory_network import Fault
from simulation import checkers, operations
from simulation.faults import CALM, FaultRates
from simulation.world import World

ACTS = (
    operations.sync,
    operations.sync,
    operations.edit,
    operations.edit,
    operations.edit,
    operations.edit,
    operations.entry,
    operations.resolve,
    operations.share,
    operations.take_back,
    operations.suspend,
)
"""The first are the simplest, to which examples shrink."""
turns = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from(ACTS), st.integers(0, 99)),
    min_size=10,
    max_size=30,
)


def started(desks: int, rates: FaultRates) -> World:
    """A world with a case that its whole office holds, shared with every other office."""
    world = World(0, desks=desks, rates=rates)
    world.cases_wanted = 1
    first = world.desks[0]
    operations.new_case(world, first)
    for unit in sorted({desk.unit for desk in world.desks} - {first.unit, operations.AUDIT}):
        words = list(operations.COMPARTMENTS)
        [case] = first.cases().values()
        consent = first.replica.give_consent(case, "share_with_org", unit, words)
        first.replica.grant(case, unit, words, "share_with_org", consent.hex(), write=True)
    for desk in world.desks:
        operations.sync(world, desk)
    return world


@settings(max_examples=25)
@given(st.integers(2, 8), turns, st.lists(st.sampled_from(Fault), max_size=30))
def test_replicas_that_were_delivered_everything_agree(desks, taken, faults):
    """DESIGN.md 4: the order, repetition and loss of deliveries do not matter."""
    world = started(desks, CALM)
    world.armed = True
    left = iter(faults)
    world.exchange_fault = lambda *_: next(left, Fault.NONE)
    for place, act, seed in taken:
        world.rng = Random(seed)
        act(world, world.desks[place % desks])
    world.exchange_fault = lambda *_: Fault.NONE
    world.heal()
    checkers.check(world)


@settings(max_examples=15)
@given(st.integers(2, 5), turns, st.floats(0, 0.4), st.floats(0, 0.2))
def test_replicas_whose_processes_end_anywhere_agree(desks, taken, crash, disk_full):
    """DESIGN.md 3: state, change and outbox entry are one transaction, every page another."""
    world = started(desks, FaultRates(crash=crash, disk_full=disk_full))
    world.armed = True
    for place, act, seed in taken:
        world.rng = Random(seed)
        act(world, world.desks[place % desks])
    world.heal()
    checkers.check(world)


def test_a_grant_that_ends_while_its_offices_keys_are_replaced_ends_unread():
    """That office is served the end and can open none of it: quarantined there, and told so."""
    world = started(5, CALM)
    world.exchange_fault = lambda *_: Fault.NONE
    shelter, colleague, other = world.desks[0], world.desks[1], world.desks[3]
    for desk, act, seed in (
        (shelter, operations.suspend, 0),
        (shelter, operations.sync, 0),
        (colleague, operations.sync, 0),
        (colleague, operations.edit, 0),
        (colleague, operations.take_back, 96),
    ):
        world.rng = Random(seed)
        act(world, desk)
    world.heal()
    checkers.check(world)
    assert "base-unreadable" in {row.reason for row in other.replica.quarantine()}
