"""Vectors other projects published for suite 1 (``protocol/keys.md``, *Suite 1*)."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from hashlib import shake_256

import pytest
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from casesync.crypto.aead import prepare, siv_open, siv_seal
from casesync.crypto.edwards import decode, has_prime_order
from casesync.crypto.kem_keys import kem_private, unit_key_from_seed
from casesync.crypto.signatures import (
    MLDSA65_SIGNATURE_BYTES,
    CompositeSigner,
    composite_check_public,
    composite_verify,
    ed25519_check_public,
    ed25519_verify,
)
from casesync.foundation.errors import CryptoError
from casesync.foundation.secret_bytes import SecretBytes

# What of the published flags makes a signature one that our verifier must refuse.
BAD_KEY = {"low_order_A", "low_order_component_A", "non_canonical_A"}
BAD_SIGNATURE = {"low_order_R", "low_order_component_R", "non_canonical_R", "low_order_residue"}


def _load(folder, name):
    return json.loads((folder / name).read_text())


@pytest.fixture(scope="module")
def edge_signatures(published_vectors):
    return [
        (
            bytes.fromhex(row["key"]),
            bytes.fromhex(row["sig"]),
            row["msg"].encode(),
            set(row["flags"] or ()),
        )
        for row in _load(published_vectors, "ed25519-cctv.json")
    ]


def _accepts(check, *arguments):
    try:
        check(*arguments)
    except CryptoError:
        return False
    return True


def test_keys_with_an_edge_are_refused_at_enrolment_and_no_others(edge_signatures):
    """keys.md, One verifier: canonical encoding, neither small nor mixed order."""
    judged = {}
    for key, _, _, flags in edge_signatures:
        judged.setdefault(key, [_accepts(ed25519_check_public, key), set()])[1].update(flags)
    assert len(judged) > 20
    for accepted, flags in judged.values():
        assert accepted == (not BAD_KEY & flags)


def test_edge_signatures_are_judged_by_our_policy(edge_signatures):
    """A signature counts if its key was fit to be enrolled and nothing about R is odd."""
    outcomes = Counter()
    for key, signature, message, flags in edge_signatures:
        accepted = _accepts(ed25519_check_public, key) and _accepts(
            ed25519_verify, key, message, signature
        )
        assert accepted == (not flags & (BAD_KEY | BAD_SIGNATURE)), flags
        outcomes[accepted] += 1
    assert outcomes[True] >= 1
    assert outcomes[False] >= 900


def test_verification_alone_never_accepts_r_of_small_order_or_not_canonical(edge_signatures):
    """keys.md: these are refused at every verification, even under a key that was never checked."""
    odd = [row for row in edge_signatures if row[3] & {"low_order_R", "non_canonical_R"}]
    assert len(odd) > 100
    for key, signature, message, _ in odd:
        assert not _accepts(ed25519_verify, key, message, signature)


def test_the_point_check_agrees_with_the_definition_of_the_published_keys(edge_signatures):
    for key, _, _, flags in edge_signatures:
        point = decode(key)
        assert (point is None) == ("non_canonical_A" in flags)
        if point is not None:
            mixed = flags & {"low_order_A", "low_order_component_A"}
            assert has_prime_order(point) == (not mixed)


def test_composite_signature_of_the_draft_verifies(published_vectors):
    data = _load(published_vectors, "composite-mldsa65-ed25519.json")
    (row,) = data["tests"]
    public, message, context = b64decode(row["pk"]), b64decode(data["m"]), b64decode(data["ctx"])
    composite_check_public(public)
    composite_verify(public, message, b64decode(row["s"]), context=b"")
    composite_verify(public, message, b64decode(row["sWithContext"]), context=context)
    with pytest.raises(CryptoError):
        composite_verify(public, message, b64decode(row["sWithContext"]), context=b"")


def test_composite_key_of_the_draft_is_made_from_its_seeds(published_vectors):
    (row,) = _load(published_vectors, "composite-mldsa65-ed25519.json")["tests"]
    signer = CompositeSigner(SecretBytes(b64decode(row["sk"])))
    assert signer.public == b64decode(row["pk"])
    ours, published = signer.sign(b"x", context=b""), b64decode(row["s"])
    assert len(ours) == len(published)
    composite_verify(signer.public, b"x", ours, context=b"")
    message = b64decode(_load(published_vectors, "composite-mldsa65-ed25519.json")["m"])
    # The Ed25519 half is deterministic, so M' is the draft's byte for byte.
    assert (
        signer.sign(message, context=b"")[MLDSA65_SIGNATURE_BYTES:]
        == published[MLDSA65_SIGNATURE_BYTES:]
    )


def test_hybrid_kem_key_of_the_published_seed(published_vectors):
    for row in _load(published_vectors, "hpke-mlkem768-x25519.json"):
        seed = bytes.fromhex(row["skRm"])
        assert len(shake_256(seed).digest(96)) == 96
        assert unit_key_from_seed(seed).hex() == row["pkRm"]


def test_hpke_messages_open_with_our_private_key(published_vectors):
    kdfs = {1: KDF.HKDF_SHA256, 17: KDF.SHAKE256}
    opened = 0
    for row in _load(published_vectors, "hpke-mlkem768-x25519.json"):
        assert row["aead_id"] == 3
        suite = Suite(KEM.MLKEM768_X25519, kdfs[row["kdf_id"]], AEAD.CHACHA20_POLY1305)
        first = row["encryptions"][0]
        plaintext = openssl.hpke._decrypt_with_aad(
            suite,
            bytes.fromhex(row["enc"] + first["ct"]),
            kem_private(bytes.fromhex(row["skRm"])),
            info=bytes.fromhex(row["info"]),
            aad=bytes.fromhex(first["aad"]),
        )
        assert plaintext.hex() == first["pt"]
        opened += 1
    assert opened == 2


def test_aes_gcm_siv_of_wycheproof(published_vectors):
    counted = Counter()
    for group in _load(published_vectors, "wycheproof-aes-gcm-siv.json")["testGroups"]:
        if group["keySize"] != 256 or group["ivSize"] != 96:
            continue
        for row in group["tests"]:
            key, nonce, aad, plaintext = (
                bytes.fromhex(row[name]) for name in ("key", "iv", "aad", "msg")
            )
            sealed = bytes.fromhex(row["ct"] + row["tag"])
            cipher = prepare(key)
            counted[row["result"]] += 1
            if row["result"] == "valid":
                assert siv_seal(cipher, nonce, aad, plaintext) == sealed
                assert siv_open(cipher, nonce, aad, sealed) == plaintext
            else:
                with pytest.raises(CryptoError):
                    siv_open(cipher, nonce, aad, sealed)
    assert counted["valid"] > 30
    assert counted["invalid"] > 10
