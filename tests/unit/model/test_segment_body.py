"""Bodies of content segments (change.md, Content segment)."""

from __future__ import annotations

import msgpack
import pytest

from casesync.foundation.errors import RemoteProtocolError, UsageError
from casesync.model.cells import SIMPLE_FORMS, CellId, Form
from casesync.model.segment_body import (
    Copy,
    Replacement,
    Write,
    cells_of,
    copy_at,
    decode_content,
    encode_content,
    encode_copies,
    forms_of,
    is_copies,
    values_of,
    write_at,
)

RECORD = bytes(range(16))
OTHER = b"\xaa" * 16
KEY = 2 << 4 | 3
LINK = b"linklink"


def body(*items: object) -> bytes:
    return msgpack.packb(list(items))


def simple(**changed: object) -> bytes:
    """A small good body, with parts of it changed."""
    parts = {"clock": 5, "version": 1, "replaces": [], "record": RECORD, "type": 2}
    parts |= {"scalars": [KEY, "x"]} | changed
    group = [parts["record"], parts["type"], parts["scalars"]]
    return body(parts["clock"], parts["version"], parts["replaces"], parts.get("groups", [group]))


def scalar(field: int, record: bytes = RECORD) -> CellId:
    return CellId(record, 2, field, None, 0)


def test_what_is_encoded_is_decoded_with_positions() -> None:
    writes = [
        Write(scalar(1), 3, "a"),
        Write(CellId(RECORD, 2, 4, "gbv", 0), 5, True),
        Write(CellId(RECORD, 2, 4, OTHER, 2), 5, [1, "b"]),
        Write(scalar(1, OTHER), 1, None),
        Write(scalar(3), 2, 7),
    ]
    replaces = [Replacement(3, 9, LINK, 5), Replacement(4, 1, LINK, 1 << 200)]
    content = decode_content(encode_content(77, 2, replaces, writes))
    assert content[:2] == [77, 2]
    assert [tuple(entry) for entry in content[2]] == [tuple(r) for r in replaces]
    assert not is_copies(content)
    assert [write_at(content, n) for n in range(5)] == [
        writes[0],
        writes[4],
        writes[1],
        writes[2],
        writes[3],
    ]
    assert cells_of(content) == [write_at(content, n).cell for n in range(5)]
    assert values_of(content) == [write_at(content, n)[1:] for n in range(5)]
    with pytest.raises(IndexError):
        write_at(content, 5)


def test_equal_forms_without_elements_are_one_object() -> None:
    first = decode_content(simple(scalars=[KEY, "x", 49, 1]))
    second = decode_content(simple(scalars=[KEY, None, 49, b"y"], record=OTHER))
    assert forms_of(first)[0] is forms_of(second)[0]
    assert forms_of(first)[0].fields == {2, 3}


def test_the_fast_and_the_general_way_give_the_same() -> None:
    """A form met before is read without further checks of its keys."""
    data = simple(scalars=[KEY, "x", 4 << 4 | 1, -1], replaces=[[1, 2, LINK, 3]])
    SIMPLE_FORMS.clear()
    slow = decode_content(data)
    assert decode_content(data) == slow
    assert isinstance(slow[4], Form)


def test_copies_keep_identity_value_and_what_they_replace() -> None:
    copies = [
        Copy(3, 9, LINK, 1, scalar(5), 4, 12, "low", (Replacement(1, 2, LINK, 3),)),
        Copy(4, 8, LINK, 255, CellId(RECORD, 2, 6, "a", 2), 5, 13, None, ()),
    ]
    content = decode_content(encode_copies(1, 1, b"g" * 16, 1, 2, copies))
    assert is_copies(content)
    assert [copy_at(content, 0), copy_at(content, 1)] == copies
    assert [form.fields for form in forms_of(content)] == [{5}, {6}]


MALFORMED = {
    "not an array": body()[:0] + msgpack.packb(5),
    "nothing": b"",
    "cut off": simple()[:-1],
    "two values": simple() + b"\x00",
    "two elements": body(1, 2),
    "five elements": body(1, 1, [], [[RECORD, 2, [KEY, 1]]], 0),
    "negative clock": simple(clock=-1),
    "clock over 48 bits": simple(clock=1 << 48),
    "clock a text": simple(clock="5"),
    "clock a boolean": simple(clock=True),
    "version nil": simple(version=None),
    "replaces nil": body(1, 1, None, [[RECORD, 2, [KEY, 1]]]),
    "groups nil": simple(groups=None),
    "no groups": simple(groups=[]),
    "groups a map": simple(groups={1: 2}),
    "empty group": simple(scalars=[]),
    "record too short": simple(record=b"x" * 15),
    "record a text": simple(record="x" * 16),
    "type zero": simple(type=0),
    "type a boolean": simple(type=True),
    "type too large": simple(type=1 << 16),
    "scalars a text": simple(scalars="ab"),
    "scalars bytes": simple(scalars=bytes([KEY, 1])),
    "odd scalars": simple(scalars=[KEY, 1, 49]),
    "key zero": simple(scalars=[0, 1]),
    "key without resolver": simple(scalars=[32, 1]),
    "key of field 0": simple(scalars=[3, 1]),
    "key a boolean": simple(scalars=[True, 1]),
    "key a float": simple(scalars=[float(KEY), 1]),
    "key a text": simple(scalars=["35", 1]),
    "key too large": simple(scalars=[1 << 20, 1]),
    "one cell twice": simple(scalars=[KEY, 1, KEY, 2]),
    "one cell under two resolvers": simple(scalars=[KEY, 1, KEY + 1, 2]),
    "one cell in two groups": simple(groups=[[RECORD, 2, [KEY, 1]], [RECORD, 2, [KEY, 1]]]),
    "float value": simple(scalars=[KEY, 1.5]),
    "map value": simple(scalars=[KEY, {"a": 1}]),
    "extension value": simple(scalars=[KEY, msgpack.ExtType(4, b"x")]),
    "empty extension": simple(scalars=[KEY, msgpack.ExtType(4, b"")]),
    "timestamp value": simple(scalars=[KEY, msgpack.Timestamp(1)]),
    "nested too deep": simple(scalars=[KEY, [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]),
    "not UTF-8": simple(scalars=[KEY, "ab"]).replace(b"\xa2ab", b"\xa2\xff\xff"),
    "257 cells": simple(scalars=[x for n in range(1, 258) for x in (n << 4 | 3, 0)]),
    "element a number": simple(groups=[[RECORD, 2, [], [[KEY, 5, 0, True]]]]),
    "element nil": simple(groups=[[RECORD, 2, [], [[KEY, None, 0, True]]]]),
    "element 15 bytes": simple(groups=[[RECORD, 2, [], [[KEY, b"x" * 15, 0, True]]]]),
    "element very long": simple(groups=[[RECORD, 2, [], [[KEY, "x" * 257, 0, True]]]]),
    "element row short": simple(groups=[[RECORD, 2, [], [[KEY, "a", 0]]]]),
    "part negative": simple(groups=[[RECORD, 2, [], [[KEY, "a", -1, True]]]]),
    "element twice": simple(groups=[[RECORD, 2, [], [[KEY, "a", 0, 1], [KEY, "a", 0, 2]]]]),
    "entry too short": simple(replaces=[[1, 2, LINK]]),
    "entry a number": simple(replaces=[5]),
    "device zero": simple(replaces=[[0, 2, LINK, 1]]),
    "device a boolean": simple(replaces=[[True, 2, LINK, 1]]),
    "number over 48 bits": simple(replaces=[[1, 1 << 48, LINK, 1]]),
    "link too short": simple(replaces=[[1, 2, LINK[:7], 1]]),
    "negative mask": simple(replaces=[[1, 2, LINK, -1]]),
    "mask a float": simple(replaces=[[1, 2, LINK, 1.0]]),
    "mask of bytes below 2^64": simple(replaces=[[1, 2, LINK, b"\xff" * 8]]),
    "mask with leading zero": simple(replaces=[[1, 2, LINK, b"\x00" + b"\xff" * 8]]),
    "mask over 256 bits": simple(replaces=[[1, 2, LINK, b"\x01" * 33]]),
    "4097 entries": simple(replaces=[[1, 2, LINK, 1]] * 4097),
    "copies of three": body(1, 1, [b"g" * 16, 1, 1]),
    "grant id short": body(1, 1, [b"g", 1, 1, []]),
    "part beyond parts": body(1, 1, [b"g" * 16, 2, 1, []]),
    "part zero of one": body(1, 1, [b"g" * 16, 0, 1, []]),
    "copy short": body(1, 1, [b"g" * 16, 1, 1, [[1, 2, LINK, 0]]]),
    "copy of a part without element": body(
        1, 1, [b"g" * 16, 1, 1, [[1, 2, LINK, 0, RECORD, 2, KEY, None, 1, 5, "x", []]]]
    ),
    "copy at position 256": body(
        1, 1, [b"g" * 16, 1, 1, [[1, 2, LINK, 256, RECORD, 2, KEY, None, 0, 5, "x", []]]]
    ),
}


@pytest.mark.parametrize("fault", MALFORMED)
@pytest.mark.parametrize("known", [True, False])
def test_malformed_bodies_are_refused(fault: str, known: bool) -> None:
    """change.md, Content segment: the same verdict whether or not the form was met before."""
    SIMPLE_FORMS.clear()
    if known:
        decode_content(simple())
        decode_content(simple(type=1))
    with pytest.raises(RemoteProtocolError) as raised:
        decode_content(MALFORMED[fault])
    assert raised.value.code == "malformed"


def test_values_of_any_allowed_type_pass() -> None:
    """What a value may be is judged where it is shown, not here."""
    for value in (None, True, -1, 2**64 - 1, "\x1b[2J\u202e", b"", [], [[1, ["a"]]], "x" * 60_000):
        assert write_at(decode_content(simple(scalars=[KEY, value])), 0).value == value


def test_no_more_than_256_cells_can_be_written() -> None:
    writes = [Write(scalar(n), 3, 0) for n in range(1, 258)]
    content = decode_content(encode_content(1, 1, [], writes[:256]))
    assert len(cells_of(content)) == 256
    with pytest.raises(UsageError) as raised:
        encode_content(1, 1, [], writes)
    assert raised.value.code == "change-too-large"


def test_a_megabyte_of_text_is_refused_before_it_is_sealed() -> None:
    with pytest.raises(UsageError) as raised:
        encode_content(1, 1, [], [Write(scalar(1), 3, "x" * 1024 * 1024)])
    assert raised.value.code == "change-too-large"


def test_a_large_form_is_decoded_alike_once_it_was_met() -> None:
    """Its mask is no msgpack integer, so it is not simple: not the second time either."""
    for size, is_simple in ((64, True), (65, False)):
        scalars = [part for field in range(100, 100 + size) for part in (field << 4 | 3, "x")]
        packed = simple(scalars=scalars)
        contents = [decode_content(packed) for _ in range(2)]
        assert [isinstance(content[4], Form) for content in contents] == [is_simple] * 2
        assert contents[0] == contents[1]
