"""Control entries: frame and public parts (protocol/membership.md; attack 32)."""

from __future__ import annotations

import contextlib
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec.canonical import pack
from casesync.foundation.errors import RemoteProtocolError
from casesync.merkle.hashing import EMPTY_ROOT
from casesync.translog import control_acts as acts
from casesync.translog.control_entry import (
    Act,
    complete_entry,
    entry_hash,
    entry_prefix,
    parse_entry,
)
from unit.translog.control_world import GENESIS, HASH, NETWORK, SEALED, genesis_public

ID = b"i" * 16
PUBLICS = {
    Act.GENESIS: genesis_public(),
    Act.CHARTER: acts.EmptyPublic(),
    Act.ROLES: acts.BlobPublic(HASH),
    Act.SCHEMAS: acts.BlobPublic(HASH),
    Act.UNIT: acts.EmptyPublic(),
    Act.ENROL: acts.EnrolPublic(1, HASH, HASH, HASH, 0xA80, (ID,), HASH, None),
    Act.ADMIT: acts.AdmitPublic(2, HASH),
    Act.SUSPEND: acts.SuspendPublic(2, HASH, (acts.WrapFor(3, HASH),)),
    Act.ROTATE: acts.RotatePublic(HASH, (acts.WrapFor(3, HASH), acts.WrapFor(4, HASH))),
    Act.FOUND: acts.FoundPublic(HASH, HASH),
    Act.NETWORK_BOX: acts.EmptyPublic(),
}


def _prefix(**changed):
    fields = {
        "network": NETWORK,
        "index": 7,
        "previous": b"p" * 32,
        "signer": 3,
        "change_size": 5,
        "change_root": b"r" * 32,
        "act": Act.ADMIT,
        "public": b"public",
    }
    return entry_prefix(**{**fields, **changed})


def _signed(message):
    assert message.startswith(b"casesync/v1/control\x00")
    return b"s" * 3373


def test_the_layout_is_the_one_in_the_specification():
    data = complete_entry(_prefix(), SEALED, _signed)
    before = (
        b"\x01" + NETWORK + b"\x00\x00\x00\x00\x00\x07" + b"p" * 32 + b"\x00\x00\x00\x03"
        b"\x00\x00\x00\x00\x00\x05" + b"r" * 32 + b"\x07" + b"\x00\x00\x00\x06public"
    )
    sealed = b"\x00\x00\x00\x48" + SEALED
    assert data == before + sealed + b"s" * 3373
    entry = parse_entry(data)
    assert entry.sealed_prefix == before
    assert entry.signed_bytes == b"casesync/v1/control\x00" + before + sealed
    assert entry.entry_hash == entry_hash(data) == sha256(data).digest()
    assert (entry.index, entry.signer, entry.change_size, entry.act) == (7, 3, 5, 7)
    assert (entry.network, entry.previous, entry.change_root) == (NETWORK, b"p" * 32, b"r" * 32)
    assert (entry.public, entry.sealed, entry.signature) == (b"public", SEALED, b"s" * 3373)


def test_acts_are_the_masks_of_the_specification():
    assert (acts.ACTS_STAFF, acts.ACTS_ADMINISTRATOR, acts.ACTS_FOUNDER) == (0xA80, 0xBF8, 0xFFC)


REFUSED = {
    "signer 0": {"signer": 0},
    "act 0": {"act": 0},
    "size 0 with a root": {"change_size": 0},
    "genesis in the middle": {"act": Act.GENESIS},
    "index 0 without genesis": {"index": 0},
    "no network": {"network": bytes(32)},
    "over 16 kB": {"public": bytes(16 * 1024)},
}


@pytest.mark.parametrize("changed", REFUSED.values(), ids=REFUSED)
def test_a_frame_the_specification_forbids_is_refused(changed):
    complete_entry(_prefix(), SEALED, _signed)
    with pytest.raises(ValueError, match="not a valid entry"):
        complete_entry(_prefix(**changed), SEALED, _signed)


@pytest.mark.parametrize("sealed", [b"n" * 8, b"n" * 7, b"n" * 72 + b"x", b"n" * 8 + b"c" * 63])
def test_a_sealed_part_has_a_length_of_the_classes(sealed):
    with pytest.raises(ValueError, match="sealed length"):
        complete_entry(_prefix(), sealed, _signed)


def test_an_entry_may_have_no_sealed_part_and_genesis_must_not():
    assert parse_entry(complete_entry(_prefix(), b"", _signed)).sealed == b""
    prefix = parse_entry(GENESIS).sealed_prefix
    with pytest.raises(ValueError, match="genesis"):
        complete_entry(prefix, SEALED, _signed)


def test_another_suite_is_refused():
    """Attack 13."""
    data = complete_entry(_prefix(), SEALED, _signed)
    with pytest.raises(RemoteProtocolError, match="suite"):
        parse_entry(b"\x02" + data[1:])


@given(st.integers(0, len(GENESIS) - 1))
def test_an_entry_cut_short_or_lengthened_is_refused(cut):
    for data in (GENESIS[:cut], GENESIS + b"\x00"):
        with pytest.raises(RemoteProtocolError):
            parse_entry(data)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise_a_foreign_error(junk):
    for data in (junk, GENESIS[:118] + junk, junk + GENESIS[len(junk) :]):
        with contextlib.suppress(RemoteProtocolError):
            parse_entry(data)


@pytest.mark.parametrize(("act", "public"), PUBLICS.items(), ids=lambda p: str(p)[:12])
def test_every_public_part_comes_back(act, public):
    assert acts.decode_public(act, acts.encode_public(public)) == public


def test_blobs_that_an_act_names_are_listed():
    counts = {act: len(acts.blobs_named(public)) for act, public in PUBLICS.items()}
    assert counts == {1: 1, 2: 0, 3: 1, 4: 1, 5: 0, 6: 2, 7: 1, 8: 2, 9: 3, 10: 2, 11: 0}


WRONG = [None, True, -1, 2**64 - 1, "text", b"", b"h" * 31, b"h" * 33, [], [[]], {}, {1: 2}]


@pytest.mark.parametrize(("act", "public"), PUBLICS.items(), ids=lambda p: str(p)[:12])
def test_a_malformed_public_part_is_refused_alike(act, public):
    """Attack 32: missing, null, wrong type, huge integer, nesting: one error, never another."""
    row = list(public)
    bent = [None, 1, b"x", {}, [*row, 1], [*row, None], *([row[:-1]] if row else [])]
    for at, value in enumerate(row):
        for wrong in WRONG:
            same = value is None and wrong is None
            if not same and not _fits(value, wrong):
                bent.append([*row[:at], wrong, *row[at + 1 :]])
    for value in bent:
        with pytest.raises(RemoteProtocolError) as caught:
            acts.decode_public(act, pack(value))
        assert caught.value.code == "malformed"


def _fits(value, wrong):
    """Whether ``wrong`` is another allowed value of the field."""
    return (
        (isinstance(value, tuple) and wrong == [])
        or (wrong is None and isinstance(value, bytes))  # one field allows it, tested below
        or (value in {0xA80, 0xFFC} and wrong == 2**64 - 1)
    )


@pytest.mark.parametrize(
    ("act", "row"),
    [
        (Act.ENROL, [0, HASH, HASH, HASH, 0, [], HASH, None]),
        (Act.ENROL, [4, HASH, HASH, HASH, 0, [], HASH, None]),
        (Act.ENROL, [1, None, HASH, HASH, 0, [], HASH, None]),
        (Act.ENROL, [1, HASH, HASH, HASH, 0, [], None, None]),
        (Act.ENROL, [1, HASH, HASH, HASH, 0, [ID, ID], HASH, None]),
        (Act.ENROL, [1, HASH, HASH, HASH, 0, [ID[:15]], HASH, None]),
        (Act.ENROL, [1, HASH, HASH, HASH, 0, [bytes([n]) * 16 for n in range(65)], HASH, None]),
        (Act.ADMIT, [0, HASH]),
        (Act.ADMIT, [2**32, HASH]),
        (Act.ROTATE, [None, []]),
        (Act.ROTATE, [HASH, [[1, HASH], [1, HASH]]]),
        (Act.ROTATE, [HASH, [[1, HASH, 1]]]),
        (Act.ROTATE, [HASH, [[True, HASH]]]),
        (Act.SUSPEND, [1, HASH, None]),
        (12, []),
        (0, []),
    ],
)
def test_other_malformed_public_parts_are_refused(act, row):
    with pytest.raises(RemoteProtocolError):
        acts.decode_public(act, pack(row))


@given(st.integers(0, 13), st.binary(max_size=60))
def test_any_bytes_as_public_part_are_read_or_refused(act, data):
    with contextlib.suppress(RemoteProtocolError):
        acts.decode_public(act, data)


def test_the_empty_root_stands_where_nothing_was_seen():
    data = complete_entry(_prefix(change_size=0, change_root=EMPTY_ROOT), SEALED, _signed)
    assert parse_entry(data).change_root == EMPTY_ROOT


@pytest.mark.parametrize(
    "changed",
    [
        {"previous": b"p" * 32},
        {"signer": 2},
        {"change_size": 1, "change_root": b"r" * 32},
        {"network": b"n" * 32},
        {"index": 1},
    ],
)
def test_genesis_has_nothing_before_it(changed):
    fields = {
        "network": bytes(32),
        "index": 0,
        "previous": bytes(32),
        "signer": 1,
        "change_size": 0,
        "change_root": EMPTY_ROOT,
        "act": Act.GENESIS,
        "public": b"",
    }
    parse_entry(complete_entry(entry_prefix(**fields), b"", _signed))
    with pytest.raises(ValueError, match="genesis"):
        complete_entry(entry_prefix(**{**fields, **changed}), b"", _signed)


def test_bounds_of_public_parts_are_reached():
    feeds = [bytes([n]) * 16 for n in range(64)]
    row = [1, HASH, HASH, HASH, 2**64 - 1, feeds, HASH, None]
    public = acts.decode_public(Act.ENROL, pack(row))
    assert len(public.feeds) == 64
    assert acts.decode_public(Act.ADMIT, pack([2**32 - 1, HASH])).device == 2**32 - 1
    wraps = [[n, HASH] for n in range(1, acts.WRAPS_MAX + 2)]
    with pytest.raises(RemoteProtocolError):
        acts.decode_public(Act.ROTATE, pack([HASH, wraps]))
    assert len(acts.decode_public(Act.ROTATE, pack([HASH, wraps[:-1]])).wraps) == acts.WRAPS_MAX


def test_an_entry_may_have_exactly_16_kb():
    rest = len(complete_entry(_prefix(public=b""), b"", _signed))
    public = bytes(16 * 1024 - rest)
    assert len(complete_entry(_prefix(public=public), b"", _signed)) == 16 * 1024
    with pytest.raises(ValueError, match="length"):
        complete_entry(_prefix(public=public + b"x"), b"", _signed)
