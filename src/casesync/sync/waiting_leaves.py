"""Leaves that stand aside, out of their streams' histories (sync floor).

``protocol/decisions/0008-unproven-leaves-wait.md``. The last signature of an unbroken run proves
the run, and where a run ends depends on where a page ends. So a leaf behind the last signature that
verifies is neither dropped nor merged: it stands aside until a later change of the same device
whose chain contains it is proven. Then it is judged at its own index, as if it had come with that
page. Once a change behind it is proven that does not continue it, only a back-fill can still prove
it: it is quarantined, for people to see.

Copies (two changes of one device with one number) stand here too, for who accounts for each leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from casesync.access.stream_facts import END_OF_LOG
from casesync.access.verdicts import VERDICTS, verdict_code
from casesync.codec import canonical
from casesync.foundation.errors import CryptoError
from casesync.foundation.ids import ChangeNumber, DeviceNumber, StreamId, StreamKind
from casesync.sync.change_reader import ReadChange, read_change
from casesync.sync.context import Engine
from casesync.sync.ports import QuarantineRow, StoredChange, Transaction
from casesync.sync.stream_row import HistoryEntry, StreamRow
from casesync.translog.chain import link as chain_link
from casesync.translog.header import Header
from casesync.translog.served_leaf import ServedLeaf

WAITING_LEAVES = "waiting-leaves"
"""Stored value: canonical rows of ``_Waiting``, absent while there are none."""
WAITING_LEAVES_MAX = 4096
"""Honest devices leave none behind; more than this are refused instead of kept."""
_UNJUDGED = verdict_code("control-missing")
_STREAMS_PER_READ = 500
_WAITS, _PASSED, _COPIED = range(3)
_SHOWN = {
    _WAITS: VERDICTS[verdict_code("signature-missing")],
    _PASSED: VERDICTS[verdict_code("author-unproven")],
    _COPIED: VERDICTS[verdict_code("copied-device")],
}

CheckAuthor = Callable[[ReadChange], None]
"""Verifies a change's own signature. Raises: CryptoError."""


class _Waiting(NamedTuple):
    device: int
    number: int
    link: bytes
    stream: bytes
    log_index: int
    log_time_ms: int
    location: int
    state: int = _WAITS


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
        kept, refused = self._keep(unproven, _WAITS)
        devices = {row.device for row in self._rows if row.state != _COPIED}
        if not devices:
            return proven, refused
        newer = [leaf for leaf in proven if leaf.device in devices]
        continued = {(leaf.device, leaf.previous_link) for leaf in newer}
        if kept:
            continued.update(self._continued_in_store(kept))
        released = self._release(continued)
        self._pass_over(newer)
        self._store()
        if not released:
            return proven, refused
        return sorted([*proven, *released], key=lambda leaf: leaf.index), refused

    def keep_copies(self, copies: Sequence[tuple[ServedLeaf, Header]]) -> list[ServedLeaf]:
        """Set aside changes whose number another one has; returns those there was no room for."""
        if not copies:
            return []
        self._rows = _load(self._tx)  # judging a stream again may have set aside others
        _, refused = self._keep(copies, _COPIED)
        self._store()
        return refused

    def set_aside(self, stream: StreamId, change: ReadChange) -> None:
        """Set aside a stored change whose author turns out not to be proven."""
        header = change.header
        place = (change.log_index, change.log_time_ms, change.location)
        self._rows.append(_Waiting(header.device, header.number, change.link, stream, *place))
        self._tx.drop_quarantine(header.device, header.number)
        self._note(self._rows[-1])
        self._store()

    def is_continued(self, change: ReadChange, check_author: CheckAuthor) -> bool:
        """Whether stored changes of the device that continue this one prove it."""
        header, link = change.header, change.link
        later = [e for e in self._stored_of({header.device}) if e.number > header.number]
        for entry in sorted(later, key=lambda entry: entry.number):
            [stored] = self._tx.changes_at([entry.location])
            if stored.previous_link != link:
                continue
            if entry.verdict != _UNJUDGED:
                return True
            link = chain_link(stored.previous_link, stored.header)
            try:
                check_author(
                    read_change(stored, link, entry.location, entry.log_index, entry.log_time_ms)
                )
            except CryptoError:
                continue
            return True
        return False

    def _keep(
        self, leaves: Sequence[tuple[ServedLeaf, Header]], state: int
    ) -> tuple[list[_Waiting], list[ServedLeaf]]:
        if not leaves:
            return [], []
        held = {row.log_index for row in self._rows}
        fresh = [item for item in leaves if item[0].index not in held]
        room = max(0, WAITING_LEAVES_MAX - len(self._rows))
        stored = [
            StoredChange(leaf.previous_link, leaf.header, leaf.signature, leaf.segments)
            for leaf, _ in fresh[:room]
        ]
        kept: list[_Waiting] = []
        for (leaf, header), location in zip(fresh, self._tx.append_changes(stored), strict=False):
            stream = StreamId(header.stream)
            place = (leaf.index, leaf.log_time_ms, location)
            kept.append(_Waiting(leaf.device, header.number, leaf.link, stream, *place, state))
            self._note(kept[-1])
        self._rows += kept
        return kept, [leaf for leaf, _ in fresh[room:]]

    def _release(self, continued: set[tuple[int, bytes]]) -> list[ServedLeaf]:
        """Take out what is continued by a proven change, and what that continues in turn."""
        copies = [row for row in self._rows if row.state == _COPIED]
        waiting = {(row.device, row.link): row for row in self._rows if row.state != _COPIED}
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
        self._rows = [*waiting.values(), *copies]
        return released

    def _pass_over(self, proven: Sequence[ServedLeaf]) -> None:
        """Quarantine what a proven change behind it does not continue: numbers ascend in the log.

        What would prove it was not served with its page; a back-fill may still bring it.
        """
        newest: dict[int, int] = {}
        for leaf in proven:
            if self._engine.control.change_key(leaf.device) is not None:
                newest[leaf.device] = max(leaf.index, newest.get(leaf.device, 0))
        for at, row in enumerate(self._rows):
            if row.state == _WAITS and row.log_index < newest.get(row.device, 0):
                self._rows[at] = row._replace(state=_PASSED)
                self._note(self._rows[at])

    def _continued_in_store(self, kept: Sequence[_Waiting]) -> Iterator[tuple[int, bytes]]:
        """What stored changes prove of the leaves that came just now.

        Only a back-fill needs it: what follows in the chain came with another stream, earlier; or
        the leaf itself did, in a page that bridged to its proof.
        """
        wanted = {(row.device, row.number + step) for row in kept for step in (0, 1)}
        for entry in self._stored_of({row.device for row in kept}):
            if (entry.device, entry.number) in wanted and entry.verdict != _UNJUDGED:
                [change] = self._tx.changes_at([entry.location])
                yield entry.device, change.previous_link
                yield entry.device, chain_link(change.previous_link, change.header)

    def _stored_of(self, devices: set[int]) -> Iterator[HistoryEntry]:
        """Every change of these devices that stands in some stream's history."""
        for kind in (0, *(int(kind) for kind in StreamKind)):
            ids = self._tx.stream_ids(kind)
            for at in range(0, len(ids), _STREAMS_PER_READ):
                for raw in self._tx.stream_rows(ids[at : at + _STREAMS_PER_READ]).values():
                    for entry in StreamRow(raw).history():
                        if entry.device in devices:
                            yield entry

    def _note(self, row: _Waiting) -> None:
        verdict = _SHOWN[row.state]
        stream = StreamId(row.stream)
        note_leaf(
            self._engine,
            self._tx,
            stream,
            (row.device, row.log_index),
            verdict.state.word,
            verdict.reason,
        )

    def _store(self) -> None:
        packed = canonical.pack([list(row) for row in self._rows]) if self._rows else None
        self._tx.put_value(WAITING_LEAVES, packed)


def note_leaf(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    place: tuple[int, int],
    state: str,
    reason: str,
) -> None:
    """Show a leaf to people under its index: its number cannot be believed, or is taken.

    Args:
        engine: gives the time.
        tx: the running transaction.
        stream: where it belongs, as far as is known.
        place: (device, log index).
        state: waiting, quarantined or refused.
        reason: a code of ``access.verdicts``.
    """
    device, index = place
    tx.put_quarantine(
        QuarantineRow(
            stream=stream,
            device=DeviceNumber(device),
            number=ChangeNumber(END_OF_LOG + index),
            log_index=index,
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
