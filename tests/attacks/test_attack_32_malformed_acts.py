"""Attack 32: malformed acts of every kind.

Missing, null, wrong type, huge integer, NaN, deep nesting, signed by an administrator: void alike
on all replicas (access floor), never an exception in replay.
"""

from __future__ import annotations

import contextlib
from hashlib import sha256

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.access import control_bodies as bodies
from casesync.access.control_opened import BLOB_ROLES, BLOB_SCHEMAS, BLOB_UNIT_KEYS
from casesync.access.control_state import ControlState
from casesync.crypto.kem_keys import unit_key_from_seed
from casesync.crypto.key_wrap import UnitKeyId
from casesync.crypto.sealing import seal_blob
from casesync.foundation.errors import CannotDecide
from casesync.translog.control_entry import Act, parse_entry
from control_world import ControlWorld, raw_entry

ACTS = [act for act in Act if act is not Act.GENESIS]
PUBLIC_LENGTH = {
    Act.CHARTER: 0,
    Act.ROLES: 1,
    Act.SCHEMAS: 1,
    Act.UNIT: 0,
    Act.ENROL: 8,
    Act.ADMIT: 2,
    Act.SUSPEND: 3,
    Act.ROTATE: 2,
    Act.FOUND: 2,
    Act.NETWORK_BOX: 0,
}
DEEP = [[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]
JUNK = [
    b"",
    b"\xc1",
    b"\x90",
    b"\xc0",
    msgpack.packb(float("nan")),
    msgpack.packb([float("nan")]),
    msgpack.packb(DEEP),
    msgpack.packb([2**64 - 1]),
    msgpack.packb([-(2**63)] * 10),
    msgpack.packb([None] * 7),
    msgpack.packb([None] * 8),
    msgpack.packb([None] * 10),
    msgpack.packb(["x"] * 5),
    msgpack.packb({1: 2}),
    msgpack.packb({"__class__": "x"}),
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\xd4\x01x",
    b"\x91\xcc\x01",
    b"\xa2\xff\xfe",
]
WORLD = ControlWorld()
SIGNER = WORLD.founder.secrets.composite_signer()
STORED = dict(WORLD.blobs)


def judged_alike(entry: bytes, blobs: dict[bytes, bytes] | None = None) -> str:
    """Fold the entry at two replicas; gives the reason, which is the same at both."""
    every = {**STORED, **(blobs or {})}
    reasons = []
    for _ in range(2):
        state = ControlState.refold(
            WORLD.entries, WORLD.opener, STORED.get, WORLD.state.voids_bytes()
        )
        before = (state.devices(), state.units(), state.unit_key_publics(), state.network_name)
        applied = state.apply(WORLD.state.size, 0, entry, WORLD.opener, every.get)
        after = (state.devices(), state.units(), state.unit_key_publics(), state.network_name)
        assert state.size == WORLD.state.size + 1
        if applied.void:
            assert after == before
        reasons.append(applied.void)
    assert reasons[0] == reasons[1]
    return reasons[0]


@pytest.mark.parametrize("act", ACTS)
def test_a_malformed_public_part_is_void(act: Act) -> None:
    for junk in JUNK:
        if junk == b"\x90" and PUBLIC_LENGTH[act] == 0:
            continue
        entry = raw_entry(WORLD, SIGNER, act=act, public=junk, body=b"\x90")
        assert judged_alike(entry) == "malformed", junk


def well_formed_public(act: Act, blobs: dict[bytes, bytes]) -> bytes:
    """A public part that passes, so that the sealed part is what is judged."""
    keys = WORLD.founder.secrets.public()
    blobs[keys.blob_hash()] = keys.blob()
    sealed = seal_blob(WORLD.opener.newest, BLOB_UNIT_KEYS, b"\x90", b"n" * 12)
    name = sha256(sealed).digest()
    blobs[name] = sealed
    fields: dict[Act, list[object]] = {
        Act.ROLES: [name],
        Act.SCHEMAS: [name],
        Act.ENROL: [
            1,
            b"c" * 32,
            b"q" * 32,
            keys.blob_hash(),
            0xA80,
            [b"f" * 16, b"g" * 16],
            b"w" * 32,
            None,
        ],
        Act.ADMIT: [1, b"w" * 32],
        Act.SUSPEND: [1, None, []],
        Act.ROTATE: [name, []],
        Act.FOUND: [b"w" * 32, name],
    }
    return msgpack.packb(fields.get(act, []))


@pytest.mark.parametrize("act", ACTS)
def test_a_malformed_sealed_part_is_void(act: Act) -> None:
    for junk in JUNK:
        blobs: dict[bytes, bytes] = {}
        public = well_formed_public(act, blobs)
        entry = raw_entry(WORLD, SIGNER, act=act, public=public, body=junk)
        reason = judged_alike(entry, blobs)
        assert reason, junk
        right_shape = junk == b"\x90" and act in (Act.ROLES, Act.SCHEMAS, Act.ROTATE)
        if not right_shape:
            assert reason == "malformed", junk


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("sealed", [b"", bytes(72), b"\xff" * 72])
def test_a_sealed_part_that_does_not_open_is_void(act: Act, sealed: bytes) -> None:
    blobs: dict[bytes, bytes] = {}
    public = well_formed_public(act, blobs)
    entry = raw_entry(WORLD, SIGNER, act=act, public=public, sealed=sealed)
    assert judged_alike(entry, blobs) in ("malformed", "sealed-unreadable")


@pytest.mark.parametrize("act", [12, 13, 63, 64, 200, 255])
def test_an_act_nobody_knows_is_void(act: int) -> None:
    entry = raw_entry(WORLD, SIGNER, act=act, public=b"\x90", body=b"\x90")
    assert judged_alike(entry) in ("act-not-allowed", "act-unknown")


@pytest.mark.parametrize(
    ("act", "kind"),
    [(Act.ROLES, BLOB_ROLES), (Act.SCHEMAS, BLOB_SCHEMAS), (Act.ROTATE, BLOB_UNIT_KEYS)],
)
def test_a_malformed_blob_is_void(act: Act, kind: int) -> None:
    for junk in JUNK:
        blob = seal_blob(WORLD.opener.newest, kind, junk, b"n" * 12)
        name = sha256(blob).digest()
        fields: list[object] = [name, []] if act is Act.ROTATE else [name]
        entry = raw_entry(WORLD, SIGNER, act=act, public=msgpack.packb(fields), body=b"\x90")
        expected = "malformed"
        if act is Act.ROTATE and junk == b"\x90":
            expected = "keys-differ"
        if act is Act.SCHEMAS and junk == msgpack.packb([2**64 - 1]):
            expected = ""  # A schema of a later format: kept, and the program says "newer".
        assert judged_alike(entry, {name: blob}) == expected, junk


def test_a_blob_of_another_kind_does_not_open() -> None:
    table = WORLD.state.roles().to_bytes()
    blob = seal_blob(WORLD.opener.newest, BLOB_SCHEMAS, table, b"n" * 12)
    name = sha256(blob).digest()
    entry = raw_entry(WORLD, SIGNER, act=Act.ROLES, public=msgpack.packb([name]), body=b"\x90")
    assert judged_alike(entry, {name: blob}) == "sealed-unreadable"


def test_device_keys_of_another_length_or_order_are_void() -> None:
    inviter, _ = WORLD.meet(WORLD.invite("clinician"), "Hoa")
    proof = inviter.proof()
    for blob in (b"", b"x", proof.public.blob()[:-1], proof.public.blob() + b"x"):
        name = sha256(blob).digest()
        public = [1, b"c" * 32, b"q" * 32, name, 0xA80, [b"f" * 16, b"g" * 16], b"w" * 32, None]
        body = bodies.encode_enrol(
            bodies.EnrolBody(
                b"m" * 16,
                "Hoa",
                WORLD.shelter,
                "clinician",
                False,
                "",
                b"i" * 16,
                b"n" * 32,
                b"n" * 32,
                bytes(3373),
            )
        )
        entry = raw_entry(WORLD, SIGNER, act=Act.ENROL, public=msgpack.packb(public), body=body)
        assert judged_alike(entry, {name: blob}) == "malformed"


def test_unit_keys_out_of_order_or_twice_are_void() -> None:
    public = unit_key_from_seed(b"z" * 32)
    rows = [
        [*UnitKeyId(WORLD.shelter, compartment, 2), public, b"p" * 48] for compartment in (7, 6)
    ]
    for lie in (rows, [rows[0], rows[0]], [[*rows[0], None]], [rows[0][:4]], [[None] * 5]):
        blob = seal_blob(WORLD.opener.newest, BLOB_UNIT_KEYS, msgpack.packb(lie), b"n" * 12)
        name = sha256(blob).digest()
        entry = raw_entry(
            WORLD,
            SIGNER,
            act=Act.ROTATE,
            public=msgpack.packb([name, [[1, b"w" * 32]]]),
            body=b"\x90",
        )
        assert judged_alike(entry, {name: blob}) == "malformed"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(max_size=10)
    | st.binary(max_size=20)
    | st.sampled_from([b"x" * 16, b"x" * 32, "shelter", "caseworker", 1, 7]),
    lambda inner: st.lists(inner, max_size=10),
    max_leaves=20,
)


@given(st.sampled_from(ACTS), VALUES, VALUES)
def test_whatever_an_administrator_signs_replay_goes_on(
    act: Act, public: object, body: object
) -> None:
    """Random values as public and as sealed part, in shapes near the right ones."""
    length = PUBLIC_LENGTH[act]
    shaped = public[:length] if isinstance(public, list) else public
    entry = raw_entry(
        WORLD, SIGNER, act=act, public=msgpack.packb(shaped), body=msgpack.packb(body)
    )
    assert parse_entry(entry).index == WORLD.state.size
    state = ControlState.refold(WORLD.entries, WORLD.opener, STORED.get, WORLD.state.voids_bytes())
    with contextlib.suppress(CannotDecide):
        state.apply(WORLD.state.size, 0, entry, WORLD.opener, STORED.get)
        assert state.size == WORLD.state.size + 1
