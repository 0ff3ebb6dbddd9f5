"""Signed requests have one shape (``protocol/relay-http.md``, RFC 9421, RFC 9530)."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casesync.crypto.signatures import ed25519_check_public
from casesync.foundation.ids import DeviceNumber
from casesync.wire import request_signature
from casesync.wire.refusals import Refusal, RequestRefused
from casesync.wire.request_signature import Target, read_claim, sign_request, verify_request

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
TARGET = Target("POST", "relay.example:8443", "/v1/networks/00/sync")
BODY = b"\x80"
NOW_S = 1_767_225_600
DEVICE = DeviceNumber(12)


def signed(**changed: object) -> dict[str, str]:
    parts: dict = {"device": DEVICE, "counter": 7, "created_s": NOW_S}
    return sign_request(KEY.sign, TARGET, BODY, **{**parts, **changed})


def verify(headers, target=TARGET, body=BODY, now_s=NOW_S, keys=None):
    known = {DEVICE: PUBLIC} if keys is None else keys
    return verify_request(headers, target, body, known.get, now_s * 1000)


def refused(*args, **kwargs) -> Refusal:
    with pytest.raises(RequestRefused) as caught:
        verify(*args, **kwargs)
    return caught.value.refusal


def test_a_signed_request_verifies():
    assert verify(signed()) == (DEVICE, 7)


def test_the_signature_base_is_that_of_rfc_9421():
    """Written out by hand: section 2.5, components in order, then the parameters."""
    headers = signed()
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    base = (
        '"@method": POST\n'
        '"@authority": relay.example:8443\n'
        '"@path": /v1/networks/00/sync\n'
        f'"content-digest": sha-256=:{digest}:\n'
        '"casesync-counter": 7\n'
        '"@signature-params": ("@method" "@authority" "@path" "content-digest"'
        f' "casesync-counter");created={NOW_S};keyid="12";alg="ed25519";tag="casesync/v1"'
    )
    signature = headers["Signature"].removeprefix("casesync=:").removesuffix(":")
    KEY.public_key().verify(base64.b64decode(signature), base.encode())
    assert headers["Content-Digest"] == f"sha-256=:{digest}:"
    assert headers["Casesync-Counter"] == "7"


@pytest.mark.parametrize(
    "target",
    [
        TARGET._replace(method="PUT"),
        TARGET._replace(authority="other.example"),
        TARGET._replace(path="/v1/networks/01/sync"),
    ],
)
def test_a_request_moved_elsewhere_is_not_found(target: Target):
    assert refused(signed(), target=target) is Refusal.NOT_FOUND


def test_another_body_is_malformed():
    assert refused(signed(), body=b"\x81") is Refusal.MALFORMED


@pytest.mark.parametrize("skew_s", [-301, 301])
def test_a_time_too_far_off_is_clock_skew(skew_s: int):
    assert refused(signed(), now_s=NOW_S + skew_s) is Refusal.CLOCK_SKEW
    assert verify(signed(), now_s=NOW_S + skew_s // 301 * 300) == (DEVICE, 7)


def test_an_unknown_device_looks_like_a_wrong_signature():
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert refused(signed(), keys={}) is Refusal.NOT_FOUND
    assert refused(signed(), keys={DEVICE: other}) is Refusal.NOT_FOUND


def test_an_unknown_device_costs_a_verification_too(monkeypatch: pytest.MonkeyPatch):
    """No oracle of existence by time: the stand-in is a key like any other."""
    calls = []
    real = request_signature.ed25519_verify

    def counting(*args):
        calls.append(args[0])
        real(*args)

    monkeypatch.setattr(request_signature, "ed25519_verify", counting)
    assert refused(signed(), keys={}) is Refusal.NOT_FOUND
    assert len(calls) == 1
    ed25519_check_public(calls[0])


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("Casesync-Counter", "7", "8"),
        ("Signature-Input", 'keyid="12"', 'keyid="13"'),
        ("Signature-Input", f"created={NOW_S}", f"created={NOW_S + 1}"),
    ],
)
def test_an_altered_header_is_not_found(name: str, old: str, new: str):
    headers = signed()
    headers[name] = headers[name].replace(old, new)
    assert refused(headers, keys={DEVICE: PUBLIC, 13: PUBLIC}) is Refusal.NOT_FOUND


@pytest.mark.parametrize(
    "name", ["Casesync-Counter", "Content-Digest", "Signature-Input", "Signature"]
)
@pytest.mark.parametrize("value", [None, "", " ", "7 ", "+7", "007", "7, 8", "a=b", "☃"])
def test_a_header_of_another_shape_is_malformed(name: str, value: str | None):
    headers = signed()
    if value is None:
        del headers[name]
    else:
        headers[name] = value
    assert refused(headers) is Refusal.MALFORMED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"@method" ', ""),
        ('"@method" "@authority"', '"@authority" "@method"'),
        ('alg="ed25519"', 'alg="hmac-sha256"'),
        ('tag="casesync/v1"', 'tag="other"'),
        (";created=", ";expires=1;created="),
        ("casesync=(", "sig1=("),
        ('keyid="12"', "keyid=12"),
        ('keyid="12"', 'keyid="0"'),
        ('keyid="12"', 'keyid="4294967296"'),
        ('keyid="12"', 'keyid="012"'),
    ],
)
def test_signature_parameters_of_another_shape_are_malformed(old: str, new: str):
    headers = signed()
    headers["Signature-Input"] = headers["Signature-Input"].replace(old, new)
    assert refused(headers) is Refusal.MALFORMED


def test_a_second_spelling_of_the_signature_is_malformed():
    """Base64 has unused bits; a changed one must not give a second valid request."""
    headers = signed()
    text = headers["Signature"]
    last = text[-4]  # the character before "==:"
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = alphabet[alphabet.index(last) ^ 1]
    headers["Signature"] = text[:-4] + twin + text[-3:]
    assert refused(headers) is Refusal.MALFORMED


def test_a_counter_the_store_cannot_hold_is_malformed():
    with pytest.raises(RequestRefused):
        read_claim(signed(counter=2**63), TARGET)
    assert read_claim(signed(counter=2**63 - 1), TARGET).counter == 2**63 - 1
