"""Playing a world from its seed to its end: misfortune and work, then healing, then the checks."""

from __future__ import annotations

from random import Random
from typing import Final

from simulation import checkers, operations
from simulation.world import Desk, World

STEPS_LEAST: Final = 12
STEPS_MOST: Final = 45


def play(seed: int, *, check: bool = True) -> World:
    """Play one seed to its end. Raises: SimulationFailure."""
    world = World(seed)
    live(world)
    end(world)
    if check:
        checkers.check(world)
    return world


def live(world: World) -> None:
    """Everything up to the moment when things work again."""
    world.armed = True
    world.interrupt = lambda desk: _interrupt(world, desk)
    acts = [act for act, _ in operations.ACTS]
    weights = [weight for _, weight in operations.ACTS]
    for world.step in range(world.rng.randint(STEPS_LEAST, STEPS_MOST)):
        operations.misfortune(world)
        desk = world.rng.choice(world.desks)
        [act] = world.rng.choices(acts, weights)
        act(world, desk)


def _interrupt(world: World, interrupted: Desk) -> None:
    rng = Random(world.fault_rng.random())
    idle = [desk for desk in world.desks if not desk.busy and desk is not interrupted]
    if idle:
        rng.choice(operations.INTERRUPTIONS)(world, rng.choice(idle))


def end(world: World) -> None:
    """Heal; everybody looks once more, so that older access entries reach a new audit unit."""
    world.step = 9000
    world.heal()
    world.step = 9001
    for desk in world.active_desks:
        world.act(desk, "look last", lambda replica: None if replica.cases() else None)
    world.heal()
