"""Whether a device's access log holds: what an auditor checks (access floor).

``protocol/access-log.md``. Pure: the caller gives what the change log proved (every change of a
device, in log order, access segments opened) and what the control log says of the device. A
finding is a *violation* if honest software cannot have produced it, else a *note*. Nothing is said
of a device that has never synced, and nothing of what a patched client did not write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from casesync.access.access_entry import AccessEntry, decode_entry, decode_segment, entry_hash
from casesync.crypto.signatures import verify_change
from casesync.foundation.errors import CryptoError, RemoteProtocolError
from casesync.foundation.ids import DeviceNumber, MemberId, NetworkId, UnitId


class Level(Enum):
    """How much a finding weighs."""

    VIOLATION = "violation"
    NOTE = "note"


class FindingCode(Enum):
    """Everything an audit can find (closed)."""

    CHANGE_MISSING = "change-missing"
    """A number between two changes of the device is not shown."""
    CHANGE_REPEATED = "change-repeated"
    """Two changes carry one number."""
    CHAIN_BROKEN = "chain-broken"
    """A change does not continue the device's chain."""
    SIGNATURE_INVALID = "signature-invalid"
    """No signature of the device proves this change."""
    SEGMENT_UNREADABLE = "segment-unreadable"
    """No key here for the access segment; its entries are unknown."""
    SEGMENT_MALFORMED = "segment-malformed"
    ENTRY_MALFORMED = "entry-malformed"
    ENTRIES_MISSING = "entries-missing"
    """A sequence number was skipped."""
    ENTRIES_REPEATED = "entries-repeated"
    """A sequence number came twice."""
    ENTRY_CHAIN_BROKEN = "entry-chain-broken"
    """The entry before is not the one this entry was written after."""
    CONTRADICTS_EARLIER = "contradicts-earlier"
    """This auditor was shown another entry under this sequence number."""
    ENTRIES_WITHDRAWN = "entries-withdrawn"
    """This auditor was shown entries that the log no longer has."""
    AUTHOR_MISMATCH = "author-mismatch"
    """Member, role or unit are not those the control log gives the device."""
    CONTROL_SIZE_IMPOSSIBLE = "control-size-impossible"
    """Below the enrolment, below the entry before, or above the change that carries it."""
    LATE = "late"
    """Written or delivered behind the device's suspension."""

    @property
    def level(self) -> Level:
        """Only what was late and what cannot be read is compatible with honest software."""
        notes = (FindingCode.SEGMENT_UNREADABLE, FindingCode.LATE)
        return Level.NOTE if self in notes else Level.VIOLATION


class Finding(NamedTuple):
    """One thing the audit found."""

    code: FindingCode
    device: DeviceNumber
    change: int
    """Number of the change in question."""
    sequence: int
    """Sequence number of the entry in question, 0 if it is about the change."""

    @property
    def level(self) -> Level:
        """See ``FindingCode.level``."""
        return self.code.level


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """What the control log says of the audited device."""

    network: NetworkId
    device: DeviceNumber
    enrolment_hash: bytes
    """Hash of the enrolment entry: where both chains begin."""
    change_key: bytes
    since: int
    """Control size from which the device has its member, unit and role."""
    member: MemberId
    role: str
    unit: UnitId
    suspended_index: int | None
    """Index of the control entry that suspended it."""
    suspended_at: int | None
    """Change-log size from which it is suspended."""


class AuditedChange(NamedTuple):
    """One change whose leaf the change log proved."""

    number: int
    previous_link: bytes
    link: bytes
    signature: bytes
    log_index: int
    control_size: int
    has_access: bool
    """The change carries an access segment."""
    access_body: bytes | None
    """The opened access segment; None if there is none or no key for it."""


class AuditedEntry(NamedTuple):
    """An access entry as found in the log."""

    entry: AccessEntry
    body: bytes
    hash: bytes
    change: int
    log_index: int
    late: bool


@dataclass(slots=True)
class DeviceAudit:
    """Outcome for one device; ``entries`` are the readable ones, in the order found."""

    facts: DeviceFacts
    changes: int = 0
    entries: list[AuditedEntry] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def violations(self) -> list[Finding]:
        """The findings that honest software cannot have produced."""
        return [f for f in self.findings if f.level is Level.VIOLATION]


def audit_device(
    facts: DeviceFacts, changes: Iterable[AuditedChange], known: Mapping[int, bytes]
) -> DeviceAudit:
    """Check everything one device ever logged.

    Args:
        facts: what the control log says of it.
        changes: all its changes that the log shows, in log order, from its first.
        known: entry hashes by sequence number that this auditor stored before.
    """
    walk = _Walk(facts, known)
    for change in changes:
        walk.take(change)
    walk.finish()
    return walk.result


class _Walk:
    """One pass over a device's changes."""

    def __init__(self, facts: DeviceFacts, known: Mapping[int, bytes]) -> None:
        self.result = DeviceAudit(facts)
        self._facts = facts
        self._known = known
        self._number = 0
        self._link = facts.enrolment_hash
        self._run: list[AuditedChange] = []
        self._sequence = 0
        self._entry_hash: bytes | None = facts.enrolment_hash
        self._control_size = facts.since
        self._gap_explained = False

    def take(self, change: AuditedChange) -> None:
        if change.number <= self._number:
            self._find(FindingCode.CHANGE_REPEATED, change)
            return
        if change.number > self._number + 1:
            self._find(FindingCode.CHANGE_MISSING, change)
            self._verify_run()
        elif change.previous_link != self._link:
            self._find(FindingCode.CHAIN_BROKEN, change)
            self._verify_run()
        self._run.append(change)
        self._number, self._link = change.number, change.link
        self.result.changes += 1
        if change.has_access:
            self._take_segment(change)

    def finish(self) -> None:
        self._verify_run()
        newest = max(self._known, default=0)
        if newest > self._sequence:
            device = self._facts.device
            found = Finding(FindingCode.ENTRIES_WITHDRAWN, device, self._number, newest)
            self.result.findings.append(found)

    def _find(self, code: FindingCode, change: AuditedChange, sequence: int = 0) -> None:
        self.result.findings.append(Finding(code, self._facts.device, change.number, sequence))

    def _verify_run(self) -> None:
        """The last signature of an unbroken run proves all of it; else find who is to blame."""
        run, self._run = self._run, []
        unproven: list[AuditedChange] = []
        for change in reversed(run):
            if self._signed(change):
                break
            unproven.append(change)
        for change in reversed(unproven):
            self._find(FindingCode.SIGNATURE_INVALID, change)

    def _signed(self, change: AuditedChange) -> bool:
        try:
            verify_change(
                self._facts.change_key, self._facts.network, change.link, change.signature
            )
        except CryptoError:
            return False
        return True

    def _take_segment(self, change: AuditedChange) -> None:
        if change.access_body is None:
            self._find(FindingCode.SEGMENT_UNREADABLE, change)
            self._entry_hash, self._gap_explained = None, True
            return
        try:
            segment = decode_segment(change.access_body)
        except RemoteProtocolError:
            self._find(FindingCode.SEGMENT_MALFORMED, change)
            self._entry_hash, self._gap_explained = None, True
            return
        first, expected = segment.first_sequence, self._sequence + 1
        if first < expected:
            self._find(FindingCode.ENTRIES_REPEATED, change, first)
        elif first > expected and not self._gap_explained:
            self._find(FindingCode.ENTRIES_MISSING, change, expected)
        elif self._entry_hash is not None and segment.previous_hash != self._entry_hash:
            self._find(FindingCode.ENTRY_CHAIN_BROKEN, change, first)
        self._gap_explained = False
        previous = segment.previous_hash
        for sequence, body in enumerate(segment.entries, first):
            previous = entry_hash(previous, body)
            self._take_entry(change, sequence, body, previous)
        self._sequence = max(self._sequence, first + len(segment.entries) - 1)
        self._entry_hash = previous

    def _take_entry(self, change: AuditedChange, sequence: int, body: bytes, hashed: bytes) -> None:
        if self._known.get(sequence, hashed) != hashed:
            self._find(FindingCode.CONTRADICTS_EARLIER, change, sequence)
        try:
            entry = decode_entry(body)
        except RemoteProtocolError:
            self._find(FindingCode.ENTRY_MALFORMED, change, sequence)
            return
        if entry.sequence != sequence:
            self._find(FindingCode.ENTRY_MALFORMED, change, sequence)
        self._check_author(change, sequence, entry)
        late = self._is_late(change, entry)
        if late:
            self._find(FindingCode.LATE, change, sequence)
        self.result.entries.append(
            AuditedEntry(entry, body, hashed, change.number, change.log_index, late)
        )

    def _check_author(self, change: AuditedChange, sequence: int, entry: AccessEntry) -> None:
        facts = self._facts
        if (entry.member, entry.role, entry.unit) != (facts.member, facts.role, facts.unit):
            self._find(FindingCode.AUTHOR_MISMATCH, change, sequence)
        if not self._control_size <= entry.control_size <= change.control_size:
            self._find(FindingCode.CONTROL_SIZE_IMPOSSIBLE, change, sequence)
        self._control_size = max(self._control_size, entry.control_size)

    def _is_late(self, change: AuditedChange, entry: AccessEntry) -> bool:
        facts = self._facts
        known = facts.suspended_index is not None and entry.control_size > facts.suspended_index
        behind = facts.suspended_at is not None and change.log_index >= facts.suspended_at
        return known or behind
