"""Where a replica stands: status, outbox, quarantine, doctor (client). Truth before comfort."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal

from casesync.client.core import Core
from casesync.client.disk_room import room_facts
from casesync.client.exchange import ask_whether_suspended
from casesync.client.home import Home
from casesync.client.listing import refresh_listings
from casesync.client.names import Names
from casesync.client.network_views import (
    Finding,
    OutboxView,
    QuarantineView,
    StatusView,
    SyncReport,
)
from casesync.client.views import Fact
from casesync.codec import canonical
from casesync.codec.crockford import case_code
from casesync.foundation.errors import CasesyncError, LocalStateError, Violation
from casesync.foundation.ids import Compartment, StreamId, StreamKind
from casesync.foundation.limits import CLOCK_SKEW_SHOWN_MS
from casesync.sync.held_log import CHANGE_RANGE, CONTROL_RANGE, TARGET, load_range
from casesync.sync.ports import QuarantineRow, Transaction
from casesync.sync.session import SyncReport as EngineReport
from casesync.sync.stream_row import StreamRow
from casesync.translog.comparison import LogState, comparison_code

Level = Literal["ok", "warning", "error"]
_COPIED = "counter-replayed"
CONTRADICTED = "relay-contradicted"
"""Stored value: why the relay's last answer was refused; absent once a sync has gone well."""
LAST_SYNC = "last-sync"
"""Stored value: canonical [clock ms, refusal code or ""] of the newest finished sync."""


class Health:
    """The part of a replica that reports on it."""

    def __init__(self, core: Core) -> None:
        """Args: core: the open replica."""
        self._core = core

    # -- sync ---------------------------------------------------------------------------------

    def watched(self, sync: Callable[[], EngineReport]) -> EngineReport:
        """Run a sync; an answer that had to be refused is remembered until one goes well.

        So is what the relay says to a copied folder: that another has spoken for this device since.

        Raises: whatever ``sync`` raises.
        """
        try:
            return sync()
        except (Violation, LocalStateError) as error:
            if isinstance(error, Violation) or error.code == _COPIED:
                with self._core.store.transaction() as tx:
                    tx.put_value(CONTRADICTED, error.code.encode())
            raise

    def finished(self, report: EngineReport) -> SyncReport:
        """Remember a finished sync and say what it did and what is still missing."""
        refused = "" if report.refused is None else report.refused[1]
        with self._core.transaction() as tx:
            tx.put_value(LAST_SYNC, canonical.pack([self._core.clock.now_ms(), refused]))
            tx.put_value(CONTRADICTED, None)
        missing = self.missing()
        with self._core.store.transaction() as tx:
            conflicts, quarantined = len(tx.conflicts()), tx.quarantine()
        return SyncReport(
            pushed=report.pushed,
            received=report.ingest.leaves - report.confirmed,
            pages=report.pages,
            round_trips=report.round_trips,
            conflicts=conflicts,
            quarantined=len(quarantined),
            synced=not missing,
            missing=tuple(missing),
            confirmed=report.confirmed,
            awaiting=_awaiting(quarantined),
        )

    def missing(self) -> list[Fact]:
        """What is owed in either direction; empty = synced as of the newest checkpoint seen."""
        facts = self.unsendable()
        with self._core.store.transaction() as tx:
            outbox, looks = len(tx.outbox()), len(tx.access_unsealed())
            target = tx.value(TARGET)
            cursor = load_range(tx, CHANGE_RANGE).size
            owed = len({stream for stream, _, _ in tx.owed()})
            contradicted = tx.value(CONTRADICTED)
        if contradicted not in (None, _COPIED.encode()):
            facts.append(Fact("relay-contradicted", {"reason": contradicted.decode()}))
        if outbox:
            facts.append(Fact("outbox-pending", {"count": outbox}))
        if looks:
            facts.append(Fact("access-pending", {"count": looks}))
        if target is not None:
            behind = canonical.unpack(target)[0] - cursor
            facts.append(Fact("behind-checkpoint", {"count": behind}))
        if owed:
            facts.append(Fact("backfills-pending", {"count": owed}))
        lacking = [
            Compartment(w.compartment).word
            for w in self._core.engine.control.who_lacks_keys(self._core.engine.unit)
            if w.device == self._core.engine.device
        ]
        if lacking:
            facts.append(Fact("colleague-needed", {"compartments": ", ".join(lacking)}))
        return facts

    def unsendable(self) -> list[Fact]:
        """Why nothing that is saved here will be sent, as far as it is known; else empty."""
        facts = [Fact("device-suspended")] if self._core.suspended else []
        with self._core.store.transaction() as tx:
            last, contradicted = tx.value(LAST_SYNC), tx.value(CONTRADICTED)
        if contradicted == _COPIED.encode():
            facts.append(Fact("folder-copied"))
        refused = "" if last is None else canonical.unpack(last)[1]
        if refused:
            facts.append(Fact("push-stopped", {"reason": refused}))
        return facts

    def outbox(self) -> list[OutboxView]:
        """Own changes the relay has not acknowledged and proven yet, oldest first."""
        with self._core.store.transaction() as tx:
            return [
                OutboxView(
                    number=int(row.number),
                    case=_code(tx, row.stream),
                    what=_what(tx, row.stream),
                    size_bytes=row.size_bytes,
                    acknowledged=row.receipt is not None,
                )
                for row in tx.outbox()
            ]

    # -- status -------------------------------------------------------------------------------

    def status(self) -> StatusView:
        """Where this replica stands."""
        core = self._core
        refresh_listings(core)
        with core.store.transaction() as tx:
            control, change = load_range(tx, CONTROL_RANGE), load_range(tx, CHANGE_RANGE)
            last = tx.value(LAST_SYNC)
            outbox, conflicts = len(tx.outbox()), len(tx.conflicts())
            quarantine = tx.quarantine()
            cases = tx.readable_cases()
        missing = self._stopped() + self.missing()
        return StatusView(
            network=core.engine.control.network_name,
            unit=Names(core).unit(core.engine.unit),
            relay_url=core.identity.relay_url,
            synced=not missing and last is not None,
            last_sync_ms=None if last is None else canonical.unpack(last)[0],
            cases=cases,
            changes=change.size,
            outbox=outbox,
            conflicts=conflicts,
            quarantined=len(quarantine),
            unsettled=len({row.stream for row in quarantine}),
            missing=tuple(missing),
            warnings=tuple(self.warnings()),
            control_checkpoint=f"{control.size} {control.root().hex()}",
            change_checkpoint=f"{change.size} {change.root().hex()}",
            comparison_code=comparison_code(
                core.identity.network,
                LogState(control.size, control.root()),
                LogState(change.size, change.root()),
            ),
            awaiting=_awaiting(quarantine),
        )

    def warnings(self) -> list[Fact]:
        """What an administrator should change about the network, or somebody about this disk."""
        control = self._core.engine.control
        facts = [*room_facts(self._core.folder), Fact("no-witnesses")]
        waiting = {int(lacking.device) for lacking in control.who_lacks_keys()}
        for number in sorted(waiting - {int(self._core.engine.device)}):
            device = control.device(number)
            if device is not None and device.unit == self._core.engine.unit:
                member = control.member(device.member).name
                facts.append(Fact("colleague-waits", {"member": member, "device": number}))
        for unit in control.units():
            active = [d for d in control.devices_of(unit.unit) if d.active]
            devices = [d for d in active if int(d.number) not in waiting] or active
            if len(devices) == 1 and unit.type != "one":
                facts.append(Fact("unit-one-device", {"unit": unit.name}))
        administrators = {d.member for d in control.devices() if d.active and d.administrator}
        if len(administrators) == 1:
            facts.append(Fact("network-one-administrator"))
        if not control.audit_units():
            facts.append(Fact("no-audit-unit"))
        skew = abs(self._core.channel.now_offset_ms())
        if skew > CLOCK_SKEW_SHOWN_MS:
            facts.append(Fact("clock-skew", {"minutes": skew // 60000}))
        return facts

    def _stopped(self) -> list[Fact]:
        failed = self._core.failed
        return [] if failed is None else [Fact("push-stopped", {"reason": failed.code})]

    # -- quarantine -----------------------------------------------------------------------------

    def quarantine(self) -> list[QuarantineView]:
        """Changes that do not count (yet), and why."""
        names = Names(self._core)
        with self._core.store.transaction() as tx:
            return [
                QuarantineView(
                    id=f"{row.device}.{row.number}",
                    state=row.state,  # type: ignore[arg-type]
                    reason=row.reason,
                    case=_code(tx, row.stream),
                    author=names.device(int(row.device)).author,
                    unit=names.device(int(row.device)).unit,
                    device=int(row.device),
                    number=int(row.number),
                    noticed_ms=row.noticed_ms,
                    log_index=row.log_index,
                )
                for row in tx.quarantine()
            ]

    # -- doctor -----------------------------------------------------------------------------------

    def doctor(self) -> list[Finding]:
        """A health check; each finding says what to do."""
        findings = [self._anchor_finding(), self._database_finding(), self._relay_finding()]
        try:
            missing = self.missing()
        except CasesyncError as error:  # it reads a page that is damaged
            if findings[1].level == "ok":  # otherwise the truth is told already
                findings.append(Finding("error", error.code, error.params))
            missing = []
        for fact in missing:
            serious = fact.code in ("device-suspended", "folder-copied")
            level: Level = "error" if serious else "warning"
            findings.append(Finding(level, fact.code, dict(fact.params)))
        for fact in self.warnings():
            findings.append(Finding("warning", fact.code, dict(fact.params)))
        return [finding for i, finding in enumerate(findings) if finding not in findings[:i]]

    def _anchor_finding(self) -> Finding:
        failed, folder = self._core.failed, self._core.folder
        if failed is None:
            return Finding("ok", "database-current")
        behind = failed.code == "database-rolled-back"
        lost = behind and folder is not None and not Home(folder).anchor.exists()
        return Finding("error", "anchor-missing" if lost else failed.code)

    def _database_finding(self) -> Finding:
        check = getattr(self._core.store, "check", None)
        if check is None:
            return Finding("ok", "database-sound")
        try:
            check()
        except CasesyncError as error:
            return Finding("error", error.code)
        return Finding("ok", "database-sound")

    def _relay_finding(self) -> Finding:
        try:
            key = self._core.channel.relay_key()
        except CasesyncError:
            return Finding("warning", "relay-unreachable")
        if key != self._core.identity.relay_key:
            return Finding("error", "relay-key-changed")
        with suppress(CasesyncError):  # what it says of this device stands among what is missing
            ask_whether_suspended(self._core)
        return Finding("ok", "relay-reachable")


def _awaiting(rows: Sequence[QuarantineRow]) -> int:
    """Those that nobody decides: a key or an earlier change comes by itself."""
    return sum(1 for row in rows if row.state in ("waiting", "unreadable"))


def _code(tx: Transaction, stream: StreamId) -> str | None:
    opening = StreamRow(tx.stream_rows([stream]).get(stream)).rights.opening
    return None if opening is None or opening[2] is None else case_code(opening[2])


def _what(tx: Transaction, stream: StreamId) -> Literal["case", "access", "register"]:
    kind = StreamRow(tx.stream_rows([stream]).get(stream)).kind
    if kind is StreamKind.ACCESS:
        return "access"
    return "case" if kind is StreamKind.CASE else "register"
