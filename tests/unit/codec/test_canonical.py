"""Canonical msgpack (protocol/conventions.md, *msgpack*)."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.codec import canonical
from casesync.codec.canonical import pack, pack_flat, unpack, unpack_fast, unpack_long
from casesync.foundation.errors import RemoteProtocolError

INTEGERS = st.integers(min_value=-(2**63), max_value=2**64 - 1)
SCALARS = st.none() | st.booleans() | INTEGERS | st.text(max_size=40) | st.binary(max_size=300)
KEYS = st.integers(min_value=0, max_value=2**64 - 1)


def _sorted(value):
    return dict(sorted(value.items()))


VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=20) | st.dictionaries(KEYS, inner, max_size=20).map(_sorted)
    ),
    max_leaves=30,
)


@given(VALUES)
def test_what_is_packed_comes_back_and_has_one_encoding(value):
    data = pack(value)
    assert unpack(data) == value
    assert unpack_fast(data) == value
    assert pack(unpack(data)) == data


@given(st.binary(max_size=200))
def test_any_bytes_either_decode_to_their_own_encoding_or_are_refused(data):
    try:
        value = unpack(data)
    except RemoteProtocolError:
        return
    assert pack(value) == data


NOT_CANONICAL = {
    "integer in two bytes": b"\xcc\x01",
    "integer as signed": b"\xd0\x01",
    "string with a long length": b"\xd9\x01a",
    "binary with a long length": b"\xc5\x00\x01a",
    "array with a long length": b"\xdc\x00\x01\x01",
    "map with a long length": b"\xde\x00\x01\x01\x01",
}


@given(VALUES, st.integers(0, 400), st.sampled_from([b"", b"\x00", b"\xc0\x01", None]))
def test_what_is_compared_in_parts_is_compared_whole(value, at, other):
    data = pack(value)
    cut = data[:at] if other is None else data[:at] + other + data[at + len(other) :]
    longer = data + (other or b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "LARGE_BYTES", 0)
        patch.setattr(canonical, "_PART_ITEMS", 2)
        for read in (data, cut, longer):
            assert canonical._encodes_to(value, read) is (read == data)


needs_twin = pytest.mark.skipif(canonical.canonical_kernel is None, reason="not compiled here")
TAGS = st.sampled_from([bytes([tag]) for tag in (*range(0x78, 0xB0), *range(0xBC, 0x100))])
PIECES = TAGS | st.binary(max_size=3) | st.just(bytes(4)) | SCALARS.map(pack)


@needs_twin
@given(st.lists(PIECES, max_size=9).map(b"".join))
@settings(max_examples=2000)
def test_what_is_canonical_is_seen_alike_compiled_or_not(data):
    try:
        value = unpack_fast(data)
    except RemoteProtocolError:
        canonical.canonical_kernel.is_shortest(data)  # says something, within bounds
        return
    assert canonical.canonical_kernel.is_shortest(data) is canonical._encodes_to(value, data)


@needs_twin
@given(VALUES, st.data())
def test_one_part_in_another_form_is_seen(value, data):
    """Lengths and integers with more bytes than they need, keys twice or descending, floats."""
    packed = pack(value)
    at = data.draw(st.integers(0, len(packed) - 1))
    spoilt = packed[:at] + data.draw(PIECES) + packed[at + data.draw(st.integers(0, 9)) :]
    try:
        read = unpack_fast(spoilt)
    except RemoteProtocolError:
        return
    assert canonical.canonical_kernel.is_shortest(spoilt) is canonical._encodes_to(read, spoilt)


@needs_twin
@pytest.mark.parametrize("tag", [*range(0xC4, 0xC7), *range(0xCC, 0xD4), *range(0xD9, 0xE0)])
@pytest.mark.parametrize("edge", [0, 15, 16, 31, 32, 127, 128, 255, 256, 65535, 65536, 1 << 32])
@pytest.mark.parametrize("near", [-1, 0, 1])
def test_every_tag_is_read_alike_about_its_edges(tag, edge, near):
    number = edge + near
    if 0xCC <= tag <= 0xD3:
        width = 1 << (tag & 3)
    elif tag >= 0xDC:
        width = 2 << (tag & 1)
    else:
        width = 1 << (tag - (0xC4 if tag < 0xCC else 0xD9))
    for counted in {number, -number}:
        if not -(1 << 8 * width - 1) <= counted < 1 << 8 * width:
            continue
        is_number = 0xCC <= tag <= 0xD3
        items = b"" if is_number or not 0 <= counted <= 70000 else bytes(counted)
        if tag >= 0xDE:
            items = b"".join(pack(key) + b"\0" for key in range(len(items)))
        data = bytes([tag]) + (counted % (1 << 8 * width)).to_bytes(width, "big") + items
        try:
            value = unpack_fast(data, array_max=70000)
        except RemoteProtocolError:
            continue
        assert canonical.canonical_kernel.is_shortest(data) is canonical._encodes_to(value, data)


def same(value: object) -> object:
    """A value with lists for all its arrays."""
    if type(value) in canonical.ARRAYS:
        return [same(item) for item in value]  # type: ignore[attr-defined]
    if type(value) is dict:
        return {key: same(item) for key, item in value.items()}
    return value


LONG = st.lists(st.binary(max_size=40), min_size=1, max_size=40)
LONGER = st.tuples(LONG, st.lists(VALUES, max_size=2), st.integers(0, 40)).map(
    lambda parts: [*parts[0][: parts[2]], *parts[1], *parts[0][parts[2] :]]
)


@needs_twin
@given(VALUES, LONGER, st.booleans(), st.data())
@settings(max_examples=400)
def test_a_long_array_is_read_alike_in_its_message_or_as_a_list(other, items, wrapped, data):
    """Whatever is in it, and with any of its bytes changed."""
    packed = pack({1: other, 2: [items, 7], 9: None} if wrapped else items)
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(packed) - 1))
        packed = packed[:at] + data.draw(PIECES) + packed[at + data.draw(st.integers(0, 9)) :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "LARGE_BYTES", 0)
        patch.setattr(canonical, "LONG_ITEMS", data.draw(st.sampled_from([1, 2, 17])))
        array_max = data.draw(st.sampled_from([9, 30, 100]))
        try:
            value = unpack(packed, array_max=array_max)
        except RemoteProtocolError:
            with pytest.raises(RemoteProtocolError):
                unpack_long(packed, array_max=array_max)
            return
        assert same(unpack_long(packed, array_max=array_max)) == value


@needs_twin
@pytest.mark.parametrize("count", [15, 16, 4095, 4096, 65535, 65536])
def test_the_longest_array_of_a_large_message_stays_in_it(count, monkeypatch):
    monkeypatch.setattr(canonical, "LONG_ITEMS", 15)
    items = [bytes([at & 255]) * (1_200_000 // count) for at in range(count)]
    data = pack({0: [1] * 20, 1: [2, items, b"behind"], 2: [b"x"] * 20})
    value = unpack_long(data)
    array = value[1][1]
    assert type(array) is not list
    assert array.message is data
    assert (len(array), array[0], array[count - 1]) == (count, items[0], items[-1])
    for at in (-1, count):
        with pytest.raises(IndexError):
            array[at]
    assert list(array) == items
    assert value == {0: [1] * 20, 1: [2, array, b"behind"], 2: [b"x"] * 20}


@needs_twin
@pytest.mark.parametrize(("others", "stays"), [(16, True), (17, False)])
def test_an_array_of_many_other_items_is_made_objects_of(others, stays, monkeypatch):
    """Each of them costs a call of the decoder; and none is decoded in vain."""
    monkeypatch.setattr(canonical, "LARGE_BYTES", 0)
    monkeypatch.setattr(canonical, "LONG_ITEMS", 256)
    items = [[at] if at < others else b"x" for at in range(256)]
    decoded: list[bytes] = []

    def counted(data: bytes, **bounds: int) -> object:
        decoded.append(data)
        return unpack_fast(data, **bounds)

    monkeypatch.setattr(canonical, "unpack_fast", counted)
    array = unpack_long(pack(items))
    assert (type(array) is not list) is stays
    assert list(array) == items
    assert len(decoded) == (others if stays else 1)


def test_an_extension_is_refused_in_a_long_message_too(monkeypatch):
    """Such a mark stands for the array that was cut out: it may not come from outside."""
    monkeypatch.setattr(canonical, "LARGE_BYTES", 0)
    monkeypatch.setattr(canonical, "LONG_ITEMS", 1)
    for data in (b"\x92\xd4\x00\x00\x91\xc4\x01x", b"\x92\x91\xc4\x01x\xd4\x00\x00"):
        with pytest.raises(RemoteProtocolError):
            unpack_long(data)


@pytest.mark.parametrize("at", [0, 1, 255, 256, 1999])
def test_a_longer_form_in_a_large_message_is_refused(at):
    items = [b"x" * 600] * 2000
    head, item = pack({0: 1, 1: [0] * 2000})[:7], pack(items[0])
    data = head + item * 2000
    assert len(data) > canonical.LARGE_BYTES
    assert unpack(data) == {0: 1, 1: items}
    longer = b"\xc6" + (600).to_bytes(4, "big") + items[0]  # 32 bits of length where 16 would do
    with pytest.raises(RemoteProtocolError):
        unpack(head + item * at + longer + item * (1999 - at))


def test_what_is_nested_deeply_is_not_taken_to_pieces():
    """Each piece costs a step in Python; there would be as many as items."""
    value: object = 0
    for _ in range(12):
        value = [value, value]
    parts = list(canonical._encoded(value, msgpack.Packer(use_bin_type=True)))
    assert b"".join(parts) == pack(value)
    assert len(parts) < 2**5


@pytest.mark.parametrize("data", NOT_CANONICAL.values(), ids=NOT_CANONICAL)
def test_a_longer_form_is_refused_by_the_strict_reader_only(data):
    with pytest.raises(RemoteProtocolError):
        unpack(data)
    unpack_fast(data)


NEVER = {
    "nothing": b"",
    "trailing bytes": b"\x01\x01",
    "truncated": b"\x92\x01",
    "float": b"\xcb" + bytes(8),
    "float in an array": b"\x91\xca" + bytes(4),
    "extension": b"\xd4\x05\x00",
    "timestamp": b"\xd6\xff" + bytes(4),
    "unused code": b"\xc1",
    "text that is not UTF-8": b"\xa1\xff",
    "surrogate": b"\xa3\xed\xa0\x80",
    "text as map key": b"\x81\xa1a\x01",
    "boolean as map key": b"\x81\xc3\x01",
    "negative map key": b"\x81\xff\x01",
    "float as map key": b"\x81\xca\x00\x00\x00\x00\x01",
    "array as map key": b"\x81\x90\x01",
    "map keys descending": b"\x82\x02\x01\x01\x01",
    "nested in a value": b"\x81\x01\x91\xca" + bytes(4),
    "17 deep": b"\x91" * 16 + b"\x90",
    "5,000 deep": b"\x91" * 5000 + b"\x01",
    "huge array": b"\xdd\xff\xff\xff\xff",
    "huge map": b"\xdf\xff\xff\xff\xff",
    "huge binary": b"\xc6\xff\xff\xff\xff",
}


@pytest.mark.parametrize("data", NEVER.values(), ids=NEVER)
@pytest.mark.parametrize("read", [unpack, unpack_fast, unpack_long])
def test_forbidden_bytes_are_refused_with_our_own_error(read, data):
    with pytest.raises(RemoteProtocolError) as caught:
        read(data)
    assert caught.value.code == "malformed"


def test_a_repeated_map_key_is_refused_where_canonical_form_is_required():
    with pytest.raises(RemoteProtocolError):
        unpack(b"\x82\x01\x01\x01\x02")


def test_sixteen_containers_are_allowed_and_seventeen_are_not():
    value: object = 1
    for _ in range(16):
        value = [value]
    assert unpack(pack(value)) == value
    with pytest.raises(ValueError, match="nesting"):
        pack([value])


def test_an_array_longer_than_the_callers_bound_is_refused():
    data = msgpack.packb([1] * 100)
    assert unpack(data, array_max=100) == [1] * 100
    with pytest.raises(RemoteProtocolError):
        unpack(data, array_max=99)


@pytest.mark.parametrize(
    "value", [1.0, [1.5], {1.5: 1}, {"a": 1}, {True: 1}, object(), {1, 2}, msgpack.Timestamp(1)]
)
def test_a_type_without_a_canonical_form_cannot_be_packed(value):
    with pytest.raises(TypeError):
        pack(value)


@pytest.mark.parametrize("value", [{2: 1, 1: 1}, {-1: 1}, 2**64, [-(2**63) - 1], "\ud800"])
def test_a_value_without_a_canonical_form_cannot_be_packed(value):
    with pytest.raises(ValueError):
        pack(value)


@pytest.mark.parametrize("value", [2**64 - 1, -(2**63), 0, -1, 127, 128])
def test_the_largest_and_smallest_integers_are_allowed(value):
    assert unpack(pack(value)) == value
    assert unpack(pack({0: value})) == {0: value}


@given(st.lists(SCALARS, max_size=5))
def test_a_flat_list_is_packed_alike_on_the_hot_path(items):
    """One packer is used again and again, also after it refused something."""
    with pytest.raises(OverflowError):
        pack_flat([2**64])
    assert pack_flat(items) == pack(items)
