"""``state``: steps of a process; concurrent ones settle by one declared order of states."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from casesync.model.resolvers.resolution import (
    CellWrite,
    Effective,
    FieldFacts,
    canonical_bytes,
    differ,
)


def resolve(writes: Sequence[CellWrite], facts: FieldFacts | None) -> Effective:
    """The winning ``to`` of the steps [from, to]; conflict if they differ or one is not legal.

    A state of a newer version goes before all declared ones; a value that is no step behind all,
    and is flagged. Without a declared order (a field of a newer version): the state if there is
    one, else none.
    """
    if not writes:
        return Effective(None, conflict=False)
    targets = [step_of(write.value) for write in writes]
    states = [step[1] for step in targets if step is not None]
    odd = len(states) < len(writes) or differ(states)
    if not states:
        return Effective(None, conflict=True)
    if facts is None or not facts.order:
        return Effective(None if differ(states) else states[0], odd)
    order = facts.order
    steps: Collection[tuple[str | None, str]] = getattr(facts, "steps", ())
    if steps:
        odd = odd or any(step is not None and step not in steps for step in targets)

    def rank(state: str) -> tuple[int, bytes]:
        return (order.index(state), b"") if state in order else (-1, canonical_bytes(state))

    return Effective(min(states, key=rank), odd)


def step_of(value: Any) -> tuple[str | None, str] | None:  # noqa: ANN401
    """The step (from, to) that a value is; None if it is no step."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    before, after = value
    if isinstance(after, str) and (before is None or isinstance(before, str)):
        return before, after
    return None
