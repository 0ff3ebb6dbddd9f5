"""Signatures and the one verifier (keys.md, One verifier)."""

from __future__ import annotations

from hashlib import sha512

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.crypto import edwards, signatures
from casesync.crypto.edwards import L, P, decode
from casesync.crypto.signatures import (
    CompositeSigner,
    Ed25519Signer,
    change_message,
    composite_check_public,
    composite_verify,
    ed25519_check_public,
    ed25519_verify,
    sign_change,
    verify_change,
)
from casesync.foundation.errors import CryptoError
from casesync.foundation.secret_bytes import SecretBytes
from edwards_points import IDENTITY, Point, add, encode, has_prime_order, multiply

SIGNER = Ed25519Signer(SecretBytes(b"s" * 32))
ORDER_EIGHT = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
COMPOSITE = CompositeSigner(SecretBytes(bytes(range(64))))


def test_a_signature_verifies_for_its_message_and_key_only():
    signature = SIGNER.sign(b"message")
    ed25519_verify(SIGNER.public, b"message", signature)
    other = Ed25519Signer(SecretBytes(b"t" * 32))
    for public, message, data in [
        (SIGNER.public, b"massage", signature),
        (other.public, b"message", signature),
        (SIGNER.public, b"message", signature[:63]),
        (SIGNER.public, b"message", signature + b"\x00"),
        (SIGNER.public, b"message", b""),
        (b"", b"message", signature),
        (SIGNER.public[:31], b"message", signature),
    ]:
        with pytest.raises(CryptoError):
            ed25519_verify(public, message, data)


@given(st.binary(min_size=64, max_size=64))
def test_arbitrary_signatures_are_refused_with_the_one_error(signature):
    with pytest.raises(CryptoError):
        ed25519_verify(SIGNER.public, b"message", signature)


def test_s_at_or_above_the_group_order_is_refused():
    """A second valid S = S + L would give one message two signatures."""
    signature = SIGNER.sign(b"message")
    larger = int.from_bytes(signature[32:], "little") + L
    with pytest.raises(CryptoError):
        ed25519_verify(SIGNER.public, b"message", signature[:32] + larger.to_bytes(32, "little"))


def test_what_the_policy_refuses_never_reaches_the_library(monkeypatch):
    """keys.md: libraries differ about these, so the refusal must be ours whatever they accept."""

    class AcceptsEverything:
        @classmethod
        def from_public_bytes(cls, _):
            return cls()

        def verify(self, *_):
            pass

    monkeypatch.setattr(signatures, "Ed25519PublicKey", AcceptsEverything)
    honest = SIGNER.sign(b"message")
    ed25519_verify(SIGNER.public, b"anything", honest)
    for encoded_r in (P, P + 5, 2**255 - 1, P | 1 << 255, 0, 1, 1 << 255 | 1, P - 1):
        with pytest.raises(CryptoError):
            ed25519_verify(
                SIGNER.public, b"message", encoded_r.to_bytes(32, "little") + honest[32:]
            )
    for s in (L, L + 1, 2**256 - 1):
        with pytest.raises(CryptoError):
            ed25519_verify(SIGNER.public, b"message", honest[:32] + s.to_bytes(32, "little"))
    ed25519_verify(SIGNER.public, b"m", honest[:32] + (L - 1).to_bytes(32, "little"))


def test_a_change_signature_covers_network_and_link():
    signature = sign_change(SIGNER, b"n" * 32, b"l" * 32)
    verify_change(SIGNER.public, b"n" * 32, b"l" * 32, signature)
    assert change_message(b"n", b"l") == b"casesync/v1/change\x00nl"
    for network, link in [(b"m" * 32, b"l" * 32), (b"n" * 32, b"k" * 32)]:
        with pytest.raises(CryptoError):
            verify_change(SIGNER.public, network, link, signature)


def test_honest_keys_pass_the_check():
    ed25519_check_public(SIGNER.public)
    composite_check_public(COMPOSITE.public)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(length):
    with pytest.raises(CryptoError):
        ed25519_check_public((SIGNER.public + b"x")[:length])
    with pytest.raises(CryptoError):
        composite_check_public(COMPOSITE.public[:length])


@pytest.mark.parametrize(
    "y", [P, P + 1, P + 18, 2**255 - 1], ids=["zero", "one", "eighteen", "largest"]
)
@pytest.mark.parametrize("sign", [0, 1])
def test_y_at_or_above_the_field_is_no_encoding(y, sign):
    assert decode((y | sign << 255).to_bytes(32, "little")) is None


@pytest.mark.parametrize("y", [1, P - 1])
def test_x_of_zero_has_no_sign(y):
    assert decode(y.to_bytes(32, "little")) is not None
    assert decode((y | 1 << 255).to_bytes(32, "little")) is None


def _base() -> Point:
    found = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    assert found is not None
    return Point(found.x, found.y, 1, found.x * found.y % P)


def _torsion() -> list[Point]:
    """All eight points of small order."""
    y = int.from_bytes(ORDER_EIGHT, "little")
    found = decode(y.to_bytes(32, "little"))
    assert found is not None
    small = Point(found.x, found.y, 1, found.x * found.y % P)
    return [multiply(k, small) for k in range(8)]


def test_the_slow_arithmetic_agrees_with_the_library():
    """The base point times a clamped secret is the library's public key; L times it is nothing."""
    base = _base()
    secret = bytearray(sha512(b"s" * 32).digest()[:32])
    secret[0] &= 248
    secret[31] = secret[31] & 127 | 64
    assert encode(multiply(int.from_bytes(secret, "little"), base)) == SIGNER.public
    assert encode(multiply(L, base)) == encode(IDENTITY)
    assert encode(add(base, multiply(L - 1, base))) == encode(IDENTITY)
    assert has_prime_order(base)
    assert not has_prime_order(IDENTITY)


def _fast(point: Point) -> bool:
    found = decode(encode(point))
    assert found is not None
    return edwards.has_prime_order(found)


def test_no_point_of_small_order_has_prime_order():
    points = _torsion()
    assert len({encode(point) for point in points}) == 8
    assert not any(_fast(point) for point in points)


@settings(max_examples=12)
@given(st.integers(1, L - 1))
def test_the_order_is_judged_as_by_multiplying_with_the_group_order(scalar):
    """A point of prime order passes, it with any of the seven others added does not."""
    point = multiply(scalar, _base())
    for small in _torsion():
        odd = add(point, small)
        assert _fast(odd) == has_prime_order(odd) == (encode(small) == encode(IDENTITY))


def test_two_composite_signatures_differ_and_both_verify():
    """ML-DSA signs hedged: nothing may compare signatures for equality."""
    one, other = COMPOSITE.sign(b"message"), COMPOSITE.sign(b"message")
    assert one != other
    for signature in (one, other):
        composite_verify(COMPOSITE.public, b"message", signature)
