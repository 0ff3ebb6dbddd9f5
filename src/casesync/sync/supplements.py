"""What an office with a grant lacks, copied to it (sync floor; ``protocol/keys.md``, *Grants*).

A change under an older key that lands behind a grant is copied (supplement) by the next device of
the owning unit that syncs and can open it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from casesync.access.stream_facts import END_OF_LOG, GrantFact, opens_from
from casesync.foundation.ids import CONTENT_COMPARTMENTS, Compartment, StreamId, UnitId
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
from casesync.sync.change_reader import ReadChange, may_copy
from casesync.sync.context import Engine
from casesync.sync.grants import ContentCache, in_pieces
from casesync.sync.ports import Transaction
from casesync.sync.statement_keys import believed_boxes
from casesync.sync.stream_merge import state_of
from casesync.sync.stream_row import HistoryEntry, StreamRow
from casesync.translog.header import SegmentEntry

_ALWAYS = END_OF_LOG * 2
_Due = dict[int, tuple[bytes, list[Copy]]]


class _Brought(NamedTuple):
    """What copies bring to which unit."""

    tables: dict[tuple[bytes, int, int, int], list[set[tuple[Any, ...]]]]
    """By (unit, device, number, compartment) of a change what copies of it name as replaced."""
    writes: set[tuple[bytes, int, int, int, int]]
    """(unit, device, number, position, compartment)."""


def supplement_due(
    engine: Engine, row: StreamRow, cache: ContentCache
) -> dict[int, tuple[bytes, list[Copy]]]:
    """By compartment the grant and the copies that a grantee still lacks.

    Due is what a change says that lies behind a grant of its compartment, under a key the grantee
    has no box of, and that no copy brings yet (``model.copies.supplement_copies``); and what a
    snapshot left out as replaced, where that counts no more (a suspension took effect before it).
    """
    grants = row.rights.grants_in_force(_ALWAYS, engine.log_now_ms())
    if not grants or row.rights.owner != engine.unit:
        return {}
    state = state_of(row)
    brought = _brought(engine, row, cache)
    due: _Due = {}
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
                if not any(
                    table <= named for named in brought.tables.get((grant.unit, *change), ())
                )
            ]
            if not lacking:
                continue
            copies = supplement_copies(state, change, content, cache.content)
            copies = _naming(cache.change(entry.location), content, copies)
            if copies:
                due.setdefault(segment.kind, (lacking[0].grant, []))[1].extend(copies)
    if row.has_uncounted():
        _add_revived(engine, row, cache, grants, brought, due)
    return due


def _add_revived(
    engine: Engine,
    row: StreamRow,
    cache: ContentCache,
    grants: Iterable[GrantFact],
    brought: _Brought,
    due: _Due,
) -> None:
    """Add copies of live writes that a grant covers and that its unit has neither way."""
    state = state_of(row)
    for grant in grants:
        unit = UnitId(grant.unit)
        for kind in map(int, CONTENT_COMPARTMENTS):
            if grant.history or not grant.mask >> kind & 1:
                continue
            if engine.control.current_unit_key(unit, kind) is None:
                continue
            for copy in snapshot_copies(state, kind, cache.content):
                write = (grant.unit, copy.device, copy.number, copy.position, kind)
                if grant.lies_behind(copy.device, copy.number) or write in brought.writes:
                    continue
                copies = due.get(kind, (b"", []))[1]
                if copy in copies or unit in _original_reached(engine, row, cache, copy, kind):
                    continue
                due.setdefault(kind, (grant.grant, copies))[1].append(copy)


def _original_reached(
    engine: Engine, row: StreamRow, cache: ContentCache, copy: Copy, kind: int
) -> set[bytes]:
    """Units that open the change that a copy is of."""
    entry = row.find(copy.device, copy.number)
    if entry is None:
        return set()
    for segment in cache.change(entry.location).header.segments:
        if segment.kind == kind:
            return _units_reached(engine, row, segment) or set()
    return set()


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
    """What copies bring to which unit.

    A copy brings the change if it names all that the change replaces: one in a snapshot for another
    office does not, and would stand beside what its original replaced.
    """
    found = _Brought({}, set())
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
                        found.tables.setdefault((unit, device, number, kind), []).append(named)
                    found.writes.add((unit, *copy[:2], copy.position, kind))
    return found


def write_supplement(engine: Engine, tx: Transaction, stream: StreamId, due: _Due) -> None:
    """Write what ``supplement_due`` found."""
    for compartment, (grant, copies) in due.items():
        for piece in in_pieces(copies):
            body = encode_copies(engine.clock.now_ms(), engine.schema.version, grant, 0, 0, piece)
            draft = Draft(stream=stream)
            draft.bodies[compartment] = body
            draft.decoded[compartment] = decode_content(body)
            write_change(engine, tx, draft)
