"""Lists brought up to date in steps: told after each, and an interruption loses nothing."""

from __future__ import annotations

import pytest

from attack_world import AttackWorld
from casesync.client import listing
from casesync.sync.ports import StreamFlag


@pytest.fixture
def world(monkeypatch) -> AttackWorld:
    monkeypatch.setattr(listing, "STREAMS_PER_TRANSACTION", 2)
    made = AttackWorld()
    for name in ("Hoa", "Huệ", "Hồng", "Hòa", "Hạnh"):
        made.case(given_name=name)
    return made


def stale(world: AttackWorld) -> int:
    with world.lan.core.store.transaction() as tx:
        return len(tx.streams_marked(StreamFlag.LISTING_STALE))


def test_each_step_is_told_with_how_many_there_are(world):
    told = []
    world.lan.core.listing_progress = lambda *step: told.append(step)
    assert world.lan.cases().count == 5
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert world.lan.cases().count == 5
    assert len(told) == 3


def test_an_interruption_keeps_what_is_done_and_the_rest_is_done_later(world):
    def interrupted(*_: int) -> None:
        raise KeyboardInterrupt

    world.lan.core.listing_progress = interrupted
    with pytest.raises(KeyboardInterrupt):
        world.lan.cases()
    assert stale(world) == 3
    world.lan.core.listing_progress = None
    assert world.lan.cases().count == 5
    assert world.lan.find("hoa").count == 2
    assert stale(world) == 0
