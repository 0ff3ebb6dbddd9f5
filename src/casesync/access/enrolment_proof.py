"""The joiner's own signature in an enrolment entry (access floor; ``protocol/enrolment.md``).

Nobody is enrolled without having signed network, invitation, nonces, unit, role and all its keys:
the verifier rebuilds those bytes from the entry and the blobs it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from casesync.access.body_shapes import HASH_BYTES, NAME_BYTES_MAX, array, binary, text
from casesync.access.control_bodies import (
    EnrolBody,
    UnitKeyRow,
    read_unit_keys,
    unit_keys_value,
)
from casesync.codec import canonical
from casesync.crypto.device_keys import DevicePublic
from casesync.crypto.enrolment import reveal_message
from casesync.crypto.kem_keys import KEM_PUBLIC_BYTES
from casesync.crypto.signatures import COMPOSITE_PUBLIC_BYTES, composite_verify
from casesync.foundation.ids import InvitationId, NetworkId

_FIELDS: Final = 7


class JoinerProof(NamedTuple):
    """What a joiner revealed and signed: an enrolment entry is made from it."""

    public: DevicePublic
    name: str
    label: str
    unit_keys: tuple[UnitKeyRow, ...]
    invitation: InvitationId
    inviter_nonce: bytes
    joiner_nonce: bytes
    signature: bytes


def encode_unsigned(
    public: DevicePublic, name: str, label: str, unit_keys: Sequence[UnitKeyRow]
) -> bytes:
    """The unsigned part of a reveal.

    Args:
        public: the device's keys.
        name: of the member.
        label: of the device, may be empty.
        unit_keys: first keys of the unit that the joiner made.
    """
    return canonical.pack([*public, name, label, unit_keys_value(unit_keys)])


def decode_unsigned(
    body: bytes,
) -> tuple[DevicePublic, str, str, tuple[UnitKeyRow, ...]]:
    """(keys, name, device label, unit keys) of an unsigned part; the keys are not checked yet.

    Raises:
        RemoteProtocolError: ``malformed``.
    """
    change, request, composite, kem, name, label, unit_keys = array(
        canonical.unpack(body), _FIELDS, "reveal"
    )
    public = DevicePublic(
        binary(change, HASH_BYTES, "change key"),
        binary(request, HASH_BYTES, "request key"),
        binary(composite, COMPOSITE_PUBLIC_BYTES, "composite key"),
        binary(kem, KEM_PUBLIC_BYTES, "KEM key"),
    )
    return (
        public,
        text(name, NAME_BYTES_MAX, "name"),
        text(label, NAME_BYTES_MAX, "device label", empty=True),
        read_unit_keys(unit_keys),
    )


def verify_joiner(
    network: NetworkId, body: EnrolBody, public: DevicePublic, unit_keys: Sequence[UnitKeyRow]
) -> None:
    """Refuse an enrolment that the joiner did not sign in just this form.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    unsigned = encode_unsigned(public, body.name, body.label, unit_keys)
    message = reveal_message(
        network,
        body.invitation,
        body.inviter_nonce,
        body.joiner_nonce,
        body.unit,
        body.role,
        sha256(unsigned).digest(),
    )
    composite_verify(public.composite, message, body.signature)
