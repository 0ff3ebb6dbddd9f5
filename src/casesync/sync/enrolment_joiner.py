"""The joining side of an enrolment, one message at a time (sync; ``protocol/enrolment.md``).

Pure and resumable like the inviting side. The keys are made here and never leave the device; what
the inviter enrols is checked at the end against what was signed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import NamedTuple, Self

from typing_extensions import override

from casesync.access.body_shapes import array, binary, binary_or_none, items, malformed
from casesync.access.control_bodies import UnitKeyRow
from casesync.access.control_state import ControlState
from casesync.access.enrolment_proof import decode_unsigned, encode_unsigned
from casesync.access.names import usable_name
from casesync.codec import canonical
from casesync.crypto.device_keys import DevicePublic, DeviceSecrets
from casesync.crypto.enrolment import (
    ENROLMENT_NONCE_BYTES,
    SLOT_COMMITMENT,
    SLOT_NONCE,
    SLOT_RESULT,
    SLOT_REVEAL,
    enrol_commitment,
    open_slot,
    rendezvous_key,
    reveal_message,
    sas_code,
    seal_slot,
)
from casesync.crypto.kem_keys import unit_key_from_seed
from casesync.crypto.key_schedule import KEY_BYTES
from casesync.crypto.key_wrap import UnitKeyId
from casesync.crypto.signatures import COMPOSITE_SIGNATURE_BYTES
from casesync.foundation.errors import AccessDenied, CryptoError, RelayMisbehaviour
from casesync.foundation.ids import Compartment, DeviceNumber
from casesync.foundation.ports import Entropy
from casesync.foundation.secret_bytes import SecretBytes
from casesync.sync.enrolment_messages import EnrolmentResult, Put
from casesync.sync.enrolment_reveal import Reveal
from casesync.sync.invitation import Invitation, invitation_bytes, invitation_from_bytes

RootAt = Callable[[int], bytes]
"""Root of the verified control log's first n entries."""


class JoinerStep(NamedTuple):
    """What to do now: store ``state`` first, then put ``puts``."""

    state: Joiner
    puts: tuple[Put, ...] = ()

    @property
    def status(self) -> str:
        """posted, code (shown until the inviter has typed it) or enrolled (sync and check)."""
        if self.state.result is not None:
            return "enrolled"
        return "posted" if self.state.inviter_nonce is None else "code"

    @property
    def code(self) -> str | None:
        """What this screen shows for the inviter to type."""
        return None if self.state.inviter_nonce is None else self.state.code()


@dataclass(frozen=True, slots=True, kw_only=True)
class Joiner:
    """A device that was invited and is not enrolled yet."""

    invitation: Invitation
    secrets: DeviceSecrets
    seeds: tuple[tuple[Compartment, SecretBytes], ...]
    """Seeds of the unit's first keys, made here."""
    unsigned: bytes
    nonce: bytes
    inviter_nonce: bytes | None = None
    signature: bytes | None = None
    """Made once: it is hedged, and a slot is written once."""
    result: EnrolmentResult | None = None

    @classmethod
    def start(cls, invitation: Invitation, name: str, label: str, entropy: Entropy) -> Self:
        """Make this device's keys and, for compartments that ask for it, the unit's first ones.

        Args:
            invitation: checked with ``check_open`` by the caller.
            name: of the member.
            label: of the device, may be empty.
            entropy: source of all keys.

        Raises:
            UsageError: ``name-invalid``.
        """
        member_name, device_label = usable_name(name), usable_name(label, empty=True)
        secrets = DeviceSecrets.generate(entropy)
        seeds = tuple((c, SecretBytes(entropy.bytes(KEY_BYTES))) for c in invitation.new_keys)
        rows = [
            UnitKeyRow(
                UnitKeyId(invitation.unit, compartment, 1), unit_key_from_seed(seed.reveal()), None
            )
            for compartment, seed in seeds
        ]
        return cls(
            invitation=invitation,
            secrets=secrets,
            seeds=seeds,
            unsigned=encode_unsigned(secrets.public(), member_name, device_label, rows),
            nonce=entropy.bytes(ENROLMENT_NONCE_BYTES),
        )

    @override
    def __repr__(self) -> str:
        """Names the invitation, shows no secret."""
        return f"Joiner({self.invitation.id.hex()})"

    def advance(self, slots: Mapping[int, bytes]) -> JoinerStep:
        """The next step, for the messages that lie at the rendezvous now, by slot.

        Raises:
            AccessDenied: ``invitation-used``: somebody else answered it.
            CryptoError: ``invitation-spoiled``: a message does not verify; start anew.
        """
        commitment = self._sealed(SLOT_COMMITMENT, self.commitment())
        if slots.get(SLOT_COMMITMENT, commitment.message) != commitment.message:
            raise AccessDenied("invitation-used")
        state, puts = self, []
        if SLOT_COMMITMENT not in slots:
            puts.append(commitment)
        if state.inviter_nonce is None and SLOT_NONCE in slots:
            state = state._signed(state._open(SLOT_NONCE, slots[SLOT_NONCE]))
        if state.inviter_nonce is not None and SLOT_REVEAL not in slots:
            puts.append(state._sealed(SLOT_REVEAL, state.reveal().encode()))
        if state.result is None and state.inviter_nonce is not None and SLOT_RESULT in slots:
            body = state._open(SLOT_RESULT, slots[SLOT_RESULT])
            state = replace(state, result=EnrolmentResult.decode(body))
        return JoinerStep(state, tuple(puts))

    def commitment(self) -> bytes:
        """What slot 1 holds."""
        return enrol_commitment(self._reveal_hash(), self.nonce)

    def code(self) -> str:
        """The short authentication string of this enrolment."""
        assert self.inviter_nonce is not None
        invitation = self.invitation
        return sas_code(
            invitation.network,
            invitation.id,
            self.commitment(),
            self.inviter_nonce,
            self.nonce,
            self._reveal_hash(),
        )

    def reveal(self) -> Reveal:
        """What slot 3 holds."""
        assert self.signature is not None
        public, name, label, unit_keys = decode_unsigned(self.unsigned)
        return Reveal(
            unsigned=self.unsigned,
            joiner_nonce=self.nonce,
            signature=self.signature,
            public=public,
            name=name,
            label=label,
            unit_keys=unit_keys,
        )

    def own_seeds(self) -> dict[UnitKeyId, bytes]:
        """The unit seeds made here; which of them count only the control log says."""
        unit = self.invitation.unit
        return {UnitKeyId(unit, int(c), 1): seed.reveal() for c, seed in self.seeds}

    def counting_seeds(self, control: ControlState) -> dict[UnitKeyId, bytes]:
        """Those of the own seeds that became the unit's keys, to be stored.

        Somebody else may have been enrolled meanwhile and have made the unit's first keys.
        """
        return {
            key: seed
            for key, seed in self.own_seeds().items()
            if (kept := control.unit_key(key)) is not None
            and kept.public == unit_key_from_seed(seed)
        }

    def check_enrolled(self, control: ControlState, root_at: RootAt) -> DeviceNumber:
        """Step 6: the control log holds just what this device signed; gives its number.

        Args:
            control: folded from genesis, with the network key out of the wrap.
            root_at: roots of the verified control log.

        Raises:
            RelayMisbehaviour: ``control-log-shorter``, ``control-log-differs``.
            CryptoError: ``enrolment-differs``.
        """
        result, invitation = self.result, self.invitation
        assert result is not None
        if control.size < max(invitation.control_size, result.checkpoint_size):
            raise RelayMisbehaviour("control-log-shorter")
        shown = (control.network, root_at(invitation.control_size), root_at(result.checkpoint_size))
        if shown != (invitation.network, invitation.control_root, result.checkpoint_root):
            raise RelayMisbehaviour("control-log-differs")
        if control.relay_key != invitation.relay_key:
            raise RelayMisbehaviour("control-log-differs")
        self._check_entry(control, result.device)
        return DeviceNumber(result.device)

    def _check_entry(self, control: ControlState, number: int) -> None:
        device, invitation = control.device(number), self.invitation
        inviter = control.device(invitation.inviter)
        if device is None or inviter is None:
            raise CryptoError("enrolment-differs")
        public, name, label, _ = decode_unsigned(self.unsigned)
        member = control.member(device.member)
        enrolled = (
            DevicePublic(device.change_key, device.request_key, device.composite, device.kem),
            member.name,
            device.label,
            device.unit,
            device.role,
            device.administrator,
            device.invitation,
            device.enrolled_by,
            inviter.request_key,
        )
        expected = (
            public,
            name,
            label,
            invitation.unit,
            invitation.role,
            invitation.administrator,
            invitation.id,
            invitation.inviter,
            invitation.inviter_request_key,
        )
        if enrolled != expected:
            raise CryptoError("enrolment-differs")

    def _reveal_hash(self) -> bytes:
        return sha256(self.unsigned).digest()

    def _signed(self, inviter_nonce: bytes) -> Joiner:
        invitation = self.invitation
        if len(inviter_nonce) != ENROLMENT_NONCE_BYTES:
            raise CryptoError("invitation-spoiled")
        message = reveal_message(
            invitation.network,
            invitation.id,
            inviter_nonce,
            self.nonce,
            invitation.unit,
            invitation.role,
            self._reveal_hash(),
        )
        signature = self.secrets.composite_signer().sign(message)
        return replace(self, inviter_nonce=inviter_nonce, signature=signature)

    def _open(self, slot: int, message: bytes) -> bytes:
        invitation = self.invitation
        key = rendezvous_key(invitation.secret, invitation.network)
        try:
            return open_slot(key, invitation.network, invitation.id, slot, message)
        except CryptoError as error:
            raise CryptoError("invitation-spoiled") from error

    def _sealed(self, slot: int, body: bytes) -> Put:
        invitation = self.invitation
        key = rendezvous_key(invitation.secret, invitation.network)
        return Put(slot, seal_slot(key, invitation.network, invitation.id, slot, body))

    def to_bytes(self) -> bytes:
        """For the encrypted database; holds every secret of the new device."""
        return canonical.pack(
            [
                invitation_bytes(self.invitation),
                self.secrets.to_bytes(),
                [seed.reveal() for _, seed in self.seeds],
                self.unsigned,
                self.nonce,
                self.inviter_nonce,
                self.signature,
                None if self.result is None else self.result.encode(),
            ]
        )

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """What ``to_bytes`` stored. Raises: RemoteProtocolError: ``malformed``."""
        fields = array(canonical.unpack(stored), 8, "stored enrolment")
        invitation, secrets, seeds, unsigned, nonce, inviter_nonce, signature, result = fields
        for body in (invitation, secrets, unsigned):
            if not isinstance(body, bytes):
                raise malformed("stored enrolment")
        parsed = invitation_from_bytes(invitation)
        kept = [binary(seed, KEY_BYTES, "seed") for seed in items(seeds, 16, "seeds")]
        return cls(
            invitation=parsed,
            secrets=DeviceSecrets.from_bytes(secrets),
            seeds=tuple(
                (compartment, SecretBytes(seed))
                for compartment, seed in zip(parsed.new_keys, kept, strict=True)
            ),
            unsigned=unsigned,
            nonce=binary(nonce, ENROLMENT_NONCE_BYTES, "nonce"),
            inviter_nonce=binary_or_none(inviter_nonce, ENROLMENT_NONCE_BYTES, "nonce"),
            signature=binary_or_none(signature, COMPOSITE_SIGNATURE_BYTES, "signature"),
            result=None if result is None else EnrolmentResult.decode(result),
        )
