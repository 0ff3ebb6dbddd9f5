"""Attack 10: low-order, mixed-order and non-canonical keys, low-order R, all-zero X25519.

Refused by the crypto floor: keys when a device is enrolled, signatures at every verification
(keys.md, One verifier).
"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from casesync.crypto.device_keys import DevicePublic, DeviceSecrets
from casesync.crypto.edwards import P
from casesync.crypto.kem_keys import kem_check_public
from casesync.crypto.key_wrap import hpke_seal
from casesync.crypto.signatures import ed25519_verify
from casesync.foundation.errors import CryptoError
from edwards_points import add, decode, encode, multiply

ORDER_TWO = (P - 1).to_bytes(32, "little")
ORDER_FOUR = bytes(32)
ORDER_EIGHT = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
IDENTITY = (1).to_bytes(32, "little")
NOT_CANONICAL = [
    (P + 1).to_bytes(32, "little"),
    (1 | 1 << 255).to_bytes(32, "little"),
    (2**256 - 1).to_bytes(32, "little"),
]
SMALL = [IDENTITY, ORDER_TWO, ORDER_FOUR, ORDER_EIGHT]


@pytest.fixture(scope="module")
def honest():
    return DeviceSecrets.from_bytes(bytes(range(160)))


def _mixed(public):
    point, small = decode(public), decode(ORDER_EIGHT)
    assert multiply(8, small).x == 0
    return encode(add(point, small))


def test_a_device_with_an_odd_ed25519_key_is_not_enrolled(honest):
    public = honest.public()
    public.check()
    for bad in [*SMALL, *NOT_CANONICAL, _mixed(public.change), _mixed(public.request)]:
        for attempt in (
            public._replace(change=bad),
            public._replace(request=bad),
            public._replace(composite=public.composite[:-32] + bad),
        ):
            with pytest.raises(CryptoError):
                DevicePublic.from_blob(attempt.change, attempt.request, attempt.blob())


def test_an_x25519_half_that_gives_the_zero_secret_is_not_enrolled(honest):
    """u = 0, 1 and -1 are of small order on the Montgomery curve."""
    public = honest.public()
    for half in (bytes(32), (1).to_bytes(32, "little"), (P - 1).to_bytes(32, "little")):
        kem = public.kem[:-32] + half
        with pytest.raises(CryptoError):
            kem_check_public(kem)
        with pytest.raises(CryptoError):
            public._replace(kem=kem).check()
        with pytest.raises(CryptoError):
            hpke_seal(kem, b"", b"secret")


def test_one_signature_for_every_message_works_on_the_library_but_not_on_us():
    """With the identity as key and as R, and S = 0, the equation holds whatever was signed."""
    forged = IDENTITY + bytes(32)
    accepted = 0
    for message in (b"suspend device 1", b"suspend device 2"):
        Ed25519PublicKey.from_public_bytes(IDENTITY).verify(forged, message)
        accepted += 1
        with pytest.raises(CryptoError):
            ed25519_verify(IDENTITY, message, forged)
    assert accepted == 2


@pytest.mark.parametrize("encoded_r", [*SMALL, *NOT_CANONICAL])
def test_a_signature_with_an_odd_r_is_refused_under_an_honest_key(honest, encoded_r):
    public = honest.public().change
    signature = honest.change_signer().sign(b"m")
    with pytest.raises(CryptoError):
        ed25519_verify(public, b"m", encoded_r + signature[32:])
    with pytest.raises(CryptoError):
        ed25519_verify(public, b"m", encoded_r + bytes(32))
