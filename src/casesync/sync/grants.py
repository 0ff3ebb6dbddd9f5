"""Granting and revoking (sync floor; ``protocol/keys.md``, *Grants*).

A grant starts with a snapshot: copies of the live writes of its compartments under fresh stream
keys, so that nothing older than the snapshot opens for the grantee. What it lacks later is copied
the same way (``supplements``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from casesync.access.base_acts import Grant, Revocation
from casesync.access.stream_facts import END_OF_LOG, GrantFact
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
from casesync.model.copies import snapshot_copies
from casesync.model.segment_body import Content, Copy, decode_content, encode_copies
from casesync.sync.author import Draft, write_change
from casesync.sync.change_reader import ReadChange, open_at
from casesync.sync.context import Engine
from casesync.sync.ports import Transaction
from casesync.sync.stream_merge import load_changes, state_of
from casesync.sync.stream_row import StreamRow

_ALWAYS = END_OF_LOG * 2
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
        pieces = in_pieces(listed) or [[]]
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


def in_pieces(copies: Iterable[Copy]) -> list[list[Copy]]:
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
        for g in row.rights.grants_in_force(_ALWAYS, engine.log_now_ms())
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
