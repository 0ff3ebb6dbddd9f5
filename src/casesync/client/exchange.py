"""One round trip with the relay, taken in in one transaction; and as many as it takes (client).

The engine decides; this module only carries bytes between the relay's channel and the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from casesync.client.bulk_work import uncollected
from casesync.client.core import STOPPING, Core, opener_of
from casesync.client.page_size import PageSize
from casesync.client.read_ahead import ReadAhead
from casesync.foundation.errors import (
    AccessDenied,
    AnswerTooSlow,
    LocalStateError,
    NetworkError,
)
from casesync.foundation.ids import BlobHash, StreamKind
from casesync.sync.access_reader import take_access_segment
from casesync.sync.control_flow import (
    Entries,
    mark_boxes_owed,
    named_blobs,
    open_own_wraps,
    own_wraps,
    streams_to_judge_again,
    take_first_network_key,
)
from casesync.sync.ingest import check_author
from casesync.sync.ports import Transaction
from casesync.sync.session import (
    Prepared,
    ReadAnswer,
    SyncReport,
    check_own,
    commit,
    prepare,
    read_answer,
)
from casesync.sync.stream_merge import rejudge
from casesync.sync.stream_row import StreamRow
from casesync.wire.messages import SyncAnswer, SyncRequest
from casesync.wire.refusals import Refusal

Progress = Callable[[int, int], None]
"""Called after each page with (cursor, target)."""
WORTH_A_HELPER = 10_000
"""Changes to come that are worth a second process, whose start takes as long as merging these."""
ROUNDS_MAX = 10_000
"""Pages of one sync; a relay that never finishes is stopped here."""


def pull_and_push(core: Core, report: SyncReport, progress: Progress | None = None) -> None:
    """Exchange until this replica is at the relay's newest size and the outbox is empty.

    Raises:
        LocalStateError: this replica was rolled back or restored; nothing is sent.
    """
    core.require_writable()
    size = PageSize()
    ahead = ReadAhead(lambda prepared: _ask(core, prepared, report, size))
    try:
        for _ in range(ROUNDS_MAX):
            more = _next_page(core, report, size, ahead)
            if progress is not None:
                with core.store.transaction() as tx:
                    after = prepare(core.engine, tx)
                target = after.request.cursor if after.target is None else after.target[0]
                progress(after.request.cursor, target)
            if not more:
                return
    finally:
        core.helper.end()
    raise NetworkError("relay-endless")


def ask_whether_restored(core: Core) -> None:
    """Ask the relay once more, sending nothing, whether this replica was restored or copied.

    What the relay says of this device's chain is not proven, so that one lying answer must not
    stop a device for good.

    Raises:
        LocalStateError: it says so still, or the anchor shows it: nothing is written or sent.
    """
    assert core.failed is not None
    if core.failed.code not in STOPPING:
        raise core.failed
    with core.store.transaction() as tx:
        prepared = prepare(core.engine, tx)
    request = replace(prepared.request, outbox=())
    read = _ask(core, replace(prepared, request=request, pushed=()), SyncReport())
    with core.store.transaction() as tx:
        check_own(core.engine, tx, read.answer)
    core.recover()


def _next_page(core: Core, report: SyncReport, size: PageSize, ahead: ReadAhead) -> bool:
    """One round trip, one transaction; returns whether another is due.

    Raises:
        LocalStateError: ``device-restored``: from now on this replica writes no change and sends
            nothing.
    """
    with core.store.transaction() as tx:
        prepared = prepare(core.engine, tx, size.bytes)
    try:
        with uncollected():
            read = ahead.take(prepared) or ahead.ask(prepared)
            while _reads_on(core, read):
                read = _control_continued(core, read, report, size)
            return _take_in(core, read, report, ahead)
    except LocalStateError as error:
        if error.code in STOPPING:
            core.fail(error)
        raise


def _take_in(core: Core, read: ReadAnswer, report: SyncReport, ahead: ReadAhead) -> bool:
    engine, entries = core.engine, read.control_entries
    due = read.target[0] - read.prepared.change_range.size
    if due >= WORTH_A_HELPER and engine.helper is not None:
        core.helper.start()
    blobs = fetch_blobs(core, named_blobs(engine.device, entries), report)
    with core.transaction(meanwhile=ahead.run) as tx:
        suspended = [int(s.device) for s in engine.control.suspensions()]
        _fold_control(core, tx, entries, blobs)
        seeds = bool(entries) and open_own_wraps(engine, tx, entries)
        again = streams_to_judge_again(
            engine,
            tx,
            read.prepared.change_range.size,
            suspended,
            control_grew=bool(entries),
            new_seeds=seeds,
        )
        committed = commit(engine, tx, read, report)
        more = committed.more
        if not more:
            core.helper.dismiss()
        ahead.expect(committed.following, committed.leaves)
        del committed
        mark_boxes_owed(engine, tx, entries)
        for stream in again:
            row = StreamRow(tx.stream_rows([stream]).get(stream))
            rejudge(engine, tx, stream, row, lambda change: check_author(engine, change))
            if row.kind is StreamKind.ACCESS:
                take_access_segment(engine, tx, stream, row)
            tx.put_stream_rows({stream: row.row}, int(row.kind or 0))
    report.transactions += 1
    return more


def _ask(
    core: Core, prepared: Prepared, report: SyncReport, size: PageSize | None = None
) -> ReadAnswer:
    body = _served(core, prepared.request) if size is None else _page(core, prepared, report, size)
    report.round_trips += 1
    answer = SyncAnswer.decode(body)
    return read_answer(core.identity.relay_key, core.engine, prepared, answer)


def _page(core: Core, prepared: Prepared, report: SyncReport, size: PageSize) -> bytes:
    """An answer as large as the line allows; asking twice harms nothing."""
    while True:
        request = replace(prepared.request, answer_bytes_max=size.bytes)
        started = core.clock.now_ms()
        try:
            body = _served(core, request, size.patience_s)
        except AnswerTooSlow as slow:
            size.note_slow(slow.bytes_per_s)
            report.round_trips += 1
            continue
        size.note(core.clock.now_ms() - started, len(body))
        return body


def _served(core: Core, request: SyncRequest, patience_s: float | None = None) -> bytes:
    try:
        answer = core.channel.sync(request.encode(), patience_s)
    except AccessDenied as error:
        if error.code == Refusal.DEVICE_SUSPENDED.value:
            core.note_suspended(True)
        raise
    core.note_suspended(False)
    return answer


def ask_whether_suspended(core: Core) -> None:
    """Ask the relay, sending and taking in nothing, whether it serves this device.

    Raises:
        AccessDenied: ``device-suspended``.
        NetworkError: the relay cannot be reached.
    """
    with core.store.transaction() as tx:
        asked = prepare(core.engine, tx).request
    nothing_new = replace(asked, outbox=(), owed=(), target=asked.cursor, answer_bytes_max=1)
    _served(core, nothing_new)


def _reads_on(core: Core, read: ReadAnswer) -> bool:
    """Whether a newcomer must see more of the control log before it can open any of it.

    The wrap with its network key is named by its own enrolment, behind everything it is to open.
    """
    if not read.answer.more or not read.control_entries:
        return False
    if core.engine.control.device(core.engine.device) is not None:
        return False
    return not any(own_wraps(core.engine.device, read.control_entries))


def _control_continued(
    core: Core, read: ReadAnswer, report: SyncReport, size: PageSize
) -> ReadAnswer:
    """The answer to a request that goes on behind ``read``, with its control entries before."""
    behind = replace(
        read.prepared,
        request=replace(read.prepared.request, control_size=read.control_range.size),
        control_range=read.control_range,
    )
    further = _ask(core, behind, report, size)
    return replace(further, control_entries=read.control_entries + further.control_entries)


def _fold_control(
    core: Core,
    tx: Transaction,
    entries: Entries,
    blobs: dict[BlobHash, bytes],
) -> None:
    for name, body in blobs.items():
        tx.put_blob(name, body)
    if not entries:
        return
    take_first_network_key(core.engine, tx, entries)
    core.engine.forms_checked.clear()  # a new schema may allow what an old one did not
    opener = opener_of(core.identity.network, tx)
    for index, log_time_ms, entry in entries:
        core.engine.control.apply(index, log_time_ms, entry, opener, tx.blob)


def fetch_blobs(core: Core, names: Iterable[BlobHash], report: SyncReport) -> dict[BlobHash, bytes]:
    """Blobs that new control entries name and the store does not hold.

    A blob that the relay cannot give is left out: what it would have said stays waiting.
    """
    wanted = dict.fromkeys(names)
    if not wanted:
        return {}
    with core.store.transaction() as tx:
        missing = [name for name in wanted if tx.blob(name) is None]
    found: dict[BlobHash, bytes] = {}
    for name in missing:
        report.round_trips += 1
        try:
            found[name] = core.channel.blob(name)
        except NetworkError as error:
            if error.code != "relay-refused":
                raise
    return found
