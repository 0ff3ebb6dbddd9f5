"""``protocol/change.md``, *Base segment*."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.access.base_acts import (
    BaseAct,
    DestructionReceipt,
    Grant,
    Opening,
    Revocation,
    decode_acts,
    encode_acts,
)
from casesync.codec import canonical
from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.ids import (
    ChangeNumber,
    Compartment,
    DeviceNumber,
    GrantId,
    RecordId,
    StreamKind,
    UnitId,
)

GRANT = Grant(
    grant=GrantId(b"g" * 16),
    to_unit=UnitId(b"u" * 16),
    compartments=(Compartment.IDENTITY, Compartment.CONTACT),
    write=True,
    history=False,
    purpose="referral",
    expires_ms=1_900_000_000_000,
    consent=RecordId(b"c" * 16),
    revocation=(DeviceNumber(3), ChangeNumber(9)),
    covers=((DeviceNumber(1), ChangeNumber(4)), (DeviceNumber(2), ChangeNumber(70000))),
)
ACTS: list[BaseAct] = [
    Opening(kind=StreamKind.CASE, owner=UnitId(b"u" * 16), record=RecordId(b"r" * 16)),
    Opening(kind=StreamKind.ACCESS, owner=UnitId(b"u" * 16), record=None),
    GRANT,
    replace(GRANT, expires_ms=None, revocation=None, covers=()),
    Revocation(grant=GrantId(b"g" * 16), reason="lý do"),
    DestructionReceipt(grant=GrantId(b"g" * 16)),
]


@pytest.mark.parametrize("act", ACTS)
def test_an_act_survives_its_bytes(act: BaseAct) -> None:
    body = encode_acts([act])
    assert decode_acts(body) == (act,)
    assert encode_acts(decode_acts(body)) == body


def test_acts_keep_their_order() -> None:
    assert decode_acts(encode_acts(ACTS)) == tuple(ACTS)


def fields(**changed: object) -> list[object]:
    names = [
        "code",
        "grant",
        "to_unit",
        "compartments",
        "write",
        "history",
        "purpose",
        "expires",
        "consent",
        "revocation",
        "covers",
    ]
    (good,) = canonical.unpack(encode_acts([GRANT]))
    return [changed.get(name, value) for name, value in zip(names, good, strict=True)]


@pytest.mark.parametrize(
    "act",
    [
        None,
        [],
        7,
        [0],
        [5, b"g" * 16],
        [8],
        [True, b"g" * 16],
        ["1"],
        [1, 1, b"u" * 16],
        [1, 1, b"u" * 16, None],
        [1, 2, b"u" * 16, b"r" * 16],
        [1, 0, b"u" * 16, None],
        [1, 5, b"u" * 16, None],
        [1, 1, b"u" * 15, b"r" * 16],
        [1, 1, "u" * 16, b"r" * 16],
        [1, 1, b"u" * 16, b"r" * 16, 0],
        [3, b"g" * 16],
        [3, b"g" * 16, None],
        [3, b"g" * 16, "x" * 2049],
        [4],
        [4, b"g" * 17],
        [4, None],
        fields(compartments=[]),
        fields(compartments=[6, 2]),
        fields(compartments=[6, 6]),
        fields(compartments=[1, 6]),
        fields(compartments=[9]),
        fields(compartments=[2**63]),
        fields(write=1),
        fields(history=None),
        fields(purpose=""),
        fields(purpose="x" * 65),
        fields(expires=-1),
        fields(expires=2**48),
        fields(expires=False),
        fields(consent=None),
        fields(revocation=[1]),
        fields(revocation=[0, 1]),
        fields(revocation=[2**32, 1]),
        fields(covers=[[2, 1], [1, 1]]),
        fields(covers=[[1, 1], [1, 2]]),
        fields(covers=None),
    ],
)
def test_a_malformed_act_is_refused(act: object) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_acts(canonical.pack([act]))


def test_one_malformed_act_spoils_the_segment() -> None:
    good = canonical.unpack(encode_acts(ACTS))
    with pytest.raises(RemoteProtocolError):
        decode_acts(canonical.pack([*good, [5]]))


def test_more_acts_than_anybody_does_at_once_are_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        decode_acts(encode_acts([ACTS[-1]] * 65))


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(max_size=20)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=12),
    max_leaves=40,
)


@given(JUNK | st.lists(st.lists(JUNK, min_size=1).map(lambda x: [1 + len(x) % 4, *x])))
def test_no_value_raises_anything_but_malformed(value: object) -> None:
    with contextlib.suppress(RemoteProtocolError):
        decode_acts(canonical.pack(value))
