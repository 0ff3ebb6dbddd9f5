"""Back-fills: the earlier leaves of streams that were linked to our feeds (sync floor).

``protocol/sync.md``. What is owed is stored in the page's own transaction; a running back-fill
survives a crash and goes on where it was.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from casesync.codec import canonical
from casesync.foundation.ids import FEED_ALL, StreamId
from casesync.merkle.compact_range import CompactRange
from casesync.sync.context import Engine
from casesync.sync.held_log import BACKFILL
from casesync.sync.ingest import ingest
from casesync.sync.ingest_report import IngestReport
from casesync.sync.ports import StreamFlag, Transaction
from casesync.sync.stream_row import StreamRow
from casesync.translog.page import OwnChange, read_page
from casesync.wire.messages import SyncAnswer

BACKFILL_STREAMS_MAX = 1000
"""Streams of one back-fill; more follow in the next."""


class RunningBackfill(NamedTuple):
    """A back-fill of ``streams``; ``held`` is the compact range of what was served so far."""

    held: CompactRange
    streams: tuple[StreamId, ...]


def owe_linked(
    engine: Engine, tx: Transaction, report: IngestReport, target: tuple[int, bytes, int]
) -> None:
    """Owe the earlier leaves of streams that were linked to one of our feeds."""
    feeds = set(engine.me.feeds)
    chosen_at = target[2]
    for stream, feed, index, linked in report.linked:
        if feed not in feeds or feed == FEED_ALL:
            continue
        row = StreamRow(tx.stream_rows([stream]).get(stream))
        tx.mark_streams([stream], StreamFlag.RETAINED, on=not linked)
        if not linked:
            row.complete_from = index + 1
            tx.put_stream_rows({stream: row.row}, int(row.kind or 0))
            continue
        if row.given_up:
            row.given_up = False
            tx.put_stream_rows({stream: row.row}, int(row.kind or 0))
        whole = row.rights.opening is not None and row.complete_from == 0
        if chosen_at and index >= chosen_at and not whole:
            tx.put_owed(stream, 0, chosen_at)
    report.linked.clear()


def running_backfill(tx: Transaction) -> RunningBackfill | None:
    """The back-fill to go on with, or the next one that is owed; None if nothing is."""
    stored = tx.value(BACKFILL)
    if stored is not None:
        _, range_bytes, streams = canonical.unpack(stored)
        return RunningBackfill(CompactRange.from_bytes(range_bytes), tuple(map(StreamId, streams)))
    owed = tx.owed()
    if not owed:
        return None
    streams = tuple(stream for stream, _, _ in owed[:BACKFILL_STREAMS_MAX])
    return RunningBackfill(CompactRange(), streams)


def take_backfill(
    engine: Engine,
    tx: Transaction,
    running: RunningBackfill,
    end: CompactRange,
    answer: SyncAnswer,
    report: IngestReport,
) -> bool:
    """Ingest the answered back-fill; returns whether it goes on.

    Args:
        engine: identity, keys and control log.
        tx: the page's transaction.
        running: what was asked for.
        end: compact range of the change log at the cursor of the request.
        answer: the relay's answer.
        report: counts are added to it.

    Raises:
        RelayMisbehaviour: ``page-contradicts-log``.
    """
    if len(answer.backfills) != 1:
        return True
    held, streams = running.held, running.streams
    page = answer.backfills[0].page
    leaves, reached = read_page(page, held, end.size, end.root(), _no_own)
    ingest(engine, tx, leaves, report, backfill=True)
    report.linked.clear()
    if reached.size < end.size:
        value: list[Any] = [reached.size, reached.to_bytes(), list(streams)]
        tx.put_value(BACKFILL, canonical.pack(value))
        return True
    tx.put_value(BACKFILL, None)
    for stream in streams:
        tx.drop_owed(stream)
        row = StreamRow(tx.stream_rows([stream]).get(stream))
        if row.complete_from:
            row.complete_from = 0
            tx.put_stream_rows({stream: row.row}, int(row.kind or 0))
    return False


def _no_own(_number: int) -> OwnChange | None:
    """Back-fills serve the asker's own changes whole (``protocol/sync.md``)."""
    return None
