"""Boxes, wraps and predecessors (keys.md)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec.canonical import pack
from casesync.codec.padding import is_allowed_length, pad
from casesync.crypto.kem_keys import kem_check_public, kem_private, unit_key_from_seed
from casesync.crypto.key_schedule import label
from casesync.crypto.key_wrap import (
    HPKE_BOX_BYTES,
    SYMMETRIC_BOX_BYTES,
    StatementId,
    UnitKeyId,
    box_cipher,
    box_context,
    box_public,
    box_symmetric,
    hpke_open,
    hpke_seal,
    open_base_predecessor,
    open_box_public,
    open_box_symmetric,
    open_predecessor,
    open_wrap,
    seal_base_predecessor,
    seal_predecessor,
    unit_key_name,
    wrap_seeds,
)
from casesync.crypto.sealing import segment_keys
from casesync.foundation.errors import CryptoError, RemoteProtocolError

SEED = b"s" * 32
PUBLIC = unit_key_from_seed(SEED)
PRIVATE = kem_private(SEED)


def test_a_stream_key_comes_out_of_both_kinds_of_box(entropy, network, statement, unit_key):
    stream_key = entropy.bytes(32)
    sealing, commitment = segment_keys(stream_key, statement.context())
    cipher = box_cipher(SEED, network, unit_key)
    box = box_symmetric(cipher, statement, unit_key, commitment, stream_key)
    assert len(box) == SYMMETRIC_BOX_BYTES
    assert open_box_symmetric(cipher, statement, unit_key, commitment, box) == (
        stream_key,
        sealing,
    )
    box = box_public(PUBLIC, statement, unit_key, commitment, stream_key)
    assert len(box) == HPKE_BOX_BYTES
    assert open_box_public(PRIVATE, statement, unit_key, commitment, box) == (stream_key, sealing)


def test_the_box_context_is_laid_out_as_specified(statement, unit_key):
    assert box_context(statement, unit_key, b"c" * 32) == b"".join(
        (
            statement.network,
            unit_key.unit,
            b"\x02",
            (1).to_bytes(4, "big"),
            statement.stream,
            (3).to_bytes(4, "big"),
            (9).to_bytes(6, "big"),
            b"\x01",
            b"c" * 32,
        )
    )


def test_a_unit_key_name_follows_unit_compartment_epoch_and_key(unit_key):
    names = {
        unit_key_name(key, public)
        for key in (
            unit_key,
            unit_key._replace(unit=b"u" * 16),
            unit_key._replace(compartment=3),
            unit_key._replace(epoch=2),
        )
        for public in (PUBLIC, unit_key_from_seed(b"t" * 32))
    }
    assert len(names) == 8
    assert {len(name) for name in names} == {8}


def test_a_predecessor_opens_under_its_successor_only(network, unit_key):
    newer, older = b"n" * 32, b"o" * 32
    sealed = seal_predecessor(newer, network, unit_key, older)
    older_public = unit_key_from_seed(older)
    assert open_predecessor(newer, network, unit_key, older_public, sealed) == older
    for seed, net, key, public in [
        (older, network, unit_key, older_public),
        (newer, b"x" * 32, unit_key, older_public),
        (newer, network, unit_key._replace(epoch=2), older_public),
        (newer, network, unit_key, PUBLIC),
    ]:
        with pytest.raises(CryptoError):
            open_predecessor(seed, net, key, public, sealed)


def test_a_base_predecessor_opens_and_is_checked_against_its_statement(entropy, statement):
    old_statement = statement._replace(compartment=1, number=4, position=0)
    new_statement = old_statement._replace(number=9)
    old, new = entropy.bytes(32), entropy.bytes(32)
    old_sealing, old_commitment = segment_keys(old, old_statement.context())
    _, new_commitment = segment_keys(new, new_statement.context())
    sealed = seal_base_predecessor(new, new_commitment, old_statement, old)
    assert open_base_predecessor(new, new_commitment, old_statement, old_commitment, sealed) == (
        old,
        old_sealing,
    )
    for arguments in [
        (old, new_commitment, old_statement, old_commitment),
        (new, old_commitment, old_statement, old_commitment),
        (new, new_commitment, new_statement, old_commitment),
        (new, new_commitment, old_statement, new_commitment),
    ]:
        with pytest.raises(CryptoError):
            open_base_predecessor(*arguments, sealed)


def _wrap(network, seeds, keys=(b"k" * 32,)):
    return wrap_seeds(PUBLIC, network, 4, 7, list(keys), seeds)


def test_a_wrap_gives_the_network_keys_and_the_seeds(network, unit_key):
    other = unit_key._replace(compartment=3)
    seeds = {unit_key: b"1" * 32, other: b"2" * 32}
    publics = {key: unit_key_from_seed(seed) for key, seed in seeds.items()}
    wrap = _wrap(network, seeds, (b"k" * 32, b"j" * 32))
    assert is_allowed_length(len(wrap) - 1120)
    content = open_wrap(PRIVATE, network, 4, 7, publics, wrap)
    assert content.network_keys == [b"k" * 32, b"j" * 32]
    assert content.seeds == seeds
    assert "1111" not in repr(content)


def test_a_wrap_opens_only_for_its_device_entry_and_network(network, unit_key):
    wrap = _wrap(network, {unit_key: SEED})
    publics = {unit_key: PUBLIC}
    for private, net, device, index in [
        (kem_private(b"o" * 32), network, 4, 7),
        (PRIVATE, b"x" * 32, 4, 7),
        (PRIVATE, network, 5, 7),
        (PRIVATE, network, 4, 8),
    ]:
        with pytest.raises(CryptoError):
            open_wrap(private, net, device, index, publics, wrap)


def test_a_seed_that_is_not_the_one_of_the_control_log_is_refused(network, unit_key):
    wrap = _wrap(network, {unit_key: b"1" * 32})
    for publics in ({unit_key: PUBLIC}, {}, {unit_key._replace(epoch=2): PUBLIC}):
        with pytest.raises(CryptoError):
            open_wrap(PRIVATE, network, 4, 7, publics, wrap)


@pytest.mark.parametrize(
    "body",
    [
        [],
        [[], [], []],
        [{}, []],
        [[], {}],
        [[], [[b"u" * 16, 2, 1]]],
        [[], [[b"u" * 15, 2, 1, SEED]]],
        [[], [[b"u" * 16, 0, 1, SEED]]],
        [[], [[b"u" * 16, True, 1, SEED]]],
        [[], [[b"u" * 16, 256, 1, SEED]]],
        [[], [[b"u" * 16, 2, 2**32, SEED]]],
        [[], [[b"u" * 16, 2, 1, SEED], [b"u" * 16, 2, 1, SEED]]],
        [[], [[b"u" * 16, 2, 1, "s" * 32]]],
        7,
        None,
    ],
)
def test_a_wrap_of_another_shape_is_malformed(network, body):
    info = label("wrap") + network + (4).to_bytes(4, "big") + (7).to_bytes(6, "big")
    wrap = hpke_seal(PUBLIC, info, pad(pack(body)))
    publics = {UnitKeyId(b"u" * 16, 2, 1): PUBLIC}
    with pytest.raises(RemoteProtocolError):
        open_wrap(PRIVATE, network, 4, 7, publics, wrap)


@given(st.binary(max_size=1300))
def test_arbitrary_bytes_are_no_hpke_message_and_no_box(data):
    network, key = b"n" * 32, UnitKeyId(b"u" * 16, 2, 1)
    statement = StatementId(network, b"s" * 16, 2, 1, 1, 0)
    for opener in (
        lambda: hpke_open(PRIVATE, b"", data),
        lambda: open_box_public(PRIVATE, statement, key, b"c" * 32, data),
        lambda: open_box_symmetric(box_cipher(SEED, network, key), statement, key, b"c" * 32, data),
    ):
        with pytest.raises(CryptoError):
            opener()


@pytest.mark.parametrize("length", [0, 32, 1184, 1215, 1217])
def test_a_kem_key_of_another_length_is_refused(length):
    for use in (kem_check_public, lambda public: hpke_seal(public, b"", b"")):
        with pytest.raises(CryptoError):
            use((PUBLIC + b"x")[:length])


def test_a_kem_key_with_coefficients_out_of_range_is_refused():
    with pytest.raises(CryptoError):
        kem_check_public(b"\xff" * 1184 + PUBLIC[1184:])
