"""A device's own keys (keys.md, Device)."""

from __future__ import annotations

import pickle

import pytest

from casesync.crypto.device_keys import DevicePublic, DeviceSecrets
from casesync.crypto.kem_keys import kem_private
from casesync.crypto.key_wrap import hpke_open, hpke_seal
from casesync.crypto.signatures import composite_verify, ed25519_verify
from casesync.foundation.errors import CryptoError


@pytest.fixture
def secrets(entropy):
    return DeviceSecrets.generate(entropy)


def test_secrets_come_back_from_their_bytes(secrets):
    stored = secrets.to_bytes()
    assert len(stored) == 160
    assert DeviceSecrets.from_bytes(stored).public() == secrets.public()
    for length in (0, 159, 161):
        with pytest.raises(CryptoError):
            DeviceSecrets.from_bytes((stored + b"x")[:length])


def test_public_halves_belong_to_the_secret_ones(secrets):
    public = secrets.public()
    public.check()
    ed25519_verify(public.change, b"m", secrets.change_signer().sign(b"m"))
    ed25519_verify(public.request, b"m", secrets.request_signer().sign(b"m"))
    composite_verify(public.composite, b"m", secrets.composite_signer().sign(b"m"))
    private = kem_private(secrets.kem_seed.reveal())
    assert hpke_open(private, b"i", hpke_seal(public.kem, b"i", b"m")) == b"m"


def test_the_device_keys_blob_has_composite_and_kem(secrets):
    public = secrets.public()
    blob = public.blob()
    assert len(blob) == 3200
    assert DevicePublic.from_blob(public.change, public.request, blob) == public
    for length in (0, 3199, 3201):
        with pytest.raises(CryptoError):
            DevicePublic.from_blob(public.change, public.request, (blob + b"x")[:length])


def test_one_key_in_two_places_is_refused(secrets):
    """keys.md, Device: a signature of one use must never serve another."""
    public = secrets.public()
    half = public.composite[-32:]
    for change, request in [
        (public.change, public.change),
        (half, public.request),
        (public.change, half),
    ]:
        with pytest.raises(CryptoError):
            DevicePublic.from_blob(change, request, public.blob())


def test_secrets_neither_print_nor_pickle(secrets):
    shown = repr(secrets) + str(secrets.change_seed) + repr(secrets.kem_seed)
    assert secrets.change_seed.reveal().hex() not in shown
    assert repr(secrets.change_seed.reveal()) not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secrets)
