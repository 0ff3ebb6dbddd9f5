"""Unsealed segment (protocol/change.md, *Unsealed segment*)."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec.canonical import pack
from casesync.foundation.errors import RemoteProtocolError
from casesync.translog.unsealed import (
    Box,
    FeedLink,
    MoreBoxes,
    Predecessor,
    Statement,
    decode_unsealed,
    encode_unsealed,
    first_statement_position,
    stream_id,
)

BOX = Box(b"k" * 8, 1, b"b" * 48)
HPKE = Box(b"l" * 8, 2, b"b" * 1168)


def test_every_kind_of_item_comes_back_with_its_position():
    at = first_statement_position(b"r" * 16)
    statements = (
        Statement(at, 1, b"c" * 32, (BOX, HPKE), Predecessor(2, 3, 0, b"s" * 48)),
        Statement(at + 1, 2, b"d" * 32, (), None),
    )
    boxes = (MoreBoxes(1, 2, 3, (BOX,)),)
    links = (FeedLink(b"f" * 16, True), FeedLink(b"g" * 16, False))
    data = encode_unsealed(b"r" * 16, statements, boxes, links)
    assert decode_unsealed(data) == (b"r" * 16, statements, boxes, links)


def test_a_statement_cannot_be_written_under_another_position():
    with pytest.raises(ValueError, match="position"):
        encode_unsealed(b"r" * 16, [Statement(0, 2, b"c" * 32, (), None)])


GOOD_BOX = [b"k" * 8, 1, b"b" * 48]
MALFORMED = {
    "no array": 1,
    "no item": [],
    "item without code": [[]],
    "true as code": [[True, b"r" * 16]],
    "unknown code": [[5, 1]],
    "short random": [[1, b"r" * 15]],
    "map as item": [{0: 4}],
    "bytes as item": [b"\x04f"],
    "commitment as text": [[2, 2, "c" * 32, [], None]],
    "two openings": [[1, b"r" * 16], [1, b"q" * 16]],
    "unknown compartment": [[2, 10, b"c" * 32, [], None]],
    "compartment 0": [[2, 0, b"c" * 32, [], None]],
    "compartment true": [[2, True, b"c" * 32, [], None]],
    "compartment nil": [[2, None, b"c" * 32, [], None]],
    "short commitment": [[2, 2, b"c" * 31, [], None]],
    "boxes missing": [[2, 2, b"c" * 32, None, None]],
    "box of another length": [[2, 2, b"c" * 32, [[b"k" * 8, 1, b"b" * 47]], None]],
    "box with epoch 0": [[2, 2, b"c" * 32, [[b"k" * 8, 0, b"b" * 48]], None]],
    "box with epoch true": [[2, 2, b"c" * 32, [[b"k" * 8, True, b"b" * 48]], None]],
    "box with a huge epoch": [[2, 2, b"c" * 32, [[b"k" * 8, 2**32, b"b" * 48]], None]],
    "box with a long key name": [[2, 2, b"c" * 32, [[b"k" * 9, 1, b"b" * 48]], None]],
    "predecessor outside base": [[2, 2, b"c" * 32, [GOOD_BOX], [1, 1, 0, b"s" * 48]]],
    "predecessor too short": [[2, 1, b"c" * 32, [GOOD_BOX], [1, 1, 0, b"s" * 47]]],
    "predecessor of nobody": [[2, 1, b"c" * 32, [GOOD_BOX], [0, 1, 0, b"s" * 48]]],
    "predecessor as number": [[2, 1, b"c" * 32, [GOOD_BOX], 1]],
    "boxes for position 256": [[3, 1, 1, 256, [GOOD_BOX]]],
    "boxes for a negative number": [[3, 1, -1, 0, [GOOD_BOX]]],
    "boxes for a text": [[3, "1", 1, 0, [GOOD_BOX]]],
    "feed of 15 bytes": [[4, b"f" * 15, True]],
    "feed linked by a number": [[4, b"f" * 16, 1]],
    "an item too long": [[4, b"f" * 16, True, 1]],
    "257 items": [[4, b"f" * 16, True]] * 257,
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_segment_is_refused(value):
    with pytest.raises(RemoteProtocolError) as caught:
        decode_unsealed(pack(value))
    assert caught.value.code == "malformed"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 300) | st.sampled_from([b"r" * 16, b"c" * 32]),
    lambda inner: st.lists(inner, max_size=5),
)


@given(st.lists(st.lists(ANYTHING, max_size=5), max_size=4))
def test_any_array_is_read_or_refused_with_our_own_error(value):
    try:
        items = decode_unsealed(pack(value))
    except RemoteProtocolError:
        return
    assert len(items.statements) + len(items.boxes) + len(items.feed_links) <= len(value)


def test_a_stream_id_derives_from_its_opening():
    place = b"\x00\x00\x00\x02" + b"\x00\x00\x00\x00\x00\x03"
    whole = sha256(b"casesync/v1/stream-id\x00" + b"n" * 32 + place + b"r" * 16).digest()
    assert stream_id(b"n" * 32, 2, 3, b"r" * 16) == whole[:16]


@pytest.mark.parametrize(
    "statement_id",
    [
        (0, 1, 0),
        (2**32, 1, 0),
        (1, 0, 0),
        (1, 2**48, 0),
        (1, 1, -1),
        (1, 1, 256),
        (True, 1, 0),
        (1, True, 0),
        (1, 1, True),
    ],
)
def test_a_statement_id_out_of_bounds_is_refused(statement_id):
    with pytest.raises(RemoteProtocolError):
        decode_unsealed(pack([[3, *statement_id, []]]))


def test_a_statement_id_reaches_exactly_to_its_bounds():
    largest = (2**32 - 1, 2**48 - 1, 255)
    for statement_id in (largest, (1, 1, 0)):
        [more] = decode_unsealed(pack([[3, *statement_id, [GOOD_BOX]]])).boxes
        assert more[:3] == statement_id


def test_counts_reach_exactly_to_their_bounds():
    assert len(decode_unsealed(pack([[4, b"f" * 16, True]] * 256)).feed_links) == 256
    whole = [GOOD_BOX] * 4096
    assert len(decode_unsealed(pack([[3, 1, 1, 0, whole]])).boxes[0].boxes) == 4096
    with pytest.raises(RemoteProtocolError):
        decode_unsealed(pack([[3, 1, 1, 0, [*whole, GOOD_BOX]]]))
    [more] = decode_unsealed(pack([[3, 1, 1, 0, [[b"k" * 8, 2**32 - 1, b"b" * 48]]]])).boxes
    assert more.boxes[0].epoch == 2**32 - 1
