"""Labels, hashes and key derivation (conventions.md, Bytes)."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import get_args

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from casesync.crypto.key_schedule import H, Use, check_secret, expand, label
from casesync.foundation.errors import CryptoError


def test_no_label_begins_another_and_all_end_with_a_zero_byte():
    labels = [label(use) for use in get_args(Use)]
    for one in labels:
        assert one.startswith(b"casesync/v1/")
        assert one.index(b"\x00") == len(one) - 1
        assert [other for other in labels if other.startswith(one)] == [one]


def test_a_use_that_is_not_in_the_table_has_no_label():
    for make in (label, lambda use: H(use, b""), lambda use: expand(bytes(32), use, b"")):
        with pytest.raises(KeyError):
            make("nonces")


def test_hash_is_sha256_over_label_and_parts():
    assert H("link", b"a", b"bc") == sha256(b"casesync/v1/link\x00abc").digest()


def test_expand_is_one_block_of_hkdf():
    key, context = bytes(range(32)), b"where"
    info = b"casesync/v1/sealing-key\x00where\x01"
    assert expand(key, "sealing-key", context) == hmac.digest(key, info, "sha256")


@given(st.binary(min_size=32, max_size=32), st.sampled_from(get_args(Use)), st.binary(max_size=200))
def test_expand_is_the_librarys_hkdf(key, use, context):
    library = HKDFExpand(hashes.SHA256(), 32, label(use) + context)
    assert expand(key, use, context) == library.derive(key)


@pytest.mark.parametrize(
    "secret", [b"", b"k" * 31, b"k" * 33, bytes(32), "k" * 32, bytearray(b"k" * 32), None, 7]
)
def test_what_is_not_32_bytes_or_all_zero_is_no_secret(secret):
    with pytest.raises(CryptoError):
        check_secret(secret)


def test_a_secret_passes_unchanged():
    assert check_secret(b"k" * 32) == b"k" * 32
