"""Lists brought up to date in steps: told after each, and an interruption loses nothing."""

from __future__ import annotations

import pytest

from attack_world import AttackWorld
from casesync.client import listing
from casesync.foundation.ids import StreamKind
from casesync.sync.ports import StreamFlag
from casesync.sync.stored_segment import stored_kernel


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


@pytest.mark.skipif(stored_kernel is None, reason="not compiled here")
def test_keys_of_cases_that_are_listed_are_not_kept_ready(world):
    """A long refresh reads tens of thousands of them, 3 kB each, and asks for each once."""
    core = world.lan.core
    assert world.lan.cases().count == 5
    core.engine.keys.forget()
    with core.store.transaction() as tx:
        streams = tx.stream_ids(int(StreamKind.CASE))
        tx.mark_streams(streams, StreamFlag.LISTING_STALE, on=True)
    assert listing.refresh_listings(core) == len(streams) == 5
    assert [core.engine.keys.prepared(stream) for stream in streams] == [{}] * 5
    assert world.lan.find("hoa").count == 2


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
