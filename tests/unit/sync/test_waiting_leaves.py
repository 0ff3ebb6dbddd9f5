"""Leaves that stand aside (``protocol/decisions/0008-unproven-leaves-wait.md``)."""

from __future__ import annotations

from attack_world import AttackWorld
from casesync.sync.stream_merge import load_changes
from casesync.sync.stream_row import StreamRow
from casesync.sync.waiting_leaves import WaitingLeaves, waiting_changes
from casesync.translog.served_leaf import ServedLeaf


def test_keeping_copies_forgets_nothing_that_judging_a_stream_again_set_aside():
    """A page keeps one list for its copies, and its streams are judged in between."""
    world = AttackWorld()
    streams = [world.case(given_name="Hòa"), world.case(given_name="Lý")]
    world.sync()
    engine = world.lan.core.engine
    with world.lan.core.store.transaction() as tx:
        rows = [StreamRow(row) for row in tx.stream_rows(streams).values()]
        first, second = load_changes(tx, [row.in_log_order()[0] for row in rows])
        of_page = WaitingLeaves(engine, tx)
        WaitingLeaves(engine, tx).set_aside(streams[0], first)
        previous, header, signature, segments = second.stored
        leaf = ServedLeaf(
            second.log_index,
            second.log_time_ms,
            previous,
            header,
            signature,
            segments,
            None,
            second.header.device,
            second.link,
            True,
        )
        assert of_page.keep_copies([(leaf, second.header)]) == []
        aside = [change.log_index for _, change in waiting_changes(tx)]
    assert aside == [first.log_index, second.log_index]
