"""This device's own access entries: written before content appears, sealed once per sync (sync).

``protocol/access-log.md``. ``log_access`` is called in a transaction of its own that is durable
before anything of the record is shown; ``seal_access`` puts everything not yet sent into one
change of the device's access stream.
"""

from __future__ import annotations

from collections.abc import Sequence

from casesync.access.access_entry import (
    AccessEntry,
    Outcome,
    Shown,
    encode_entry,
    encode_segment,
    entry_hash,
    seal_plan,
)
from casesync.codec import canonical
from casesync.foundation.ids import (
    ChangeNumber,
    Compartment,
    RecordId,
    StreamId,
    StreamKind,
)
from casesync.sync.author import Draft, open_stream, write_change
from casesync.sync.context import Engine
from casesync.sync.ports import AccessRow, Transaction

ACCESS_HEAD = "access-head"
"""Stored value: canonical [sequence, entry hash] of the newest entry written."""
ACCESS_SEALED = "access-sealed"
"""Stored value: canonical [sequence, entry hash] of the newest entry sealed."""
ACCESS_CHUNK_BYTES = 256 * 1024
"""About 2,000 entries; far below the largest segment."""
ACCESS_STREAM = "access-stream"
"""Stored value: id of this device's access stream, absent before the first seal."""


def log_access(  # noqa: PLR0913 - one argument per column of the entry
    engine: Engine,
    tx: Transaction,
    action: str,
    *,
    stream: StreamId | None = None,
    records: Sequence[RecordId] = (),
    compartments: Sequence[Compartment] = (),
    purpose: str = "",
    basis: bytes | None = None,
    outcome: Outcome = Outcome.SUCCESS,
    detail: Shown | str | None = None,
) -> int:
    """Append one entry to the device's chain; returns its sequence number."""
    sequence, previous = _head(engine, tx, ACCESS_HEAD)
    member = engine.member
    entry = encode_entry(
        AccessEntry(
            sequence=sequence + 1,
            clock_ms=engine.clock.now_ms(),
            action=action,
            outcome=outcome,
            member=member.member,
            role=member.role,
            unit=engine.unit,
            stream=stream,
            records=tuple(records),
            compartments=tuple(sorted(compartments)),
            purpose=purpose,
            basis=basis,
            control_size=engine.control.size,
            detail=detail,
        )
    )
    hashed = entry_hash(previous, entry)
    tx.append_access(AccessRow(engine.device, sequence + 1, entry, hashed, None))
    tx.put_value(ACCESS_HEAD, canonical.pack([sequence + 1, hashed]))
    return sequence + 1


def seal_access(engine: Engine, tx: Transaction) -> int:
    """Seal every entry not sent yet; returns how many changes that took (0 if none was due).

    One change for all of them, unless they are so many that the segment would grow beyond
    ``ACCESS_CHUNK_BYTES``.
    """
    written = 0
    rows: list[AccessRow] = []
    size = 0
    for row in tx.access_unsealed():
        if rows and size + len(row.entry) > ACCESS_CHUNK_BYTES:
            _seal_rows(engine, tx, rows)
            written, rows, size = written + 1, [], 0
        rows.append(row)
        size += len(row.entry)
    if rows:
        _seal_rows(engine, tx, rows)
        written += 1
    return written


def _seal_rows(engine: Engine, tx: Transaction, rows: Sequence[AccessRow]) -> None:
    _, previous = _head(engine, tx, ACCESS_SEALED)
    segment = seal_plan([(row.sequence, row.entry) for row in rows], previous)
    stored = tx.value(ACCESS_STREAM)
    if stored is None:
        feed = engine.me.access_feed
        draft = open_stream(engine, tx, StreamKind.ACCESS, None, feed)
        tx.put_value(ACCESS_STREAM, draft.stream)
    else:
        draft = Draft(stream=StreamId(stored))
    draft.bodies[int(Compartment.ACCESS)] = encode_segment(segment)
    number, _ = write_change(engine, tx, draft)
    last = rows[-1]
    tx.mark_access_sealed(engine.device, last.sequence, ChangeNumber(number))
    tx.put_value(ACCESS_SEALED, canonical.pack([last.sequence, last.entry_hash]))


def _head(engine: Engine, tx: Transaction, key: str) -> tuple[int, bytes]:
    stored = tx.value(key)
    if stored is None:
        return 0, engine.me.enrolment_hash
    sequence, hashed = canonical.unpack(stored)
    return sequence, hashed
