"""Each device numbers its changes upwards, through all streams (sync floor).

``protocol/change.md``, *Chain and signature*: of two changes with one number the first in the log
counts. In a log that was honestly kept a device's numbers ascend, so the newest of each device is
all that has to be remembered, and of an unbroken run only its ends are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

from casesync.foundation.errors import LocalStateError
from casesync.foundation.ids import StreamId
from casesync.sync.author import own_chain
from casesync.sync.context import Engine
from casesync.sync.ports import Transaction
from casesync.sync.stream_row import StreamRow
from casesync.translog.header import NUMBER_PART, STREAM_PART
from casesync.translog.served_leaf import ServedLeaf

NEWEST_NUMBERS = "newest-numbers"
"""Stored value: (device u32, number u64) of each device met so far."""
_ROW = Struct(">IQ")


def taken_numbers(
    engine: Engine, tx: Transaction, leaves: Sequence[ServedLeaf], runs: Sequence[Sequence[int]]
) -> list[int]:
    """Positions of changes in a page whose number a change before them in the log has.

    Args:
        engine: gives this device's number.
        tx: the page's transaction; the newest numbers are kept in it.
        leaves: the page's, in log order; not a back-fill's, which lie behind what is remembered.
        runs: ``run_check.CheckedRuns.runs`` of these leaves.

    Raises:
        LocalStateError: ``device-restored``: one of them is this device's own number.
    """
    if not runs:
        return []
    newest = dict(_ROW.iter_unpack(tx.value(NEWEST_NUMBERS) or b""))
    taken: list[int] = []
    for run in runs:
        if not run:
            continue
        device = leaves[run[0]].device
        if device == engine.device:
            _check_own(engine, tx, [leaves[at] for at in run])
            continue
        before = newest.get(device, 0)
        if _number(leaves[run[0]]) <= before:
            taken += [at for at in run if _number(leaves[at]) <= before]
        newest[device] = max(before, _number(leaves[run[-1]]))
    packed = b"".join(_ROW.pack(*row) for row in newest.items())
    tx.put_value(NEWEST_NUMBERS, packed)
    return taken


def _number(leaf: ServedLeaf) -> int:
    return int.from_bytes(leaf.header[NUMBER_PART], "big")


def _check_own(engine: Engine, tx: Transaction, run: Sequence[ServedLeaf]) -> None:
    """Nobody else writes under this device's numbers, unless it was copied.

    Raises: LocalStateError: ``device-restored``.
    """
    newest = own_chain(tx, engine)[0]
    for leaf in run:
        stream = StreamId(leaf.header[STREAM_PART])
        row = StreamRow(tx.stream_rows([stream]).get(stream))
        if _number(leaf) <= newest and row.find(int(engine.device), _number(leaf)) is None:
            raise LocalStateError("device-restored")
