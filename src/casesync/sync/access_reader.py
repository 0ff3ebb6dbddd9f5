"""Access entries of other devices, as an auditor's replica collects them (sync floor).

Collecting judges nothing: entries are kept as they came, for lists and filters. What holds and
what does not is found by ``audit``, from the sealed changes themselves.
"""

from __future__ import annotations

from casesync.access.access_entry import AccessSegment, decode_segment, entry_hash
from casesync.codec import canonical
from casesync.foundation.errors import CasesyncError
from casesync.foundation.ids import ChangeNumber, Compartment, DeviceNumber, StreamId
from casesync.sync.change_reader import ReadChange, open_at
from casesync.sync.context import Engine
from casesync.sync.ports import AccessRow, Transaction
from casesync.sync.stream_merge import load_changes
from casesync.sync.stream_row import StreamRow


def access_segments(
    engine: Engine, stream: StreamId, changes: list[ReadChange]
) -> list[tuple[ReadChange, AccessSegment | None]]:
    """Each change's access segment, None where there is one that cannot be read."""
    found: list[tuple[ReadChange, AccessSegment | None]] = []
    for change in changes:
        for position, segment in enumerate(change.header.segments):
            if segment.kind != Compartment.ACCESS:
                continue
            body = open_at(engine, stream, change, position)
            try:
                found.append((change, None if body is None else decode_segment(body)))
            except CasesyncError:
                found.append((change, None))
    return found


def take_access_segment(engine: Engine, tx: Transaction, stream: StreamId, row: StreamRow) -> None:
    """Keep the entries of the stream's changes that were not taken before.

    Of two entries under one number the first stays: the second is for the audit, which reads the
    changes themselves, and must not stop a sync.
    """
    opening = row.rights.opening
    if opening is None or opening[3] == engine.device:
        return
    device = opening[3]
    key = f"access-taken:{device}"
    stored = tx.value(key)
    taken = 0 if stored is None else canonical.unpack(stored)
    entries = [
        entry
        for entry in row.in_log_order()
        if entry.device == device and entry.number > taken and entry.sent
    ]
    if not entries:
        return
    engine.keys.load(tx, [stream])
    for change, segment in access_segments(engine, stream, load_changes(tx, entries)):
        if segment is None:
            return
        first, hashed = segment.first_sequence, segment.previous_hash
        held = {row.sequence for row in tx.access_rows(device, first)}
        for offset, entry in enumerate(segment.entries):
            hashed = entry_hash(hashed, entry)
            if first + offset in held:
                continue
            tx.append_access(
                AccessRow(
                    DeviceNumber(device),
                    first + offset,
                    entry,
                    hashed,
                    ChangeNumber(change.header.number),
                )
            )
        tx.put_value(key, canonical.pack(change.header.number))
