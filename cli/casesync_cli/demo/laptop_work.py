"""What a laptop of the demo can be asked to do, each verb a call or two of the library (cli)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from casesync.client.case_cells import parse_path
from casesync.client.network_views import (
    ApproveStatus,
    AuditEntryView,
    AuditReport,
    DeviceView,
    InvitationView,
    JoinStatus,
    QuarantineView,
    StatusView,
    SuspendResult,
    SyncProgress,
    SyncReport,
    UnitView,
    WhoAmI,
)
from casesync.client.replica import Joining, Replica
from casesync.client.views import CaseView, ConflictView, GrantView, HistoryView
from casesync_cli.demo.inside import boxed_epochs, keys_held, newest_epoch_held

Progress = Callable[[int, int], None]
Steps = Sequence[Sequence[Any]]
"""Edits: ``[operation, path, text]``, or ``["new", type, {field: text}]``."""

VERBS: Final = frozenset((
    "found", "add_unit", "invite", "join_start", "join_step", "approve", "whoami", "devices",
    "suspend", "status", "sync", "new_cases", "count", "find", "show", "history", "edit",
    "conflicts", "resolve", "give_consent", "withdraw_consent", "grant", "grants", "revoke",
    "quarantine", "audit_verify", "audit_list", "schema_words", "boxed_epochs",
    "newest_epoch_held", "keys_held",
))  # fmt: skip
_SAY_EVERY: Final = 5
"""Cases between two lines of progress."""


class LaptopWork:
    """The replica in one home, from before it exists until the laptop is shut."""

    def __init__(self, home: Path, progress: Progress) -> None:
        """Args: home: its folder; progress: told (done, all) during long work."""
        self._home = home
        self._progress = progress
        self._joining: Joining | None = None
        self._passphrase = ""
        self._open: Replica | None = None

    def __enter__(self) -> Self:
        """The laptop, switched on."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close what is open."""
        if self._joining is not None:
            self._joining.close()
        if self._open is not None:
            self._open.close()

    @property
    def _replica(self) -> Replica:
        assert self._open is not None, "found or join first"
        return self._open

    # -- the network ----------------------------------------------------------------------------

    def found(self, passphrase: str, relay_url: str, relay_key: str, **words: str) -> WhoAmI:
        """Found the network; ``words``: name, unit, member_name, device_label."""
        self._open = Replica.create_network(
            self._home,
            passphrase,
            relay_url=relay_url,
            relay_key=bytes.fromhex(relay_key),
            unit_type="shelter",
            role="caseworker",
            name=words["name"],
            unit=words["unit"],
            member_name=words["member_name"],
            device_label=words["device_label"],
        )
        return self._open.whoami()

    def add_unit(self, name: str, unit_type: str) -> UnitView:
        """A new office."""
        return self._replica.add_unit(name, unit_type)

    def invite(self, unit: str, role: str) -> InvitationView:
        """An invitation to hand over."""
        return self._replica.invite(unit, role)

    def join_start(self, passphrase: str, invitation: str, name: str, label: str) -> None:
        """Begin to join."""
        self._passphrase = passphrase
        self._joining = Joining.start(
            self._home, passphrase, invitation, name=name, device_label=label
        )

    def join_step(self) -> JoinStatus:
        """Do what the joining side can do now; opens the replica once joined."""
        assert self._joining is not None, "join_start first"
        status = self._joining.step()
        if status.state == "joined":
            self._joining.close()
            self._joining = None
            self._open = Replica.open(self._home, self._passphrase, command="casesync demo")
            self._passphrase = ""
        return status

    def approve(self, invitation: str, code: str | None = None) -> ApproveStatus:
        """Do what the inviting side can do now."""
        return self._replica.approve_step(invitation, code)

    def whoami(self) -> WhoAmI:
        """This device in its network."""
        return self._replica.whoami()

    def devices(self) -> list[DeviceView]:
        """Every installation."""
        return self._replica.devices()

    def suspend(self, device: int, reason: str) -> SuspendResult:
        """Suspend a stolen laptop."""
        return self._replica.suspend_device(device, reason)

    # -- every day ------------------------------------------------------------------------------

    def status(self) -> StatusView:
        """Where this replica stands."""
        return self._replica.status()

    def sync(self) -> SyncReport:
        """Sync; progress is told in changes."""

        def told(at: SyncProgress) -> None:
            self._progress(at.received, at.expected)

        return self._replica.sync(told)

    def new_cases(self, cases: Sequence[dict[str, Any]]) -> list[str]:
        """Open cases one after the other, each a durable step; returns their codes."""
        codes = []
        for done, case in enumerate(cases, 1):
            sets = [parse_path(path, op, text) for path, op, text in case["steps"]]
            codes.append(self._replica.new_case(case["kinds"], sets).case)
            if done % _SAY_EVERY == 0 or done == len(cases):
                self._progress(done, len(cases))
        return codes

    def count(self) -> int:
        """Cases that are here."""
        return self._replica.cases(limit=1).count

    def find(self, text: str) -> list[str]:
        """Codes of the cases in which the words occur."""
        return [found.case for found in self._replica.find(text).items]

    def show(self, case: str) -> CaseView:
        """A case as this laptop may see it."""
        return self._replica.show(self._replica.resolve_case(case))

    def history(self, case: str, field: str) -> list[HistoryView]:
        """Every write of a field."""
        return list(self._replica.history(self._replica.resolve_case(case), field))

    def edit(self, case: str, steps: Steps) -> None:
        """Change a case; all steps are one change."""
        with self._replica.edit(self._replica.resolve_case(case)) as edit:
            for operation, path, value in steps:
                if operation == "new":
                    edit.new_record(path, value)
                elif operation == "add":
                    edit.add(path, value)
                else:
                    edit.set(path, value)

    def conflicts(self, case: str) -> list[ConflictView]:
        """Open conflicts of a case."""
        return [found for found in self._replica.conflicts() if found.case == case]

    def resolve(self, conflict: str, value: str, reason: str, shown: Sequence[str]) -> None:
        """Settle a conflict that was shown."""
        self._replica.resolve(conflict, value, reason, shown)

    # -- sharing --------------------------------------------------------------------------------

    def give_consent(
        self, case: str, to: str, purpose: str, compartments: list[str], notice: str
    ) -> str:
        """Record a consent; returns its id in hex."""
        stream = self._replica.resolve_case(case)
        return self._replica.give_consent(stream, purpose, to, compartments, notice).hex()

    def withdraw_consent(self, case: str, consent: str) -> None:
        """Record a withdrawal."""
        self._replica.withdraw_consent(self._replica.resolve_case(case), consent)

    def grant(
        self, case: str, to: str, purpose: str, compartments: list[str], consent: str
    ) -> GrantView:
        """Share compartments, writing allowed."""
        stream = self._replica.resolve_case(case)
        return self._replica.grant(stream, to, compartments, purpose, consent, write=True)

    def grants(self, case: str) -> list[GrantView]:
        """Grants of a case."""
        return self._replica.grants(self._replica.resolve_case(case))

    def revoke(self, case: str, grant: str, reason: str) -> None:
        """End a grant."""
        self._replica.revoke_grant(self._replica.resolve_case(case), grant, reason)

    def quarantine(self) -> list[QuarantineView]:
        """Changes that do not count (yet)."""
        return self._replica.quarantine()

    # -- audit ----------------------------------------------------------------------------------

    def audit_verify(self) -> AuditReport:
        """Verify the access log against the relay."""
        return self._replica.audit_verify()

    def audit_list(self, case: str) -> list[AuditEntryView]:
        """Who looked at a case."""
        return list(self._replica.audit_list(case))

    # -- what the demo checks below the library's surface -----------------------------------------

    def schema_words(self) -> dict[str, list[str]]:
        """Every type, field and code with its labels, so that they can be searched for."""
        schema = self._replica.schema()
        types, fields, values = [], [], []
        for record_type in schema.types.values():
            types += [record_type.name, record_type.labels.vi, record_type.labels.en]
            for field in record_type.fields.values():
                fields += [field.name, field.labels.vi, field.labels.en]
        for codelist in schema.codelists.values():
            for code in codelist.codes.values():
                values += [code.id, code.labels.vi, code.labels.en]
        return {"types": types, "fields": fields, "values": values}

    def boxed_epochs(self, case: str) -> list[int]:
        """Epochs of the own unit's keys under which the newest keys of a case lie."""
        return boxed_epochs(self._replica, self._replica.resolve_case(case))

    def newest_epoch_held(self) -> int:
        """Newest epoch of the own unit's keys that this laptop can open."""
        return newest_epoch_held(self._replica)

    def keys_held(self, stream: str) -> int:
        """Keys of a case, named by its stream, that this laptop has stored."""
        return keys_held(self._replica, bytes.fromhex(stream))
