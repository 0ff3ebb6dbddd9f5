"""Units, invitations, approvals, suspension: what administrators do (client)."""

from __future__ import annotations

from casesync.access.control_acts import Place, add_unit, admit, enrol, suspend
from casesync.access.control_bodies import UNIT_TYPES
from casesync.access.control_views import DeviceView as ControlDevice
from casesync.access.control_writer import ControlWriter
from casesync.client.control_driver import append_act, pull, unit_seeds
from casesync.client.core import Core
from casesync.client.network_views import (
    ApproveStatus,
    DeviceView,
    InvitationView,
    MemberView,
    SuspendResult,
    UnitView,
    WhoAmI,
)
from casesync.client.views import Fact
from casesync.codec import canonical
from casesync.crypto.enrolment import SLOT_COMMITMENT, SLOT_NONCE, SLOT_RESULT, SLOT_REVEAL
from casesync.foundation.errors import AccessDenied, CannotDecide, UsageError
from casesync.foundation.ids import Compartment, DeviceNumber, UnitId
from casesync.foundation.limits import INVITATION_LIFETIME_MS
from casesync.sync.enrolment_inviter import Inviter, InviterPhase
from casesync.sync.enrolment_messages import EnrolmentResult
from casesync.sync.invitation import Invitation
from casesync.sync.session import CONTROL_RANGE, load_range

INVITATIONS = "invitations"
"""Stored value: canonical array of ``Inviter`` states, oldest first."""
VISITOR = "visitor"
_SLOTS = (SLOT_COMMITMENT, SLOT_NONCE, SLOT_REVEAL, SLOT_RESULT)


class NetworkAdmin:
    """The part of a replica that reads and changes who belongs."""

    def __init__(self, core: Core) -> None:
        """Args: core: the open replica."""
        self._core = core

    # -- who is there -------------------------------------------------------------------------

    def units(self) -> list[UnitView]:
        """Every office, in the order in which they were added."""
        control = self._core.engine.control
        names = {unit.unit: unit.name for unit in control.units()}
        return [
            UnitView(
                id_hex=unit.unit.hex(),
                name=unit.name,
                type=unit.type,
                parent=None if unit.parent is None else names.get(unit.parent),
                devices=sum(1 for d in control.devices_of(unit.unit) if d.active),
                keys_current=control.current_unit_key(unit.unit, Compartment.BASE) is not None,
            )
            for unit in control.units()
        ]

    def unit_named(self, name: str) -> UnitId:
        """The unit people mean by ``name``: its name, or a prefix of its id in hex.

        Raises:
            UsageError: ``unit-unknown``, ``unit-ambiguous``.
        """
        control = self._core.engine.control
        found = control.units_named(name) or [
            unit for unit in control.units() if unit.name.casefold() == name.casefold()
        ]
        if not found and len(name) >= 6:
            found = [unit for unit in control.units() if unit.unit.hex().startswith(name.lower())]
        if not found:
            raise UsageError("unit-unknown", unit=name)
        if len(found) > 1:
            ids = ", ".join(unit.unit.hex()[:8] for unit in found)
            raise UsageError("unit-ambiguous", unit=name, known=ids)
        return found[0].unit

    def add_unit(self, name: str, unit_type: str, parent: str | None = None) -> UnitView:
        """A new office; its keys are made by its first device.

        Raises:
            AccessDenied: ``not-administrator``.
            UsageError: ``unit-exists``, ``unit-type-unknown``, ``unit-unknown``.
        """
        self._require_administrator()
        if unit_type not in UNIT_TYPES or unit_type == "one":
            known = ", ".join(t for t in UNIT_TYPES if t != "one")
            raise UsageError("unit-type-unknown", type=unit_type, known=known)
        above = None if parent is None else self.unit_named(parent)

        def write(writer: ControlWriter) -> UnitId:
            if self._core.engine.control.units_named(name):
                raise UsageError("unit-exists", unit=name)
            return add_unit(writer, name=name, unit_type=unit_type, parent=above).unit

        unit = append_act(self._core, write)
        return next(view for view in self.units() if view.id_hex == unit.hex())

    def members(self) -> list[MemberView]:
        """Every person with a role."""
        control = self._core.engine.control
        return [
            MemberView(
                id_hex=member.member.hex(),
                name=member.name,
                role=member.role,
                unit=self._unit_name(member.unit),
                administrator=member.administrator,
                devices=tuple(
                    int(d.number) for d in control.devices() if d.member == member.member
                ),
            )
            for member in control.members()
        ]

    def devices(self) -> list[DeviceView]:
        """Every installation, by number."""
        control = self._core.engine.control
        waiting = {int(w.device) for w in control.who_lacks_keys()}
        return [
            DeviceView(
                number=int(device.number),
                label=device.label,
                member=control.member(device.member).name,
                unit=self._unit_name(device.unit),
                role=device.role,
                state="suspended"
                if not device.active
                else "waiting-for-colleague"
                if int(device.number) in waiting
                else "active",
            )
            for device in control.devices()
        ]

    def whoami(self) -> WhoAmI:
        """This device in its network."""
        engine, identity = self._core.engine, self._core.identity
        return WhoAmI(
            network=engine.control.network_name,
            network_id_hex=identity.network.hex(),
            member=engine.member.name,
            role=engine.member.role,
            unit=self._unit_name(engine.unit),
            device=int(engine.device),
            administrator=engine.member.administrator,
            relay_url=identity.relay_url,
            relay_key_hex=identity.relay_key.hex(),
        )

    def _unit_name(self, unit: UnitId) -> str:
        view = self._core.engine.control.unit(unit)
        return unit.hex()[:8] if view is None else view.name

    def _require_administrator(self) -> None:
        if not self._core.engine.member.administrator:
            raise AccessDenied("not-administrator")

    # -- invitations ----------------------------------------------------------------------------

    def invite(
        self,
        unit_name: str,
        role: str,
        *,
        administrator: bool = False,
        lifetime_ms: int = INVITATION_LIFETIME_MS,
    ) -> InvitationView:
        """Open a rendezvous and make the text to hand over.

        Raises:
            AccessDenied: ``not-administrator``.
            UsageError: ``unit-unknown``, ``role-unknown``.
        """
        core = self._core
        self._require_administrator()
        unit = self.unit_named(unit_name)
        roles = core.engine.control.roles()
        if not roles.known(role):
            raise UsageError("role-unknown", role=role, known=", ".join(roles.words()))
        pull(core)
        control = core.engine.control
        parent = unit if role == VISITOR else None
        into = UnitId(core.entropy.bytes(16)) if parent is not None else unit
        with core.store.transaction() as tx:
            log = load_range(tx, CONTROL_RANGE)
        now = core.clock.now_ms() + core.channel.now_offset_ms()
        invitation = Invitation(
            network=core.identity.network,
            relay_url=core.identity.relay_url,
            relay_key=core.identity.relay_key,
            inviter=core.engine.device,
            inviter_request_key=core.engine.me.request_key,
            control_size=log.size,
            control_root=log.root(),
            secret=core.entropy.bytes(32),
            unit=into,
            role=role,
            administrator=administrator,
            expires_ms=now + lifetime_ms,
            network_name=control.network_name,
            unit_name=self._unit_name(unit),
            new_keys=tuple(Compartment(c) for c in control.keyless(into, role)),
        )
        inviter = Inviter.start(invitation, parent, core.entropy)
        core.channel.rendezvous_open(invitation.id, invitation.expires_ms)
        self._store_inviters([*self._inviters(), inviter])
        return self._invitation_view(inviter)

    def invitations(self) -> list[InvitationView]:
        """Invitations made on this device, oldest first."""
        return [self._invitation_view(inviter) for inviter in self._inviters()]

    def cancel_invitation(self, id_hex: str) -> None:
        """Take an invitation back. Raises: UsageError: ``invitation-unknown``."""
        inviter = self._inviter(id_hex)
        step = inviter.cancelled()
        self._replace(step.state)
        try:
            self._core.channel.rendezvous_cancel(inviter.invitation.id)
        except AccessDenied as error:
            if error.code != "invitation-gone":
                raise

    def approve_step(self, invitation: str | None = None, code: str | None = None) -> ApproveStatus:
        """Do what the approving side can do now; called again until "joined" or "admitted".

        Without an open invitation a colleague who waits for keys is admitted.

        Raises:
            UsageError: ``invitation-unknown``, ``invitation-expired``, ``invitation-cancelled``.
            CryptoError: ``enrolment-code-wrong``: the invitation is burnt.
            CannotDecide: ``nobody-to-approve``.
        """
        inviter = self._open_inviter(invitation)
        if inviter is None:
            return self._admit(invitation)
        channel = self._core.channel
        slots = {
            slot: message
            for slot in _SLOTS
            if (message := channel.rendezvous_get(inviter.invitation.id, slot)) is not None
        }
        now = self._core.clock.now_ms() + channel.now_offset_ms()
        step = inviter.advance(slots, now, code)
        self._replace(step.state)
        if step.cancel:
            self._cancel_quietly(inviter)
        if step.error is not None:
            raise step.error
        for put in step.puts:
            channel.rendezvous_put(inviter.invitation.id, put.slot, put.message)
        if step.status == "approved":
            return self._enrol(step.state)
        status = {"nonce": "nonce", "code": "code", "joined": "joined"}.get(step.status, "waiting")
        return ApproveStatus(state=status)  # type: ignore[arg-type]

    def _cancel_quietly(self, inviter: Inviter) -> None:
        try:
            self._core.channel.rendezvous_cancel(inviter.invitation.id)
        except AccessDenied:
            return

    def _enrol(self, inviter: Inviter) -> ApproveStatus:
        core = self._core
        proof, invitation = inviter.proof(), inviter.invitation

        def write(writer: ControlWriter) -> DeviceNumber:
            control = core.engine.control
            enrolled = control.enrolled_by_invitation(invitation.id)
            if enrolled is not None:
                return DeviceNumber(enrolled)
            return enrol(
                writer,
                control,
                proof,
                Place(
                    unit=invitation.unit,
                    role=invitation.role,
                    administrator=invitation.administrator,
                    parent=inviter.parent,
                ),
                unit_seeds(core),
            )

        device = append_act(core, write)
        with core.store.transaction() as tx:
            log = load_range(tx, CONTROL_RANGE)
            times = {index: time for index, time, _ in tx.control_entries(int(device) - 1)}
        result = EnrolmentResult(
            int(device) - 1, times.get(int(device) - 1, 0), log.size, log.root()
        )
        step = inviter.enrolled(result)
        self._replace(step.state)
        for put in step.puts:
            core.channel.rendezvous_put(invitation.id, put.slot, put.message)
        return ApproveStatus(state="joined", member=proof.name, device=int(device))

    def _admit(self, wanted: str | None) -> ApproveStatus:
        core = self._core
        if wanted is not None and not wanted.isdigit():
            raise UsageError("invitation-unknown", invitation=wanted)
        pull(core)
        control = core.engine.control
        for waiting in control.who_lacks_keys(core.engine.unit):
            if wanted is not None and int(wanted) != int(waiting.device):
                continue

            def write(writer: ControlWriter, device: int = int(waiting.device)) -> None:
                admit(writer, core.engine.control, device, unit_seeds(core))

            try:
                append_act(core, write)
            except CannotDecide:
                continue
            view = core.engine.control.device(int(waiting.device))
            assert view is not None
            name = core.engine.control.member(view.member).name
            return ApproveStatus(state="admitted", member=name, device=int(waiting.device))
        raise CannotDecide("nobody-to-approve")

    def _inviters(self) -> list[Inviter]:
        with self._core.store.transaction() as tx:
            stored = tx.value(INVITATIONS)
        return [] if stored is None else [Inviter.from_bytes(b) for b in canonical.unpack(stored)]

    def _store_inviters(self, inviters: list[Inviter]) -> None:
        with self._core.transaction() as tx:
            tx.put_value(INVITATIONS, canonical.pack([i.to_bytes() for i in inviters]))

    def _replace(self, inviter: Inviter) -> None:
        self._store_inviters(
            [
                inviter if other.invitation.id == inviter.invitation.id else other
                for other in self._inviters()
            ]
        )

    def _inviter(self, id_hex: str) -> Inviter:
        found = [i for i in self._inviters() if i.invitation.id.hex().startswith(id_hex.lower())]
        if len(found) != 1:
            raise UsageError("invitation-unknown", invitation=id_hex)
        return found[0]

    def _open_inviter(self, invitation: str | None) -> Inviter | None:
        if invitation is not None and not invitation.isdigit():
            return self._inviter(invitation)
        now = self._core.clock.now_ms() + self._core.channel.now_offset_ms()
        still_open = [
            i
            for i in self._inviters()
            if i.phase < InviterPhase.ENROLLED and i.invitation.expires_ms > now
        ]
        if invitation is not None:
            return None
        if len(still_open) > 1:
            answered = [i for i in still_open if self._answered(i)]
            return answered[0] if answered else still_open[-1]
        return still_open[0] if still_open else None

    def _answered(self, inviter: Inviter) -> bool:
        if inviter.phase > InviterPhase.OPEN:
            return True
        return self._core.channel.rendezvous_get(inviter.invitation.id, SLOT_COMMITMENT) is not None

    def _invitation_view(self, inviter: Inviter) -> InvitationView:
        invitation = inviter.invitation
        now = self._core.clock.now_ms() + self._core.channel.now_offset_ms()
        if inviter.phase is InviterPhase.BURNT:
            state = "cancelled"
        elif inviter.phase is InviterPhase.ENROLLED:
            state = "used"
        else:
            state = "expired" if now >= invitation.expires_ms else "open"
        return InvitationView(
            id_hex=invitation.id.hex(),
            text=inviter.text,
            unit=invitation.unit_name,
            role=invitation.role,
            administrator=invitation.administrator,
            expires_ms=invitation.expires_ms,
            state=state,  # type: ignore[arg-type]
        )

    # -- suspension -----------------------------------------------------------------------------

    def suspend_preview(self, number: int) -> list[Fact]:
        """What a suspension will mean, before it is done."""
        view = self._device(number)
        control = self._core.engine.control
        name = self._unit_name(view.unit)
        facts = [Fact("suspend-unsent-lost", {"device": number})]
        others = [d for d in control.devices_of(view.unit) if d.active and d.number != number]
        if not others:
            return [*facts, Fact("suspend-sole-device", {"unit": name})]
        same = view.unit == self._core.engine.unit
        code = "suspend-rotates-now" if same else "suspend-rotates-later"
        return [*facts, Fact(code, {"unit": name})]

    def suspend_device(self, number: int, *, reason: str = "") -> SuspendResult:
        """Suspend a device; what it has at or behind this change-log size is quarantined.

        Raises:
            AccessDenied: ``not-administrator``, ``suspend-administrator``.
            UsageError: ``device-unknown``, ``device-suspended-already``, ``device-is-own``.
        """
        core = self._core
        self._require_administrator()
        pull(core)
        view = self._device(number)
        if number == core.engine.device:
            raise UsageError("device-is-own")
        if view.administrator:
            raise AccessDenied("suspend-administrator")

        def write(writer: ControlWriter) -> bool:
            if not self._device(number).active:
                raise UsageError("device-suspended-already", device=number)
            return bool(suspend(writer, core.engine.control, number, reason, unit_seeds(core)))

        rotated = append_act(core, write)
        others = [
            d for d in core.engine.control.devices_of(view.unit) if d.active and d.number != number
        ]
        return SuspendResult(
            device=number,
            unit=self._unit_name(view.unit),
            unit_rotated=rotated,
            sole_device=not others,
        )

    def _device(self, number: int) -> ControlDevice:
        view = self._core.engine.control.device(number)
        if view is None:
            raise UsageError("device-unknown", device=number)
        return view
