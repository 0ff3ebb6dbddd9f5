"""Change header (protocol/change.md, *Header*)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.limits import HEADER_BYTES_MAX
from casesync.translog.header import (
    PLAIN_TABLE_BYTES,
    After,
    SegmentEntry,
    encode_head,
    encode_header,
    head_bytes,
    head_length,
    parse_header,
    plain_header,
)

U32 = st.integers(1, 2**32 - 1)
U48 = st.integers(1, 2**48 - 1)
LENGTHS = st.sampled_from([64, 128, 192, 256, 384, 512, 544, 1024, 61440])


@st.composite
def headers(draw):
    number = draw(st.integers(1, 2**48 - 1))
    device = draw(U32)
    after = draw(
        st.dictionaries(
            U32.filter(lambda d: d != device),
            st.tuples(U48, st.binary(min_size=8, max_size=8)),
            max_size=6,
        )
    )
    size = draw(st.just(0) | U48)
    kinds = sorted(draw(st.sets(st.integers(0, 9), min_size=1)))
    head = encode_head(
        device=device,
        number=number,
        stream=draw(st.binary(min_size=16, max_size=16)),
        previous_here=draw(st.integers(0, number - 1)),
        after=[(d, *row) for d, row in after.items()],
        control_size=draw(U48),
        random8=draw(st.binary(min_size=8, max_size=8)),
        checkpoint_size=size,
        checkpoint_root=bytes(32) if size else b"",
        generation=draw(st.integers(0, 2**16 - 1)),
    )
    rows = [
        (kind, bytes(8) if kind == 0 else bytes([kind]) * 8, draw(LENGTHS), bytes([kind]) * 32)
        for kind in kinds
    ]
    return head, encode_header(head, rows), rows, after


@given(headers())
def test_a_header_is_read_as_it_was_written(made):
    head, data, rows, after = made
    header = parse_header(data)
    assert head_length(data) == len(head)
    assert head_bytes(data, header) == head
    assert header.segments == tuple(SegmentEntry(*row) for row in rows)
    assert header.after == tuple(After(d, *after[d]) for d in sorted(after))
    again = encode_head(
        device=header.device,
        number=header.number,
        stream=header.stream,
        previous_here=header.previous_here,
        after=header.after,
        control_size=header.control_size,
        random8=header.random8,
        checkpoint_size=header.checkpoint_size,
        checkpoint_root=header.checkpoint_root,
        generation=header.generation,
    )
    assert again == head


def _read_both(data):
    """What the plain reader and the full one say: None where they refuse or decline."""
    try:
        header = parse_header(data)
    except RemoteProtocolError:
        header = None
    return plain_header(data), header


@given(headers())
def test_the_plain_reader_takes_every_plain_header_and_no_other(made):
    plain, header = _read_both(made[1])
    first = header.segments[0]
    expected = (
        len(header.segments) == 1
        and first.kind != 0
        and first.length <= 512
        and len(header.after) <= 8
    )
    if not expected:
        assert plain is None
        return
    assert plain == (header.number, header.control_size, first.kind, first.key_name)
    assert made[1][:-PLAIN_TABLE_BYTES] == made[0]


@given(headers(), st.data())
def test_the_plain_reader_takes_nothing_that_the_full_one_refuses(made, data):
    changed = bytearray(made[1])
    place = data.draw(st.integers(0, len(changed) - 1))
    changed[place : place + data.draw(st.sampled_from([0, 1, 4, 6]))] = data.draw(
        st.binary(max_size=6) | st.integers(1, 6).map(bytes)
    )
    plain, header = _read_both(bytes(changed))
    if plain is not None:
        assert header is not None
        assert plain[:2] == (header.number, header.control_size)


@given(headers(), st.data())
def test_a_header_cut_short_or_lengthened_is_refused(made, data):
    whole = made[1]
    cut = data.draw(st.integers(0, len(whole) - 1))
    for bad in (whole[:cut], whole + b"\x00"):
        with pytest.raises(RemoteProtocolError):
            parse_header(bad)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_raise_a_foreign_error(data):
    for read in (parse_header, head_length, plain_header):
        with contextlib.suppress(RemoteProtocolError):
            read(data)


STREAM = bytes(range(16))


def _header(segments=((2, b"n" * 8, 64, bytes(32)),), **changed):
    fields = {
        "device": 3,
        "number": 7,
        "stream": STREAM,
        "previous_here": 5,
        "after": [],
        "control_size": 9,
        "random8": bytes(8),
    }
    return encode_header(encode_head(**{**fields, **changed}), list(segments))


ROW = (2, b"n" * 8, 64, bytes(32))
REFUSED = {
    "device 0": {"device": 0},
    "number 0": {"number": 0, "previous_here": 0},
    "previous here not below its number": {"previous_here": 7},
    "after names the author": {"after": [(3, 1, bytes(8))]},
    "after names device 0": {"after": [(0, 1, bytes(8))]},
    "after names number 0": {"after": [(1, 0, bytes(8))]},
    "after names a device twice": {"after": [(1, 1, bytes(8)), (1, 2, bytes(8))]},
    "no segment": {"segments": []},
    "17 segments": {"segments": [(kind, b"n" * 8, 64, bytes(32)) for kind in range(1, 18)]},
    "kinds descend": {"segments": [(3, b"n" * 8, 64, bytes(32)), ROW]},
    "a kind twice": {"segments": [ROW, ROW]},
    "a key name on the unsealed segment": {"segments": [(0, b"n" * 8, 10, bytes(32))]},
    "an empty unsealed segment": {"segments": [(0, bytes(8), 0, bytes(32))]},
    "a length that is no padding class": {"segments": [(2, b"n" * 8, 65, bytes(32))]},
    "a length that is no Padme length": {"segments": [(2, b"n" * 8, 545, bytes(32))]},
    "a length below the classes": {"segments": [(2, b"n" * 8, 0, bytes(32))]},
    "a segment over 1 MB": {"segments": [(2, b"n" * 8, 2**21, bytes(32))]},
    "a change over 2 MB": {
        "segments": [(kind, b"n" * 8, 2**20, bytes(32)) for kind in range(1, 4)]
    },
}


@pytest.mark.parametrize("changed", REFUSED.values(), ids=REFUSED)
def test_a_header_the_specification_forbids_is_refused(changed):
    _header()
    with pytest.raises(ValueError, match="not a valid header"):
        _header(**changed)


def test_another_suite_is_refused():
    """Attack 13: nothing is negotiated."""
    data = bytearray(_header())
    data[0] = 2
    with pytest.raises(RemoteProtocolError, match="suite"):
        parse_header(bytes(data))


def test_the_layout_is_the_one_in_the_specification():
    data = _header(checkpoint_size=4, checkpoint_root=b"r" * 32, after=[(2, 6, b"l" * 8)])
    assert data == (
        b"\x01\x00\x00"
        b"\x00\x00\x00\x03"
        b"\x00\x00\x00\x00\x00\x07" + STREAM + b"\x00\x00\x00\x00\x00\x05"
        b"\x01"
        + b"\x00\x00\x00\x02"
        + b"\x00\x00\x00\x00\x00\x06"
        + b"l" * 8
        + b"\x00\x00\x00\x00\x00\x09"
        + bytes(8)
        + b"\x00\x00\x00\x00\x00\x04"
        + b"r" * 32
        + b"\x01"
        b"\x02" + b"n" * 8 + b"\x00\x00\x00\x40" + bytes(32)
    )


def test_the_largest_header_fits_and_nothing_larger_is_read():
    """255 after entries and 16 segments stay below 8 kB; longer bytes are not looked at."""
    after = [(device, 1, bytes(8)) for device in range(4, 4 + 255)]
    segments = [(kind, b"n" * 8, 64, bytes(32)) for kind in range(1, 17)]
    data = _header(segments, after=after, checkpoint_size=1, checkpoint_root=bytes(32))
    assert len(parse_header(data).after) == 255
    assert len(data) <= HEADER_BYTES_MAX
    with pytest.raises(RemoteProtocolError, match="length"):
        parse_header(data + bytes(HEADER_BYTES_MAX))


@pytest.mark.parametrize(
    "changed",
    [
        {"after": [(device, 1, bytes(8)) for device in range(4, 4 + 256)]},
        {"checkpoint_size": 1},
        {"checkpoint_root": bytes(32)},
        {"checkpoint_size": 1, "checkpoint_root": bytes(31)},
        {"stream": bytes(15)},
        {"random8": bytes(9)},
        {"after": [(1, 1, bytes(7))]},
        {"number": 2**48},
        {"number": -1},
        {"control_size": 2**48},
    ],
)
def test_a_head_that_cannot_be_is_not_written(changed):
    with pytest.raises(ValueError, match=r"255|8|48"):
        _header(**changed)


def test_numbers_reach_to_48_bits():
    data = _header(number=2**48 - 1, previous_here=2**48 - 2, control_size=2**48 - 1)
    header = parse_header(data)
    assert (header.number, header.previous_here) == (2**48 - 1, 2**48 - 2)
    assert header.control_size == 2**48 - 1


def test_sizes_reach_exactly_to_their_bounds():
    row = (2, b"n" * 8, 2**20, bytes(32))
    assert len(parse_header(_header([row, (3, *row[1:])])).segments) == 2
    with pytest.raises(ValueError, match="not a valid header"):
        _header([row, (3, *row[1:]), (4, b"n" * 8, 64, bytes(32))])
    with pytest.raises(ValueError, match="not a valid header"):
        _header([(0, bytes(8), 2**20 + 1, bytes(32))])
    _header([(0, bytes(8), 2**20, bytes(32))])


def test_a_row_more_than_the_count_is_refused():
    two = _header([(2, b"n" * 8, 64, bytes(32)), (3, b"n" * 8, 64, bytes(32))])
    count_at = len(two) - 2 * 45 - 1
    assert two[count_at] == 2
    for count in (1, 3):
        with pytest.raises(RemoteProtocolError, match="length"):
            parse_header(two[:count_at] + bytes([count]) + two[count_at + 1 :])


def test_the_head_of_too_few_bytes_has_no_length():
    whole = encode_head(
        device=1,
        number=1,
        stream=STREAM,
        previous_here=0,
        after=[],
        control_size=1,
        random8=bytes(8),
    )
    assert head_length(whole) == len(whole)
    for cut in range(len(whole)):
        with pytest.raises(RemoteProtocolError):
            head_length(whole[:cut])


@pytest.mark.parametrize("size", [1, 2**32 - 1, 2**32, 2**48 - 1])
def test_a_root_stands_behind_every_size_but_0(size):
    data = _header(checkpoint_size=size, checkpoint_root=b"r" * 32)
    header = parse_header(data)
    assert (header.checkpoint_size, header.checkpoint_root) == (size, b"r" * 32)
    assert head_length(data) == len(head_bytes(data, header))
