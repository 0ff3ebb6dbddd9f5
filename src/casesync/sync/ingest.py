"""A proven page becomes merged state, in one transaction (sync floor).

DESIGN.md 3: ``Sealed -> Verified -> Authorised -> Opened -> merged``. The page reader has proven
every leaf; here one signature per unbroken run proves the authors, each change is judged, its
readable segments are opened and merged. What simply comes next in its stream takes the fast path
of ``page_stream``; everything out of the ordinary (a hole filled from behind, a change that does
not count) has its stream judged and merged again from the stored changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from casesync.access.verdicts import COUNTS, VERDICTS, verdict_code
from casesync.crypto.signatures import verify_change
from casesync.foundation.errors import CasesyncError, CryptoError, LocalStateError
from casesync.foundation.ids import (
    UNSEALED_KIND,
    FeedId,
    StreamId,
    StreamKind,
)
from casesync.sync.access_reader import take_access_segment
from casesync.sync.change_reader import ReadChange
from casesync.sync.context import Engine
from casesync.sync.page_stream import PageStream, PlainDevices
from casesync.sync.ports import StoredChange, StreamFlag, Transaction
from casesync.sync.run_check import check_runs
from casesync.sync.stream_merge import rejudge
from casesync.sync.stream_row import HistoryEntry, StreamRow
from casesync.sync.waiting_leaves import WaitingLeaves, note_leaf
from casesync.translog.header import Header, parse_header
from casesync.translog.page import ServedLeaf
from casesync.translog.unsealed import decode_unsealed

_NO_STREAM = StreamId(bytes(16))


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
    engine: Engine, tx: Transaction, leaves: Sequence[ServedLeaf], report: IngestReport
) -> None:
    """Judge, open and merge the leaves of one page or back-fill; idempotent.

    Args:
        engine: identity, keys and control log (already up to the page's control checkpoint).
        tx: the page's transaction.
        leaves: proven leaves in log order.
        report: counts are added to it.
    """
    report.leaves += len(leaves)
    checked = check_runs(engine, leaves)
    report.signature_checks += checked.checks
    unproven = _parsed(engine, tx, checked.unproven, report)
    proven, refused = WaitingLeaves(engine, tx).exchange(checked.proven, unproven)
    for leaf in refused:
        _refuse(engine, tx, leaf, "signature-missing", report)
    parsed = _parsed(engine, tx, proven, report)
    ids = list(dict.fromkeys(StreamId(header.stream) for _, header in parsed))
    rows = tx.stream_rows(ids)
    engine.keys.load(tx, ids)
    devices = PlainDevices(engine)
    streams = {s: PageStream(engine, tx, s, StreamRow(rows.get(s)), devices) for s in ids}
    fresh = _place_known(engine, tx, streams, parsed)
    locations = tx.append_changes(
        [
            StoredChange(leaf.previous_link, leaf.header, leaf.signature, leaf.segments)
            for leaf, _ in fresh
        ]
    )
    for (leaf, header), location in zip(fresh, locations, strict=True):
        streams[StreamId(header.stream)].take(leaf, header, location)
    _note_links(parsed, report)
    _finish(engine, tx, streams, report)


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
    note_leaf(engine, tx, _NO_STREAM, leaf, "refused", reason)


def _place_known(
    engine: Engine,
    tx: Transaction,
    streams: dict[StreamId, PageStream],
    parsed: Sequence[tuple[ServedLeaf, Header]],
) -> list[tuple[ServedLeaf, Header]]:
    """Give own changes their index; return the leaves that are not stored yet."""
    fresh: list[tuple[ServedLeaf, Header]] = []
    newest: dict[tuple[StreamId, int], int] = {}
    for item in parsed:
        leaf, header = item
        stream = StreamId(header.stream)
        name = (stream, header.device)
        held = streams[stream]
        known = newest.get(name)
        if known is None:
            known = held.row.newest_number(header.device)
        if header.number > known:
            newest[name] = header.number
            fresh.append(item)
            continue
        newest[name] = known
        entry = held.row.find(header.device, header.number)
        if entry is None:
            if not any(_same(other, header) for _, other in fresh):
                fresh.append(item)
            else:
                _note_copy(engine, tx, stream, leaf)
        elif not entry.sent:
            _place(tx, held, entry, leaf)
        elif entry.log_index < leaf.index:
            _note_copy(engine, tx, stream, leaf)
        elif leaf.index < entry.log_index or (held.row.complete_from and leaf.own is None):
            held.row.rewrite([e for e in held.row.history() if e != entry])
            held.again = True
            fresh.append(item)
    return fresh


def _same(one: Header, other: Header) -> bool:
    return (one.stream, one.device, one.number) == (other.stream, other.device, other.number)


def _note_copy(engine: Engine, tx: Transaction, stream: StreamId, leaf: ServedLeaf) -> None:
    """Of two changes with one number the first in the log counts (DESIGN.md 6)."""
    copied = VERDICTS[verdict_code("copied-device")]
    note_leaf(engine, tx, stream, leaf, copied.state.word, copied.reason)


def _place(tx: Transaction, held: PageStream, entry: HistoryEntry, leaf: ServedLeaf) -> None:
    """An own change was recorded: its index is known now, and judged there again if it matters.

    Raises:
        LocalStateError: ``device-restored``: under this number the log holds another change that
            this device's key signed.
    """
    [stored] = tx.changes_at([entry.location])
    if (stored.previous_link, stored.header) != (leaf.previous_link, leaf.header):
        raise LocalStateError("device-restored")
    entries = [
        e._replace(log_index=leaf.index, log_time_ms=leaf.log_time_ms) if e == entry else e
        for e in held.row.history()
    ]
    held.row.rewrite(entries)
    held.touched = True
    rights = held.row.rights
    if rights.grants or entry.verdict != COUNTS or rights.opening is None:
        held.again = True
    else:
        held.row.put_rights(rights.recorded(entry.device, entry.number, leaf.index))


def _note_links(parsed: Sequence[tuple[ServedLeaf, Header]], report: IngestReport) -> None:
    for leaf, header in parsed:
        if header.segments[0].kind != UNSEALED_KIND or leaf.segments[0] is None:
            continue
        try:
            items = decode_unsealed(leaf.segments[0])
        except CasesyncError:
            continue
        for feed, linked in items.feed_links:
            report.linked.append((StreamId(header.stream), FeedId(feed), leaf.index, linked))


def _finish(
    engine: Engine,
    tx: Transaction,
    streams: dict[StreamId, PageStream],
    report: IngestReport,
) -> None:
    by_kind: dict[int, dict[StreamId, list[object]]] = {}
    stale: list[StreamId] = []
    shared: list[StreamId] = []
    for stream, held in streams.items():
        if not held.touched:
            continue
        held.close()
        report.merged_segments += held.merged_segments
        if held.again:
            report.rejudged_streams += 1
            rejudge(engine, tx, stream, held.row, lambda change: check_author(engine, change))
        else:
            stale.append(stream)
        if held.row.kind is StreamKind.ACCESS:
            take_access_segment(engine, tx, stream, held.row)
        elif held.row.is_shared() and held.row.rights.owner == engine.unit:
            shared.append(stream)
        by_kind.setdefault(int(held.row.kind or 0), {})[stream] = held.row.row
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
