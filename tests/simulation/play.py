"""Playing a world from its seed to its end: misfortune and work, then healing, then the checks."""

from __future__ import annotations

from random import Random
from typing import Final

from simulation import checkers, operations
from simulation.world import Desk, World

STEPS_LEAST: Final = 8
STEPS_MOST: Final = 26
"""Times that somebody sits down at a desk."""


def play(seed: int, *, check: bool = True) -> World:
    """Play one seed to its end. Raises: SimulationFailure."""
    world = World(seed)
    live(world)
    world.heal()
    if check:
        checkers.check(world)
    return world


def live(world: World) -> None:
    """Everything up to the moment when things work again."""
    world.armed = True
    world.interrupt = lambda desk: _interrupt(world, desk)
    for step in range(world.rng.randint(STEPS_LEAST, STEPS_MOST)):
        world.step = step
        operations.misfortune(world)
        _sit_down(world, _somebody(world))


def _somebody(world: World) -> Desk:
    """Mostly people who have work to do."""
    busy = [desk for desk in world.desks if desk.cases()]
    return world.rng.choice(busy if busy and world.rng.random() < 0.7 else world.desks)


def _sit_down(world: World, desk: Desk) -> None:
    """Somebody works for a while: an act or two, a sync before or behind as people do."""
    acts = [act for act, _ in operations.ACTS]
    weights = [weight for _, weight in operations.ACTS]
    if world.rng.random() < 0.45:
        operations.sync(world, desk)
    for act in world.rng.choices(acts, weights, k=world.rng.randint(1, 2)):
        act(world, desk)
    if world.rng.random() < 0.4:
        operations.sync(world, desk)


def _interrupt(world: World, interrupted: Desk) -> None:
    rng = Random(world.fault_rng.random())
    idle = [desk for desk in world.desks if not desk.busy and desk is not interrupted]
    if idle:
        rng.choice(operations.INTERRUPTIONS)(world, rng.choice(idle))
