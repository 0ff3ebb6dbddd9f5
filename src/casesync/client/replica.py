"""The one public object: a replica of a network's records on this device (client).

Synchronous, for one thread. Everything works offline except what says otherwise. All errors are
``casesync.foundation.errors.CasesyncError``; each has an exit code, a message and advice in
Vietnamese and English. Text that comes back is what people wrote, not made harmless for a screen
(``casesync.model.safe_text``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Self

from casesync.client import network_views, opening, views
from casesync.client.access_list import AccessList
from casesync.client.auditing import Auditing
from casesync.client.case_edit import CaseEdit
from casesync.client.core import Core
from casesync.client.form_batch import CaseForm, FormBatch, FormsSaved
from casesync.client.health import Health
from casesync.client.invitations import Invitations
from casesync.client.joining import Joining
from casesync.client.network_admin import NetworkAdmin
from casesync.client.new_network import NewNetwork
from casesync.client.records import Records
from casesync.client.sharing import Sharing
from casesync.client.subscriptions import Changed, Subscriber
from casesync.client.sync_driver import run_sync
from casesync.client.system_ports import SystemClock, SystemEntropy
from casesync.foundation.ids import StreamId
from casesync.foundation.limits import INVITATION_LIFETIME_MS
from casesync.model.schema import Schema

__all__ = ["Changed", "Joining", "Replica"]


class Replica:
    """An open replica. Use ``open`` or ``create_network``; close it, or use it in a ``with``."""

    def __init__(self, core: Core, stack: ExitStack | None = None) -> None:
        """Args: core: what the parts share; stack: what closing releases."""
        self.core = core
        self._stack = stack or ExitStack()
        self._admin = NetworkAdmin(core)
        self._invitations = Invitations(core, self._admin)
        self._records = Records(core)
        self._forms = FormBatch(core)
        self._sharing = Sharing(core, self._admin, self._records)
        self._health = Health(core)
        self._auditing = Auditing(core)
        self._access = AccessList(core)

    @classmethod
    def create_network(  # noqa: PLR0913 - what a founder is asked
        cls,
        home: Path,
        passphrase: str,
        *,
        name: str,
        relay_url: str,
        relay_key: bytes | None = None,
        unit: str | None = None,
        unit_type: str = "shelter",
        role: str = "caseworker",
        member_name: str,
        device_label: str = "",
        plain_http: bool = False,
    ) -> Self:
        """Found a network at a relay and open its first replica.

        Args:
            home: folder to be made.
            passphrase: opens the replica from now on; at least 15 characters.
            name: of the network.
            relay_url: ``https://host[:port]``; plain http only to this machine or if allowed.
            relay_key: the relay's log key (32 bytes) if known; else what the relay says is pinned.
            unit: name of the founder's office; default: the network's name.
            unit_type: shelter, osso, union, provider or audit.
            role: of the founder.
            member_name: of the founder.
            device_label: what people call this device.
            plain_http: allow http to another machine.

        Raises:
            UsageError: ``home-exists``, ``passphrase-short``, ``relay-not-https``.
            NetworkError: the relay cannot be reached or takes no more networks.
            RelayMisbehaviour: ``relay-key-differs``.
        """
        network = NewNetwork(
            name=name,
            unit=unit or name,
            unit_type=unit_type,
            role=role,
            member_name=member_name,
            device_label=device_label,
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        opening.found(home, passphrase, network, relay_url, relay_key, plain_http=plain_http)
        return cls.open(home, passphrase)

    @classmethod
    def open(cls, home: Path, passphrase: str | None = None, *, command: str = "casesync") -> Self:
        """Open a replica's folder; without a passphrase the unlock agent is asked.

        Raises:
            LocalStateError: ``home-missing``, ``locked``, ``passphrase-wrong``,
                ``database-locked``, ``database-corrupt``, ``database-newer``, ``not-joined``.
        """
        core, stack = opening.open_core(home, passphrase, command=command)
        return cls(core, stack)

    def close(self) -> None:
        """Release the folder; further calls fail."""
        self._stack.close()

    def __enter__(self) -> Self:
        """The replica itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def subscribe(self, callback: Subscriber) -> None:
        """Call ``callback`` after each commit with the cases, records and fields it changed."""
        self.core.subscribers.append(callback)

    def schema(self) -> Schema:
        """What records look like."""
        return self.core.engine.schema

    # -- cases ----------------------------------------------------------------------------------

    def new_case(
        self,
        kinds: Sequence[str],
        sets: Sequence[views.Assignment] = (),
        purpose: str | None = None,
    ) -> views.CaseView:
        """Open a case of this office; see ``Records.new_case``."""
        return self._records.new_case(kinds, sets, purpose=purpose)

    def cases(
        self,
        filters: Mapping[str, str] | None = None,
        limit: int = 50,
        after: str | None = None,
        purpose: str | None = None,
    ) -> views.Page[views.CaseSummary]:
        """Cases whose effective values match, newest first."""
        return self._records.cases(filters, limit=limit, after=after, purpose=purpose)

    def find(
        self, text: str, limit: int = 50, after: str | None = None, purpose: str | None = None
    ) -> views.Page[views.CaseSummary]:
        """Cases in which the words occur, with or without accents; exact matches first."""
        return self._records.find(text, limit=limit, after=after, purpose=purpose)

    def resolve_case(self, text: str) -> StreamId:
        """The case people mean by a code or the beginning of one.

        Raises: UsageError: ``case-unknown``, ``case-ambiguous``, ``case-code-mistyped``.
        """
        return self._records.resolve_case(text)

    def case_code(self, case: StreamId) -> str:
        """The case's code, as people say it."""
        return self._records.case_code(case)

    def show(self, case: StreamId, purpose: str | None = None) -> views.CaseView:
        """The case as this device may see it; the look is logged durably first."""
        return self._records.show(case, purpose=purpose)

    def history(
        self,
        case: StreamId,
        field: str | None = None,
        purpose: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> views.Page[views.HistoryView]:
        """Every write that can be read, oldest first; at most ``limit``, then the newest."""
        return self._records.history(case, field=field, purpose=purpose, limit=limit, after=after)

    def edit(
        self, case: StreamId, base: str | None = None, purpose: str | None = None
    ) -> AbstractContextManager[CaseEdit]:
        """Change a case in a ``with`` block; leaving it writes one change, an exception none."""
        return self._records.edit(case, base=base, purpose=purpose)

    def save_forms(
        self,
        forms: Iterable[CaseForm],
        purpose: str | None = None,
        progress: Callable[[int, int], None] | None = None,
        dry_run: bool = False,
    ) -> FormsSaved:
        """Save up to 100,000 forms, each one change, all checked first; see ``FormBatch``."""
        return self._forms.save(forms, purpose=purpose, progress=progress, dry_run=dry_run)

    def conflicts(self, purpose: str | None = None) -> list[views.ConflictView]:
        """Open conflicts, oldest first."""
        return self._records.conflicts.open(purpose)

    def conflict(self, conflict_id: str, purpose: str | None = None) -> views.ConflictView:
        """One open conflict. Raises: UsageError: ``conflict-unknown``."""
        return self._records.conflicts.one(conflict_id, purpose)

    def resolve(
        self,
        conflict_id: str,
        value: str,
        reason: str | None = None,
        shown: Sequence[str] | None = None,
        purpose: str | None = None,
    ) -> views.ConflictView:
        """Settle a conflict; see ``Conflicts.resolve``."""
        return self._records.conflicts.resolve(conflict_id, value, reason, shown, purpose)

    # -- sharing --------------------------------------------------------------------------------

    def give_consent(
        self,
        case: StreamId,
        purpose: str,
        to_unit: str,
        compartments: list[str],
        notice_text: str | None = None,
        form: str = "written",
        until_ms: int | None = None,
    ) -> bytes:
        """Record a consent; returns its record id (16 bytes)."""
        return self._sharing.give_consent(
            case, purpose, to_unit, compartments, notice_text, form, until_ms
        )

    def withdraw_consent(
        self, case: StreamId, consent: str, purpose: str | None = None
    ) -> views.Withdrawal:
        """Record a withdrawal; it counts at once. Returns the grants that still rest on it."""
        return self._sharing.withdraw_consent(case, consent, purpose)

    def consents(self, case: StreamId, purpose: str | None = None) -> list[views.ConsentView]:
        """Every consent recorded in a case."""
        return self._sharing.consents(case, purpose)

    def grant(
        self,
        case: StreamId,
        to_unit: str,
        compartments: list[str],
        purpose: str,
        consent_id: str,
        until_ms: int | None = None,
        write: bool = False,
        history: bool = False,
    ) -> views.GrantView:
        """Share compartments of a case with another office, on a recorded consent."""
        terms = (compartments, purpose, consent_id, until_ms)
        return self._sharing.grant(case, to_unit, *terms, write=write, history=history)

    def grants(
        self, case: StreamId | None = None, purpose: str | None = None
    ) -> list[views.GrantView]:
        """Grants of one case, or of all that are here."""
        return self._sharing.grants(case, purpose)

    def revoke_grant(
        self, case: StreamId | None, grant: str, reason: str = "", purpose: str | None = None
    ) -> None:
        """End a grant; the other office's clients destroy their copy when they sync."""
        self._sharing.revoke_grant(case, grant, reason, purpose)

    # -- sync and health --------------------------------------------------------------------------

    def sync(
        self, progress: Callable[[network_views.SyncProgress], None] | None = None
    ) -> network_views.SyncReport:
        """Bring this replica and the relay to the same point.

        Raises:
            NetworkError: the relay cannot be reached; nothing is lost, try again later.
            RelayMisbehaviour: the relay contradicts its proofs; the cursor stayed.
            LocalStateError: this replica must not send (rolled back or restored).
            AccessDenied: this device is suspended.
        """

        def told(cursor: int, target: int) -> None:
            if progress is not None:
                progress(network_views.SyncProgress(cursor, target, 0, 0))

        report = self._health.watched(lambda: run_sync(self.core, told))
        return self._health.finished(report)

    def outbox(self) -> list[network_views.OutboxView]:
        """Own changes the relay has not acknowledged and proven yet."""
        return self._health.outbox()

    def status(self) -> network_views.StatusView:
        """Where this replica stands; "synced" only when nothing is owed in either direction."""
        return self._health.status()

    def quarantine(self) -> list[network_views.QuarantineView]:
        """Changes that do not count (yet), and why."""
        return self._health.quarantine()

    def doctor(self) -> list[network_views.Finding]:
        """A health check."""
        return self._health.doctor()

    # -- network ----------------------------------------------------------------------------------

    def units(self) -> list[network_views.UnitView]:
        """Every office."""
        return self._admin.units()

    def add_unit(
        self, name: str, unit_type: str, parent: str | None = None
    ) -> network_views.UnitView:
        """A new office (administrators, on line)."""
        return self._admin.add_unit(name, unit_type, parent)

    def members(self) -> list[network_views.MemberView]:
        """Every person with a role."""
        return self._admin.members()

    def devices(self) -> list[network_views.DeviceView]:
        """Every installation."""
        return self._admin.devices()

    def whoami(self) -> network_views.WhoAmI:
        """This device in its network."""
        return self._admin.whoami()

    def invite(
        self,
        unit_name: str,
        role: str,
        administrator: bool = False,
        lifetime_ms: int = INVITATION_LIFETIME_MS,
    ) -> network_views.InvitationView:
        """An invitation to hand over (administrators, on line)."""
        return self._invitations.invite(
            unit_name, role, administrator=administrator, lifetime_ms=lifetime_ms
        )

    def invitations(self) -> list[network_views.InvitationView]:
        """Invitations made on this device."""
        return self._invitations.invitations()

    def cancel_invitation(self, id_hex: str) -> None:
        """Take an invitation back (on line)."""
        self._invitations.cancel_invitation(id_hex)

    def approve_step(
        self, invitation_id_hex: str | None = None, code: str | None = None
    ) -> network_views.ApproveStatus:
        """Do what the approving side can do now; call again until "joined"."""
        return self._invitations.approve_step(invitation_id_hex, code)

    def suspend_preview(self, number: int) -> list[views.Fact]:
        """What suspending a device will mean."""
        return self._admin.suspend_preview(number)

    def suspend_device(self, number: int, reason: str = "") -> network_views.SuspendResult:
        """Suspend a stolen or lost device (administrators, on line)."""
        return self._admin.suspend_device(number, reason=reason)

    def audit_list(
        self,
        case: str | None = None,
        member: str | None = None,
        device: int | None = None,
        purpose: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> views.Page[network_views.AuditEntryView]:
        """Access entries this device may read (the audit unit: of everybody), oldest first."""
        return self._access.entries(case, member, device, purpose, limit, after)

    def audit_mine(
        self, limit: int | None = None, after: str | None = None
    ) -> views.Page[network_views.AuditEntryView]:
        """This device's own entries, oldest first."""
        return self._access.mine(limit=limit, after=after)

    def audit_verify(
        self, offline: bool = False, purpose: str | None = None
    ) -> network_views.AuditReport:
        """Verify the access log. Raises: AuditFailed: what does not hold."""
        return self._auditing.verify(offline=offline, purpose=purpose)
