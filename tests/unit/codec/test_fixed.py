"""Fixed layouts (protocol/conventions.md, *Bytes*)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec import fixed
from casesync.foundation.errors import RemoteProtocolError

WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "u48": 6, "u64": 8}


@pytest.mark.parametrize(("name", "width"), WIDTHS.items())
def test_integers_are_big_endian_of_their_width(name, width):
    number = int.from_bytes(bytes(range(1, width + 1)), "big")
    written = getattr(fixed, name)(number)
    assert written == bytes(range(1, width + 1))
    assert getattr(fixed.Reader(written), name)() == number
    with pytest.raises(OverflowError):
        getattr(fixed, name)(256**width)


@given(st.binary(max_size=30), st.integers(-5, 40))
def test_a_reader_gives_exactly_what_is_there_or_refuses(data, count):
    reader = fixed.Reader(data)
    if 0 <= count <= len(data):
        assert reader.take(count) == data[:count]
        assert reader.rest() == data[count:]
        reader.done()
    else:
        with pytest.raises(RemoteProtocolError):
            reader.take(count)
        assert reader.position == 0


def test_left_over_bytes_are_refused():
    reader = fixed.Reader(b"\x01\x02", "thing")
    reader.u8()
    with pytest.raises(RemoteProtocolError) as caught:
        reader.done()
    assert caught.value.params == {"what": "thing"}
