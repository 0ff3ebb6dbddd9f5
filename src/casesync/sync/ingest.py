"""A verified page becomes merged state, in one transaction (sync floor).

DESIGN.md 3: ``Sealed -> Verified -> Authorised -> Opened -> merged``. The page reader has proven
every leaf; here one signature per unbroken run proves the authors, each change is judged, its
readable segments are opened and merged. What simply comes next in its stream takes the fast path;
base and unsealed segments are folded; everything out of the ordinary (a hole filled from behind,
a change that does not count) has its stream judged and merged again from the stored changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from casesync.access.verdicts import COUNTS, verdict_code
from casesync.crypto.sealing import open_segment
from casesync.crypto.signatures import verify_change
from casesync.foundation.errors import CasesyncError, CryptoError
from casesync.foundation.ids import (
    UNSEALED_KIND,
    Compartment,
    FeedId,
    StreamId,
    StreamKind,
)
from casesync.model.merge import StreamState
from casesync.model.segment_body import decode_content
from casesync.sync.access_reader import take_access_segment
from casesync.sync.change_reader import ReadChange, facts_of, fields_allowed, should_open
from casesync.sync.context import Engine
from casesync.sync.ports import StoredChange, StreamFlag, Transaction
from casesync.sync.stream_merge import SeenVectors, load_changes, rejudge, state_of
from casesync.sync.stream_row import HistoryEntry, StreamRow
from casesync.translog.header import Header, head_bytes, parse_header
from casesync.translog.page import ServedLeaf
from casesync.translog.unsealed import decode_unsealed


@dataclass(slots=True)
class IngestReport:
    """What one page did; counts only."""

    leaves: int = 0
    merged_segments: int = 0
    signature_checks: int = 0
    not_signed: int = 0
    rejudged_streams: int = 0
    linked: list[tuple[StreamId, FeedId, int, bool]] = field(default_factory=list)
    """Feed links and unlinks met: (stream, feed, index, linked)."""


class _OpenStream:
    """A stream while its page is being merged."""

    __slots__ = ("again", "row", "state", "touched")

    def __init__(self, row: StreamRow) -> None:
        self.row = row
        self.state: StreamState = state_of(row)
        self.again = any(not entry.counts for entry in row.history())
        """Judge and merge this stream from its stored changes at the end of the page."""
        self.touched = False


def verify_runs(
    engine: Engine, leaves: Sequence[ServedLeaf], report: IngestReport
) -> list[ServedLeaf]:
    """The leaves whose authors are proven, and those whose author is not known here yet.

    One signature per unbroken run of a device, the last; if it fails, each in turn, and only the
    proven prefix stands (``protocol/change.md``). The device's own leaves are its own.
    """
    runs: dict[int, list[list[int]]] = {}
    for position, leaf in enumerate(leaves):
        if leaf.own is not None:
            continue
        of_device = runs.setdefault(leaf.device, [])
        if leaf.run_starts or not of_device:
            of_device.append([])
        of_device[-1].append(position)
    dropped: set[int] = set()
    for device, of_device in runs.items():
        key = engine.control.change_key(device)
        if key is None:
            continue
        for run in of_device:
            proven = _proven_prefix(engine, key, [leaves[at] for at in run], report)
            dropped.update(run[proven:])
    report.not_signed += len(dropped)
    return [leaf for at, leaf in enumerate(leaves) if at not in dropped]


def _proven_prefix(
    engine: Engine, key: bytes, run: Sequence[ServedLeaf], report: IngestReport
) -> int:
    report.signature_checks += 1
    try:
        verify_change(key, engine.network, run[-1].link, run[-1].signature)
    except CryptoError:
        pass
    else:
        return len(run)
    proven = 0
    for leaf in run[:-1]:
        report.signature_checks += 1
        try:
            verify_change(key, engine.network, leaf.link, leaf.signature)
        except CryptoError:
            break
        proven += 1
    return proven


def ingest(
    engine: Engine, tx: Transaction, leaves: Sequence[ServedLeaf], report: IngestReport
) -> None:
    """Judge, open and merge the leaves of one page or back-fill; idempotent.

    Args:
        engine: identity, keys and control log (already up to the page's control checkpoint).
        tx: the page's transaction.
        leaves: proven leaves in log order.
        report: counts are added to it.

    Raises:
        RemoteProtocolError: a header is malformed, which the relay should not have taken.
    """
    proven = verify_runs(engine, leaves, report)
    report.leaves += len(leaves)
    headers = [parse_header(leaf.header) for leaf in proven]
    ids = list(dict.fromkeys(StreamId(header.stream) for header in headers))
    rows = tx.stream_rows(ids)
    engine.keys.load(tx, ids)
    streams = {stream: _OpenStream(StreamRow(rows.get(stream))) for stream in ids}
    fresh = _record_own(streams, proven, headers)
    locations = tx.append_changes(
        [
            StoredChange(leaf.previous_link, leaf.header, leaf.signature, leaf.segments)
            for leaf, _ in fresh
        ]
    )
    for (leaf, header), location in zip(fresh, locations, strict=True):
        stream = StreamId(header.stream)
        _take(engine, tx, stream, streams[stream], leaf, header, location, report)
    _note_links(proven, headers, report)
    _finish(engine, tx, streams, report)


def _record_own(
    streams: dict[StreamId, _OpenStream],
    leaves: Sequence[ServedLeaf],
    headers: Sequence[Header],
) -> list[tuple[ServedLeaf, Header]]:
    """Give own changes their index; return the leaves that are not stored yet."""
    fresh: list[tuple[ServedLeaf, Header]] = []
    known: dict[StreamId, set[tuple[int, int]]] = {}
    for leaf, header in zip(leaves, headers, strict=True):
        stream = StreamId(header.stream)
        held = streams[stream]
        names = known.get(stream)
        if names is None:
            names = known[stream] = {(e.device, e.number) for e in held.row.history()}
        if (header.device, header.number) not in names:
            names.add((header.device, header.number))
            fresh.append((leaf, header))
            continue
        entry = held.row.find(header.device, header.number)
        if entry is not None and not entry.sent:
            _place(held, entry, leaf)
        elif entry is not None and held.row.complete_from and leaf.own is None:
            held.row.rewrite([e for e in held.row.history() if e != entry])
            held.again = True
            fresh.append((leaf, header))
    return fresh


def _place(held: _OpenStream, entry: HistoryEntry, leaf: ServedLeaf) -> None:
    """An own change was recorded: its index is known now, and judged there again if it matters."""
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


def _take(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    held: _OpenStream,
    leaf: ServedLeaf,
    header: Header,
    location: int,
    report: IngestReport,
) -> None:
    row = held.row
    held.touched = True
    in_order = leaf.index > row.last_index()
    entry = HistoryEntry(
        leaf.index, header.device, header.number, location, COUNTS, leaf.log_time_ms
    )
    head = head_bytes(leaf.header, header)
    change = ReadChange(
        header,
        head,
        leaf.link,
        StoredChange(leaf.previous_link, leaf.header, leaf.signature, leaf.segments),
        location,
        leaf.index,
        leaf.log_time_ms,
    )
    if held.again or not in_order:
        held.again = True
        row.append(entry)
        return
    code = _judge(engine, tx, stream, row, change)
    row.append(entry._replace(verdict=COUNTS if code is None else code))
    if code != COUNTS:
        held.again = True
        return
    row.note_applied(header.device, header.number, leaf.link[:8])
    if not _merge(engine, stream, held, change, report):
        held.again = True


def _judge(
    engine: Engine, tx: Transaction, stream: StreamId, row: StreamRow, change: ReadChange
) -> int | None:
    """The verdict, or None where only judging the whole stream again can tell."""
    rights = row.rights
    try:
        facts = facts_of(engine, tx, stream, change)
    except CasesyncError:
        return verdict_code("change-malformed")
    plain = facts.unsealed is None and facts.base is None and not facts.base_sealed
    if facts.unsealed is not None and (facts.unsealed.boxes or facts.base_sealed):
        return None  # keys may open that earlier changes wait for

    def seen() -> dict[int, int]:
        vectors = SeenVectors()
        for earlier in load_changes(tx, row.in_log_order()):
            vectors.note(earlier)
        vectors.note(change)
        return dict(vectors.of(change))

    code = rights.judge(facts, engine.control, stream, engine.network, seen)
    if not plain and code == COUNTS:
        rights.fold(facts, code, engine.control)
        row.put_rights(rights)
    return code


def _merge(
    engine: Engine, stream: StreamId, held: _OpenStream, change: ReadChange, report: IngestReport
) -> bool:
    """Open and apply what this device can read; False sends the stream to the slow path."""
    header, stored = change.header, change.stored
    head_hash = sha256(change.head).digest()
    for position, segment in enumerate(header.segments):
        kind = segment.kind
        if kind <= Compartment.BASE or kind >= Compartment.ACCESS:
            continue
        key = engine.keys.get(stream, kind, segment.key_name)
        sealed = stored.segments[position]
        if key is None or sealed is None:
            if should_open(engine, held.row.rights, kind, segment.key_name):
                return False
            continue
        try:
            body = decode_content(
                open_segment(
                    key.cipher,
                    stored.previous_link,
                    change.head,
                    head_hash,
                    position,
                    key.commitment,
                    sealed,
                )
            )
        except CasesyncError:
            return False
        if body[2] is None or not fields_allowed(engine, kind, body):
            return False
        held.state.apply(
            header.device,
            header.number,
            kind,
            change.link[:8],
            body,
            change.location,
        )
        report.merged_segments += 1
    return True


def _note_links(
    leaves: Iterable[ServedLeaf], headers: Iterable[Header], report: IngestReport
) -> None:
    for leaf, header in zip(leaves, headers, strict=True):
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
    streams: dict[StreamId, _OpenStream],
    report: IngestReport,
) -> None:
    by_kind: dict[int, dict[StreamId, list[object]]] = {}
    stale: list[StreamId] = []
    for stream, held in streams.items():
        if not held.touched:
            continue
        if held.again:
            report.rejudged_streams += 1
            rejudge(engine, tx, stream, held.row, lambda change: check_author(engine, change))
        else:
            held.row.merge_row = held.state.to_row()
            stale.append(stream)
        if held.row.kind is StreamKind.ACCESS:
            take_access_segment(engine, tx, stream, held.row)
        by_kind.setdefault(int(held.row.kind or 0), {})[stream] = held.row.row
    for kind, rows in by_kind.items():
        tx.put_stream_rows(rows, kind)
    tx.mark_streams(stale, StreamFlag.LISTING_STALE, on=True)


def check_author(engine: Engine, change: ReadChange) -> None:
    """Verify one change's own signature. Raises: CryptoError."""
    key = engine.control.change_key(change.header.device)
    if key is None:
        raise CryptoError("does-not-verify")
    verify_change(key, engine.network, change.link, change.stored.signature)
