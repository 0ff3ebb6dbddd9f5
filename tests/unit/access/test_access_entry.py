"""``protocol/access-log.md``, *Body*."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casesync.access.access_entry import (
    AccessEntry,
    AccessSegment,
    Outcome,
    Shown,
    decode_entry,
    decode_segment,
    encode_entry,
    encode_segment,
    entry_hash,
    seal_plan,
)
from casesync.codec import canonical
from casesync.crypto.key_schedule import H
from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.ids import Compartment, MemberId, RecordId, StreamId, UnitId

ENTRY = AccessEntry(
    sequence=7,
    clock_ms=1_790_000_000_000,
    action="read",
    outcome=Outcome.SUCCESS,
    member=MemberId(b"m" * 16),
    role="caseworker",
    unit=UnitId(b"u" * 16),
    stream=StreamId(b"s" * 16),
    records=(RecordId(b"r" * 16),),
    compartments=(Compartment.IDENTITY, Compartment.CONTACT),
    purpose="case_work",
    basis=None,
    control_size=12,
    detail=None,
)
ENTRIES = [
    ENTRY,
    replace(ENTRY, outcome=Outcome.REFUSED, detail="compartment-not-allowed", records=()),
    replace(ENTRY, action="search", stream=None, detail=Shown(hits=3, records=ENTRY.records)),
    replace(ENTRY, basis=b"g" * 16, purpose="", compartments=()),
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_survives_its_bytes(entry: AccessEntry) -> None:
    body = encode_entry(entry)
    assert decode_entry(body) == entry
    assert encode_entry(decode_entry(body)) == body


LOOK = replace(ENTRY, action="conflict", compartments=())
ACT = replace(ENTRY, action="conflict", records=())
SHOWN = Shown(hits=0, records=())


@pytest.mark.parametrize(
    ("entry", "is_look"),
    [
        (LOOK, True),
        (replace(LOOK, stream=None, records=(), detail=SHOWN), True),
        (replace(ENTRY, action="consent"), True),
        (replace(ENTRY, action="consent", records=(), compartments=()), True),
        (ACT, False),
        (replace(ACT, detail="đã gặp tận nơi"), False),
        (replace(ACT, compartments=(), outcome=Outcome.REFUSED, detail="no-right"), False),
        (replace(ACT, compartments=(), detail="the reason, as older clients kept it"), False),
        (replace(ACT, action="consent"), False),
        (replace(ENTRY, action="export"), True),
        (replace(ENTRY, action="create"), False),
        (replace(ENTRY, action="administer", outcome=Outcome.REFUSED), False),
    ],
)
def test_an_entry_tells_who_looked_from_who_decided(entry: AccessEntry, is_look: bool) -> None:
    """access-log.md: by what it names, so that entries of every version tell."""
    assert entry.is_look is is_look


def test_a_segment_survives_its_bytes() -> None:
    rows = [(7, encode_entry(ENTRY)), (8, encode_entry(replace(ENTRY, sequence=8)))]
    segment = seal_plan(rows, b"h" * 32)
    assert decode_segment(encode_segment(segment)) == segment
    assert segment == AccessSegment(
        first_sequence=7, previous_hash=b"h" * 32, entries=(rows[0][1], rows[1][1])
    )


def test_an_entry_hash_binds_the_entry_and_everything_before() -> None:
    body = encode_entry(ENTRY)
    assert entry_hash(b"p" * 32, body) == H("access-entry", b"p" * 32 + body)
    assert entry_hash(b"p" * 32, body) != entry_hash(b"q" * 32, body)
    assert entry_hash(b"p" * 32, body) != entry_hash(b"p" * 32, body + b"\x00")


def altered(position: int, value: object) -> list[object]:
    fields: list[object] = canonical.unpack(encode_entry(ENTRY))
    fields[position] = value
    return fields


@pytest.mark.parametrize(
    "fields",
    [
        None,
        [],
        [1] * 13,
        [1] * 15,
        altered(0, 0),
        altered(0, 2**48),
        altered(1, -1),
        altered(2, "peek"),
        altered(2, None),
        altered(2, []),
        altered(3, 1),
        altered(3, False),
        altered(4, b"m"),
        altered(5, ""),
        altered(6, None),
        altered(7, b"s" * 15),
        altered(8, [b"r" * 15]),
        altered(8, [b"r" * 16] * 1025),
        altered(9, [6, 2]),
        altered(9, [0]),
        altered(10, None),
        altered(11, b""),
        altered(12, True),
        altered(13, [1]),
        altered(13, [1, [b"x"]]),
        altered(13, 1),
        altered(13, "x" * 2049),
    ],
)
def test_a_malformed_entry_is_refused(fields: object) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_entry(canonical.pack(fields))


@pytest.mark.parametrize(
    "body",
    [
        None,
        [1, b"h" * 32],
        [1, b"h" * 32, []],
        [1, b"h" * 32, ["text"]],
        [0, b"h" * 32, [b"e"]],
        [1, b"h" * 31, [b"e"]],
        [1, b"h" * 32, [None]],
    ],
)
def test_a_malformed_segment_is_refused(body: object) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_segment(canonical.pack(body))
