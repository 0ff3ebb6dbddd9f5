"""Auditing access from a replica: the verification of everything (client).

``protocol/access-log.md``. ``verify`` first proves that what this replica stores is the log it has
a checkpoint of (every leaf, both logs), then checks every device's chain of changes and of access
entries; on line it reads everything from the relay again and compares.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal, NamedTuple

from casesync.access.access_entry import entry_hash
from casesync.access.audit import AuditedChange, DeviceAudit, DeviceFacts, audit_device
from casesync.access.control_state import ControlState
from casesync.access.control_views import DeviceView
from casesync.client.core import Core, opener_of
from casesync.client.kept_heads import kept_roots, prove_access_ends, prove_own_chain
from casesync.client.names import Names
from casesync.client.network_views import AuditDevice, AuditReport
from casesync.client.refusals import refusals_logged
from casesync.client.relay_comparison import RelayComparison
from casesync.foundation.errors import AccessDenied, AuditFailed, CasesyncError
from casesync.foundation.ids import (
    FEED_ALL,
    Compartment,
    DeviceNumber,
    StreamId,
    StreamKind,
)
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import leaf_hash
from casesync.sync.change_reader import ReadChange, open_at
from casesync.sync.control_flow import all_blobs
from casesync.sync.held_log import (
    CHANGE_CHECKPOINT,
    CHANGE_RANGE,
    CONTROL_CHECKPOINT,
    CONTROL_RANGE,
    load_range,
)
from casesync.sync.ports import Transaction
from casesync.sync.stream_merge import load_changes
from casesync.sync.stream_row import HistoryEntry, StreamRow
from casesync.sync.waiting_leaves import waiting_changes
from casesync.translog.chain import change_leaf, control_leaf
from casesync.translog.checkpoint import Checkpoint, LogName

_STREAMS_PER_READ = 200


class _Placed(NamedTuple):
    """A stored change with its stream."""

    stream: StreamId
    change: ReadChange


class Auditing:
    """The part of a replica that auditors use."""

    def __init__(self, core: Core) -> None:
        """Args: core: the open replica."""
        self._core = core

    # -- verification -----------------------------------------------------------------------------

    def verify(self, *, offline: bool = False, purpose: str | None = None) -> AuditReport:
        """Verify both logs and every access chain.

        Raises:
            AccessDenied: ``not-auditor``: only a device of the feed "all" holds every leaf.
            AuditFailed: ``audit-log-differs``, ``audit-device-failed``: what does not hold.
            RelayMisbehaviour: the relay's copy contradicts the checkpoint this replica holds.
        """
        core = self._core
        with core.store.transaction() as tx:
            control_size = self._prove_control(tx)  # before anything is believed that it says
            prove_access_ends(core, tx)  # before the next entry follows them
        with refusals_logged(core, "audit", purpose=purpose):
            if FEED_ALL not in core.engine.me.feeds:
                raise AccessDenied("not-auditor")
        core.log("audit", detail="verify", purpose=purpose)
        with core.store.transaction() as tx:
            placed = self._all_changes(tx)
            self._prove_changes(tx, placed)
        if not offline:
            RelayComparison(core).run()
        audits = self._audit_devices(placed)
        failed = [audit for audit in audits if audit.violations]
        if failed:
            first = failed[0].violations[0]
            raise AuditFailed(
                "audit-device-failed",
                device=int(first.device),
                what=first.code.value,
                change=first.change,
                sequence=first.sequence,
            )
        with core.store.transaction() as tx:
            self._prove_entries(tx)  # behind the devices: what one wrote is no fault of this one
            control, change = load_range(tx, CONTROL_RANGE), load_range(tx, CHANGE_RANGE)
        return AuditReport(
            entries=sum(len(audit.entries) for audit in audits),
            control_entries=control_size,
            control_checkpoint=f"{control.size} {control.root().hex()}",
            change_checkpoint=f"{change.size} {change.root().hex()}",
            offline=offline,
            devices=tuple(self._device_view(audit) for audit in audits),
        )

    def _all_changes(self, tx: Transaction) -> list[_Placed]:
        placed: list[_Placed] = []
        for kind in (0, *(int(kind) for kind in StreamKind)):
            ids = tx.stream_ids(kind)
            for at in range(0, len(ids), _STREAMS_PER_READ):
                chunk = ids[at : at + _STREAMS_PER_READ]
                self._core.engine.keys.load(tx, chunk)
                for stream, raw in tx.stream_rows(chunk).items():
                    entries = [e for e in StreamRow(raw).history() if e.sent]
                    placed += [_Placed(stream, change) for change in _loaded(tx, entries)]
        placed += [_Placed(*waiting) for waiting in waiting_changes(tx)]
        return sorted(placed, key=lambda p: p.change.log_index)

    def _prove_control(self, tx: Transaction) -> int:
        """Fold and verify every control entry again; returns how many there are."""
        core = self._core
        log, control = CompactRange(), ControlState()
        opener = opener_of(core.identity.network, tx)
        entries = list(tx.control_entries())
        try:
            for index, time, entry in entries:
                log.append(leaf_hash(control_leaf(time, entry)))
                control.apply(index, time, entry, opener, tx.blob)
        except CasesyncError as error:
            raise AuditFailed("audit-log-differs", log="control", index=log.size - 1) from error
        for name in all_blobs(entries):  # wraps, too, which folding does not read
            body = tx.blob(name)
            if body is not None and sha256(body).digest() != name:
                raise AuditFailed("audit-log-differs", log="control", index=log.size)
        held = load_range(tx, CONTROL_RANGE)
        if (log.size, log.root()) != (held.size, held.root()):
            raise AuditFailed("audit-log-differs", log="control", index=log.size)
        self._prove_checkpoint(tx, "control", CONTROL_CHECKPOINT, held)
        return log.size

    def _prove_checkpoint(
        self, tx: Transaction, log: Literal["control", "change"], stored_as: str, held: CompactRange
    ) -> None:
        """The checkpoint kept is the relay's, and of what is held where it covers as much."""
        stored = tx.value(stored_as)
        if stored is None:
            return
        identity = self._core.identity
        try:
            name = LogName(identity.network, log)
            checkpoint = Checkpoint.from_binary(name, stored, identity.relay_key)
        except CasesyncError as error:
            raise AuditFailed("audit-log-differs", log=log, index=held.size) from error
        if checkpoint.size == held.size and checkpoint.root != held.root():
            raise AuditFailed("audit-log-differs", log=log, index=held.size)

    def _prove_entries(self, tx: Transaction) -> None:
        """The access entries kept here, which lists show, are those of their stored hashes."""
        sequence, previous = 0, b""
        device: int | None = None
        for row in tx.access_rows():
            if row.device != device:
                view = self._core.engine.control.device(int(row.device))
                if view is None:
                    raise AuditFailed("audit-log-differs", log="access", index=row.sequence)
                device, sequence, previous = int(row.device), 0, view.enrolment_hash
            follows = row.sequence == sequence + 1
            if follows and entry_hash(previous, row.entry) != row.entry_hash:
                raise AuditFailed("audit-log-differs", log="access", index=row.sequence)
            sequence, previous = row.sequence, row.entry_hash

    def _prove_changes(self, tx: Transaction, placed: list[_Placed]) -> None:
        log = CompactRange()
        held = load_range(tx, CHANGE_RANGE)
        roots = kept_roots(tx, held.size)
        own = (0, self._core.engine.me.enrolment_hash)
        for at, (_, change) in enumerate(placed):
            self._prove_roots(log, roots)
            stored = change.stored
            if change.header.device == self._core.engine.device:
                own = (change.header.number, change.link)
            if change.log_index != at or not _digests_hold(change):
                raise AuditFailed("audit-log-differs", log="change", index=at)
            log.append(
                leaf_hash(
                    change_leaf(
                        change.log_time_ms, stored.previous_link, stored.header, stored.signature
                    )
                )
            )
        self._prove_roots(log, roots)
        if (log.size, log.root()) != (held.size, held.root()):
            raise AuditFailed("audit-log-differs", log="change", index=log.size)
        self._prove_checkpoint(tx, "change", CHANGE_CHECKPOINT, held)
        prove_own_chain(tx, own)

    @staticmethod
    def _prove_roots(log: CompactRange, roots: list[tuple[int, bytes]]) -> None:
        if any(size == log.size and root != log.root() for size, root in roots):
            raise AuditFailed("audit-log-differs", log="change", index=log.size)

    def _audit_devices(self, placed: list[_Placed]) -> list[DeviceAudit]:
        core = self._core
        by_device: dict[int, list[AuditedChange]] = {}
        for stream, change in placed:
            audited = self._audited(stream, change)
            by_device.setdefault(change.header.device, []).append(audited)
        audits = []
        for device in core.engine.control.devices():
            changes = by_device.get(int(device.number), [])
            recorded = {change.number for change in changes}
            with core.store.transaction() as tx:
                # Own entries whose change is not in the log yet were not withdrawn from it.
                known = {
                    row.sequence: row.entry_hash
                    for row in tx.access_rows(device.number)
                    if device.number != core.engine.device or row.change in recorded
                }
            audits.append(audit_device(self._facts(device), changes, known))
        return audits

    def _audited(self, stream: StreamId, change: ReadChange) -> AuditedChange:
        body, has_access = None, False
        for position, segment in enumerate(change.header.segments):
            if segment.kind == Compartment.ACCESS:
                has_access = True
                body = open_at(self._core.engine, stream, change, position)
        return AuditedChange(
            number=change.header.number,
            previous_link=change.stored.previous_link,
            link=change.link,
            signature=change.stored.signature,
            log_index=change.log_index,
            control_size=change.header.control_size,
            has_access=has_access,
            access_body=body,
        )

    def _facts(self, device: DeviceView) -> DeviceFacts:
        return DeviceFacts(
            network=self._core.identity.network,
            device=DeviceNumber(int(device.number)),
            enrolment_hash=device.enrolment_hash,
            change_key=device.change_key,
            since=device.since,
            member=device.member,
            role=device.role,
            unit=device.unit,
            suspended_index=device.suspended_index,
            suspended_at=device.suspended_at,
        )

    def _device_view(self, audit: DeviceAudit) -> AuditDevice:
        author = Names(self._core).device(int(audit.facts.device))
        notes = [finding.code.value for finding in audit.findings]
        return AuditDevice(
            device=int(audit.facts.device),
            member=author.author,
            unit=author.unit,
            entries=len(audit.entries),
            state="verified" if audit.changes else "nothing",
            problem=notes[0] if notes else None,
        )


def _loaded(tx: Transaction, entries: list[HistoryEntry]) -> list[ReadChange]:
    try:
        return load_changes(tx, entries)
    except CasesyncError as error:
        raise AuditFailed("audit-log-differs", log="change", index=-1) from error


def _digests_hold(change: ReadChange) -> bool:
    return all(
        segment is None or sha256(segment).digest() == entry.digest
        for segment, entry in zip(change.stored.segments, change.header.segments, strict=True)
    )
