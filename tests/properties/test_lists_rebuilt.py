"""Lists, search and open conflicts of a replica are what a rebuild from scratch gives (decision 4).

Whatever was done, delivered and looked at in between, in whatever order: nothing is left over, and
nothing is missing. The rebuild projects every record, cell by cell.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.client import case_batch, listing
from casesync.client.core import Core
from casesync.foundation.ids import StreamKind
from casesync.model.listed import ListedRecords
from casesync.sync.ports import ConflictRow, StreamFlag
from properties.test_replica_convergence import started, turns
from simulation import operations
from simulation.faults import CALM
from simulation.world import World


def kept(core: Core) -> dict[str, Any]:
    """Everything that lists and search are answered from."""
    listing.refresh_listings(core)
    ask = core.store._store._connection.execute  # type: ignore[attr-defined] # the simulated one
    words = ask("SELECT rowid, folded, exact, fields FROM case_index ORDER BY rowid").fetchall()
    return {
        "rows": ask(
            "SELECT serial, record, code, sort_ms, fields FROM listing ORDER BY serial"
        ).fetchall(),
        "index": [(serial, *(sorted(text.split()) for text in texts)) for serial, *texts in words],
        "conflicts": sorted(map(repr, ask("SELECT * FROM conflict").fetchall())),
    }


def rebuilt(core: Core) -> dict[str, Any]:
    """The same, made anew."""
    with core.store.transaction() as tx:
        streams = tx.stream_ids(StreamKind.CASE)
        for stream in streams:
            tx.drop_listing(stream)
            tx.put_conflicts(stream, [])
        tx.mark_streams(streams, StreamFlag.LISTING_STALE, on=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ListedRecords, "_gathered", lambda *_: None)
        return kept(core)


def worked(turns: list[tuple[int, Any, int]], looks: list[bool]) -> World:
    """A world in which some acts are followed by a look at the list."""
    world = started(3, CALM)
    world.cases_wanted = 4
    operations.new_case(world, world.desks[1])
    operations.new_case(world, world.desks[1])
    for (place, act, seed), look in zip(turns, looks, strict=False):
        world.rng = Random(seed)
        desk = world.desks[place % len(world.desks)]
        act(world, desk)
        if look:
            listing.refresh_listings(desk.replica.core)
    world.heal()
    return world


@settings(max_examples=15)
@given(turns, st.lists(st.booleans(), min_size=30, max_size=30), st.booleans())
def test_lists_are_what_a_rebuild_from_scratch_gives(taken, looks, is_compiled):
    with pytest.MonkeyPatch.context() as patch:
        if not is_compiled:
            patch.setattr(case_batch, "stored_kernel", None)
        patch.setattr(listing, "CASES_AHEAD", 1)  # every case but the first is read in a thread
        patch.setattr(listing, "STREAMS_PER_TRANSACTION", 3)
        world = worked(taken, looks)
        for desk in world.desks:
            core = desk.replica.core
            assert kept(core) == rebuilt(core)


def test_the_world_has_lists_and_conflicts():
    """Else the property above would hold without saying anything about it."""
    edits = [(place % 2, operations.edit, place) for place in range(40)]
    found = kept(worked(edits, [False] * 40).desks[0].replica.core)
    assert len(found["rows"]) == len(found["index"]) == 3
    assert found["conflicts"]


def test_a_conflict_that_is_none_any_more_leaves_the_list():
    core = worked([], []).desks[0].replica.core
    before = kept(core)
    with core.store.transaction() as tx:
        streams = tx.stream_ids(StreamKind.CASE)
        for stream in streams:
            row = ConflictRow("00000000", stream, b"r" * 16, "person", "religion", None, 0, 1)
            tx.put_conflicts(stream, [row])
        tx.mark_streams(streams, StreamFlag.LISTING_STALE, on=True)
    assert kept(core) == before
