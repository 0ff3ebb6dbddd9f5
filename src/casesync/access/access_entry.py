"""One entry of a device's access stream, its hash chain and the segment that carries it (access).

``protocol/access-log.md``. The vocabulary is HL7 FHIR AuditEvent's. An entry says who looked at
what, and never what was seen: of a search it holds the number of hits and the ids shown, not the
text. Whether a chain of entries holds is ``audit``'s to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from casesync.access.body_shapes import (
    HASH_BYTES,
    ID_BYTES,
    REASON_BYTES_MAX,
    U48_MAX,
    WORD_BYTES_MAX,
    array,
    binary,
    binary_or_none,
    integer,
    items,
    malformed,
    text,
)
from casesync.access.roles import compartment_list
from casesync.codec import canonical
from casesync.crypto.key_schedule import H
from casesync.foundation.ids import Compartment, MemberId, RecordId, StreamId, UnitId

ACCESS_ENTRY_BYTES_MAX: Final = 32 * 1024
"""A page of 1,000 record ids fits."""
RECORDS_PER_ENTRY_MAX: Final = 1024
ENTRIES_PER_SEGMENT_MAX: Final = 65536

ACTIONS: Final = frozenset(
    {
        "read",
        "list",
        "search",
        "history",
        "create",
        "update",
        "grant",
        "revoke",
        "export",
        "conflict",
        "consent",
        "audit",
        "administer",
    }
)
"""What can be done to a record, or was refused to the network (``administer``); closed."""
LOOKS: Final = frozenset({"read", "list", "search", "history", "export", "audit"})
"""What only looks."""
LOOKS_OR_ACTS: Final = frozenset({"conflict", "consent"})
"""What looks or writes: ``AccessEntry.is_look``."""


class Outcome(IntEnum):
    """FHIR ``AuditEvent.outcome``."""

    SUCCESS = 0
    REFUSED = 4

    @property
    def word(self) -> str:
        """Lower-case name as shown to people and programs."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Detail of a list or a search: how many there were, and which of them were shown."""

    hits: int
    records: tuple[RecordId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """Who, in which capacity, did what to which record, why and with what outcome."""

    sequence: int
    """1, 2, 3, ... per device."""
    clock_ms: int
    action: str
    outcome: Outcome
    member: MemberId
    role: str
    unit: UnitId
    stream: StreamId | None
    records: tuple[RecordId, ...]
    compartments: tuple[Compartment, ...]
    purpose: str
    basis: bytes | None
    """Id of the grant or consent it rests on."""
    control_size: int
    detail: Shown | str | None
    """What a list or search showed; or a reason."""

    @property
    def is_look(self) -> bool:
        """Whether something was shown; else something was written, or refused to be.

        A conflict or a consent is looked at or decided under one action: a look names records, or
        neither records nor compartments where there was nothing to read; an act names compartments.
        """
        if self.action not in LOOKS_OR_ACTS:
            return self.action in LOOKS
        if self.outcome is Outcome.REFUSED or isinstance(self.detail, str):
            return False
        return bool(self.records) or isinstance(self.detail, Shown) or not self.compartments


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSegment:
    """The body of a segment of kind 9: consecutive entries as they were written."""

    first_sequence: int
    previous_hash: bytes
    """Hash of the entry before the first one."""
    entries: tuple[bytes, ...]


def entry_hash(previous_hash: bytes, entry: bytes) -> bytes:
    """The chain over entries: H("access-entry", previous entry hash | entry)."""
    return H("access-entry", previous_hash, entry)


def encode_entry(entry: AccessEntry) -> bytes:
    """The canonical array of one entry, as it is hashed and stored."""
    detail: Any = entry.detail
    if isinstance(detail, Shown):
        detail = [detail.hits, list(detail.records)]
    return canonical.pack(
        [
            entry.sequence,
            entry.clock_ms,
            entry.action,
            int(entry.outcome),
            entry.member,
            entry.role,
            entry.unit,
            entry.stream,
            list(entry.records),
            [int(c) for c in entry.compartments],
            entry.purpose,
            entry.basis,
            entry.control_size,
            detail,
        ]
    )


def decode_entry(entry: bytes) -> AccessEntry:
    """Read one entry.

    Raises:
        RemoteProtocolError: ``malformed``.
    """
    if len(entry) > ACCESS_ENTRY_BYTES_MAX:
        raise malformed("access entry")
    fields = array(canonical.unpack(entry), 14, "access entry")
    sequence, clock, action, outcome, member, role, unit = fields[:7]
    stream, records, compartments, purpose, basis, control_size, detail = fields[7:]
    if not isinstance(action, str) or action not in ACTIONS:
        raise malformed("action")
    if isinstance(outcome, bool) or outcome not in (0, 4):
        raise malformed("outcome")
    stream = binary_or_none(stream, ID_BYTES, "stream")
    return AccessEntry(
        sequence=integer(sequence, U48_MAX, "sequence", smallest=1),
        clock_ms=integer(clock, U48_MAX, "clock"),
        action=action,
        outcome=Outcome(outcome),
        member=MemberId(binary(member, ID_BYTES, "member")),
        role=text(role, WORD_BYTES_MAX, "role"),
        unit=UnitId(binary(unit, ID_BYTES, "unit")),
        stream=None if stream is None else StreamId(stream),
        records=_records(records),
        compartments=tuple(compartment_list(compartments, "compartments")),
        purpose=text(purpose, WORD_BYTES_MAX, "purpose", empty=True),
        basis=binary_or_none(basis, ID_BYTES, "basis"),
        control_size=integer(control_size, U48_MAX, "control size"),
        detail=_detail(detail),
    )


def encode_segment(segment: AccessSegment) -> bytes:
    """The body of an access segment, unpadded."""
    return canonical.pack([segment.first_sequence, segment.previous_hash, list(segment.entries)])


def decode_segment(body: bytes) -> AccessSegment:
    """Read the body of an access segment; its entries stay bytes, the auditor reads them.

    Raises:
        RemoteProtocolError: ``malformed``.
    """
    first, previous, entries = array(canonical.unpack(body), 3, "access segment")
    listed = items(entries, ENTRIES_PER_SEGMENT_MAX, "access entries")
    if not listed or not all(isinstance(entry, bytes) for entry in listed):
        raise malformed("access entries")
    return AccessSegment(
        first_sequence=integer(first, U48_MAX, "first sequence", smallest=1),
        previous_hash=binary(previous, HASH_BYTES, "previous entry hash"),
        entries=tuple(listed),
    )


def seal_plan(rows: Sequence[tuple[int, bytes]], previous_hash: bytes) -> AccessSegment:
    """The segment for unsent ``rows`` of (sequence, entry), ascending and without holes."""
    assert rows
    first = rows[0][0]
    assert [sequence for sequence, _ in rows] == list(range(first, first + len(rows)))
    return AccessSegment(
        first_sequence=first,
        previous_hash=previous_hash,
        entries=tuple(entry for _, entry in rows),
    )


def _records(value: object) -> tuple[RecordId, ...]:
    return tuple(
        RecordId(binary(record, ID_BYTES, "record"))
        for record in items(value, RECORDS_PER_ENTRY_MAX, "records")
    )


def _detail(value: object) -> Shown | str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return text(value, REASON_BYTES_MAX, "detail", empty=True)
    hits, shown = array(value, 2, "detail")
    return Shown(hits=integer(hits, U48_MAX, "hits"), records=_records(shown))
