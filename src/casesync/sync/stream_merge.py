"""Judging and merging one stream from its stored changes (sync floor).

``rejudge`` is the slow, complete way: fold every stored change of the stream in log order, decide
again which count, and rebuild the merge state from the sealed changes. The page path in
``ingest.py`` is the fast one for changes that simply come next; a property holds them equal.
"""

from __future__ import annotations

from collections.abc import Mapping

from casesync.access.stream_rights import StreamRights
from casesync.access.verdicts import VERDICTS, State, verdict_code
from casesync.foundation.errors import CasesyncError, CryptoError
from casesync.foundation.ids import ChangeNumber, DeviceNumber, StreamId
from casesync.model.merge import Segment, StreamState, rebuild
from casesync.model.segment_body import is_copies
from casesync.sync.change_reader import OpenedSegment, ReadChange, content_of, facts_of, read_change
from casesync.sync.context import Engine
from casesync.sync.copy_check import CopyCheck
from casesync.sync.ports import QuarantineRow, StreamFlag, Transaction
from casesync.sync.statement_keys import give_up_keys, open_stream_keys
from casesync.sync.stream_row import HistoryEntry, StreamRow
from casesync.sync.waiting_leaves import CheckAuthor, WaitingLeaves
from casesync.translog.chain import link as chain_link

_UNJUDGED = verdict_code("control-missing")


class SeenVectors:
    """Per change the newest numbers reachable through ``after`` and the author's own chain."""

    def __init__(self) -> None:
        self._vectors: dict[tuple[int, int], dict[int, int]] = {}

    def note(self, change: ReadChange) -> None:
        """Take in a change; every change it refers to has been noted or is not here."""
        header = change.header
        vector: dict[int, int] = {}
        sources = [(header.device, header.previous_here)]
        sources += [(device, number) for device, number, _ in header.after]
        for device, number in sources:
            for seen_device, seen_number in self._vectors.get((device, number), {}).items():
                vector[seen_device] = max(vector.get(seen_device, 0), seen_number)
            vector[device] = max(vector.get(device, 0), number)
        vector[header.device] = header.number
        self._vectors[header.device, header.number] = vector

    def of(self, change: ReadChange) -> Mapping[int, int]:
        """What the author of a noted change had seen, itself included."""
        return self._vectors[change.header.device, change.header.number]

    def seen_by(self, device: int, number: int) -> Mapping[int, int]:
        """What the author of a change had seen; empty if the change is not here."""
        return self._vectors.get((device, number), {})


def load_changes(tx: Transaction, entries: list[HistoryEntry]) -> list[ReadChange]:
    """The stored changes of history entries, parsed, in the order given."""
    stored = tx.changes_at([entry.location for entry in entries])
    return [
        read_change(
            change,
            chain_link(change.previous_link, change.header),
            entry.location,
            entry.log_index,
            entry.log_time_ms,
        )
        for change, entry in zip(stored, entries, strict=True)
    ]


def rejudge(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    row: StreamRow,
    check_author: CheckAuthor | None,
) -> bool:
    """Judge and merge the stream again from its stored changes.

    A copy that was destroyed is left alone: the boxes in its headers would open its keys again.

    Args:
        engine: identity, keys and control log.
        tx: the running transaction; keys that open now are stored through it.
        stream: the stream.
        row: its row, changed in place.
        check_author: raises CryptoError for a change whose signature does not hold; called only
            for changes stored before their author was known. What neither it nor a change that
            continues it proves is set aside (``waiting_leaves``). None while a page is merged:
            what proves them may come with it, so they wait until all of it is stored.

    Returns:
        Whether a verdict changed.
    """
    if row.given_up:
        return False
    entries = row.in_log_order()
    if check_author is not None:
        entries = _proven(engine, tx, stream, entries, check_author)
    changes = load_changes(tx, entries)
    open_stream_keys(engine, tx, stream, changes)
    rights = StreamRights()
    vectors = SeenVectors()
    judged: list[HistoryEntry] = []
    changed = False
    for entry, change in zip(entries, changes, strict=True):
        vectors.note(change)
        code = entry.verdict
        if check_author is not None or code != _UNJUDGED:
            code = _judge_one(engine, tx, stream, change, rights, vectors)
        changed = changed or code != entry.verdict
        judged.append(entry._replace(verdict=code))
    row.rewrite(judged)
    row.put_rights(rights)
    if rights.owner not in (None, engine.unit):
        give_up_keys(engine, tx, stream, changes, rights)
    remerge(engine, tx, stream, row, changes, judged)
    return changed


def _proven(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    entries: list[HistoryEntry],
    check_author: CheckAuthor,
) -> list[HistoryEntry]:
    """The changes whose author is proven, now that those who were unknown may be known."""
    if all(entry.verdict != _UNJUDGED for entry in entries):
        return entries
    kept: list[HistoryEntry] = []
    for entry, change in zip(entries, load_changes(tx, entries), strict=True):
        if entry.verdict == _UNJUDGED and not _is_proven(engine, tx, change, check_author):
            WaitingLeaves(engine, tx).set_aside(stream, change)
        else:
            kept.append(entry)
    return kept


def _is_proven(
    engine: Engine, tx: Transaction, change: ReadChange, check_author: CheckAuthor
) -> bool:
    """Whether the author of a change is proven, or cannot be asked for yet."""
    known = change.header.control_size <= engine.control.size
    if not known or engine.control.change_key(change.header.device) is None:
        return True
    try:
        check_author(change)
    except CryptoError:
        return WaitingLeaves(engine, tx).is_continued(change, check_author)
    return True


def _judge_one(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    change: ReadChange,
    rights: StreamRights,
    vectors: SeenVectors,
) -> int:
    try:
        facts = facts_of(engine, tx, stream, change)
    except CasesyncError:
        return verdict_code("change-malformed")
    code = rights.judge(facts, engine.control, stream, engine.network, lambda: vectors.of(change))
    rights.fold(facts, code, engine.control)
    return code


def holds_originals(engine: Engine, rights: StreamRights) -> bool:
    """Whether a stream is this unit's own: it was served every original from the beginning."""
    return rights.owner == engine.unit


class SegmentSet:
    """Opened segments and which of them count: what a merge state is rebuilt from."""

    def __init__(self, *, whole: bool) -> None:
        """Args: whole: every original was served, so that no copies are merged."""
        self._whole = whole
        self._segments: list[Segment] = []
        self._counted: dict[tuple[int, int, int], bool] = {}

    def add(self, change: ReadChange, opened: list[OpenedSegment], *, counts: bool) -> None:
        """Add a change's opened content; ``counts`` is the verdict on the change.

        It holds for what is not opened here, too: copies of that may be.
        """
        device, number = change.header.device, change.header.number
        for sealed in change.header.segments:
            self._counted[device, number, sealed.kind] = counts
        for part in opened:
            name = (device, number, part.compartment)
            self._counted[name] = counts and part.allowed
            if not (self._whole and is_copies(part.body)):
                segment = Segment(*name, change.link[:8], part.body, change.location)
                self._segments.append(segment)

    def merged(self) -> StreamState:
        """The state of the set."""
        return rebuild(self._segments, lambda *name: self._counted.get(name, True))


def remerge(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    row: StreamRow,
    changes: list[ReadChange],
    judged: list[HistoryEntry],
) -> None:
    """Rebuild the merge state and the stream's rows for people from verdicts already made."""
    whole = holds_originals(engine, row.rights)
    segments = SegmentSet(whole=whole)
    copies = CopyCheck(whole=whole)
    row.reset_newest()
    unsettled = False
    for entry, change in zip(judged, changes, strict=True):
        header = change.header
        verdict = VERDICTS[entry.verdict]
        tx.drop_quarantine(header.device, header.number)
        opened, faults, unreadable = content_of(engine, stream, change, row.rights)
        if verdict.state is State.COUNTS:
            row.note_applied(header.device, header.number, change.link[:8])
        differs = copies.take(change, opened)
        fault = faults[0].reason if faults else "copy-differs" if differs else ""
        reason = verdict.reason or fault
        if reason or unreadable:
            unsettled = True
            state = verdict.state.word if verdict.reason else "quarantined"
            if not reason:
                reason, state = "no-key", "unreadable"
            put_quarantine(tx, engine, stream, change, state, reason)
        segments.add(change, opened, counts=verdict.state is State.COUNTS)
    row.merge_row = segments.merged().to_row()
    tx.mark_streams([stream], StreamFlag.LISTING_STALE, on=True)
    tx.mark_streams([stream], StreamFlag.UNSETTLED, on=unsettled)


def put_quarantine(
    tx: Transaction,
    engine: Engine,
    stream: StreamId,
    change: ReadChange,
    state: str,
    reason: str,
) -> None:
    """Show a change that does not count (yet) to people."""
    sent = change.log_time_ms > 0
    tx.put_quarantine(
        QuarantineRow(
            stream=stream,
            device=DeviceNumber(change.header.device),
            number=ChangeNumber(change.header.number),
            log_index=change.log_index if sent else None,
            state=state,
            reason=reason,
            noticed_ms=engine.clock.now_ms(),
        )
    )


def state_of(row: StreamRow) -> StreamState:
    """The merge state of a row, used in place."""
    if not row.merge_row:
        row.merge_row = StreamState().to_row()
    return StreamState.from_row(row.merge_row)
