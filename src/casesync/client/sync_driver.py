"""Running a sync: requests, blobs, transactions, then what a holder of keys owes others (client).

The engine decides; this module only carries bytes between the relay's channel and the store.
"""

from __future__ import annotations

from casesync.client.control_driver import append_due_acts
from casesync.client.core import Core
from casesync.client.exchange import Progress, ask_whether_restored, pull_and_push
from casesync.client.listing import refresh_listings
from casesync.client.subscriptions import notify
from casesync.foundation.errors import AccessDenied
from casesync.sync.access_log import seal_access
from casesync.sync.held_log import CHANGE_RANGE, load_range
from casesync.sync.maintenance import maintain
from casesync.sync.ports import StreamFlag
from casesync.sync.session import SyncReport

UPKEEP_ROUNDS_MAX = 4
"""Boxes, supplements and rotations lead to another push; they settle at once or not at all."""


def run_sync(core: Core, progress: Progress | None = None) -> SyncReport:
    """Bring this replica and the relay to the same point, as far as the relay lets it.

    Raises:
        NetworkError: the relay cannot be reached; what was committed before stays.
        RelayMisbehaviour: an answer contradicts the log; the cursor stays.
        LocalStateError: this replica must not send (rolled back, restored, full disk).
    """
    if core.failed is not None:
        ask_whether_restored(core)
    report = SyncReport()
    with core.store.transaction() as tx:
        began_at = load_range(tx, CHANGE_RANGE).size
    sealed = _seal(core)
    for _ in range(UPKEEP_ROUNDS_MAX):
        pull_and_push(core, report, progress)
        if _upkeep(core, report):
            continue
        if sealed or not _seal(core):
            break
        sealed = True
    with core.store.transaction() as tx:
        touched = tx.streams_marked(StreamFlag.LISTING_STALE)
    notify(core, touched, began_at)
    refresh_listings(core)
    return report


def _seal(core: Core) -> bool:
    """Seal the access entries not sent yet; returns whether that wrote a change.

    Without a unit key (retired, its successor not here yet) they wait: what brings the new key is
    this very sync.
    """
    try:
        with core.transaction() as tx:
            return seal_access(core.engine, tx) > 0
    except AccessDenied:
        return False


def _upkeep(core: Core, report: SyncReport) -> bool:
    """What a holder of keys owes others; returns whether something is to be pushed or pulled."""
    acted = append_due_acts(core)
    with core.transaction() as tx:
        return maintain(core.engine, tx) or acted
