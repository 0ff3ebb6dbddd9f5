"""Inviting and approving newcomers, and admitting colleagues who wait for keys (client).

``protocol/enrolment.md``. States of open invitations lie in the encrypted database, so that every
step can be taken by another call of the command line.
"""

from __future__ import annotations

from casesync.access.control_acts import Place, admit, enrol
from casesync.access.control_writer import ControlWriter
from casesync.client.control_driver import append_act, pull, unit_seeds
from casesync.client.core import Core
from casesync.client.network_admin import NetworkAdmin
from casesync.client.network_views import ApproveStatus, InvitationView
from casesync.codec import canonical
from casesync.crypto.enrolment import SLOT_COMMITMENT, SLOT_NONCE, SLOT_RESULT, SLOT_REVEAL
from casesync.foundation.errors import AccessDenied, CannotDecide, UsageError
from casesync.foundation.ids import Compartment, DeviceNumber, UnitId
from casesync.foundation.limits import INVITATION_LIFETIME_MS, INVITATION_LIFETIME_MS_MAX
from casesync.sync.enrolment_inviter import Inviter, InviterPhase
from casesync.sync.enrolment_messages import EnrolmentResult
from casesync.sync.held_log import CONTROL_RANGE, load_range
from casesync.sync.invitation import Invitation

INVITATIONS = "invitations"
"""Stored value: canonical array of ``Inviter`` states, oldest first."""
VISITOR = "visitor"
DAY_MS = 24 * 3600 * 1000
_SLOTS = (SLOT_COMMITMENT, SLOT_NONCE, SLOT_REVEAL, SLOT_RESULT)


class Invitations:
    """The part of a replica that lets people in."""

    def __init__(self, core: Core, admin: NetworkAdmin) -> None:
        """Args: the open replica and the part that names units."""
        self._core = core
        self._admin = admin

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
            UsageError: ``unit-unknown``, ``role-unknown``; ``invitation-time``: not between 1 ms
                and 29 days.
        """
        core = self._core
        self._admin.require_administrator(f"unit {unit_name}")
        if not 0 < lifetime_ms <= INVITATION_LIFETIME_MS_MAX:
            raise UsageError("invitation-time", days=INVITATION_LIFETIME_MS_MAX // DAY_MS)
        unit = self._admin.unit_named(unit_name)
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
            unit_name=self._admin.unit_name(unit),
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
        """Take an invitation back.

        Raises:
            UsageError: ``invitation-unknown``.
            NetworkError: the relay, which holds it open, cannot be reached; nothing was changed.
        """
        inviter = self._inviter(id_hex)
        try:
            self._core.channel.rendezvous_cancel(inviter.invitation.id)
        except AccessDenied as error:
            if error.code != "invitation-gone":
                raise
        self._replace(inviter.cancelled().state)

    def approve_step(self, invitation: str | None = None, code: str | None = None) -> ApproveStatus:
        """Do what the approving side can do now; called again until "joined".

        Without an open invitation a colleague who waits for keys is admitted.

        Raises:
            AccessDenied: ``invitation-expired``, ``invitation-cancelled``, ``invitation-gone``.
            UsageError: ``invitation-unknown``; ``enrolment-code-mistyped``: no screen shows this
                code, type it again.
            CryptoError: ``enrolment-code-wrong``: the invitation is burnt.
            CannotDecide: ``nobody-to-approve``.
        """
        inviter = self._open_inviter(invitation)
        if inviter is None:
            return self._admit(invitation)
        channel = self._core.channel
        asked = () if inviter.phase is InviterPhase.BURNT else _SLOTS
        slots = {
            slot: message
            for slot in asked
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
        if wanted is not None and not _is_device(wanted):
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
            return ApproveStatus(
                state="joined", member=name, device=int(waiting.device), admitted=True
            )
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
        if invitation is not None and not _is_device(invitation):
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


def _is_device(text: str) -> bool:
    """A device number, and not the beginning of an invitation's id: those have eight and more."""
    return text.isdigit() and len(text) < 8
