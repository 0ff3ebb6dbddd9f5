"""A proven page becomes merged state, in one transaction (sync floor).

DESIGN.md 3: ``Sealed -> Verified -> Authorised -> Opened -> merged``. The page reader has proven
every leaf; here one signature per unbroken run proves the authors, each change is judged, its
readable segments are opened and merged. What simply comes next in its stream takes the fast path
of ``page_stream``; everything out of the ordinary (a hole filled from behind, a change that does
not count) has its stream judged and merged again from the stored changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from casesync.crypto.signatures import verify_change
from casesync.foundation.errors import CasesyncError, CryptoError
from casesync.foundation.ids import FeedId, StreamId, StreamKind
from casesync.sync.access_reader import take_access_segment
from casesync.sync.change_reader import ReadChange
from casesync.sync.context import Engine
from casesync.sync.number_order import taken_numbers
from casesync.sync.page_stream import PageStream
from casesync.sync.plain_batch import Batch, PlainBatch, in_two
from casesync.sync.plain_path import PlainPath
from casesync.sync.ports import StoredChange, StreamFlag, Transaction
from casesync.sync.run_check import CheckedRuns, check_runs
from casesync.sync.stream_merge import rejudge, state_of
from casesync.sync.stream_row import StreamRow
from casesync.sync.waiting_leaves import WaitingLeaves, note_leaf
from casesync.translog.header import STREAM_PART, Header, parse_header
from casesync.translog.served_leaf import ServedLeaf

STREAMS_PER_BATCH: Final = 128
"""What belongs to so few streams stays in the processor's cache from reading to writing it."""
_NO_STREAM: Final = StreamId(bytes(16))


@dataclass(slots=True)
class IngestReport:
    """What was ingested; counts only."""

    leaves: int = 0
    merged_segments: int = 0
    signature_checks: int = 0
    refused_leaves: int = 0
    """Leaves that are not kept: no member made them, or their header is malformed."""
    rejudged_streams: int = 0
    linked: list[tuple[StreamId, FeedId, int, bool]] = field(default_factory=list)
    """Feed links and unlinks met: (stream, feed, index, linked)."""


def ingest(
    engine: Engine,
    tx: Transaction,
    leaves: Sequence[ServedLeaf],
    report: IngestReport,
    *,
    backfill: bool = False,
) -> None:
    """Judge, open and merge the leaves of one page or back-fill; idempotent.

    Args:
        engine: identity, keys and control log (already up to the page's control checkpoint).
        tx: the page's transaction.
        leaves: proven leaves in log order.
        report: counts are added to it.
        backfill: the leaves lie before the cursor.

    Raises:
        LocalStateError: ``device-restored``.
    """
    report.leaves += len(leaves)
    checked = check_runs(engine, leaves)
    report.signature_checks += checked.checks
    waiting = WaitingLeaves(engine, tx)
    if not backfill:
        checked = _without_copies(engine, tx, leaves, checked, waiting, report)
    unproven = _parsed(engine, tx, checked.unproven, report)
    proven, refused = waiting.exchange(checked.proven, unproven)
    for leaf in refused:
        _refuse(engine, tx, leaf, "signature-missing", report)
    by_stream: defaultdict[StreamId, list[ServedLeaf]] = defaultdict(list)
    for leaf in proven:
        by_stream[StreamId(leaf.header[STREAM_PART])].append(leaf)
    plain = PlainPath(engine)
    streams = list(by_stream.items())
    for at in range(0, len(streams), STREAMS_PER_BATCH):
        for part in in_two(streams[at : at + STREAMS_PER_BATCH]):
            copies = _merge_batch(engine, tx, plain, part, report)
            _keep_copies(engine, tx, waiting, copies, report)


def _without_copies(
    engine: Engine,
    tx: Transaction,
    leaves: Sequence[ServedLeaf],
    checked: CheckedRuns,
    waiting: WaitingLeaves,
    report: IngestReport,
) -> CheckedRuns:
    """Set aside changes whose number one before them in the log has, whatever the stream."""
    taken = set(taken_numbers(engine, tx, leaves, checked.runs))
    if not taken:
        return checked
    copies = {leaves[at].index: leaves[at] for at in taken}
    _keep_copies(engine, tx, waiting, list(copies.values()), report)
    return checked._replace(proven=[leaf for leaf in checked.proven if leaf.index not in copies])


def _keep_copies(
    engine: Engine,
    tx: Transaction,
    waiting: WaitingLeaves,
    copies: Sequence[ServedLeaf],
    report: IngestReport,
) -> None:
    for leaf in waiting.keep_copies(_parsed(engine, tx, copies, report)):
        _refuse(engine, tx, leaf, "copied-device", report)


def _merge_batch(
    engine: Engine,
    tx: Transaction,
    path: PlainPath,
    batch: Batch,
    report: IngestReport,
) -> list[ServedLeaf]:
    """Take in what a page brought of some streams, from reading their rows to writing them.

    Returns: changes whose number another one of their stream has.
    """
    ids = [stream for stream, _ in batch]
    plain = PlainBatch(path, batch, tx.packed_rows(ids), int(engine.device))
    streams: list[PageStream] = []
    fresh: list[StoredChange] = []
    others = plain.others()
    rows = _loaded(engine, tx, [stream for stream, _ in others])
    for stream, leaves in others:
        held = PageStream(engine, tx, stream, StreamRow(rows.get(stream)), path)
        for leaf in held.place(leaves):
            _refuse(engine, tx, leaf, "change-malformed", report)
        fresh += held.changes()
        report.linked += held.links
        streams.append(held)
    locations = tx.append_packed(plain.changes) + tx.append_changes(fresh)
    plain.take(locations, tx.packed_keys(ids))
    merged = len(plain.changes)
    for held in streams:
        merged += held.merge(locations, merged)
    rows = _loaded(engine, tx, [left.stream for left in plain.left])
    for left in plain.left:
        held = PageStream(engine, tx, left.stream, StreamRow(rows[left.stream]), path)
        held.go_on(left.leaves, left.last_index)
        held.merge(locations, left.first)
        streams.append(held)
    report.merged_segments += plain.merged
    _finish(engine, tx, streams, plain, report)
    return [leaf for held in streams for leaf in held.copies]


def _loaded(engine: Engine, tx: Transaction, streams: list[StreamId]) -> dict[StreamId, list[Any]]:
    """The rows of streams, and their keys in the ring."""
    engine.keys.load(tx, streams)
    return tx.stream_rows(streams)


def _parsed(
    engine: Engine, tx: Transaction, leaves: Sequence[ServedLeaf], report: IngestReport
) -> list[tuple[ServedLeaf, Header]]:
    parsed: list[tuple[ServedLeaf, Header]] = []
    for leaf in leaves:
        try:
            parsed.append((leaf, parse_header(leaf.header)))
        except CasesyncError:
            _refuse(engine, tx, leaf, "change-malformed", report)
    return parsed


def _refuse(
    engine: Engine, tx: Transaction, leaf: ServedLeaf, reason: str, report: IngestReport
) -> None:
    """Show a leaf that is not kept: its header cannot be read, or there is no room for it."""
    report.refused_leaves += 1
    note_leaf(engine, tx, _NO_STREAM, (leaf.device, leaf.index), "refused", reason)


def _finish(
    engine: Engine,
    tx: Transaction,
    streams: Sequence[PageStream],
    plain: PlainBatch,
    report: IngestReport,
) -> None:
    """Write the rows; ``plain`` took in cases as a whole."""
    tx.put_packed_rows(plain.whole, int(StreamKind.CASE))
    stale = list(plain.whole)
    shared = plain.shared
    by_kind: dict[int, dict[StreamId, list[Any]]] = {}
    for held in streams:
        if not held.touched:
            continue
        stream = held.stream
        report.merged_segments += held.merged_segments
        if held.again:
            report.rejudged_streams += 1
            rejudge(engine, tx, stream, held.row, check_author=None)
        else:
            stale.append(stream)
            state_of(held.row)  # a row for the content to come, if none came yet
        kind = held.row.kind_number
        if kind == StreamKind.ACCESS:
            take_access_segment(engine, tx, stream, held.row)
        elif held.row.is_shared():
            shared.append(stream)
        by_kind.setdefault(kind, {})[stream] = held.row.row
    for kind, rows in by_kind.items():
        tx.put_stream_rows(rows, kind)
    tx.mark_streams(stale, StreamFlag.LISTING_STALE, on=True)
    tx.mark_streams(shared, StreamFlag.BOXES_OWED, on=True)


def check_author(engine: Engine, change: ReadChange) -> None:
    """Verify one change's own signature. Raises: CryptoError."""
    key = engine.control.change_key(change.header.device)
    if key is None:
        raise CryptoError("does-not-verify")
    verify_change(key, engine.network, change.link, change.stored.signature)
