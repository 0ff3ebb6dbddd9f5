"""One sync: requests from what is held, answers into what is held (sync floor).

``protocol/sync.md``. ``prepare`` makes a request; ``read_answer`` checks an answer against
everything this replica knows without keeping anything; ``commit`` takes it in, in one transaction.
Between the two the driver fetches the blobs that new control entries name. Every contradiction
raises before anything is stored, so that the cursor stays where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from casesync.codec import canonical
from casesync.foundation.errors import LocalStateError, RelayMisbehaviour
from casesync.foundation.ids import ChangeNumber
from casesync.foundation.limits import PAGE_BYTES_DEFAULT, PUSH_BYTES_PER_REQUEST_MAX
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import leaf_hash
from casesync.sync.author import PUSHED_CHECKPOINT, own_chain
from casesync.sync.backfill import RunningBackfill, owe_linked, running_backfill, take_backfill
from casesync.sync.context import Engine
from casesync.sync.held_log import (
    CHANGE_CHECKPOINT,
    CHANGE_RANGE,
    CHECKED_CHECKPOINT,
    CONTROL_CHECKPOINT,
    CONTROL_RANGE,
    CONTROL_VOIDS,
    LOG_TIME,
    TARGET,
    load_range,
    load_target,
)
from casesync.sync.ingest import ingest
from casesync.sync.ingest_report import IngestReport
from casesync.sync.ports import OutboxRow, StoredChange, Transaction
from casesync.translog.chain import link as chain_link
from casesync.translog.checkpoint import Checkpoint, LogName
from casesync.translog.page import OwnChange, OwnLookup, ReadPage, read_page
from casesync.translog.served_leaf import ServedLeaf
from casesync.wire.messages import Owed, SyncAnswer, SyncRequest


@dataclass(slots=True)
class SyncReport:
    """What a sync did; counts only."""

    round_trips: int = 0
    pages: int = 0
    pushed: int = 0
    confirmed: int = 0
    """Own changes that came back proven."""
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
    backfill: RunningBackfill | None


@dataclass(slots=True, kw_only=True)
class ReadAnswer:
    """An answer that is consistent with this replica; nothing of it is stored yet."""

    prepared: Prepared
    answer: SyncAnswer
    control_entries: tuple[tuple[int, int, bytes], ...]
    """(index, log time, entry) of new control entries."""
    control_range: CompactRange
    target: tuple[int, bytes, int]
    second_thread: bool
    """Whether its page may be read by two."""
    page: ReadPage | None = None
    """What its page proved, if that was read ahead."""

    def read_page(self, own_lookup: OwnLookup) -> None:
        """Prove the page. Raises: RelayMisbehaviour: ``page-contradicts-log``."""
        held, target = self.prepared.change_range, self.target[:2]
        self.page = read_page(
            self.answer.page, held, *target, own_lookup, second_thread=self.second_thread
        )

    def take_page(self, own_lookup: OwnLookup) -> ReadPage:
        """What the page proves; it is handed over, so that its memory ends with its merge.

        Raises: RelayMisbehaviour: ``page-contradicts-log``.
        """
        if self.page is None:
            self.read_page(own_lookup)
        page, self.page = self.page, None
        self.answer.page.clear()
        assert page is not None
        return page


class Committed(NamedTuple):
    """What an answer that was taken in leaves to do."""

    more: bool
    """Whether another request is due."""
    following: Prepared | None
    """It, as long as nothing else happens to this replica; None if it takes more to know."""
    leaves: list[ServedLeaf]
    """What it brought, for whoever has time to free it: that takes a tenth of what merging does."""


def prepare(
    engine: Engine, tx: Transaction, answer_bytes_max: int = PAGE_BYTES_DEFAULT
) -> Prepared:
    """The next request."""
    control_range = load_range(tx, CONTROL_RANGE)
    change_range = load_range(tx, CHANGE_RANGE)
    target = load_target(tx)
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
    backfill = running_backfill(tx)
    owed = () if backfill is None else (Owed(backfill.held.size, backfill.streams),)
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
        second_thread=engine.second_thread,
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
) -> Committed:
    """Take a checked answer in.

    Args:
        engine: its control log has the answer's entries folded in already.
        tx: the page's transaction.
        read: what ``read_answer`` returned.
        report: counts are added to it.

    Returns: whether another request is due, and which.

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
    check_own(engine, tx, answer)
    _take_receipts(tx, prepared, answer, report)
    leaves, change_range = read.take_page(OwnChanges(tx).lookup)
    _note_log_time(engine, tx, read, leaves)
    ingest(engine, tx, leaves, report.ingest)
    report.confirmed += _note_own(tx, leaves)
    owe_linked(engine, tx, report.ingest, read.target)
    more = False
    if prepared.backfill is not None:
        more = take_backfill(
            engine, tx, prepared.backfill, prepared.change_range, answer, report.ingest
        )
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
    control_goes_on = answer.more and bool(read.control_entries)
    wants_more = not reached or more or control_goes_on
    due = wants_more or (waiting and not refused) or bool(tx.owed())
    return Committed(due, None if reached else _following(read, change_range), leaves)


def _following(read: ReadAnswer, change_range: CompactRange) -> Prepared | None:
    """The request for the page behind, where this replica has nothing to send or to fill in."""
    prepared = read.prepared
    if prepared.pushed or prepared.backfill is not None:
        return None
    request = replace(
        prepared.request,
        control_size=read.control_range.size,
        cursor=change_range.size,
        target=read.target[0],
    )
    return replace(
        prepared,
        request=request,
        control_range=read.control_range,
        change_range=change_range,
        target=read.target,
    )


def read_page_ahead(read: ReadAnswer) -> None:
    """Prove the page of an answer, unless that takes own changes out of the store.

    Raises:
        RelayMisbehaviour: ``page-contradicts-log``.
    """
    with suppress(_OwnChangeMetError):
        read.read_page(_not_looked_up)


class _OwnChangeMetError(Exception):
    """A page serves a change of this device as "own"."""


def _not_looked_up(_number: int) -> OwnChange | None:
    raise _OwnChangeMetError


def _note_log_time(
    engine: Engine, tx: Transaction, read: ReadAnswer, leaves: Sequence[ServedLeaf]
) -> None:
    times = [entry[1] for entry in read.control_entries[-1:]]
    times += [leaf.log_time_ms for leaf in leaves[-1:]]
    newest = max(times, default=0)
    if newest > engine.log_time_ms:
        engine.log_time_ms = newest
        tx.put_value(LOG_TIME, canonical.pack(newest))


def check_own(engine: Engine, tx: Transaction, answer: SyncAnswer) -> None:
    """Hold what the relay says of this device's chain against what is here.

    Raises:
        LocalStateError: ``device-restored``: the relay names changes of this device that this
            replica does not know.
        RelayMisbehaviour: ``relay-rolled-back``: it forgot what it acknowledged.
    """
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


def _note_own(tx: Transaction, leaves: Sequence[ServedLeaf]) -> int:
    """Take own changes that came back out of the outbox; how many there were."""
    own = {leaf.own: leaf for leaf in leaves if leaf.own is not None}
    if not own:
        return 0
    receipts = {int(row.number): row.receipt for row in tx.outbox()}
    for number, leaf in own.items():
        receipt = receipts.get(number)
        if receipt is not None and receipt != (leaf.index, leaf.log_time_ms):
            raise RelayMisbehaviour("receipt-contradicts-log")
    tx.drop_outbox([ChangeNumber(number) for number in own])
    return len(own)
