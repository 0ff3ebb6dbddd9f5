"""The compiled twins of hot paths do what their Python does, on honest bytes and on hostile ones.

``translog/_frames.pyx`` beside the page reader, ``merkle/_hashes.pyx`` beside ``compact_range``,
``storage/_packing.pyx`` beside msgpack, ``storage/_blocks.pyx`` beside ``change_blocks``: whatever
is read, the same comes out, or the same error. Where they were not compiled there is nothing to
compare. The twins of the merge have ``test_plain_run`` and ``test_packed_run``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, NamedTuple

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.codec import canonical
from casesync.foundation.errors import CasesyncError, RelayMisbehaviour
from casesync.merkle import compact_range
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import node_hash
from casesync.storage import change_blocks, packing
from casesync.storage.packing import pack_all
from casesync.sync.ports import StoredChange
from casesync.translog import page as page_reader
from casesync.translog.header import (
    encode_head,
    encode_header,
    plain_header,
)
from casesync.translog.served_leaf import ServedLeaf
from plain_changes import ODD_NUMBERS, changed, scalars
from unit.translog.page_world import Log


class OutOfTuple(NamedTuple):
    """Rows hold some of these; msgpack takes them for arrays."""

    number: int
    data: bytes


frames = page_reader.frame_kernel
hashes = compact_range.hash_kernel
needs_hashes = pytest.mark.skipif(hashes is None, reason="not compiled here")
packs = packing.packing_kernel
needs_packs = pytest.mark.skipif(packs is None, reason="not compiled here")
blocks = change_blocks.blocks_kernel
needs_blocks = pytest.mark.skipif(blocks is None, reason="not compiled here")
needs_frames = pytest.mark.skipif(frames is None, reason="not compiled here")

# -- pages --------------------------------------------------------------------------------------


@st.composite
def hostile_pages(draw: st.DrawFn) -> tuple[list[Any], CompactRange, int, bytes]:
    """A page of a small log with some of its bytes changed, cut or repeated."""
    log = Log()
    time_ms = 1000
    for _ in range(draw(st.sampled_from([0, 0, 16, 40]))):  # a second thread begins behind 16
        log.append(1)
        time_ms += 1
    for _ in range(draw(st.integers(1, 12))):
        log.append(
            draw(st.integers(1, 3)),
            bytes([draw(st.integers(0, 2))]) * 16,
            sorted(draw(st.sets(st.sampled_from([0, 2, 3, 9]), min_size=1, max_size=4))),
            size=draw(st.sampled_from([0, 0, 5])),
            after=draw(st.sampled_from([(), (), ((77, 3, b"l" * 8),), AFTER])),
            time_ms=(time_ms := time_ms + draw(st.sampled_from([0, 0, 1, 200, 1 << 41]))),
        )
    size = len(log.leaves)
    served = {at for at in range(size) if draw(st.integers(0, 4))}
    page = msgpack.unpackb(msgpack.packb(log.page(0, size, size, served)))
    items = page[3]
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(items) - 1)) if items else 0
        if items and type(items[at]) is bytes:
            items[at] = draw(changed(items[at]))
        elif items and draw(st.booleans()):
            items.insert(at, items[at])
    return page, CompactRange(), size, log.root(size)


AFTER = tuple((other, other, b"l" * 8) for other in (78, 300, 1 << 31, (1 << 32) - 1))


Page = tuple[list[Any], CompactRange, int, bytes]


@contextmanager
def reading(kernel: Any, at_once: int = 256) -> Iterator[None]:
    """Whom pages are read by; a second thread is worth it for every frame."""
    before = (page_reader.frame_kernel, page_reader.AT_ONCE, page_reader.WORTH_A_THREAD)
    fold_at = page_reader.FOLD_AT
    try:
        page_reader.frame_kernel, page_reader.AT_ONCE = kernel, at_once
        page_reader.WORTH_A_THREAD, page_reader.FOLD_AT = 0, at_once + 2
        yield
    finally:
        page_reader.frame_kernel, page_reader.AT_ONCE, page_reader.WORTH_A_THREAD = before
        page_reader.FOLD_AT = fold_at


def in_message(page: list[Any]) -> list[Any]:
    """The page as a large message gives it: frames stay where they are, if most items are some."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "LARGE_BYTES", 0)
        patch.setattr(canonical, "LONG_ITEMS", 1)
        parts = canonical.unpack_long(canonical.pack(dict(enumerate(page))))
    return list(parts.values())


def outcome_of(page: Page, *, second_thread: bool = False) -> Any:
    """Leaves and range, or what was wrong."""
    try:
        leaves, reached = page_reader.read_page(
            *page, lambda _number: None, second_thread=second_thread
        )
    except CasesyncError as error:
        return type(error), error.code, error.params
    return leaves, reached.size, reached.root()


@needs_frames
@given(page=hostile_pages())
@settings(max_examples=400)
def test_a_page_is_read_alike_compiled_or_not(page):
    with reading(None):
        slow = outcome_of(page)
    with reading(frames):
        assert outcome_of(page) == slow
    long = (in_message(page[0]), *page[1:])
    for at_once in (1, 2):
        with reading(frames, at_once):
            assert outcome_of(page, second_thread=True) == slow, at_once
            assert outcome_of(long, second_thread=True) == slow, at_once
            assert outcome_of(long) == slow


@needs_frames
@pytest.mark.parametrize("odd", [None, 0, 63, 64, 150, 399])
def test_a_long_page_is_read_alike_by_two_threads(odd):
    """More frames than are on their way at once; one is served as a hash, or has a wrong byte."""
    log = Log()
    for at in range(400):
        kinds = [2] if at % 3 else [0, 2, 3]
        log.append(1 + at % 4, bytes([at % 7]) * 16, kinds, size=at if at % 50 == 49 else 0)
    size = len(log.leaves)
    wrong = msgpack.unpackb(msgpack.packb(log.page(0, size, size, set(range(size)))))
    if odd is not None:
        wrong[3][odd] = wrong[3][odd][:-1] + bytes([wrong[3][odd][-1] ^ 1])
    gap = msgpack.unpackb(msgpack.packb(log.page(0, size, size, set(range(size)) - {odd})))
    for items in (wrong, gap):
        page = (items, CompactRange(), size, log.root(size))
        with reading(None):
            slow = outcome_of(page)
        long = (in_message(items), *page[1:])
        assert type(long[0][3]) is not list
        for at_once in (1, 8, 64):
            with reading(frames, at_once):
                assert outcome_of(page, second_thread=True) == slow
                assert outcome_of(long, second_thread=True) == slow


@needs_frames
@pytest.mark.parametrize("first", [1, 2, 60, 61])
def test_a_device_that_a_page_names_twice_has_one_chain(first):
    """Whoever reads ahead keeps links by place in the page's table, and there are two."""
    log = Log()
    for at in range(200):
        log.append(1 + at % 2)
    size = len(log.leaves)
    table = msgpack.unpackb(msgpack.packb(log.page(0, size, size, set(range(size)))))
    table[2].append(table[2][0])
    for at in range(first, size, 3):
        frame = bytearray(table[3][at])
        if frame[3] == 0:  # behind flags, log time and stream: the device's place
            frame[3] = len(table[2]) - 1
            table[3][at] = bytes(frame)
    page = (table, CompactRange(), size, log.root(size))
    with reading(None):
        slow = outcome_of(page)
    assert slow[1] == size
    for at_once in (1, 8, 64):
        with reading(frames, at_once):
            assert outcome_of(page, second_thread=True) == slow


@needs_frames
@pytest.mark.parametrize(("worth_it", "again"), [(151, False), (150, True)])
def test_where_two_threads_are_stopped_early_one_reads_on(worth_it, again, monkeypatch):
    """What the second has read behind a gap is read again: with a gap behind each few frames,
    nearly all of it would be."""
    monkeypatch.setattr(page_reader, "WORTH_IT", worth_it)
    log = Log()
    for _ in range(400):
        log.append(1)
    page = msgpack.unpackb(msgpack.packb(log.page(0, 400, 400, set(range(400)) - {150})))
    with reading(frames, at_once=8):
        state = page_reader._Reading(page, CompactRange(), 400, lambda _number: None)
        state.worth_a_thread = 0
        state.take_items()
    assert len(state.leaves) == 399
    assert (state.worth_a_thread >= 0) is again


@needs_frames
@pytest.mark.parametrize("own", [None, 1])
def test_no_odd_number_is_read_compiled_or_not(own, monkeypatch):
    """Wherever in a frame it stands: nothing of the page is believed."""
    log = Log()
    for after in ((), AFTER):
        log.append(1, kinds=[0, 2], size=5, after=after, time_ms=1 << 41)
    page = log.page(0, 2, 2, {0, 1}, own)
    bent = [
        [
            *page[:3],
            [*page[3][:at], item[:cut] + odd + item[cut + 1 :], *page[3][at + 1 :]],
            page[4],
        ]
        for at, item in enumerate(page[3])
        for cut in range(len(item))
        for odd in ODD_NUMBERS
        if odd != item[cut : cut + 1]
    ]
    for kernel in (frames, None):
        monkeypatch.setattr(page_reader, "frame_kernel", kernel)
        page_reader.read_page(page, CompactRange(), 2, log.root(2), log.own(1))
        for other in bent:
            with pytest.raises(RelayMisbehaviour) as caught:
                page_reader.read_page(other, CompactRange(), 2, log.root(2), log.own(1))
            assert caught.value.code == "page-contradicts-log"


@needs_frames
def test_frames_of_several_segments_are_taken_by_the_twin():
    """Else the property above would hold without saying anything of them."""
    log = Log()
    for kinds in ([2], [0, 2], [0, 1, 2, 3]):
        log.append(1, b"s" * 16, kinds)
    t, streams, numbers, items, _ = msgpack.unpackb(msgpack.packb(log.page(0, 3, 3, {0, 1, 2})))
    devices = [number.to_bytes(4, "big") for number in numbers]
    leaves: list[ServedLeaf] = []
    at, position, _ = frames.take_frames(
        items,
        0,
        streams,
        b"".join(devices),
        numbers,
        devices,
        {},
        leaves,
        [],
        0,
        t,
        0,
        list,
        9,
        9,
        -1,
    )
    assert (at, position) == (3, 3)
    assert [len(leaf.segments) for leaf in leaves] == [1, 2, 4]


@st.composite
def headers(draw: st.DrawFn) -> bytes:
    """Valid headers, then hurt in some byte."""
    head = encode_head(
        device=draw(st.integers(1, 9)),
        number=draw(st.integers(2, 9)),
        stream=b"s" * 16,
        previous_here=draw(st.integers(0, 1)),
        after=[(20 + at, 1, b"l" * 8) for at in range(draw(st.integers(0, 9)))],
        control_size=7,
        random8=b"r" * 8,
        checkpoint_size=(size := draw(st.sampled_from([0, 9]))),
        checkpoint_root=b"c" * 32 if size else b"",
    )
    kinds = draw(st.sampled_from([(2,), (0,), (2, 3), (0, 2), tuple(range(2, 10))]))
    length = draw(st.sampled_from([64, 128, 512, 544]))
    rows = [(kind, b"k" * 8 if kind else bytes(8), length, b"d" * 32) for kind in kinds]
    header = encode_header(head, rows)
    if not draw(st.integers(0, 4)):
        header = header[:-45] + bytes([draw(st.integers(0, 3))]) + header[-44:]  # its last kind
    for at in draw(st.lists(st.sampled_from([3, 7, 29, 36, 40, len(head) - 50]), max_size=2)):
        low = bytes([0, 0, 0, 0, 0, draw(st.integers(0, 3))])
        width = 4 if at in {3, 36} else 6
        header = header[:at] + low[-width:] + header[at + width :]
    return draw(st.one_of(st.just(header), st.just(header), changed(header)))


@needs_frames
@given(header=headers())
@settings(max_examples=500)
def test_a_header_is_plain_to_both(header):
    assert frames.plain_header(header) == plain_header(header)


@needs_hashes
@given(row=st.lists(st.binary(min_size=32, max_size=32), max_size=9))
def test_a_level_of_a_tree_is_hashed_alike_compiled_or_not(row):
    pairs = zip(row[::2], row[1::2], strict=False)
    assert hashes.node_hashes(row) == [node_hash(left, right) for left, right in pairs]


@needs_hashes
def test_hashes_are_the_same_where_openssl_does_not_show_itself():
    """As in interpreters that have it built in."""
    program = """
import hashlib, sys, types
sys.modules["_hashlib"] = types.ModuleType("_hashlib")
from casesync.merkle import _hashes
row = [bytes([at]) * 32 for at in range(8)]
print(hashlib.sha256(b"".join(_hashes.node_hashes(row))).hexdigest())
"""
    row = [bytes([at]) * 32 for at in range(8)]
    here = sha256(b"".join(hashes.node_hashes(row))).hexdigest()
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert ran.stdout.strip() == here


sizes = st.sampled_from([0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536])
values = st.recursive(
    st.one_of(
        scalars,
        st.integers(-(1 << 7) - 1, 1 << 8),
        st.sampled_from([1 << 15, 1 << 16, 1 << 31, 1 << 32, 1 << 63])
        .flatmap(lambda edge: st.integers(edge - 1, edge))
        .flatmap(lambda edge: st.sampled_from([edge, -edge] if edge <= 1 << 63 else [edge])),
        sizes.map(bytes),
        sizes.map(lambda size: "a" * size),
        sizes.map(lambda size: [None] * size),
        sizes.map(lambda size: dict.fromkeys(range(size))),
        st.text(alphabet="aàệ😀", min_size=7, max_size=33),
        st.builds(OutOfTuple, st.integers(0, 9), st.binary(max_size=3)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.integers(0, 300), inner, max_size=4),
    ),
    max_leaves=12,
)


@needs_packs
@given(rows=st.lists(values, max_size=3))
def test_rows_are_packed_alike_compiled_or_not(rows):
    assert packs.pack_all(rows) == [msgpack.packb(row) for row in rows]


@needs_packs
@pytest.mark.parametrize("value", [1.5, {1, 2}, 1 << 64, -(1 << 63) - 1, object(), "\ud800"])
def test_what_is_no_part_of_a_row_is_refused(value):
    with pytest.raises((TypeError, OverflowError, ValueError)):
        packs.pack_all([[value]])


@needs_packs
def test_a_row_without_end_is_refused():
    row: list[Any] = []
    row.append(row)
    with pytest.raises(ValueError):
        packs.pack_all([row])


parts = st.binary(max_size=40) | st.sampled_from([255, 256, 65535]).map(bytes)
changes = st.builds(
    StoredChange, parts, parts, parts, st.lists(st.none() | parts, max_size=18).map(tuple)
)


@needs_blocks
@given(stored=st.lists(changes, min_size=1, max_size=20), data=st.data())
def test_changes_are_taken_out_of_a_block_alike_compiled_or_not(stored, data):
    """In any order; of a damaged block what Python reads of it, or nothing."""
    body = change_blocks._array(pack_all(stored), len(stored))
    slots = data.draw(st.lists(st.integers(0, len(stored) - 1), min_size=1, max_size=9))
    assert blocks.changes(body, slots, StoredChange) == [stored[slot] for slot in slots]
    assert blocks.changes(body, [*slots, len(stored)], StoredChange) is None
    damaged = data.draw(changed(body))
    taken = blocks.changes(damaged, slots, StoredChange)
    if taken is not None:
        read = change_blocks._decoded(damaged)
        assert taken == [change_blocks._change(read, slot) for slot in slots]
        assert {type(change) for change in taken} == {StoredChange}


@needs_blocks
@pytest.mark.parametrize(
    "odd",
    [
        {},
        [b"l", b"h", b"s"],
        [b"l", b"h", b"s", [b"x"], 1],
        [b"l", "h", b"s", []],
        [b"l", b"h", b"s", ["x"]],
        [b"l", b"h", b"s", b"x"],
        [b"l", b"h", b"s", [bytes(1 << 16)]],
    ],
)
def test_a_block_with_anything_uncommon_is_left_to_python(odd):
    """Whatever of it is asked for."""
    packed = [msgpack.packb([b"l", b"h", b"s", [b"x"]]), msgpack.packb(odd)]
    assert blocks.changes(change_blocks._array(packed, 2), [0], StoredChange) is None
    assert blocks.changes(change_blocks._array(packed[:1] * 1025, 1025), [0], StoredChange) is None
    assert blocks.changes(change_blocks._array(packed[:1] * 1024, 1024), [0], StoredChange)
