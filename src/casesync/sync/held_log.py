"""How far this replica holds both logs: stored values and their names (sync floor)."""

from __future__ import annotations

from casesync.codec import canonical
from casesync.merkle.compact_range import CompactRange
from casesync.sync.ports import Transaction

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
LOG_TIME = "log-time"
"""Stored value: canonical, the largest log time of a proven leaf of either log."""
CHECKED_CHECKPOINT = "checked-checkpoint"
"""Stored value: canonical [size, root] at the cursor, for control entries and the next change."""


def load_range(tx: Transaction, key: str) -> CompactRange:
    """The compact range stored under ``key``, empty at first."""
    stored = tx.value(key)
    return CompactRange() if stored is None else CompactRange.from_bytes(stored)


def load_target(tx: Transaction) -> tuple[int, bytes, int] | None:
    """(size, root, cursor at which it was chosen) of the target on the way, None without one."""
    stored = tx.value(TARGET)
    if stored is None:
        return None
    size, root, chosen_at = canonical.unpack(stored)
    return size, root, chosen_at


def load_log_time(tx: Transaction) -> int:
    """The largest log time proven here, milliseconds; 0 at first."""
    stored = tx.value(LOG_TIME)
    log_time_ms: int = 0 if stored is None else canonical.unpack(stored)
    return log_time_ms


def checked_checkpoint(tx: Transaction) -> tuple[int, bytes]:
    """(size, root) of the change log at this replica's cursor."""
    change_range = load_range(tx, CHANGE_RANGE)
    return change_range.size, change_range.root()
