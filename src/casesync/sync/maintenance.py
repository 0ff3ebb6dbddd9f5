"""What a replica does by itself after a sync (sync floor).

The owning unit's devices box keys to units entitled since and copy what landed behind a grant; who
made a key while the owner had none boxes it to the owner; a revoked unit's devices destroy their
copy and say so. Everything here is harmless if two devices
do it.
"""

from __future__ import annotations

from functools import cache

from casesync.access.base_acts import DestructionReceipt
from casesync.access.stream_facts import END_OF_LOG
from casesync.access.stream_rights import StreamRights
from casesync.foundation.errors import AccessDenied
from casesync.foundation.ids import Compartment, FeedId, GrantId, StreamId, StreamKind, UnitId
from casesync.sync.author import Draft, write_change
from casesync.sync.context import Engine
from casesync.sync.grants import ContentCache
from casesync.sync.key_plan import KeyPlanner, OwedBoxes
from casesync.sync.ports import StreamFlag, Transaction
from casesync.sync.statement_keys import unsealed_of
from casesync.sync.stream_merge import load_changes
from casesync.sync.stream_past import StreamPast
from casesync.sync.stream_row import StreamRow
from casesync.sync.supplements import supplement_due, write_supplement


def maintain(engine: Engine, tx: Transaction) -> bool:
    """Do what is due; returns whether changes were written that want to be sent."""
    wrote = False
    incomplete = {stream for stream, _, _ in tx.owed()}
    for stream in tx.streams_marked(StreamFlag.BOXES_OWED):
        if stream in incomplete:
            continue  # who is to have a key stands in what is still to be fetched
        wrote = _serve_others(engine, tx, stream) or wrote
        tx.mark_streams([stream], StreamFlag.BOXES_OWED, on=False)
    for stream in tx.streams_marked(StreamFlag.RETAINED):
        wrote = _destroy(engine, tx, stream) or wrote
    return wrote


def _serve_others(engine: Engine, tx: Transaction, stream: StreamId) -> bool:
    row = StreamRow(tx.stream_rows([stream]).get(stream))
    rights = row.rights
    if row.kind is not StreamKind.CASE or row.given_up:
        return False
    own = rights.owner == engine.unit
    if not own and not _may_write(engine, rights):
        return False
    wrote = False
    owed = _owed_boxes(engine, tx, row, stream)
    unlinked = _unlinked(engine, tx, row) if own else []
    if owed or unlinked:
        draft = Draft(stream=stream, owed=owed, feed_links=[(f, True) for f in unlinked])
        try:
            _, row = write_change(engine, tx, draft)
            wrote = True
        except AccessDenied:
            wrote = False
    due = supplement_due(engine, row, ContentCache(engine, tx, stream, row))
    due = {c: found for c, found in due.items() if engine.writes(c)}
    if due:
        write_supplement(engine, tx, stream, due)
        wrote = True
    return wrote


def _may_write(engine: Engine, rights: StreamRights) -> bool:
    """Whether a change of this device counts in a stream of another office."""
    grants = rights.grants_in_force(END_OF_LOG * 2, engine.log_now_ms())
    return any(grant.unit == engine.unit and grant.write for grant in grants)


def _owed_boxes(
    engine: Engine, tx: Transaction, row: StreamRow, stream: StreamId
) -> list[OwedBoxes]:
    engine.keys.load(tx, [stream])

    @cache
    def past() -> StreamPast:
        return StreamPast(load_changes(tx, row.in_log_order()))

    return KeyPlanner(engine, stream, row.rights, 0, None).owed_boxes(past)


def _unlinked(engine: Engine, tx: Transaction, row: StreamRow) -> list[FeedId]:
    """Feeds of offices with a grant in force to which the stream is not linked.

    Who revoked an older grant had not seen the newer one.
    """
    linked: dict[bytes, bool] = {}
    for change in load_changes(tx, row.in_log_order()):
        items = unsealed_of(change)
        if items is not None:
            linked.update({bytes(link.feed): link.linked for link in items.feed_links})
    grants = row.rights.grants_in_force(END_OF_LOG * 2, engine.log_now_ms())
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
    in_force = rights.grants_in_force(END_OF_LOG * 2, engine.log_now_ms())
    if not ended or any(grant.unit == engine.unit for grant in in_force):
        return False
    grant = max(ended, key=lambda g: g.log_index)
    engine.keys.load(tx, [stream])
    base = engine.keys.stream(stream)
    wrote = False
    if any(compartment == Compartment.BASE for compartment, _ in base):
        receipt = DestructionReceipt(grant=GrantId(grant.grant))
        try:
            owed = _owed_boxes(engine, tx, row, stream)
            draft = Draft(stream=stream, acts=[receipt], keep_base=True, owed=owed)
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
