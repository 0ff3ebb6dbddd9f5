"""Broken on purpose: a simulation that does not notice these proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from casesync.access.stream_rights import StreamRights
from casesync.model.merge import StreamState
from casesync.storage.work_lists import WorkLists
from simulation.play import play
from simulation.world import SimulationFailure

WORLDS_MAX: Final = 60
"""Worlds in which a canary must be noticed at least once."""


def noticed(what: str) -> None:
    """Play worlds until one finds a problem in which ``what`` is said."""
    for seed in range(WORLDS_MAX):
        try:
            play(seed)
        except SimulationFailure as failure:
            if what in failure.problem:
                return
    pytest.fail("it was not noticed")


def test_a_merge_that_depends_on_the_order_of_arrival_is_noticed(monkeypatch: pytest.MonkeyPatch):
    whole: Callable[..., bool] = StreamState.apply

    def partial(state: StreamState, device: int, *rest: Any, **named: Any) -> bool:
        number, compartment, link8, content, *others = rest
        if sum(len(slot[0]) for slot in state._slots) % 5 == 4:
            content = [*content[:2], content[2] and [], *content[3:]]
        return whole(state, device, number, compartment, link8, content, *others, **named)

    monkeypatch.setattr(StreamState, "apply", partial)
    noticed("\nbut d")


def test_a_change_that_never_leaves_the_device_is_noticed(monkeypatch: pytest.MonkeyPatch):
    put = WorkLists.put_outbox

    def forgetful(work: WorkLists, row: Any) -> None:
        if row.number % 7:
            put(work, row)

    monkeypatch.setattr(WorkLists, "put_outbox", forgetful)
    noticed("in the log")


def test_judging_by_what_came_later_is_noticed(monkeypatch: pytest.MonkeyPatch):
    """Honest work must not be refused for a grant or an office its author had not heard of."""
    holds = StreamRights._statement_holds

    def strict(rights: Any, facts: Any, statement: Any, control: Any, trial: Any, _: Any) -> bool:
        later = facts._replace(control_size=control.size)
        everything = {g.device: 1 << 40 for g in trial.grants}
        grants = trial.grants_seen(lambda: everything)
        return holds(rights, later, statement, control, trial, grants)

    monkeypatch.setattr(StreamRights, "_statement_holds", strict)
    noticed("verdicts differ when judged again")
