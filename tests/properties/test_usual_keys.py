"""What is found without judging is what judging would have found, whatever happened before.

``protocol/keys.md``, *Entitled units*; ``protocol/membership.md``, *Verdict on a change*. The slow
twin of ``usual_keys`` is the planner and the fold of rights, asked in every change of whole
simulated worlds: with grants, suspensions, rotations, colleagues and crashes.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from casesync.access.stream_facts import END_OF_LOG
from casesync.access.verdicts import COUNTS
from casesync.client.replica import Replica
from casesync.sync import author
from casesync.sync.author import Draft
from casesync.sync.stream_row import StreamRow
from casesync.testing.offices import Offices
from simulation.play import play

WORLDS = range(100, 112)


class Compared:
    """Stands in for ``author._planned``: asks both ways."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.planned = author._planned
        self.found: Counter[bool] = Counter()
        patch.setattr(author, "_planned", self)

    def __call__(self, engine: Any, draft: Draft, row: StreamRow, number: int) -> Any:
        plan, unsealed = self.planned(engine, draft, row, number)
        self.found[plan.usual] += 1
        if plan.usual:
            judged, brought = author._unsealed(engine, draft, row.rights, number)
            assert (unsealed, brought) == (None, None)
            # A key may be held prepared or stored; which one it is says its place.
            assert plan.keys.keys() <= judged.keys.keys()
            for compartment, key in plan.keys.items():
                assert key.statement == judged.keys[compartment].statement
            segments = [(c, key.commitment[:8]) for c, key in plan.keys.items()]
            facts = author._facts(engine, draft, number, 0, segments, None)
            assert facts.log_index > END_OF_LOG
            code = row.rights.judge(facts, engine.control, draft.stream, engine.network, dict)
            assert code == COUNTS
        return plan, unsealed


def test_in_simulated_worlds_the_usual_keys_are_those_that_planning_finds(monkeypatch):
    compared = Compared(monkeypatch)
    for seed in WORLDS:
        play(seed)
    assert min(compared.found[True], compared.found[False]) > 10


def save(replica: Replica, stream: Any, name: str) -> None:
    with replica.edit(stream) as edit:
        edit.set("person.given_name", name)


def test_saves_are_usual_until_something_is_to_be_done_about_keys(monkeypatch):
    """A colleague's suspension retires keys: the next save starts others, and those are usual."""
    offices = Offices("usual keys")
    lan = offices.found()
    hoa = offices.enrol(lan, lan.whoami().unit, "caseworker", "Hoa")
    lan.sync()
    stream = lan.resolve_case(lan.new_case(["gbv"], ()).case)
    save(lan, stream, "Hòa")
    hoa.sync()
    compared = Compared(monkeypatch)
    save(lan, stream, "Hoà")
    save(lan, stream, "Hóa")
    assert compared.found == {True: 1, False: 1}  # the first judged it for all that follow
    lan.sync()
    lan.suspend_device(hoa.whoami().device, "mất máy")
    lan.sync()
    compared.found.clear()
    save(lan, stream, "Hỏa")
    assert compared.found[True] == 0


def test_a_box_that_is_owed_is_made_in_every_case(monkeypatch):
    """That one case was seen to owe an audit unit its box does not settle the next case."""
    offices = Offices("usual keys, audited")
    lan = offices.found()
    first, second = (lan.resolve_case(lan.new_case(["gbv"], ()).case) for _ in range(2))
    for stream in (first, second):
        save(lan, stream, "Hòa")
    lan.add_unit("Kiểm tra", "audit")
    offices.enrol(lan, "Kiểm tra", "auditor", "Kim")
    lan.sync()
    compared = Compared(monkeypatch)
    for stream in (first, second):
        save(lan, stream, "Hoà")
    assert compared.found == {False: 2}
    for stream in (first, second):
        save(lan, stream, "Hóa")
    assert compared.found == {False: 3, True: 1}
