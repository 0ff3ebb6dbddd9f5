"""Commitments, sealed slots and the code of an enrolment (crypto).

Specification: ``protocol/enrolment.md``. Only the computations: the order of the messages is
``sync/enrolment.py``'s. The 256 bits of the invitation keep the relay out of the slots; the code
that a person types keeps out whoever got hold of the invitation.
"""

from __future__ import annotations

import hmac
from typing import Final

from casesync.codec.crockford import check_char, parse_checked_code, short_code
from casesync.codec.padding import pad, unpad
from casesync.crypto.aead import TAG_BYTES, ZERO_NONCE, prepare, siv_open, siv_seal
from casesync.crypto.key_schedule import H, check_secret, expand, label
from casesync.foundation.errors import CryptoError, UsageError
from casesync.foundation.ids import InvitationId, NetworkId, UnitId
from casesync.foundation.limits import RENDEZVOUS_MESSAGE_BYTES_MAX

INVITATION_SECRET_BYTES: Final = 32
ENROLMENT_NONCE_BYTES: Final = 32
SAS_BITS: Final = 30
SAS_CHARACTERS: Final = SAS_BITS // 5 + 1
"""The last checks the others, so that a slip of the finger does not burn an invitation."""
SLOT_COMMITMENT: Final = 1
SLOT_NONCE: Final = 2
SLOT_REVEAL: Final = 3
SLOT_RESULT: Final = 4


def invitation_id(secret: bytes) -> InvitationId:
    """The id under which the rendezvous of an invitation lies at the relay; 16 bytes.

    Raises:
        CryptoError: ``does-not-verify`` if the secret is not 32 bytes or all zero.
    """
    return InvitationId(H("invitation-id", check_secret(secret))[:16])


def rendezvous_key(secret: bytes, network: NetworkId) -> bytes:
    """The key under which the four slots are sealed, each under one of its own; 32 bytes.

    Raises:
        CryptoError: ``does-not-verify`` if the secret is not 32 bytes or all zero.
    """
    return expand(check_secret(secret), "rendezvous", network + invitation_id(secret))


def _slot_aad(network: NetworkId, invitation: InvitationId, slot: int) -> bytes:
    return network + invitation + slot.to_bytes(1, "big")


def seal_slot(
    key: bytes, network: NetworkId, invitation: InvitationId, slot: int, body: bytes
) -> bytes:
    """The message for a slot, padded.

    A slot is written once; should a message be made again, equal bytes give equal ciphertext and
    different ones lose nothing but that they differ (RFC 8452).

    Args:
        key: see ``rendezvous_key``.
        network: network id.
        invitation: invitation id.
        slot: 1 to 4.
        body: unpadded.
    """
    assert SLOT_COMMITMENT <= slot <= SLOT_RESULT
    cipher = prepare(expand(key, "rendezvous-slot", slot.to_bytes(1, "big")))
    aad = _slot_aad(network, invitation, slot)
    sealed = siv_seal(cipher, ZERO_NONCE, aad, pad(body, TAG_BYTES))
    assert len(sealed) <= RENDEZVOUS_MESSAGE_BYTES_MAX
    return sealed


def open_slot(
    key: bytes, network: NetworkId, invitation: InvitationId, slot: int, message: bytes
) -> bytes:
    """The body of a message that was sealed for this very slot.

    Raises:
        CryptoError: ``does-not-verify``.
        RemoteProtocolError: ``malformed`` padding.
    """
    if len(message) > RENDEZVOUS_MESSAGE_BYTES_MAX:
        raise CryptoError("does-not-verify")
    cipher = prepare(expand(key, "rendezvous-slot", slot.to_bytes(1, "big")))
    return unpad(siv_open(cipher, ZERO_NONCE, _slot_aad(network, invitation, slot), message))


def enrol_commitment(reveal_hash: bytes, joiner_nonce: bytes) -> bytes:
    """What the joiner posts first, so that it cannot choose its keys after seeing the nonce.

    Args:
        reveal_hash: SHA-256 of the reveal's unsigned part.
        joiner_nonce: 32 random bytes.
    """
    return H("enrol-commit", reveal_hash, joiner_nonce)


def check_commitment(commitment: bytes, reveal_hash: bytes, joiner_nonce: bytes) -> None:
    """Refuse a reveal that is not the one committed to.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    if len(joiner_nonce) != ENROLMENT_NONCE_BYTES or not hmac.compare_digest(
        enrol_commitment(reveal_hash, joiner_nonce), commitment
    ):
        raise CryptoError("does-not-verify")


def reveal_message(
    network: NetworkId,
    invitation: InvitationId,
    inviter_nonce: bytes,
    joiner_nonce: bytes,
    unit: UnitId,
    role: str,
    reveal_hash: bytes,
) -> bytes:
    """The bytes the joiner's composite signature covers; only the role's length varies."""
    return b"".join(
        (
            label("enrol"),
            network,
            invitation,
            inviter_nonce,
            joiner_nonce,
            unit,
            role.encode("utf-8"),
            reveal_hash,
        )
    )


def sas_code(
    network: NetworkId,
    invitation: InvitationId,
    commitment: bytes,
    inviter_nonce: bytes,
    joiner_nonce: bytes,
    reveal_hash: bytes,
) -> str:
    """The code both screens compute: 30 bits in six Crockford characters, and a check character."""
    digest = H("sas", network, invitation, commitment, inviter_nonce, joiner_nonce, reveal_hash)
    data = short_code(digest, SAS_BITS)
    return data + check_char(data)


def check_sas_code(typed: str, expected: str) -> None:
    """Compare what the inviter typed.

    Whether it is a code at all is judged without ``expected``, so that trying tells nothing.

    Raises:
        UsageError: ``enrolment-code-mistyped``: no screen shows this; it may be typed again.
        CryptoError: ``enrolment-code-wrong``: the caller burns the invitation.
    """
    read = parse_checked_code(typed, SAS_CHARACTERS)
    if read is None:
        raise UsageError("enrolment-code-mistyped")
    if not hmac.compare_digest(read.encode(), expected.encode()):
        raise CryptoError("enrolment-code-wrong")
