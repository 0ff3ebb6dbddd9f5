"""One sync: requests from what is held, answers into what is held (sync floor).

``protocol/sync.md``. ``prepare`` makes a request; ``read_answer`` checks an answer against
everything this replica knows without keeping anything; ``commit`` takes it in, in one transaction.
Between the two the driver fetches the blobs that new control entries name. Every contradiction
raises before anything is stored, so that the cursor stays where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from casesync.codec import canonical
from casesync.foundation.errors import LocalStateError, RelayMisbehaviour
from casesync.foundation.ids import FEED_ALL, ChangeNumber, StreamId
from casesync.foundation.limits import PAGE_BYTES_DEFAULT, PUSH_BYTES_PER_REQUEST_MAX
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import leaf_hash
from casesync.sync.author import PUSHED_CHECKPOINT, own_chain
from casesync.sync.context import Engine
from casesync.sync.ingest import IngestReport, ingest
from casesync.sync.ports import OutboxRow, StoredChange, StreamFlag, Transaction
from casesync.sync.stream_row import StreamRow
from casesync.translog.chain import link as chain_link
from casesync.translog.checkpoint import Checkpoint, LogName
from casesync.translog.page import OwnChange, ServedLeaf, read_page
from casesync.wire.messages import Owed, SyncAnswer, SyncRequest

CONTROL_RANGE = "control-range"
CONTROL_VOIDS = "control-voids"
"""Stored value: ``ControlState.voids_bytes`` of the entries held."""
CHANGE_RANGE = "change-range"
TARGET = "target"
"""Stored value: canonical [size, root, cursor at which it was chosen]."""
BACKFILL = "backfill"
"""Stored value: canonical [position, compact range at it, streams] of the running back-fill."""
CONTROL_CHECKPOINT = "control-checkpoint"
CHANGE_CHECKPOINT = "change-checkpoint"
"""Stored values: the newest verified checkpoints, 102 bytes each."""
CHECKED_CHECKPOINT = "checked-checkpoint"
"""Stored value: canonical [size, root] at the cursor, for control entries and the next change."""


@dataclass(slots=True)
class SyncReport:
    """What a sync did; counts only."""

    round_trips: int = 0
    pages: int = 0
    pushed: int = 0
    control_entries: int = 0
    transactions: int = 0
    refused: tuple[int, str] | None = None
    """The first own change the relay refused for good, with its code."""
    ingest: IngestReport = field(default_factory=IngestReport)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request and what of this replica it rests on."""

    request: SyncRequest
    pushed: tuple[OutboxRow, ...]
    control_range: CompactRange
    change_range: CompactRange
    target: tuple[int, bytes, int] | None
    backfill: tuple[int, CompactRange, tuple[StreamId, ...]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAnswer:
    """An answer that is consistent with this replica; nothing of it is stored yet."""

    prepared: Prepared
    answer: SyncAnswer
    control_entries: tuple[tuple[int, int, bytes], ...]
    """(index, log time, entry) of new control entries."""
    control_range: CompactRange
    target: tuple[int, bytes, int]


def prepare(
    engine: Engine, tx: Transaction, answer_bytes_max: int = PAGE_BYTES_DEFAULT
) -> Prepared:
    """The next request."""
    control_range = load_range(tx, CONTROL_RANGE)
    change_range = load_range(tx, CHANGE_RANGE)
    target = _load_target(tx)
    outbox = tx.outbox()
    unsent = [row for row in outbox if row.receipt is None]
    pushed: list[OutboxRow] = []
    size = 0
    for row in unsent:
        if pushed and size + row.size_bytes > PUSH_BYTES_PER_REQUEST_MAX:
            break
        pushed.append(row)
        size += row.size_bytes
    changes = tx.changes_at([row.location for row in pushed])
    if changes:
        newest = (int(pushed[0].number) - 1, changes[0].previous_link)
    else:
        newest = own_chain(tx, engine)
    backfill = _running_backfill(tx)
    owed = () if backfill is None else (Owed(backfill[0], tuple(backfill[2])),)
    return Prepared(
        request=SyncRequest(
            control_size=control_range.size,
            cursor=change_range.size,
            target=0 if target is None else target[0],
            outbox=tuple(frame_for_push(change) for change in changes),
            newest=newest,
            owed=owed,
            answer_bytes_max=answer_bytes_max,
        ),
        pushed=tuple(pushed),
        control_range=control_range,
        change_range=change_range,
        target=target,
        backfill=backfill,
    )


def frame_for_push(change: StoredChange) -> bytes:
    """``header | signature | segments``, as a request carries an own change."""
    return b"".join((change.header, change.signature, *(s for s in change.segments if s)))


def read_answer(
    relay_key: bytes, engine: Engine, prepared: Prepared, answer: SyncAnswer
) -> ReadAnswer:
    """Check checkpoints and the control page of an answer.

    Raises:
        RelayMisbehaviour: ``checkpoint-signature``, ``relay-rolled-back``, ``relay-forked``,
            ``control-contradicts-log``.
    """
    key = relay_key
    control = Checkpoint.from_binary(
        LogName(engine.network, "control"), answer.control_checkpoint, key
    )
    if control.size < prepared.control_range.size:
        raise RelayMisbehaviour("relay-rolled-back")
    control_range, entries = _control_page(prepared, answer, control)
    change = Checkpoint.from_binary(
        LogName(engine.network, "change"), answer.change_checkpoint, key
    )
    held = prepared.change_range
    if prepared.target is not None:
        target = prepared.target
        if (change.size, change.root) != target[:2]:
            raise RelayMisbehaviour("relay-forked")
    else:
        if change.size < held.size:
            raise RelayMisbehaviour("relay-rolled-back")
        if change.size == held.size and change.root != held.root():
            raise RelayMisbehaviour("relay-forked")
        target = (change.size, change.root, held.size)
    return ReadAnswer(
        prepared=prepared,
        answer=answer,
        control_entries=entries,
        control_range=control_range,
        target=target,
    )


def _control_page(
    prepared: Prepared, answer: SyncAnswer, checkpoint: Checkpoint
) -> tuple[CompactRange, tuple[tuple[int, int, bytes], ...]]:
    held = prepared.control_range.copy()
    page = answer.control
    if page.leaves and page.first != held.size:
        raise RelayMisbehaviour("control-contradicts-log")
    for leaf in page.leaves:
        held.append(leaf_hash(leaf))
    if held.size != checkpoint.size or held.root() != checkpoint.root:
        raise RelayMisbehaviour("control-contradicts-log")
    entries = tuple(
        (page.first + offset, int.from_bytes(leaf[:6], "big"), leaf[6:])
        for offset, leaf in enumerate(page.leaves)
    )
    return held, entries


def commit(
    engine: Engine,
    tx: Transaction,
    read: ReadAnswer,
    report: SyncReport,
) -> bool:
    """Take a checked answer in; returns whether another request is due.

    Args:
        engine: its control log has the answer's entries folded in already.
        tx: the page's transaction.
        read: what ``read_answer`` returned.
        report: counts are added to it.

    Raises:
        RelayMisbehaviour: the page or the receipts contradict the log; nothing is to be kept.
        LocalStateError: ``device-restored``: the log holds changes of this device that this
            replica does not know.
    """
    answer, prepared = read.answer, read.prepared
    for index, log_time_ms, entry in read.control_entries:
        tx.append_control(index, log_time_ms, entry)
    report.control_entries += len(read.control_entries)
    tx.put_value(CONTROL_VOIDS, engine.control.voids_bytes())
    tx.put_value(CONTROL_RANGE, read.control_range.to_bytes())
    tx.put_value(CONTROL_CHECKPOINT, answer.control_checkpoint)
    _check_own(engine, tx, answer)
    _take_receipts(tx, prepared, answer, report)
    leaves, change_range = _read_change_page(tx, prepared, answer, read.target)
    ingest(engine, tx, leaves, report.ingest)
    _note_own(tx, leaves)
    _owe(engine, tx, report.ingest, read.target)
    more = _take_backfills(engine, tx, prepared, answer, report)
    tx.put_value(CHANGE_RANGE, change_range.to_bytes())
    reached = change_range.size == read.target[0]
    tx.put_value(TARGET, None if reached else canonical.pack(list(read.target)))
    if reached:
        tx.put_value(CHANGE_CHECKPOINT, answer.change_checkpoint)
    checked = canonical.pack([change_range.size, change_range.root()])
    tx.put_value(CHECKED_CHECKPOINT, checked)
    if prepared.pushed:
        tx.put_value(PUSHED_CHECKPOINT, checked if change_range.size else None)
    report.pages += 1
    waiting = any(row.receipt is None for row in tx.outbox())
    refused = answer.refusal is not None
    return not reached or more or (waiting and not refused) or bool(tx.owed())


def _check_own(engine: Engine, tx: Transaction, answer: SyncAnswer) -> None:
    number, link = answer.newest
    held_number, held_link = own_chain(tx, engine)
    if number > held_number or (number == held_number and link != held_link):
        raise LocalStateError("device-restored")
    outbox = {int(row.number): row for row in tx.outbox()}
    acknowledged = [n for n, row in outbox.items() if row.receipt is not None]
    if acknowledged and number < max(acknowledged):
        raise RelayMisbehaviour("relay-rolled-back")
    if number in outbox and number != held_number:
        [change] = tx.changes_at([outbox[number].location])
        if chain_link(change.previous_link, change.header) != link:
            raise LocalStateError("device-restored")


def _take_receipts(
    tx: Transaction, prepared: Prepared, answer: SyncAnswer, report: SyncReport
) -> None:
    by_number = {int(row.number): row for row in prepared.pushed}
    for receipt in answer.receipts:
        row = by_number.get(receipt.number)
        if row is None:
            raise RelayMisbehaviour("receipt-unknown")
        tx.put_outbox(row._replace(receipt=(receipt.log_index, receipt.log_time_ms)))
        report.pushed += 1
    if answer.refusal is not None:
        report.refused = (answer.refusal.number, answer.refusal.refusal.value)


def _read_change_page(
    tx: Transaction,
    prepared: Prepared,
    answer: SyncAnswer,
    target: tuple[int, bytes, int],
) -> tuple[Sequence[ServedLeaf], CompactRange]:
    return read_page(
        answer.page, prepared.change_range, target[0], target[1], OwnChanges(tx).lookup
    )


class OwnChanges:
    """Own changes that the relay serves as "own" frames, restored from this replica's store."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._locations: Mapping[int, int] | None = None

    def lookup(self, number: int) -> OwnChange | None:
        """The own change of this number, None if it is not in the outbox any more."""
        if self._locations is None:
            self._locations = {int(row.number): row.location for row in self._tx.outbox()}
        location = self._locations.get(number)
        if location is None:
            return None
        [change] = self._tx.changes_at([location])
        return OwnChange(change.previous_link, change.header, change.signature, change.segments)


def _note_own(tx: Transaction, leaves: Sequence[ServedLeaf]) -> None:
    own = {leaf.own: leaf for leaf in leaves if leaf.own is not None}
    if not own:
        return
    receipts = {int(row.number): row.receipt for row in tx.outbox()}
    for number, leaf in own.items():
        receipt = receipts.get(number)
        if receipt is not None and receipt != (leaf.index, leaf.log_time_ms):
            raise RelayMisbehaviour("receipt-contradicts-log")
    tx.drop_outbox([ChangeNumber(number) for number in own])


# -- feeds and back-fills ----------------------------------------------------------------------


def _owe(
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
        whole = row.rights.opening is not None and row.complete_from == 0
        if chosen_at and index >= chosen_at and not whole:
            tx.put_owed(stream, 0, chosen_at)
    report.linked.clear()


def _running_backfill(
    tx: Transaction,
) -> tuple[int, CompactRange, tuple[StreamId, ...]] | None:
    stored = tx.value(BACKFILL)
    if stored is not None:
        position, range_bytes, streams = canonical.unpack(stored)
        return position, CompactRange.from_bytes(range_bytes), tuple(map(StreamId, streams))
    owed = tx.owed()
    if not owed:
        return None
    return 0, CompactRange(), tuple(stream for stream, _, _ in owed[:BACKFILL_STREAMS_MAX])


BACKFILL_STREAMS_MAX = 1000
"""Streams of one back-fill; more follow in the next."""


def _take_backfills(
    engine: Engine,
    tx: Transaction,
    prepared: Prepared,
    answer: SyncAnswer,
    report: SyncReport,
) -> bool:
    """Ingest the answered back-fill; returns whether it goes on."""
    if prepared.backfill is None:
        return False
    if len(answer.backfills) != 1:
        return True
    _, held, streams = prepared.backfill
    page = answer.backfills[0].page
    end = prepared.change_range
    own = OwnInStreams(engine, tx, streams)
    leaves, reached = read_page(page, held, end.size, end.root(), own.lookup)
    ingest(engine, tx, leaves, report.ingest)
    report.ingest.linked.clear()
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


class OwnInStreams:
    """Own changes of some streams, for a back-fill that serves them again as "own" frames."""

    def __init__(self, engine: Engine, tx: Transaction, streams: Sequence[StreamId]) -> None:
        self._engine = engine
        self._tx = tx
        self._streams = streams
        self._locations: dict[int, int] | None = None

    def lookup(self, number: int) -> OwnChange | None:
        """The own change of this number in one of the streams, None if it is not here."""
        if self._locations is None:
            own = self._engine.device
            self._locations = {
                entry.number: entry.location
                for row in self._tx.stream_rows(self._streams).values()
                for entry in StreamRow(row).history()
                if entry.device == own
            }
        location = self._locations.get(number)
        if location is None:
            return None
        [change] = self._tx.changes_at([location])
        return OwnChange(change.previous_link, change.header, change.signature, change.segments)


# -- stored values -----------------------------------------------------------------------------


def load_range(tx: Transaction, key: str) -> CompactRange:
    """The compact range stored under ``key``, empty at first."""
    stored = tx.value(key)
    return CompactRange() if stored is None else CompactRange.from_bytes(stored)


def _load_target(tx: Transaction) -> tuple[int, bytes, int] | None:
    stored = tx.value(TARGET)
    if stored is None:
        return None
    size, root, chosen_at = canonical.unpack(stored)
    return size, root, chosen_at


def checked_checkpoint(tx: Transaction) -> tuple[int, bytes]:
    """(size, root) of the change log at this replica's cursor."""
    change_range = load_range(tx, CHANGE_RANGE)
    return change_range.size, change_range.root()
