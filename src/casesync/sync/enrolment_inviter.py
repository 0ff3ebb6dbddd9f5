"""The inviting side of an enrolment, one message at a time (sync; ``protocol/enrolment.md``).

Pure and resumable: ``advance`` takes the rendezvous' slots as they are now and gives the state to
store and the messages to put. It may be called again at any time with the same slots: it then asks
for the same messages. One wrong code, or anything in a slot that does not verify, burns the
invitation; a rendezvous is written once, so there is no second try. A code whose check character
is wrong stands on no screen and does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple, Self

from typing_extensions import override

from casesync.access.body_shapes import (
    HASH_BYTES,
    ID_BYTES,
    array,
    binary,
    binary_or_none,
    integer,
    malformed,
)
from casesync.access.enrolment_proof import JoinerProof
from casesync.codec import canonical
from casesync.crypto.enrolment import (
    ENROLMENT_NONCE_BYTES,
    SLOT_COMMITMENT,
    SLOT_NONCE,
    SLOT_RESULT,
    SLOT_REVEAL,
    check_sas_code,
    open_slot,
    rendezvous_key,
    sas_code,
    seal_slot,
)
from casesync.foundation.errors import (
    AccessDenied,
    CasesyncError,
    CryptoError,
    RemoteProtocolError,
    UsageError,
)
from casesync.foundation.ids import UnitId
from casesync.foundation.ports import Entropy
from casesync.sync.enrolment_messages import EnrolmentResult, Put
from casesync.sync.enrolment_reveal import Reveal
from casesync.sync.invitation import (
    Invitation,
    encode_invitation,
    invitation_bytes,
    invitation_from_bytes,
)


class InviterPhase(IntEnum):
    """Where the inviting side stands; stored."""

    OPEN = 1
    """No commitment yet."""
    COMMITTED = 2
    """The joiner has committed; our nonce is posted."""
    REVEALED = 3
    """The reveal verified; the code is to be typed."""
    APPROVED = 4
    """The right code was typed; the entry is to be appended."""
    ENROLLED = 5
    """The entry stands in the log; its place is posted."""
    BURNT = 6
    """Wrong code, interference, cancelled or expired."""


_STATUS = {
    InviterPhase.OPEN: "waiting",
    InviterPhase.COMMITTED: "nonce",
    InviterPhase.REVEALED: "code",
    InviterPhase.APPROVED: "approved",
    InviterPhase.ENROLLED: "joined",
    InviterPhase.BURNT: "burnt",
}


class InviterStep(NamedTuple):
    """What to do now: store ``state``, put ``puts``, cancel the rendezvous, raise ``error``."""

    state: Inviter
    puts: tuple[Put, ...] = ()
    cancel: bool = False
    error: CasesyncError | None = None

    @property
    def status(self) -> str:
        """waiting, nonce, code, approved, joined or burnt."""
        return _STATUS[self.state.phase]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inviter:
    """One invitation at the device of the administrator who made it."""

    invitation: Invitation
    parent: UnitId | None
    """For a visitor the office under which the unit of one will stand."""
    nonce: bytes
    phase: InviterPhase = InviterPhase.OPEN
    commitment: bytes | None = None
    reveal: bytes | None = None
    """Body of slot 3 once it verified."""
    result: EnrolmentResult | None = None

    @classmethod
    def start(cls, invitation: Invitation, parent: UnitId | None, entropy: Entropy) -> Self:
        """A fresh invitation; the caller opens its rendezvous before it hands out the text."""
        return cls(invitation=invitation, parent=parent, nonce=entropy.bytes(ENROLMENT_NONCE_BYTES))

    @override
    def __repr__(self) -> str:
        """Names the invitation, shows no secret."""
        return f"Inviter({self.invitation.id.hex()}, {self.phase.name})"

    @property
    def text(self) -> str:
        """The invitation's text."""
        return encode_invitation(self.invitation)

    def proof(self) -> JoinerProof:
        """What the enrolment entry is made from, once the right code was typed."""
        assert self.phase in (InviterPhase.APPROVED, InviterPhase.ENROLLED)
        reveal = self._reveal()
        return JoinerProof(
            public=reveal.public,
            name=reveal.name,
            label=reveal.label,
            unit_keys=reveal.unit_keys,
            invitation=self.invitation.id,
            inviter_nonce=self.nonce,
            joiner_nonce=reveal.joiner_nonce,
            signature=reveal.signature,
        )

    def advance(
        self, slots: Mapping[int, bytes], now_ms: int, code: str | None = None
    ) -> InviterStep:
        """The next step.

        Args:
            slots: messages that lie at the rendezvous now, by slot.
            now_ms: this device's clock, corrected by the relay's offset.
            code: what the person typed from the other screen, if anything.
        """
        if self.phase is InviterPhase.BURNT:
            return InviterStep(self, error=AccessDenied("invitation-cancelled"))
        if self.phase < InviterPhase.APPROVED and now_ms >= self.invitation.expires_ms:
            return self._burnt(AccessDenied("invitation-expired"))
        try:
            state = self._committed(slots)._revealed(slots)
        except (CryptoError, RemoteProtocolError):
            return self._burnt(CryptoError("invitation-spoiled"))
        if code is not None and state.phase is InviterPhase.REVEALED:
            try:
                check_sas_code(code, state.code())
            except UsageError as error:
                return InviterStep(state, state._due(slots), error=error)
            except CryptoError as error:
                return state._burnt(error)
            state = replace(state, phase=InviterPhase.APPROVED)
        return InviterStep(state, state._due(slots))

    def enrolled(self, result: EnrolmentResult) -> InviterStep:
        """The entry was appended: tell the joiner where it stands."""
        assert self.phase in (InviterPhase.APPROVED, InviterPhase.ENROLLED)
        state = replace(self, phase=InviterPhase.ENROLLED, result=result)
        return InviterStep(state, state._due({SLOT_NONCE: b""}))

    def cancelled(self) -> InviterStep:
        """The administrator takes the invitation back."""
        return InviterStep(replace(self, phase=InviterPhase.BURNT, reveal=None), cancel=True)

    def code(self) -> str:
        """What must be typed; never shown on this side."""
        assert self.commitment is not None
        reveal = self._reveal()
        invitation = self.invitation
        return sas_code(
            invitation.network,
            invitation.id,
            self.commitment,
            self.nonce,
            reveal.joiner_nonce,
            reveal.hash,
        )

    def _reveal(self) -> Reveal:
        assert self.reveal is not None
        return Reveal.decode(self.reveal)

    def _open(self, slot: int, message: bytes) -> bytes:
        invitation = self.invitation
        key = rendezvous_key(invitation.secret, invitation.network)
        return open_slot(key, invitation.network, invitation.id, slot, message)

    def _committed(self, slots: Mapping[int, bytes]) -> Inviter:
        message = slots.get(SLOT_COMMITMENT)
        if self.phase is not InviterPhase.OPEN or message is None:
            return self
        commitment = binary(self._open(SLOT_COMMITMENT, message), HASH_BYTES, "commitment")
        return replace(self, phase=InviterPhase.COMMITTED, commitment=commitment)

    def _revealed(self, slots: Mapping[int, bytes]) -> Inviter:
        message = slots.get(SLOT_REVEAL)
        if self.phase is not InviterPhase.COMMITTED or message is None:
            return self
        assert self.commitment is not None
        body = self._open(SLOT_REVEAL, message)
        Reveal.decode(body).check(self.invitation, self.commitment, self.nonce)
        return replace(self, phase=InviterPhase.REVEALED, reveal=body)

    def _due(self, slots: Mapping[int, bytes]) -> tuple[Put, ...]:
        due = []
        if self.phase >= InviterPhase.COMMITTED and SLOT_NONCE not in slots:
            due.append(self._sealed(SLOT_NONCE, self.nonce))
        if self.phase is InviterPhase.ENROLLED and SLOT_RESULT not in slots:
            assert self.result is not None
            due.append(self._sealed(SLOT_RESULT, self.result.encode()))
        return tuple(due)

    def _sealed(self, slot: int, body: bytes) -> Put:
        invitation = self.invitation
        key = rendezvous_key(invitation.secret, invitation.network)
        return Put(slot, seal_slot(key, invitation.network, invitation.id, slot, body))

    def _burnt(self, error: CasesyncError) -> InviterStep:
        return InviterStep(
            replace(self, phase=InviterPhase.BURNT, reveal=None), cancel=True, error=error
        )

    def to_bytes(self) -> bytes:
        """For the encrypted database; holds the invitation's secret."""
        return canonical.pack(
            [
                invitation_bytes(self.invitation),
                self.parent,
                self.nonce,
                int(self.phase),
                self.commitment,
                self.reveal,
                None if self.result is None else self.result.encode(),
            ]
        )

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """What ``to_bytes`` stored. Raises: RemoteProtocolError: ``malformed``."""
        fields = array(canonical.unpack(stored), 7, "stored invitation")
        invitation, parent, nonce, phase, commitment, reveal, result = fields
        parent = binary_or_none(parent, ID_BYTES, "parent")
        for body in (invitation, reveal, result):
            if body is not None and not isinstance(body, bytes):
                raise malformed("stored invitation")
        return cls(
            invitation=invitation_from_bytes(invitation),
            parent=None if parent is None else UnitId(parent),
            nonce=binary(nonce, ENROLMENT_NONCE_BYTES, "nonce"),
            phase=InviterPhase(integer(phase, InviterPhase.BURNT, "phase", smallest=1)),
            commitment=binary_or_none(commitment, HASH_BYTES, "commitment"),
            reveal=reveal,
            result=None if result is None else EnrolmentResult.decode(result),
        )
