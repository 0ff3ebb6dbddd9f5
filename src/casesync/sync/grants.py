"""Granting, revoking, and keeping a grant whole (sync floor; ``protocol/keys.md``, *Grants*).

A grant starts with a snapshot: copies of the live writes of its compartments under fresh stream
keys, so that nothing older than the snapshot opens for the grantee. A change under an older key
that lands behind the grant is copied the same way (supplement) by the next device of the owning
unit that syncs and can open it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from casesync.access.base_acts import Grant, Revocation
from casesync.access.stream_facts import END_OF_LOG, GrantFact, opens_from
from casesync.codec import canonical
from casesync.foundation.errors import AccessDenied, CasesyncError, UsageError
from casesync.foundation.ids import (
    ChangeNumber,
    Compartment,
    DeviceNumber,
    FeedId,
    GrantId,
    RecordId,
    StreamId,
    UnitId,
)
from casesync.foundation.limits import CELLS_PER_CHANGE_MAX, SEGMENT_BYTES_MAX
from casesync.model.copies import snapshot_copies, supplement_copies
from casesync.model.segment_body import (
    Content,
    Copy,
    Replacement,
    cells_of,
    copy_at,
    decode_content,
    encode_copies,
    is_copies,
)
from casesync.sync.author import Draft, write_change
from casesync.sync.change_reader import ReadChange, may_copy, open_at
from casesync.sync.context import Engine
from casesync.sync.ports import Transaction
from casesync.sync.statement_keys import believed_boxes
from casesync.sync.stream_merge import load_changes, state_of
from casesync.sync.stream_row import HistoryEntry, StreamRow
from casesync.translog.header import SegmentEntry

_ALWAYS = END_OF_LOG * 2
_Brought = dict[tuple[bytes, int, int, int], list[set[tuple[Any, ...]]]]
_PIECE_BYTES_MAX = SEGMENT_BYTES_MAX * 3 // 4
"""Of copies in one segment, so that it stays below the bound when it is padded."""
_COPY_BYTES = 96
_REPLACEMENT_BYTES = 64
"""What a copy takes beside its value and its element; what each of its replacements does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantTerms:
    """What a grant says."""

    to_unit: UnitId
    compartments: tuple[Compartment, ...]
    write: bool
    history: bool
    purpose: str
    expires_ms: int | None
    consent: RecordId


class ContentCache:
    """Decoded content segments of one stream by location and compartment."""

    def __init__(self, engine: Engine, tx: Transaction, stream: StreamId, row: StreamRow) -> None:
        """Args: row: the stream's row; its changes are read when first asked for."""
        self._engine = engine
        self._tx = tx
        self._stream = stream
        engine.keys.load(tx, [stream])
        self._entries = {entry.location: entry for entry in row.history()}
        self._changes: dict[int, ReadChange] = {}
        self._contents: dict[tuple[int, int], Content | None] = {}

    def change(self, location: int) -> ReadChange:
        """The stored change at ``location``."""
        if location not in self._changes:
            [change] = load_changes(self._tx, [self._entries[location]])
            self._changes[location] = change
        return self._changes[location]

    def content(self, location: int, compartment: int) -> Content | None:
        """The decoded segment, None if it is not readable here or no content at all."""
        name = (location, compartment)
        if name not in self._contents:
            self._contents[name] = self._open(location, compartment)
        return self._contents[name]

    def _open(self, location: int, compartment: int) -> Content | None:
        if location not in self._entries:
            return None
        change = self.change(location)
        for position, segment in enumerate(change.header.segments):
            if segment.kind == compartment:
                body = open_at(self._engine, self._stream, change, position)
                try:
                    return None if body is None else decode_content(body)
                except CasesyncError:  # an author's malformed segment stops nobody else's
                    return None
        return None


def write_grant(
    engine: Engine, tx: Transaction, stream: StreamId, terms: GrantTerms, feed: FeedId
) -> GrantId:
    """Write the grant with its keys, feed link and snapshot; returns its id.

    Raises:
        AccessDenied: ``may-not-grant``: role, unit or missing reading rights.
        UsageError: ``identity-needs-contact``, ``grant-to-owner``.
    """
    row = StreamRow(tx.stream_rows([stream]).get(stream))
    rights = row.rights
    if terms.to_unit == rights.owner:
        raise UsageError("grant-to-owner")
    chosen = set(terms.compartments)
    if Compartment.IDENTITY in chosen and Compartment.CONTACT not in chosen:
        raise UsageError("identity-needs-contact")
    if (
        rights.owner != engine.unit
        or not engine.control.may_grant(engine.device)
        or not all(engine.reads(c) for c in chosen)
    ):
        raise AccessDenied("may-not-grant")
    revoked = [r for g in rights.grants if g.unit == terms.to_unit for r in g.revocations]
    latest = max(revoked, key=lambda r: (r[2], r[1])) if revoked else None
    grant = GrantId(engine.entropy.bytes(16))
    covers = tuple(
        (DeviceNumber(device), ChangeNumber(number))
        for device, (number, _) in sorted(row.newest().items())
    )
    act = Grant(
        grant=grant,
        to_unit=terms.to_unit,
        compartments=tuple(sorted(chosen)),
        write=terms.write,
        history=terms.history,
        purpose=terms.purpose,
        expires_ms=terms.expires_ms,
        consent=terms.consent,
        revocation=None if latest is None else (DeviceNumber(latest[0]), ChangeNumber(latest[1])),
        covers=covers,
    )
    cache = ContentCache(engine, tx, stream, row)
    state = state_of(row)
    copies = {int(c): snapshot_copies(state, int(c), cache.content) for c in sorted(chosen)}
    drafts = _snapshot_drafts(engine, stream, grant, copies)
    drafts[0].acts.append(act)
    drafts[0].feed_links.append((feed, True))
    drafts[0].fresh = {int(c) for c in chosen}
    drafts[0].history_boxes = terms.history
    for draft in drafts:
        write_change(engine, tx, draft)
    return grant


def _snapshot_drafts(
    engine: Engine, stream: StreamId, grant: GrantId, copies: dict[int, list[Copy]]
) -> list[Draft]:
    """Drafts of at most 256 copies each, "part i of n" per compartment."""
    chunks: list[tuple[int, int, int, list[Copy]]] = []
    for compartment, listed in copies.items():
        pieces = _pieces(listed) or [[]]
        chunks += [(compartment, at, len(pieces), piece) for at, piece in enumerate(pieces, 1)]
    drafts: list[Draft] = []
    room = room_bytes = 0
    for compartment, part, parts, piece in chunks:
        piece_bytes = sum(map(_copy_bytes, piece))
        full = room < len(piece) or room_bytes < piece_bytes
        if not drafts or full or compartment in drafts[-1].bodies:
            drafts.append(Draft(stream=stream))
            room, room_bytes = CELLS_PER_CHANGE_MAX, SEGMENT_BYTES_MAX
        room -= len(piece)
        room_bytes -= piece_bytes
        body = encode_copies(
            engine.clock.now_ms(), engine.schema.version, grant, part, parts, piece
        )
        drafts[-1].bodies[compartment] = body
        drafts[-1].decoded[compartment] = decode_content(body)
    return drafts


def _pieces(copies: Iterable[Copy]) -> list[list[Copy]]:
    """Copies in pieces that one segment takes, by number and by bytes, in the order given.

    What alone is too much for a segment is left out: only a hostile author's table is so long.
    """
    pieces: list[list[Copy]] = []
    room = 0
    for copy in copies:
        size = _copy_bytes(copy)
        if size > _PIECE_BYTES_MAX:
            continue
        if not pieces or room < size or len(pieces[-1]) == CELLS_PER_CHANGE_MAX:
            pieces.append([])
            room = _PIECE_BYTES_MAX
        pieces[-1].append(copy)
        room -= size
    return pieces


def _copy_bytes(copy: Copy) -> int:
    """No less than a copy takes in a segment."""
    values = len(canonical.pack([copy.value, copy.cell.element]))
    return values + _COPY_BYTES + _REPLACEMENT_BYTES * len(copy.replaces)


def write_revocation(
    engine: Engine, tx: Transaction, stream: StreamId, fact: GrantFact, feed: FeedId, reason: str
) -> None:
    """Revoke a grant and unlink the grantee's feed, unless another grant of that unit stands.

    Raises:
        AccessDenied: ``may-not-grant``.
    """
    row = StreamRow(tx.stream_rows([stream]).get(stream))
    if row.rights.owner != engine.unit or not engine.control.may_grant(engine.device):
        raise AccessDenied("may-not-grant")
    others = [
        g
        for g in row.rights.grants_in_force(_ALWAYS, engine.clock.now_ms())
        if g.unit == fact.unit and g.grant != fact.grant
    ]
    # Under the base key as it was: who loses the grant is to read that it did. New keys start with
    # the next write.
    draft = Draft(
        stream=stream,
        acts=[Revocation(grant=GrantId(fact.grant), reason=reason)],
        keep_base=True,
    )
    if not others:
        draft.feed_links.append((feed, False))
    write_change(engine, tx, draft)


# -- supplements -------------------------------------------------------------------------------


def supplement_due(
    engine: Engine, row: StreamRow, cache: ContentCache
) -> dict[int, tuple[bytes, list[Copy]]]:
    """By compartment the grant and the copies that a grantee still lacks.

    Due is what a change says that lies behind a grant of its compartment, under a key the grantee
    has no box of, and that no copy brings yet (``model.copies.supplement_copies``).
    """
    grants = row.rights.grants_in_force(_ALWAYS, engine.clock.now_ms())
    if not grants or row.rights.owner != engine.unit:
        return {}
    state = state_of(row)
    brought = _brought(engine, row, cache)
    due: dict[int, tuple[bytes, list[Copy]]] = {}
    for entry in row.in_log_order():
        if not entry.counts or not entry.sent:
            continue
        for segment in cache.change(entry.location).header.segments:
            lacking = _lacking(engine, row, segment, entry, grants)
            content = cache.content(entry.location, segment.kind) if lacking else None
            if content is None or is_copies(content):
                continue
            change = (entry.device, entry.number, segment.kind)
            table = {tuple(replaced) for replaced in content[2]}
            lacking = [
                grant
                for grant in lacking
                if not any(table <= named for named in brought.get((grant.unit, *change), ()))
            ]
            if not lacking:
                continue
            copies = supplement_copies(state, change, content, cache.content)
            copies = _naming(cache.change(entry.location), content, copies)
            if copies:
                due.setdefault(segment.kind, (lacking[0].grant, []))[1].extend(copies)
    return due


def _naming(change: ReadChange, content: Content, copies: list[Copy]) -> list[Copy]:
    """The copies, those of what replaced a write of the change naming it.

    It says that the change was brought, although its value does not travel (``_brought``).
    """
    dot = (change.header.device, change.header.number)
    cells = list(cells_of(content))
    named = []
    for copy in copies:
        mask = sum(1 << at for at, cell in enumerate(cells) if cell == copy.cell)
        if (copy.device, copy.number) != dot and mask:
            replaces = {*copy.replaces, Replacement(*dot, change.link[:8], mask)}
            named.append(copy._replace(replaces=tuple(sorted(replaces))))
        else:
            named.append(copy)
    return named


def _lacking(
    engine: Engine,
    row: StreamRow,
    segment: SegmentEntry,
    entry: HistoryEntry,
    grants: Iterable[GrantFact],
) -> list[GrantFact]:
    """Grants before the change whose units have no box of its key."""
    kind = segment.kind
    found: list[GrantFact] = []
    if not Compartment.BASE < kind < Compartment.ACCESS:
        return found
    reached: set[bytes] | None = None
    for grant in grants:
        if not grant.mask >> kind & 1 or not grant.lies_behind(entry.device, entry.number):
            continue
        if grant.history:
            continue  # every key comes by itself (``KeyPlanner.owed_boxes``)
        if engine.control.current_unit_key(UnitId(grant.unit), kind) is None:
            continue  # nobody there reads it, or its new key is not here yet
        if reached is None:
            reached = _units_reached(engine, row, segment)
        if reached is not None and grant.unit not in reached:
            found.append(grant)
    return found


def _units_reached(engine: Engine, row: StreamRow, segment: SegmentEntry) -> set[bytes] | None:
    """Units that open the segment by a box they have not given up; None without a statement."""
    fact = row.rights.statement(segment.kind, segment.key_name)
    if fact is None:
        return None
    return {
        unit
        for unit in believed_boxes(engine, fact, row.rights.owner).values()
        if fact.log_index >= opens_from(row.rights.grants, unit, segment.kind)
    }


def _brought(engine: Engine, row: StreamRow, cache: ContentCache) -> _Brought:
    """By (unit, device, number, compartment) of a change what copies of it name as replaced.

    A copy brings the change if it names all that the change replaces: one in a snapshot for another
    office does not, and would stand beside what its original replaced.
    """
    found: _Brought = {}
    for entry in row.history():
        if not entry.counts or not may_copy(engine, row.rights, entry.device):
            continue
        for segment in cache.change(entry.location).header.segments:
            kind = segment.kind
            if not Compartment.BASE < kind < Compartment.ACCESS:
                continue
            content = cache.content(entry.location, kind)
            if content is None or not is_copies(content):
                continue
            for unit in _units_reached(engine, row, segment) or ():
                for index in range(len(content[3][3])):
                    copy = copy_at(content, index)
                    named = {tuple(replaced) for replaced in copy.replaces}
                    for device, number in {copy[:2], *(r[:2] for r in copy.replaces)}:
                        found.setdefault((unit, device, number, kind), []).append(named)
    return found


def write_supplement(
    engine: Engine, tx: Transaction, stream: StreamId, due: dict[int, tuple[bytes, list[Copy]]]
) -> None:
    """Copy what landed behind a grant under an older key."""
    for compartment, (grant, copies) in due.items():
        for piece in _pieces(copies):
            body = encode_copies(engine.clock.now_ms(), engine.schema.version, grant, 0, 0, piece)
            draft = Draft(stream=stream)
            draft.bodies[compartment] = body
            draft.decoded[compartment] = decode_content(body)
            write_change(engine, tx, draft)
