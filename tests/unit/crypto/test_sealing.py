"""Sealed segments, control entries and blobs (change.md, membership.md, keys.md)."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec.padding import is_allowed_length
from casesync.crypto.aead import prepare, siv_seal
from casesync.crypto.sealing import (
    network_keys,
    open_blob,
    open_control,
    open_segment,
    seal_blob,
    seal_control,
    seal_segment,
    segment_keys,
    segment_nonce,
    statement_context,
)
from casesync.foundation.errors import CryptoError, RemoteProtocolError

LINK, HEAD, COMMITMENT = b"l" * 32, b"head" * 20, b"c" * 32
HEAD_HASH = sha256(HEAD).digest()
CIPHER = prepare(b"s" * 32)
SEALED = seal_segment(CIPHER, LINK, HEAD, HEAD_HASH, 1, COMMITMENT, b"body")


def test_a_segment_opens_where_it_was_sealed():
    assert open_segment(CIPHER, LINK, HEAD, HEAD_HASH, 1, COMMITMENT, SEALED) == b"body"


@pytest.mark.parametrize(
    "place",
    [
        (b"m" * 32, HEAD, HEAD_HASH, 1, COMMITMENT),
        (LINK, HEAD + b"x", sha256(HEAD + b"x").digest(), 1, COMMITMENT),
        (LINK, HEAD, b"h" * 32, 1, COMMITMENT),
        (LINK, HEAD, HEAD_HASH, 2, COMMITMENT),
        (LINK, HEAD, HEAD_HASH, 1, b"d" * 32),
    ],
    ids=["previous link", "head", "head hash", "segment number", "commitment"],
)
def test_a_segment_opens_nowhere_else(place):
    with pytest.raises(CryptoError):
        open_segment(CIPHER, *place, SEALED)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_a_changed_byte_of_a_segment_is_refused(position, difference):
    changed = bytearray(SEALED)
    changed[position] ^= difference
    with pytest.raises(CryptoError):
        open_segment(CIPHER, LINK, HEAD, HEAD_HASH, 1, COMMITMENT, bytes(changed))


@given(st.binary(max_size=700))
def test_every_body_comes_back_and_has_an_allowed_length(body):
    sealed = seal_segment(CIPHER, LINK, HEAD, HEAD_HASH, 0, COMMITMENT, body)
    assert is_allowed_length(len(sealed))
    assert open_segment(CIPHER, LINK, HEAD, HEAD_HASH, 0, COMMITMENT, sealed) == body


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_open(data):
    with pytest.raises(CryptoError):
        open_segment(CIPHER, LINK, HEAD, HEAD_HASH, 0, COMMITMENT, data)


def test_a_member_that_pads_wrongly_sends_malformed_data():
    nonce = segment_nonce(LINK, HEAD, 0)
    sealed = siv_seal(CIPHER, nonce, HEAD_HASH + b"\x00" + COMMITMENT, bytes(48))
    with pytest.raises(RemoteProtocolError):
        open_segment(CIPHER, LINK, HEAD, HEAD_HASH, 0, COMMITMENT, sealed)


def test_keys_follow_every_field_of_the_statement():
    fields = (b"n" * 32, b"s" * 16, 2, 1, 1, 0)
    base = segment_keys(b"k" * 32, statement_context(*fields))
    assert base[0] != base[1]
    others = [b"m" * 32, b"t" * 16, 3, 2, 2, 1]
    for position, other in enumerate(others):
        changed = (*fields[:position], other, *fields[position + 1 :])
        assert not set(base) & set(segment_keys(b"k" * 32, statement_context(*changed)))


def test_the_nonce_differs_for_each_segment_head_and_link():
    nonces = {
        segment_nonce(link, head, number)
        for link in (b"a" * 32, b"b" * 32)
        for head in (b"one", b"two")
        for number in range(16)
    }
    assert len(nonces) == 64


def test_the_sealed_part_of_a_control_entry_opens_only_there(network):
    key = network_keys(b"k" * 32, network)
    sealed = seal_control(key, b"prefix", b"body")
    assert sealed.startswith(key.name)
    assert open_control(key, b"prefix", sealed) == b"body"
    for other_key, prefix, data in [
        (network_keys(b"j" * 32, network), b"prefix", sealed),
        (network_keys(b"k" * 32, b"x" * 32), b"prefix", sealed),
        (key, b"prefiy", sealed),
        (key, b"prefix", sealed[:-1]),
        (key, b"prefix", bytes(8) + sealed[8:]),
        (key, b"prefix", b""),
    ]:
        with pytest.raises(CryptoError):
            open_control(other_key, prefix, data)


def test_a_blob_opens_only_as_its_kind_and_under_its_key(network):
    key = network_keys(b"k" * 32, network)
    blob = seal_blob(key, 2, b"schemas", b"n" * 12)
    assert open_blob(key, 2, blob) == b"schemas"
    for other_key, kind, data in [
        (key, 1, blob),
        (network_keys(b"j" * 32, network), 2, blob),
        (key, 2, blob[:11]),
        (key, 2, b""),
        (key, 2, b"m" + blob[1:]),
    ]:
        with pytest.raises(CryptoError):
            open_blob(other_key, kind, data)


@pytest.mark.parametrize("bad", [b"", b"k" * 31, b"k" * 33, bytes(32)])
def test_a_bad_network_or_stream_key_is_refused_before_it_is_used(bad, network):
    with pytest.raises(CryptoError):
        network_keys(bad, network)
    with pytest.raises(CryptoError):
        segment_keys(bad, b"")
