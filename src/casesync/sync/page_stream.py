"""One stream while a page is merged into it: what is new, the fast path, and when it ends (sync).

A change that simply comes next (content only, by a device and under keys that were admitted before)
is opened and applied in a handful of steps (``plain_path``). Everything else is judged in full, and
what cannot be judged by itself sends the stream to ``stream_merge.rejudge`` at the end of the page.
"""

from __future__ import annotations

from collections.abc import Sequence

from casesync.access.verdicts import COUNTS, verdict_code
from casesync.foundation.errors import CasesyncError, LocalStateError
from casesync.foundation.ids import UNSEALED_KIND, Compartment, FeedId, StreamId
from casesync.model.merge import StreamState
from casesync.sync.change_reader import ReadChange, facts_of, should_open
from casesync.sync.context import Engine
from casesync.sync.plain_path import Fresh, PlainPath
from casesync.sync.ports import StoredChange, Transaction
from casesync.sync.stream_merge import SeenVectors, load_changes, state_of
from casesync.sync.stream_row import HistoryEntry, StreamRow
from casesync.translog.header import Header, head_bytes, parse_header
from casesync.translog.page import plain_of
from casesync.translog.served_leaf import ServedLeaf
from casesync.translog.unsealed import UnsealedItems, decode_unsealed

_CONTENT_FIRST = int(Compartment.IDENTITY)
_CONTENT_LAST = int(Compartment.STATISTICS)


class PageStream:
    """A stream of the page that is being merged."""

    __slots__ = (
        "_changes",
        "_engine",
        "_fresh",
        "_plain",
        "_state",
        "_tx",
        "_unsealed",
        "again",
        "copies",
        "last_index",
        "links",
        "merged_segments",
        "plain_owner",
        "row",
        "stream",
        "touched",
    )

    def __init__(
        self,
        engine: Engine,
        tx: Transaction,
        stream: StreamId,
        row: StreamRow,
        plain: PlainPath,
    ) -> None:
        """Args: row: the stream's row, changed in place; plain: shared by the page."""
        self._engine = engine
        self._tx = tx
        self._plain = plain
        self._fresh: list[Fresh] = []
        self._changes: list[StoredChange] = []
        self._unsealed: dict[int, UnsealedItems] = {}
        self._state: StreamState | None = None
        self.last_index = -1
        """Largest index held of others' changes: none of ours has seen what comes behind it."""
        self.links: list[tuple[StreamId, FeedId, int, bool]] = []
        """Feed links and unlinks met, as ``IngestReport.linked`` has them."""
        self.copies: list[ServedLeaf] = []
        """Of two changes with one number the first in the log counts (DESIGN.md 6): the others."""
        self.stream = stream
        self.row = row
        self.plain_owner = row.plain_owner()
        self.again = False
        self.touched = False
        self.merged_segments = 0

    @property
    def state(self) -> StreamState:
        """The merge state, a view of the row."""
        if self._state is None:
            self._state = state_of(self.row)
        return self._state

    # -- what is new --------------------------------------------------------------------------

    def place(self, leaves: list[ServedLeaf]) -> list[ServedLeaf]:
        """Give own changes their index and keep what is not stored yet for ``merge``.

        Args:
            leaves: the page's leaves of this stream, in log order.

        Returns:
            Leaves whose header is malformed.

        Raises:
            LocalStateError: ``device-restored``.
        """
        row = self.row
        self.last_index = row.last_index(int(self._engine.device))
        self.again = row.has_uncounted() or row.given_up
        malformed: list[ServedLeaf] = []
        newest: dict[int, int] = {}
        applied = not row.has_uncounted() and not row.is_partial
        newest_number = row.newest_applied if applied else row.newest_number
        for leaf in leaves:
            device = leaf.device
            header = None
            plain = plain_of(leaf.header)
            if plain is None:
                try:
                    header = parse_header(leaf.header)
                except CasesyncError:
                    malformed.append(leaf)
                    continue
                number = header.number
                self._note_links(leaf, header)
            else:
                number = plain[0]
            known = newest.get(device)
            if known is None:
                known = newest[device] = newest_number(device)
            if number > known:
                newest[device] = number
            elif not self._is_fresh(leaf, number):
                continue
            self._fresh.append(Fresh(leaf, number, plain, header))
        self._changes = [
            StoredChange(leaf.previous_link, leaf.header, leaf.signature, leaf.segments)
            for leaf, *_ in self._fresh
        ]
        self.touched = self.touched or bool(self._fresh)
        return malformed

    def _is_fresh(self, leaf: ServedLeaf, number: int) -> bool:
        """Whether a leaf with a number that is not the newest is to be stored."""
        entry = self.row.find(leaf.device, number)
        if entry is None:
            taken = any(
                other.device == leaf.device and placed == number
                for other, placed, _, _ in self._fresh
            )
            if taken:
                self.copies.append(leaf)
            return not taken
        if not entry.sent:
            self._place_own(entry, leaf)
            return False
        if entry.log_index < leaf.index:
            self.copies.append(leaf)
            return False
        if leaf.index < entry.log_index or (self.row.complete_from and leaf.own is None):
            self.row.rewrite([e for e in self.row.history() if e != entry])
            self.again = True
            return True
        return False

    def _note_links(self, leaf: ServedLeaf, header: Header) -> None:
        unsealed = leaf.segments[0]
        if header.segments[0].kind != UNSEALED_KIND or unsealed is None:
            return
        try:
            items = decode_unsealed(unsealed)
        except CasesyncError:
            return
        self._unsealed[leaf.index] = items
        for feed, linked in items.feed_links:
            self.links.append((self.stream, FeedId(feed), leaf.index, linked))

    def _place_own(self, entry: HistoryEntry, leaf: ServedLeaf) -> None:
        """An own change was recorded: its index is known now, and judged there if it matters.

        Raises:
            LocalStateError: ``device-restored``: under this number the log holds another change
                that this device's key signed.
        """
        [stored] = self._tx.changes_at([entry.location])
        if (stored.previous_link, stored.header) != (leaf.previous_link, leaf.header):
            raise LocalStateError("device-restored")
        row = self.row
        row.rewrite(
            [
                e._replace(log_index=leaf.index, log_time_ms=leaf.log_time_ms) if e == entry else e
                for e in row.history()
            ]
        )
        self.touched = True
        rights = row.rights
        if rights.grants or entry.verdict != COUNTS or rights.opening is None:
            self.again = True
        else:
            row.put_rights(rights.recorded(entry.device, entry.number, leaf.index))

    def go_on(self, leaves: Sequence[ServedLeaf], last_index: int) -> None:
        """Keep for ``merge`` the leaves that the compiled twin left, stored already."""
        for leaf in leaves:
            plain = plain_of(leaf.header)
            if plain is not None:
                self._fresh.append(Fresh(leaf, plain[0], plain, None))
            else:
                header = parse_header(leaf.header)
                self._fresh.append(Fresh(leaf, header.number, None, header))
        self.last_index = last_index
        self.touched = True

    def changes(self) -> list[StoredChange]:
        """What is to be stored, in the order in which ``merge`` finds locations."""
        return self._changes

    # -- merging ------------------------------------------------------------------------------

    def merge(self, locations: list[int], first: int) -> int:
        """Merge what is new; change ``i`` of ``changes`` stands at ``locations[first + i]``.

        Returns: how many changes these were.
        """
        fresh = self._fresh
        at = 0
        while at < len(fresh):
            if not self.again:
                start = at
                at = self._plain.take_run(self, fresh, at, locations, first)
                self.merged_segments += at - start
                if at == len(fresh):
                    break
            leaf, _, _, header = fresh[at]
            self._take(leaf, header or parse_header(leaf.header), locations[first + at])
            at += 1
        return len(fresh)

    def _take(self, leaf: ServedLeaf, header: Header, location: int) -> None:
        """Merge one leaf in general."""
        device, number = header.device, header.number
        code: int | None = None
        if not self.again and leaf.index > self.last_index:
            self.last_index = leaf.index
            if self._is_plain(leaf, header):
                code = COUNTS
            elif leaf.index > self.row.last_index():
                code = self._judge(leaf, header, location)
        verdict = COUNTS if code is None else code
        self.row.add(leaf.index, device, number, location, verdict, leaf.log_time_ms)
        if code != COUNTS:
            self.again = True
            return
        self.row.note_applied(device, number, leaf.link[:8])
        if not self._merge(leaf, header, location):
            self.again = True

    def _is_plain(self, leaf: ServedLeaf, header: Header) -> bool:
        """Whether the full judgement would find nothing to object to, seen at a glance.

        As on the plain path, but of any number of content segments. Changes of this device may
        lie behind the leaf: a key that one of them introduces is none yet.
        """
        unit, mask = self._plain.device(header.device)
        if unit is None or unit != self.plain_owner:
            return False
        if not header.device <= header.control_size <= self._plain.control_size:
            return False
        return all(
            mask >> kind & 1 and self.row.introduces(kind, key_name, leaf.index)
            for kind, key_name, _, _ in header.segments
        )

    def _judge(self, leaf: ServedLeaf, header: Header, location: int) -> int | None:
        """The verdict, or None where only judging the whole stream again can tell."""
        engine, tx, row = self._engine, self._tx, self.row
        change = ReadChange(
            header,
            head_bytes(leaf.header, header),
            leaf.link,
            StoredChange(leaf.previous_link, leaf.header, leaf.signature, leaf.segments),
            location,
            leaf.index,
            leaf.log_time_ms,
        )
        try:
            facts = facts_of(engine, tx, self.stream, change, self._unsealed.get(leaf.index))
        except CasesyncError:
            return verdict_code("change-malformed")
        plain = facts.unsealed is None and facts.base is None and not facts.base_sealed
        if facts.unsealed is not None and (facts.unsealed.boxes or facts.base_sealed):
            return None  # keys may open that earlier changes wait for

        def seen() -> dict[int, int]:
            vectors = SeenVectors()
            for earlier in load_changes(tx, row.in_log_order()):
                vectors.note(earlier)
            vectors.note(change)
            return dict(vectors.of(change))

        rights = row.rights
        if facts.base and rights.owner not in (None, engine.unit):
            return None  # grants and revocations change what we open
        code = rights.judge(facts, engine.control, self.stream, engine.network, seen)
        if code != COUNTS:
            return code
        if not plain:
            rights.fold(facts, code, engine.control)
            row.put_rights(rights)
            self.plain_owner = row.plain_owner()
        return code

    def _merge(self, leaf: ServedLeaf, header: Header, location: int) -> bool:
        """Open and apply what this device can read; False sends the stream to the slow path."""
        engine, stream = self._engine, self.stream
        head = head_bytes(leaf.header, header)
        for position, segment in enumerate(header.segments):
            kind = segment.kind
            if not _CONTENT_FIRST <= kind <= _CONTENT_LAST:
                continue
            key = engine.keys.get(stream, kind, segment.key_name)
            if key is None or leaf.segments[position] is None:
                if should_open(engine, self.row.rights, kind, segment.key_name):
                    return False
                continue
            if not self._plain.take_segment(
                self, leaf, head, position, kind, key, header.number, location
            ):
                return False
            self.merged_segments += 1
        return True
