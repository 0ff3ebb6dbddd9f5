"""Attack 11: a composite signature with one half stripped, halves of two keys, another label or
context. Refused by the crypto floor (keys.md, One verifier).
"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from casesync.crypto.key_schedule import label
from casesync.crypto.signatures import (
    COMPOSITE_CONTEXT,
    MLDSA65_PUBLIC_BYTES,
    MLDSA65_SIGNATURE_BYTES,
    CompositeSigner,
    composite_message,
    composite_verify,
)
from casesync.foundation.errors import CryptoError
from casesync.foundation.secret_bytes import SecretBytes

SEEDS = bytes(range(64))
SIGNER = CompositeSigner(SecretBytes(SEEDS))
OTHER = CompositeSigner(SecretBytes(SEEDS[::-1]))
MESSAGE = label("control") + b"suspend device 7"
SIGNATURE = SIGNER.sign(MESSAGE)
MLDSA_HALF, ED25519_HALF = SIGNATURE[:MLDSA65_SIGNATURE_BYTES], SIGNATURE[MLDSA65_SIGNATURE_BYTES:]


def test_the_whole_signature_verifies():
    composite_verify(SIGNER.public, MESSAGE, SIGNATURE)


@pytest.mark.parametrize(
    "signature",
    [
        MLDSA_HALF,
        ED25519_HALF,
        MLDSA_HALF + bytes(64),
        bytes(MLDSA65_SIGNATURE_BYTES) + ED25519_HALF,
        ED25519_HALF + MLDSA_HALF,
        SIGNATURE + b"\x00",
        b"",
    ],
)
def test_half_a_signature_is_none(signature):
    with pytest.raises(CryptoError):
        composite_verify(SIGNER.public, MESSAGE, signature)


def test_halves_of_two_keys_are_no_signature_of_either():
    other = OTHER.sign(MESSAGE)
    crossed = MLDSA_HALF + other[MLDSA65_SIGNATURE_BYTES:]
    for public in (
        SIGNER.public,
        OTHER.public,
        OTHER.public[:MLDSA65_PUBLIC_BYTES] + SIGNER.public[MLDSA65_PUBLIC_BYTES:],
    ):
        with pytest.raises(CryptoError):
            composite_verify(public, MESSAGE, crossed)


def test_halves_of_two_messages_are_no_signature():
    later = SIGNER.sign(label("control") + b"suspend device 8")
    with pytest.raises(CryptoError):
        composite_verify(SIGNER.public, MESSAGE, MLDSA_HALF + later[MLDSA65_SIGNATURE_BYTES:])


@pytest.mark.parametrize("context", [b"", b"casesync/v1/contro", b"casesync/v2/control"])
def test_another_context_is_refused(context):
    with pytest.raises(CryptoError):
        composite_verify(SIGNER.public, MESSAGE, SIGNER.sign(MESSAGE, context=context))


def test_a_reveal_cannot_be_passed_off_as_a_control_entry():
    """The same key signs both; the label inside the message tells them apart."""
    body = b"the same bytes"
    with pytest.raises(CryptoError):
        composite_verify(SIGNER.public, label("control") + body, SIGNER.sign(label("enrol") + body))


def test_an_ml_dsa_half_under_another_label_is_refused():
    """The draft's label is the ML-DSA context: a bare ML-DSA signature of M' does not count."""
    prime = composite_message(MESSAGE)
    mldsa = MLDSA65PrivateKey.from_seed_bytes(SEEDS[:32])
    for context in (b"", COMPOSITE_CONTEXT, b"COMPSIG-MLDSA65-Ed25519-SHA256"):
        with pytest.raises(CryptoError):
            composite_verify(SIGNER.public, MESSAGE, mldsa.sign(prime, context) + ED25519_HALF)


def test_an_ed25519_half_over_the_bare_message_is_refused():
    """A signature made by the same Ed25519 key elsewhere cannot be moved in here."""
    bare = Ed25519PrivateKey.from_private_bytes(SEEDS[32:]).sign(MESSAGE)
    with pytest.raises(CryptoError):
        composite_verify(SIGNER.public, MESSAGE, MLDSA_HALF + bare)
