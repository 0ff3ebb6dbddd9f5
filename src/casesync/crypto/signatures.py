"""Signatures and the one verifier (crypto).

Specification: ``protocol/keys.md``, *One verifier*; ``protocol/change.md``, *Chain and signature*.
Libraries disagree about edge cases of Ed25519, so the refusals stand here and nowhere else, and
every replica judges alike: keys are checked once, when they are enrolled; signatures each time.
Verification raises, it never returns a boolean.
"""

from __future__ import annotations

from hashlib import sha512
from typing import Final, final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from casesync.crypto.edwards import L, P, decode, has_prime_order
from casesync.crypto.key_schedule import KEY_BYTES, label
from casesync.foundation.errors import CryptoError
from casesync.foundation.secret_bytes import SecretBytes

ED25519_PUBLIC_BYTES: Final = 32
ED25519_SIGNATURE_BYTES: Final = 64
MLDSA65_PUBLIC_BYTES: Final = 1952
MLDSA65_SIGNATURE_BYTES: Final = 3309
COMPOSITE_PUBLIC_BYTES: Final = MLDSA65_PUBLIC_BYTES + ED25519_PUBLIC_BYTES
COMPOSITE_SIGNATURE_BYTES: Final = MLDSA65_SIGNATURE_BYTES + ED25519_SIGNATURE_BYTES
COMPOSITE_SEEDS_BYTES: Final = 2 * KEY_BYTES
COMPOSITE_CONTEXT: Final = b"casesync/v1/control"
"""Composite keys sign nothing else; the label inside the message tells acts from reveals."""
_COMPOSITE_PREFIX: Final = b"CompositeAlgorithmSignatures2025"
_COMPOSITE_LABEL: Final = b"COMPSIG-MLDSA65-Ed25519-SHA512"

_Y_MASK: Final = 2**255 - 1
_ORDER_EIGHT_Y: Final = (
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
)
_SMALL_ORDER: Final = frozenset(
    (y | sign << 255).to_bytes(32, "little")
    for y in (0, 1, P - 1, *_ORDER_EIGHT_Y)
    for sign in (0, 1)
)
"""The encodings with y below 2^255 - 19 of the eight points of small order, either sign bit."""


def ed25519_check_public(public: bytes) -> None:
    """Refuse a key that is not canonical, or of small or mixed order; once, when it is enrolled.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    point = decode(public)
    if point is None or not has_prime_order(point):
        raise CryptoError("does-not-verify")


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Verify strictly: R canonical and not of small order, S below the group order.

    Args:
        public: 32 bytes that passed ``ed25519_check_public``.
        message: the signed bytes, beginning with their label.
        signature: 64 bytes, R | S.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    encoded_r = signature[:32]
    if (
        len(signature) != ED25519_SIGNATURE_BYTES
        or encoded_r in _SMALL_ORDER
        or int.from_bytes(encoded_r, "little") & _Y_MASK >= P
        or int.from_bytes(signature[32:], "little") >= L
    ):
        raise CryptoError("does-not-verify")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise CryptoError("does-not-verify") from error


@final
class Ed25519Signer:
    """One Ed25519 key pair of this device."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: SecretBytes) -> None:
        """Args: seed: 32 random bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed.reveal())
        self.public: Final = self._key.public_key().public_bytes_raw()
        """32 bytes."""

    def sign(self, message: bytes) -> bytes:
        """64 bytes over ``message``, which begins with its label."""
        return self._key.sign(message)


def change_message(network: bytes, link: bytes) -> bytes:
    """The bytes a change's signature covers."""
    return label("change") + network + link


def sign_change(signer: Ed25519Signer, network: bytes, link: bytes) -> bytes:
    """The signature of the change whose chain link is ``link``; 64 bytes."""
    return signer.sign(change_message(network, link))


def verify_change(public: bytes, network: bytes, link: bytes, signature: bytes) -> None:
    """Verify the signature of a change, and by its link everything before it in the run.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    ed25519_verify(public, change_message(network, link), signature)


def composite_message(message: bytes, context: bytes = COMPOSITE_CONTEXT) -> bytes:
    """The bytes M' both halves sign (IETF composite signature draft).

    Args:
        message: what is signed, beginning with its label.
        context: at most 255 bytes; always the default, but for published vectors.
    """
    return b"".join(
        (
            _COMPOSITE_PREFIX,
            _COMPOSITE_LABEL,
            len(context).to_bytes(1, "big"),
            context,
            sha512(message).digest(),
        )
    )


def composite_check_public(public: bytes) -> None:
    """Refuse a composite key of another length or with an unfit Ed25519 half; once, at enrolment.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    if len(public) != COMPOSITE_PUBLIC_BYTES:
        raise CryptoError("does-not-verify")
    ed25519_check_public(public[MLDSA65_PUBLIC_BYTES:])


def composite_verify(
    public: bytes, message: bytes, signature: bytes, context: bytes = COMPOSITE_CONTEXT
) -> None:
    """Verify a composite signature: valid only if both halves are.

    Args:
        public: 1984 bytes that passed ``composite_check_public``.
        message: the signed bytes, beginning with their label.
        signature: 3373 bytes, ML-DSA-65 | Ed25519.
        context: always the default, but for published vectors.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    if len(public) != COMPOSITE_PUBLIC_BYTES or len(signature) != COMPOSITE_SIGNATURE_BYTES:
        raise CryptoError("does-not-verify")
    prime = composite_message(message, context)
    ed25519_verify(public[MLDSA65_PUBLIC_BYTES:], prime, signature[MLDSA65_SIGNATURE_BYTES:])
    try:
        MLDSA65PublicKey.from_public_bytes(public[:MLDSA65_PUBLIC_BYTES]).verify(
            signature[:MLDSA65_SIGNATURE_BYTES], prime, _COMPOSITE_LABEL
        )
    except (InvalidSignature, ValueError) as error:
        raise CryptoError("does-not-verify") from error


@final
class CompositeSigner:
    """One composite ML-DSA-65 + Ed25519 key pair; signs control entries and reveals."""

    __slots__ = ("_ed25519", "_mldsa", "public")

    def __init__(self, seeds: SecretBytes) -> None:
        """Args: seeds: 64 random bytes, ML-DSA-65 | Ed25519."""
        revealed = seeds.reveal()
        assert len(revealed) == COMPOSITE_SEEDS_BYTES
        self._mldsa = MLDSA65PrivateKey.from_seed_bytes(revealed[:KEY_BYTES])
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(revealed[KEY_BYTES:])
        self.public: Final = (
            self._mldsa.public_key().public_bytes_raw()
            + self._ed25519.public_key().public_bytes_raw()
        )
        """1984 bytes."""

    def sign(self, message: bytes, context: bytes = COMPOSITE_CONTEXT) -> bytes:
        """3373 bytes; hedged, so two signatures of one message differ."""
        prime = composite_message(message, context)
        return self._mldsa.sign(prime, _COMPOSITE_LABEL) + self._ed25519.sign(prime)
