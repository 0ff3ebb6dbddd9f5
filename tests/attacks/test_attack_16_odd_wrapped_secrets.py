"""Attack 16: a wrapped secret of 0, 31, 33 bytes or all zeros.

A hostile member seals it with the right keys in the right place; the crypto floor refuses it after
opening, whatever it was wrapped in (keys.md).
"""

from __future__ import annotations

import pytest

from casesync.codec.canonical import pack
from casesync.codec.padding import pad
from casesync.crypto.aead import ZERO_NONCE, prepare, siv_seal
from casesync.crypto.kem_keys import kem_private, unit_key_from_seed
from casesync.crypto.key_schedule import H, expand, label
from casesync.crypto.key_wrap import (
    StatementId,
    UnitKeyId,
    box_cipher,
    box_context,
    hpke_seal,
    open_base_predecessor,
    open_box_public,
    open_box_symmetric,
    open_predecessor,
    open_wrap,
)
from casesync.foundation.errors import CryptoError

NETWORK, SEED = b"n" * 32, b"s" * 32
PUBLIC, PRIVATE = unit_key_from_seed(SEED), kem_private(SEED)
STATEMENT = StatementId(NETWORK, b"t" * 16, 1, 5, 9, 1)
KEY = UnitKeyId(b"u" * 16, 1, 3)
COMMITMENT = b"c" * 32
BOX_CONTEXT = box_context(STATEMENT, KEY, COMMITMENT)
BAD = [b"", b"k" * 31, b"k" * 33, bytes(32)]

pytestmark = pytest.mark.parametrize("bad", BAD, ids=["0", "31", "33", "zeros"])


def test_in_a_symmetric_box(bad):
    cipher = box_cipher(SEED, NETWORK, KEY)
    box = siv_seal(cipher, H("box-nonce", BOX_CONTEXT)[:12], BOX_CONTEXT, bad)
    with pytest.raises(CryptoError):
        open_box_symmetric(cipher, STATEMENT, KEY, COMMITMENT, box)


def test_in_a_public_box(bad):
    box = hpke_seal(PUBLIC, label("box") + BOX_CONTEXT, bad)
    with pytest.raises(CryptoError):
        open_box_public(PRIVATE, STATEMENT, KEY, COMMITMENT, box)


def test_as_a_seed_or_network_key_in_a_wrap(bad):
    info = label("wrap") + NETWORK + (4).to_bytes(4, "big") + (7).to_bytes(6, "big")
    for body in ([[], [[*KEY, bad]]], [[bad], []]):
        wrap = hpke_seal(PUBLIC, info, pad(pack(body)))
        with pytest.raises(CryptoError):
            open_wrap(PRIVATE, NETWORK, 4, 7, {KEY: PUBLIC}, wrap)


def test_as_a_predecessor(bad):
    cipher = prepare(expand(SEED, "predecessor", KEY.encoded()))
    with pytest.raises(CryptoError):
        open_predecessor(SEED, NETWORK, KEY, PUBLIC, siv_seal(cipher, ZERO_NONCE, NETWORK, bad))


def test_as_a_base_predecessor(bad):
    context = NETWORK + STATEMENT.stream + (5).to_bytes(4, "big") + (9).to_bytes(6, "big") + b"\x01"
    cipher = prepare(expand(SEED, "base-predecessor", context))
    sealed = siv_seal(cipher, ZERO_NONCE, COMMITMENT, bad)
    with pytest.raises(CryptoError):
        open_base_predecessor(SEED, COMMITMENT, STATEMENT, COMMITMENT, sealed)
