"""What a replica does by itself after a sync (sync floor).

The owning unit's devices box keys to units entitled since and copy what landed behind a grant; a
revoked unit's devices destroy their copy and say so. Everything here is harmless if two devices
do it.
"""

from __future__ import annotations

from casesync.access.base_acts import DestructionReceipt
from casesync.access.stream_facts import END_OF_LOG
from casesync.foundation.errors import AccessDenied
from casesync.foundation.ids import Compartment, FeedId, GrantId, StreamId, StreamKind, UnitId
from casesync.sync.author import Draft, write_change
from casesync.sync.context import Engine
from casesync.sync.grants import ContentCache, supplement_due, write_supplement
from casesync.sync.key_plan import KeyPlanner
from casesync.sync.ports import StreamFlag, Transaction
from casesync.sync.statement_keys import unsealed_of
from casesync.sync.stream_merge import load_changes
from casesync.sync.stream_row import StreamRow


def maintain(engine: Engine, tx: Transaction) -> bool:
    """Do what is due; returns whether changes were written that want to be sent."""
    wrote = False
    for stream in tx.streams_marked(StreamFlag.BOXES_OWED):
        wrote = _serve_grantees(engine, tx, stream) or wrote
        tx.mark_streams([stream], StreamFlag.BOXES_OWED, on=False)
    for stream in tx.streams_marked(StreamFlag.RETAINED):
        wrote = _destroy(engine, tx, stream) or wrote
    return wrote


def _serve_grantees(engine: Engine, tx: Transaction, stream: StreamId) -> bool:
    row = StreamRow(tx.stream_rows([stream]).get(stream))
    if row.rights.owner != engine.unit or row.kind is not StreamKind.CASE:
        return False
    wrote = False
    cache = ContentCache(engine, tx, stream, row)
    due = supplement_due(engine, row, cache)
    due = {c: found for c, found in due.items() if engine.writes(c)}
    if due:
        write_supplement(engine, tx, stream, due)
        row = StreamRow(tx.stream_rows([stream]).get(stream))
        wrote = True
    number = 0
    planner = KeyPlanner(engine, stream, row.rights, number, None)
    unlinked = _unlinked(engine, tx, row)
    if planner.lacking_boxes() or unlinked:
        draft = Draft(stream=stream, box_all=True, feed_links=[(f, True) for f in unlinked])
        try:
            write_change(engine, tx, draft)
        except AccessDenied:
            return wrote
        wrote = True
    return wrote


def _unlinked(engine: Engine, tx: Transaction, row: StreamRow) -> list[FeedId]:
    """Feeds of offices with a grant in force to which the stream is not linked.

    Who revoked an older grant had not seen the newer one.
    """
    linked: dict[bytes, bool] = {}
    for change in load_changes(tx, row.in_log_order()):
        items = unsealed_of(change)
        if items is not None:
            linked.update({bytes(link.feed): link.linked for link in items.feed_links})
    grants = row.rights.grants_in_force(END_OF_LOG * 2, engine.clock.now_ms())
    units = [engine.control.unit(UnitId(grant.unit)) for grant in grants]
    feeds = dict.fromkeys(unit.feed for unit in units if unit is not None)
    return [feed for feed in feeds if not linked.get(bytes(feed), False)]


def _destroy(engine: Engine, tx: Transaction, stream: StreamId) -> bool:
    """Destroy the copy of a stream that is not ours any more, once nothing of it is unsent."""
    if any(row.stream == stream for row in tx.outbox()):
        return False
    row = StreamRow(tx.stream_rows([stream]).get(stream))
    rights = row.rights
    if rights.owner is None:
        _forget_unopened(tx, stream, row)
        return False
    if rights.owner == engine.unit:
        tx.mark_streams([stream], StreamFlag.RETAINED, on=False)
        return False
    ended = [g for g in rights.grants if g.unit == engine.unit and g.revoked is not None]
    in_force = rights.grants_in_force(END_OF_LOG * 2, engine.clock.now_ms())
    if not ended or any(grant.unit == engine.unit for grant in in_force):
        return False
    grant = max(ended, key=lambda g: g.log_index)
    engine.keys.load(tx, [stream])
    base = engine.keys.stream(stream)
    wrote = False
    if any(compartment == Compartment.BASE for compartment, _ in base):
        receipt = DestructionReceipt(grant=GrantId(grant.grant))
        try:
            draft = Draft(stream=stream, acts=[receipt], keep_base=True)
            _, row = write_change(engine, tx, draft)
            wrote = True
        except AccessDenied:
            wrote = False
    tx.drop_segments(_content_positions(tx, row))
    tx.drop_stream_keys(stream)
    engine.keys.forget(stream)
    row.merge_row = []
    row.given_up = True
    tx.put_stream_rows({stream: row.row}, int(row.kind or 0))
    tx.drop_listing(stream)
    tx.put_conflicts(stream, [])
    tx.mark_streams([stream], StreamFlag.RETAINED | StreamFlag.LISTING_STALE, on=False)
    return wrote


def _forget_unopened(tx: Transaction, stream: StreamId, row: StreamRow) -> None:
    """Wait no longer for the opening of a stream that was granted and revoked before it was here.

    The relay serves what lies between link and unlink, and nothing from before ever comes.
    """
    for entry in row.history():
        tx.drop_quarantine(entry.device, entry.number)
    row.given_up = True
    tx.put_stream_rows({stream: row.row}, int(row.kind or 0))
    tx.mark_streams([stream], StreamFlag.RETAINED | StreamFlag.UNSETTLED, on=False)


def _content_positions(tx: Transaction, row: StreamRow) -> dict[int, list[int]]:
    """By location the positions of content segments; statements and base acts are kept."""
    return {
        change.location: [
            position
            for position, segment in enumerate(change.header.segments)
            if Compartment.BASE < segment.kind < Compartment.ACCESS
        ]
        for change in load_changes(tx, list(row.history()))
    }
