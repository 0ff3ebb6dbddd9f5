"""Who wrote what: one signature per unbroken run of an author (sync floor).

``protocol/change.md``, *Chain and signature*. The page reader has proven that the leaves stand in
the log; that a device made them is proven here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from casesync.crypto.signatures import verify_change
from casesync.foundation.errors import CryptoError
from casesync.sync.context import Engine
from casesync.sync.page_leaves import Run, runs_of
from casesync.translog.served_leaf import ServedLeaf


class CheckedRuns(NamedTuple):
    """Leaves by what is known of their author, in log order."""

    proven: list[ServedLeaf]
    """The author signed it, or is not known here yet (it waits for the control log)."""
    unproven: list[ServedLeaf]
    """No signature proves them so far: perhaps no member made them (attack 37)."""
    checks: int
    """Signatures verified."""
    runs: list[Run]
    """Positions of the proven leaves of each run whose author is known here, device by device."""


def check_runs(engine: Engine, leaves: Sequence[ServedLeaf]) -> CheckedRuns:
    """Verify the last signature of each run; where it fails, those before it, from the end.

    The last one that verifies proves everything before it in its run. A change that was not served
    ends a run, bridged or not: else a leaf could be proven in one page and not in two, and verdicts
    would depend on where a page ended (``waiting_leaves``).
    """
    dropped: set[int] = set()
    of_authors: list[Run] = []
    checks = 0
    for device, of_device in runs_of(leaves).items():
        key = engine.control.change_key(device)
        if key is None:
            continue
        for run in of_device:
            proven, made = _proven_prefix(engine, key, leaves, run)
            checks += made
            if proven < len(run):
                dropped.update(run[proven:])
                del run[proven:]
            of_authors.append(run)
    if not dropped:
        return CheckedRuns(list(leaves), [], checks, of_authors)
    return CheckedRuns(
        [leaf for at, leaf in enumerate(leaves) if at not in dropped],
        [leaf for at, leaf in enumerate(leaves) if at in dropped],
        checks,
        of_authors,
    )


def _proven_prefix(
    engine: Engine, key: bytes, leaves: Sequence[ServedLeaf], run: Sequence[int]
) -> tuple[int, int]:
    """How many leaves of the run stand, and how many signatures that took."""
    for checks, at in enumerate(reversed(run)):
        if _signed(engine, key, leaves[at]):
            return len(run) - checks, checks + 1
    return 0, len(run)


def _signed(engine: Engine, key: bytes, leaf: ServedLeaf) -> bool:
    try:
        verify_change(key, engine.network, leaf.link, leaf.signature)
    except CryptoError:
        return False
    return True
