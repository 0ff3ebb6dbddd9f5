"""One stream while a page is merged into it: the fast path and when it ends (sync floor).

A change that simply comes next (content only, by a device and under keys that were admitted before)
is opened and applied in a handful of steps. Everything else is judged in full, and what cannot be
judged by itself sends the stream to ``stream_merge.rejudge`` at the end of the page.
"""

from __future__ import annotations

from hashlib import sha256

from casesync.access.verdicts import COUNTS, verdict_code
from casesync.crypto.sealing import open_segment
from casesync.foundation.errors import CasesyncError
from casesync.foundation.ids import CONTENT_COMPARTMENTS, Compartment, StreamId
from casesync.model.merge import StreamState
from casesync.model.segment_body import decode_content
from casesync.sync.change_reader import ReadChange, facts_of, fields_allowed, should_open
from casesync.sync.context import Engine
from casesync.sync.ports import StoredChange, Transaction
from casesync.sync.stream_merge import SeenVectors, load_changes, state_of
from casesync.sync.stream_row import StreamRow
from casesync.translog.header import Header, head_bytes, head_length
from casesync.translog.page import ServedLeaf

_CONTENT_FIRST = int(Compartment.IDENTITY)
_CONTENT_LAST = int(Compartment.STATISTICS)
_CONTENT_MASK = sum(1 << int(c) for c in CONTENT_COMPARTMENTS)


class PlainDevices:
    """What is the same for every change of a device in a page."""

    def __init__(self, engine: Engine) -> None:
        """Args: engine: its control log as of the page."""
        self._control = engine.control
        self._facts: dict[int, tuple[bytes | None, int]] = {}
        self.control_size = engine.control.size

    def facts(self, device: int) -> tuple[bytes | None, int]:
        """(unit, mask of content compartments its role writes); (None, 0) if not so simple."""
        found = self._facts.get(device)
        if found is None:
            found = (None, 0)
            if self._control.suspended_from(device) is None:
                mask = self._control.writes_mask(device) & _CONTENT_MASK
                found = (self._control.unit_of(device), mask)
            self._facts[device] = found
        return found


class PageStream:
    """A stream of the page that is being merged."""

    __slots__ = (
        "_devices",
        "_engine",
        "_keys",
        "_last_index",
        "_owner",
        "_state",
        "_stream",
        "_tx",
        "again",
        "merged_segments",
        "row",
        "touched",
    )

    def __init__(
        self,
        engine: Engine,
        tx: Transaction,
        stream: StreamId,
        row: StreamRow,
        devices: PlainDevices,
    ) -> None:
        """Args: row: the stream's row, changed in place; devices: shared by the page."""
        self._engine = engine
        self._tx = tx
        self._stream = stream
        self._state: StreamState = state_of(row)
        self._last_index = row.last_index()
        self._devices = devices
        self._owner: bytes | None = None
        self._keys: set[tuple[int, bytes]] = set()
        self.row = row
        self._refresh()
        self.again = row.has_uncounted() or row.given_up
        self.touched = False
        self.merged_segments = 0

    def close(self) -> None:
        """Put what was merged into the row, unless the stream is judged again anyway."""
        if not self.again:
            self.row.merge_row = self._state.to_row()

    def take(self, leaf: ServedLeaf, header: Header, location: int) -> None:
        """Merge one leaf that was not here before."""
        self.touched = True
        device = header.device
        if self.again or leaf.index <= self._last_index:
            self.again = True
            self.row.add(leaf.index, device, header.number, location, COUNTS, leaf.log_time_ms)
            return
        self._last_index = leaf.index
        code: int | None = COUNTS if self._plain(header) else self._judge(leaf, header, location)
        self.row.add(
            leaf.index,
            device,
            header.number,
            location,
            COUNTS if code is None else code,
            leaf.log_time_ms,
        )
        if code != COUNTS:
            self.again = True
            return
        link8 = leaf.link[:8]
        self.row.note_applied(device, header.number, link8)
        if not self._merge(leaf, header, link8, location):
            self.again = True

    def _plain(self, header: Header) -> bool:
        """Whether the full judgement would find nothing to object to, seen at a glance.

        Content alone, written by an active device of the owning unit whose role writes these
        compartments, under keys that valid statements introduced.
        """
        unit, mask = self._devices.facts(header.device)
        if unit is None or unit != self._owner:
            return False
        if not header.device <= header.control_size <= self._devices.control_size:
            return False
        keys = self._keys
        for kind, key_name, _, _ in header.segments:
            if not mask >> kind & 1 or (kind, key_name) not in keys:
                return False
        return True

    def _refresh(self) -> None:
        """Take from the rights what ``_plain`` compares with."""
        self._owner, self._keys = self.row.plain_rights()

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
            facts = facts_of(engine, tx, self._stream, change)
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
        code = rights.judge(facts, engine.control, self._stream, engine.network, seen)
        if code != COUNTS:
            return code
        if not plain:
            rights.fold(facts, code, engine.control)
            row.put_rights(rights)
            self._refresh()
        return code

    def _merge(self, leaf: ServedLeaf, header: Header, link8: bytes, location: int) -> bool:
        """Open and apply what this device can read; False sends the stream to the slow path."""
        engine, stream = self._engine, self._stream
        head = leaf.header[: head_length(leaf.header)]
        head_hash = sha256(head).digest()
        for position, segment in enumerate(header.segments):
            kind = segment.kind
            if not _CONTENT_FIRST <= kind <= _CONTENT_LAST:
                continue
            key = engine.keys.get(stream, kind, segment.key_name)
            sealed = leaf.segments[position]
            if key is None or sealed is None:
                if should_open(engine, self.row.rights, kind, segment.key_name):
                    return False
                continue
            try:
                body = decode_content(
                    open_segment(
                        key.cipher,
                        leaf.previous_link,
                        head,
                        head_hash,
                        position,
                        key.commitment,
                        sealed,
                    )
                )
            except CasesyncError:
                return False
            if body[2] is None or not fields_allowed(engine, kind, body):
                return False
            self._state.apply(header.device, header.number, kind, link8, body, location)
            self.merged_segments += 1
        return True
