"""What a newcomer reveals of itself, and its signature over it (sync; ``protocol/enrolment.md``).

The unsigned part is what the commitment commits to and what the enrolment entry must repeat: a
verifier rebuilds it from the entry and its blobs.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from casesync.access.body_shapes import HASH_BYTES, array, binary, malformed
from casesync.access.control_bodies import UnitKeyRow
from casesync.access.enrolment_proof import decode_unsigned
from casesync.codec import canonical
from casesync.crypto.device_keys import DevicePublic
from casesync.crypto.enrolment import check_commitment, reveal_message
from casesync.crypto.kem_keys import kem_check_public
from casesync.crypto.signatures import COMPOSITE_SIGNATURE_BYTES, composite_verify
from casesync.sync.invitation import Invitation


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """Slot 3 of the rendezvous, read."""

    unsigned: bytes
    joiner_nonce: bytes
    signature: bytes
    public: DevicePublic
    name: str
    label: str
    unit_keys: tuple[UnitKeyRow, ...]

    @property
    def hash(self) -> bytes:
        """SHA-256 of the unsigned part."""
        return sha256(self.unsigned).digest()

    def encode(self) -> bytes:
        """The body of slot 3."""
        return canonical.pack([self.unsigned, self.joiner_nonce, self.signature])

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of slot 3; nothing is verified yet.

        Raises:
            RemoteProtocolError: ``malformed``.
        """
        unsigned, nonce, signature = array(canonical.unpack(body), 3, "reveal")
        if not isinstance(unsigned, bytes):
            raise malformed("reveal")
        public, name, label, unit_keys = decode_unsigned(unsigned)
        return cls(
            unsigned=unsigned,
            joiner_nonce=binary(nonce, HASH_BYTES, "nonce"),
            signature=binary(signature, COMPOSITE_SIGNATURE_BYTES, "signature"),
            public=public,
            name=name,
            label=label,
            unit_keys=unit_keys,
        )

    def check(self, invitation: Invitation, commitment: bytes, inviter_nonce: bytes) -> None:
        """Refuse a reveal that was not committed to, not signed, or holds unfit keys.

        Raises:
            CryptoError: ``does-not-verify``.
            RemoteProtocolError: ``malformed``: unit keys that nobody asked for.
        """
        check_commitment(commitment, self.hash, self.joiner_nonce)
        self.public.check()
        message = reveal_message(
            invitation.network,
            invitation.id,
            inviter_nonce,
            self.joiner_nonce,
            invitation.unit,
            invitation.role,
            self.hash,
        )
        composite_verify(self.public.composite, message, self.signature)
        for row in self.unit_keys:
            wanted = row.key.compartment in invitation.new_keys and row.key.epoch == 1
            if row.key.unit != invitation.unit or not wanted or row.predecessor is not None:
                raise malformed("unit keys of a reveal")
            kem_check_public(row.public)
