"""A proven page becomes merged state, in one transaction (sync floor).

DESIGN.md 3: ``Sealed -> Verified -> Authorised -> Opened -> merged``. The page reader has proven
every leaf; here one signature per unbroken run proves the authors, each change is judged, its
readable segments are opened and merged. What simply comes next in its stream takes the fast path
of ``page_stream``; everything out of the ordinary (a hole filled from behind, a change that does
not count) has its stream judged and merged again from the stored changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from casesync.crypto.signatures import verify_change
from casesync.foundation.errors import CasesyncError, CryptoError
from casesync.sync.change_reader import ReadChange
from casesync.sync.context import Engine
from casesync.sync.handed_out import handing_out
from casesync.sync.ingest_report import IngestReport, refuse
from casesync.sync.number_order import taken_numbers
from casesync.sync.page_leaves import Batch, by_stream
from casesync.sync.plain_batch import in_two
from casesync.sync.plain_path import PlainPath
from casesync.sync.ports import Transaction
from casesync.sync.run_check import CheckedRuns, check_runs
from casesync.sync.stream_batch import StreamBatch
from casesync.sync.waiting_leaves import WaitingLeaves
from casesync.translog.header import Header, parse_header
from casesync.translog.served_leaf import ServedLeaf

STREAMS_PER_BATCH: Final = 128
"""What belongs to so few streams stays in the processor's cache from reading to writing it."""
STREAMS_LAST: Final = 24
"""The last batches of a page are smaller: whoever is done first waits for less."""
BATCHES_LEFT: Final = 6
"""Into as many is divided what is left, once that makes them smaller."""
BATCHES_BEFORE: Final = 4
"""What the store can do ahead is said when a helper has work enough to go on with."""
STREAMS_AHEAD: Final = 4
"""Of the first batch, which is taken here: what fields a form has is known to the others then."""


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
        refuse(engine, tx, leaf, "signature-missing", report)
    plain = PlainPath(engine)
    streams = by_stream(proven)
    with handing_out(engine.helper, plain, report) as handed:
        for number, some in enumerate(_batches(streams)):
            if number == BATCHES_BEFORE:
                tx.expect_rows(stream for stream, _ in streams)
            front, content = in_two(some)
            if front:  # what stands behind it builds on its rows
                batch = StreamBatch(engine, tx, plain, front, report)
                batch.take()
                _finish([batch], waiting, engine, tx, report)
            if content:
                batch = StreamBatch(engine, tx, plain, content, report)
                _finish(handed.put(batch, here=number == 0), waiting, engine, tx, report)
        _finish(handed.rest(), waiting, engine, tx, report)


def _batches(streams: Batch) -> Iterator[Batch]:
    yield streams[:STREAMS_AHEAD]
    at = STREAMS_AHEAD
    while at < len(streams):
        share = max((len(streams) - at) // BATCHES_LEFT, STREAMS_LAST)
        size = min(share, STREAMS_PER_BATCH)
        yield streams[at : at + size]
        at += size


def _finish(
    batches: Iterable[StreamBatch],
    waiting: WaitingLeaves,
    engine: Engine,
    tx: Transaction,
    report: IngestReport,
) -> None:
    for batch in batches:
        _keep_copies(engine, tx, waiting, batch.finish(), report)


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
        refuse(engine, tx, leaf, "copied-device", report)


def _parsed(
    engine: Engine, tx: Transaction, leaves: Sequence[ServedLeaf], report: IngestReport
) -> list[tuple[ServedLeaf, Header]]:
    parsed: list[tuple[ServedLeaf, Header]] = []
    for leaf in leaves:
        try:
            parsed.append((leaf, parse_header(leaf.header)))
        except CasesyncError:
            refuse(engine, tx, leaf, "change-malformed", report)
    return parsed


def check_author(engine: Engine, change: ReadChange) -> None:
    """Verify one change's own signature. Raises: CryptoError."""
    key = engine.control.change_key(change.header.device)
    if key is None:
        raise CryptoError("does-not-verify")
    verify_change(key, engine.network, change.link, change.stored.signature)
