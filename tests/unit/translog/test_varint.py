"""Numbers of frames have one form (protocol/sync.md, *Frame*)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.foundation.errors import RelayMisbehaviour
from casesync.translog.varint import put_varints, read_varint

WIDTHS = [16, 32, 48]


def written(number):
    out = bytearray()
    put_varints(out, number)
    return bytes(out)


@given(st.integers(0, 48).flatmap(lambda bits: st.integers(max(0, (1 << bits) - 2), 1 << bits)))
def test_a_number_is_read_as_it_was_written_in_as_few_bytes_as_it_needs(number):
    data = b"before" + written(number) + b"\xffbehind"
    assert read_varint(data, 6, 49) == (number, len(data) - 7)
    assert len(written(number)) == max(1, -(-number.bit_length() // 7))


@pytest.mark.parametrize("bits", WIDTHS)
def test_a_number_at_its_bound_is_read_and_one_beyond_is_not(bits):
    largest = written((1 << bits) - 1)
    assert read_varint(largest, 0, bits) == ((1 << bits) - 1, len(largest))
    refused(written(1 << bits), bits)


@pytest.mark.parametrize("bits", WIDTHS)
@given(number=st.integers(0, (1 << 16) - 1), zeros=st.integers(0, 9))
def test_a_number_with_zeros_behind_it_is_refused(bits, number, zeros):
    data = bytearray(written(number))
    data[-1] |= 0x80
    refused(bytes(data) + b"\x80" * zeros + b"\x00", bits)


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("byte", [b"\x80", b"\xff"])
def test_a_number_without_end_is_refused_after_a_few_bytes(bits, byte):
    for count in (1, 2):
        with pytest.raises(IndexError):
            read_varint(byte * count, 0, bits)
    refused(byte * 100, bits)


def refused(data, bits):
    with pytest.raises(RelayMisbehaviour) as caught:
        read_varint(data, 0, bits)
    assert (caught.value.code, caught.value.params) == ("page-contradicts-log", {"what": "frame"})
