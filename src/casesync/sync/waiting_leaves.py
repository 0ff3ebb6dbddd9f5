"""Leaves whose author is not proven yet (sync floor; ``protocol/decisions/0008``).

The last signature of an unbroken run proves the run, and where a run ends depends on where a page
ends. So a leaf behind the last signature that verifies is neither dropped nor merged: it stands
aside, out of its stream's history, until a later change of the same device whose chain contains it
is proven. Then it is judged at its own index, as if it had come with that page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from casesync.access.stream_facts import END_OF_LOG
from casesync.access.verdicts import VERDICTS, verdict_code
from casesync.codec import canonical
from casesync.foundation.ids import ChangeNumber, DeviceNumber, StreamId, StreamKind
from casesync.sync.change_reader import ReadChange, read_change
from casesync.sync.context import Engine
from casesync.sync.ports import QuarantineRow, StoredChange, Transaction
from casesync.sync.stream_row import StreamRow
from casesync.translog.chain import link as chain_link
from casesync.translog.header import Header
from casesync.translog.page import ServedLeaf

WAITING_LEAVES = "waiting-leaves"
"""Stored value: canonical rows of ``_Waiting``, absent while there are none."""
WAITING_LEAVES_MAX = 4096
"""Honest devices leave none behind; more than this are refused instead of kept."""
_UNPROVEN = VERDICTS[verdict_code("signature-missing")]
_UNJUDGED = verdict_code("control-missing")
_STREAMS_PER_READ = 500


class _Waiting(NamedTuple):
    device: int
    number: int
    link: bytes
    stream: bytes
    log_index: int
    log_time_ms: int
    location: int


class WaitingLeaves:
    """The leaves that stand aside, within one transaction."""

    def __init__(self, engine: Engine, tx: Transaction) -> None:
        """Args: tx: the page's transaction."""
        self._engine = engine
        self._tx = tx
        self._rows = _load(tx)

    def exchange(
        self, proven: list[ServedLeaf], unproven: Sequence[tuple[ServedLeaf, Header]]
    ) -> tuple[list[ServedLeaf], list[ServedLeaf]]:
        """Set unproven leaves aside and take back those that are proven by now.

        Returns:
            (leaves to judge, in log order; leaves there was no room for).
        """
        if not self._rows and not unproven:
            return proven, []
        kept, refused = self._keep(unproven)
        continued = {(leaf.device, leaf.previous_link) for leaf in proven}
        if kept:
            continued.update(self._continued_in_store(kept))
        released = self._release(continued)
        self._store()
        if not released:
            return proven, refused
        return sorted([*proven, *released], key=lambda leaf: leaf.index), refused

    def _keep(
        self, unproven: Sequence[tuple[ServedLeaf, Header]]
    ) -> tuple[list[_Waiting], list[ServedLeaf]]:
        held = {row.log_index for row in self._rows}
        fresh = [item for item in unproven if item[0].index not in held]
        room = max(0, WAITING_LEAVES_MAX - len(self._rows))
        stored = [
            StoredChange(leaf.previous_link, leaf.header, leaf.signature, leaf.segments)
            for leaf, _ in fresh[:room]
        ]
        kept: list[_Waiting] = []
        for (leaf, header), location in zip(fresh, self._tx.append_changes(stored), strict=False):
            stream = StreamId(header.stream)
            place = (leaf.index, leaf.log_time_ms, location)
            kept.append(_Waiting(leaf.device, header.number, leaf.link, stream, *place))
            note_leaf(self._engine, self._tx, stream, leaf, _UNPROVEN.state.word, _UNPROVEN.reason)
        self._rows += kept
        return kept, [leaf for leaf, _ in fresh[room:]]

    def _release(self, continued: set[tuple[int, bytes]]) -> list[ServedLeaf]:
        """Take out what is continued by a proven change, and what that continues in turn."""
        waiting = {(row.device, row.link): row for row in self._rows}
        released: list[ServedLeaf] = []
        names = [name for name in waiting if name in continued]
        while names:
            row = waiting.pop(names.pop())
            leaf = _leaf(self._tx, row)
            released.append(leaf)
            self._tx.drop_quarantine(row.device, END_OF_LOG + row.log_index)
            before = (row.device, leaf.previous_link)
            if before in waiting:
                names.append(before)
        self._rows = list(waiting.values())
        return released

    def _continued_in_store(self, kept: Sequence[_Waiting]) -> Iterator[tuple[int, bytes]]:
        """What stored changes prove of the leaves that came just now.

        Only a back-fill needs it: what follows in the chain came with another stream, earlier; or
        the leaf itself did, in a page that bridged to its proof.
        """
        wanted = {(row.device, row.number + step) for row in kept for step in (0, 1)}
        for kind in (0, *(int(kind) for kind in StreamKind)):
            ids = self._tx.stream_ids(kind)
            for at in range(0, len(ids), _STREAMS_PER_READ):
                for raw in self._tx.stream_rows(ids[at : at + _STREAMS_PER_READ]).values():
                    for entry in StreamRow(raw).history():
                        if (entry.device, entry.number) in wanted and entry.verdict != _UNJUDGED:
                            [change] = self._tx.changes_at([entry.location])
                            yield entry.device, change.previous_link
                            yield entry.device, chain_link(change.previous_link, change.header)

    def _store(self) -> None:
        packed = canonical.pack([list(row) for row in self._rows]) if self._rows else None
        self._tx.put_value(WAITING_LEAVES, packed)


def note_leaf(
    engine: Engine, tx: Transaction, stream: StreamId, leaf: ServedLeaf, state: str, reason: str
) -> None:
    """Show a leaf to people under its index: its number cannot be believed, or is taken."""
    tx.put_quarantine(
        QuarantineRow(
            stream=stream,
            device=DeviceNumber(leaf.device),
            number=ChangeNumber(END_OF_LOG + leaf.index),
            log_index=leaf.index,
            state=state,
            reason=reason,
            noticed_ms=engine.clock.now_ms(),
        )
    )


def waiting_changes(tx: Transaction) -> list[tuple[StreamId, ReadChange]]:
    """Every leaf that stands aside, with its stream: an auditor accounts for each index."""
    rows = _load(tx)
    stored = tx.changes_at([row.location for row in rows])
    return [
        (
            StreamId(row.stream),
            read_change(change, row.link, row.location, row.log_index, row.log_time_ms),
        )
        for row, change in zip(rows, stored, strict=True)
    ]


def _load(tx: Transaction) -> list[_Waiting]:
    stored = tx.value(WAITING_LEAVES)
    return [] if stored is None else [_Waiting(*row) for row in canonical.unpack(stored)]


def _leaf(tx: Transaction, row: _Waiting) -> ServedLeaf:
    [change] = tx.changes_at([row.location])
    return ServedLeaf(
        row.log_index,
        row.log_time_ms,
        change.previous_link,
        change.header,
        change.signature,
        change.segments,
        None,
        row.device,
        row.link,
        True,
    )
