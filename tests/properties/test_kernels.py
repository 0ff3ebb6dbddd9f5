"""The compiled twins of hot paths do what their Python does, on honest bytes and on hostile ones.

``translog/_frames.pyx`` beside the page reader, ``sync/_plain_run.pyx`` beside ``PlainPath.take``,
``merkle/_hashes.pyx`` beside ``compact_range``, ``storage/_packing.pyx`` beside msgpack: whatever
is read, the same comes out, or the same error. Where they were not compiled there is nothing to
compare.
"""

from __future__ import annotations

import copy
import subprocess
import sys
from hashlib import sha256
from typing import Any, NamedTuple

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.access.verdicts import COUNTS
from casesync.codec.padding import pad
from casesync.crypto.aead import TAG_BYTES, siv_seal
from casesync.crypto.sealing import segment_nonce
from casesync.foundation.errors import CasesyncError, RelayMisbehaviour
from casesync.foundation.ids import StreamId
from casesync.merkle import compact_range
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import node_hash
from casesync.model.state_row import TABLE_MAX
from casesync.storage import packing
from casesync.sync import plain_path, stored_segment
from casesync.sync.keyring import StreamKey
from casesync.sync.page_stream import PageStream
from casesync.sync.plain_batch import PlainBatch
from casesync.sync.plain_path import Fresh, PlainPath
from casesync.sync.ports import StoredChange
from casesync.sync.stream_merge import state_of
from casesync.sync.stream_row import StreamRow
from casesync.translog import page as page_reader
from casesync.translog.header import (
    PLAIN_TABLE_BYTES,
    encode_head,
    encode_header,
    plain_header,
)
from casesync.translog.served_leaf import ServedLeaf
from properties.test_page_paths import PERSON, RECORDS, WORLD
from unit.translog.page_world import Log


class OutOfTuple(NamedTuple):
    """Rows hold some of these; msgpack takes them for arrays."""

    number: int
    data: bytes


frames = page_reader.frame_kernel
runs = plain_path.plain_kernel
hashes = compact_range.hash_kernel
needs_hashes = pytest.mark.skipif(hashes is None, reason="not compiled here")
packs = packing.packing_kernel
needs_packs = pytest.mark.skipif(packs is None, reason="not compiled here")
needs_frames = pytest.mark.skipif(frames is None, reason="not compiled here")
needs_runs = pytest.mark.skipif(runs is None, reason="not compiled here")

# -- pages --------------------------------------------------------------------------------------


@st.composite
def hostile_pages(draw: st.DrawFn) -> tuple[list[Any], CompactRange, int, bytes]:
    """A page of a small log with some of its bytes changed, cut or repeated."""
    log = Log()
    time_ms = 1000
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


ODD_NUMBERS = (
    b"\x80\x00", b"\x87\x00", b"\x80" * 6 + b"\x00", b"\xff" * 2 + b"\x03", b"\xff" * 2 + b"\x04",
    b"\xff" * 4 + b"\x0f", b"\xff" * 4 + b"\x10", b"\xff" * 6 + b"\x3f", b"\xff" * 6 + b"\x40",
    b"\xff" * 6 + b"\x7f", b"\xff" * 7 + b"\x01", b"\xff" * 90, b"\xff", b"\x80", b"\x80\x80",
)  # fmt: skip
"""Varints at their bounds and beyond, longer than they need be, without an end."""
AFTER = tuple((other, other, b"l" * 8) for other in (78, 300, 1 << 31, (1 << 32) - 1))


@st.composite
def changed(draw: st.DrawFn, data: bytes) -> bytes:
    """``data`` with a byte changed, or cut, or with something behind it."""
    at = draw(st.integers(0, max(0, len(data) - 1)))
    how = draw(st.sampled_from(["byte", "number", "cut", "more"]))
    if how == "byte" and data:
        return data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
    if how == "number":
        return data[:at] + draw(st.sampled_from(ODD_NUMBERS)) + data[at + 1 :]
    return data[:at] if how == "cut" else data + draw(st.binary(max_size=70))


def outcome_of(page: tuple[list[Any], CompactRange, int, bytes]) -> Any:
    """Leaves and range, or what was wrong."""
    try:
        leaves, reached = page_reader.read_page(*page, lambda _number: None)
    except CasesyncError as error:
        return type(error), error.code, error.params
    return leaves, reached.size, reached.root()


@needs_frames
@given(page=hostile_pages())
@settings(max_examples=400)
def test_a_page_is_read_alike_compiled_or_not(page):
    fast = outcome_of(page)
    page_reader.frame_kernel = None
    try:
        slow = outcome_of(page)
    finally:
        page_reader.frame_kernel = frames
    assert fast == slow


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
        items, 0, [streams[:16]], numbers, devices, {}, leaves, [], 0, t, 0
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
    kinds = draw(st.sampled_from([(2,), (0,), (2, 3)]))
    length = draw(st.sampled_from([64, 128, 512, 544]))
    rows = [(kind, b"k" * 8 if kind else bytes(8), length, b"d" * 32) for kind in kinds]
    header = encode_header(head, rows)
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


# -- runs of changes ------------------------------------------------------------------------------

OWNER = WORLD.replicas[0].whoami().unit
DEVICES = (1, 2, 3)
FIELDS = [row for row in WORLD.fields if row[0] == WORLD.fields[0][0]]
KIND = WORLD.fields[0][0]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 63), (1 << 64) - 1),
    st.text(max_size=40),
    st.binary(max_size=40),
)
lists = st.lists(scalars, max_size=3) | st.lists(st.booleans(), min_size=16, max_size=18)
rare = st.one_of(
    st.floats(),
    st.lists(st.floats() | lists, max_size=2),
    st.just({}),
    st.just(msgpack.ExtType(3, b"x")),
    st.text(min_size=300),
)


@st.composite
def bodies(draw: st.DrawFn, written: list[tuple[int, int, bytes, int]]) -> bytes:
    """Mostly simple bodies that replace what was written before; some are anything else."""
    chosen = draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=4, unique=True))
    pairs: list[Any] = []
    for _, field, code in chosen:
        wrong = not draw(st.integers(0, 30))
        pairs += [field << 4 | (code % 9 + 1 if wrong else code)]
        pairs += [draw((scalars | lists) if draw(st.integers(0, 20)) else rare)]
    named = draw(st.lists(st.sampled_from(written), max_size=4)) if written else []
    replaces = [
        [device, number, link8, draw(st.sampled_from([(1 << size) - 1, 1, 2, 0, 1 << 70]))]
        if draw(st.integers(0, 20))
        else [device, number + 1, b"x" * 8, 1]
        for device, number, link8, size in named
    ]
    replaces = [row for row in replaces if row[3] < 1 << 64]
    body: list[Any] = [5, 1, replaces, [[draw(st.sampled_from(RECORDS)), PERSON, pairs]]]
    if not draw(st.integers(0, 15)):
        at = draw(st.integers(0, 3))
        body[at] = draw(st.one_of(scalars, rare))
    packed: bytes = msgpack.packb(body, use_bin_type=True, strict_types=True)
    return packed if draw(st.integers(0, 8)) else draw(changed(packed))


def sealed_leaf(
    key: StreamKey, index: int, device: int, number: int, body: bytes, position: int = 0
) -> ServedLeaf:
    """A change as the page reader gives it, whatever its body is."""
    stream, previous = b"s" * 16, bytes([number]) * 32
    head = encode_head(
        device=device,
        number=number,
        stream=stream,
        previous_here=0,
        after=[],
        control_size=3,
        random8=number.to_bytes(8, "big"),
    )
    aad = sha256(head).digest() + bytes([position]) + key.commitment
    padded = pad(body, TAG_BYTES)
    sealed = siv_seal(key.cipher, segment_nonce(previous, head, position), aad, padded)
    rows = [(KIND, key.commitment[:8], len(sealed), sha256(sealed).digest())]
    header = encode_header(head, rows)
    link = sha256(header).digest()
    return ServedLeaf(
        index, 9, previous, header, b"g" * 64, (b"",) * position + (sealed,), None, device,
        link, True,
        plain_header(header),
    )  # fmt: skip


class Held:
    """A row under both ways, and what they share."""

    def __init__(self) -> None:
        core = WORLD.replicas[0].core
        self.engine = core.engine
        ring = self.engine.keys
        self.stream = StreamId(b"k" * 16)
        self.key = ring.prepare(self.stream, KIND, (1, 1, 0), b"q" * 32)
        fact = [1, 1, 0, KIND, self.key.commitment[:8], 0, -1, True, b""]
        self.row: list[Any] = [[], [], [[1, OWNER], [], [fact], False], 0, {}, {}, 0, 1, False]
        self.state = state_of(StreamRow(self.row)).to_row()
        self.path = PlainPath(self.engine)
        self.path.devices.update(dict.fromkeys(DEVICES, (OWNER, 1 << KIND)))

    def fill_forms(self) -> None:
        """Leave no place in the stream's table of forms."""
        self.row[1][3] = [[PERSON, field << 4 | 3] for field in range(200, 200 + TABLE_MAX)]

    def slowly(self, leaf: ServedLeaf, location: int) -> tuple[bool, list[Any]]:
        """What Python makes of the leaf, on a copy of the row."""
        held = PageStream.__new__(PageStream)
        held.stream, held.row, held._state = self.stream, StreamRow(copy.deepcopy(self.row)), None
        held.plain_owner, held.last_index = OWNER, -1
        assert leaf.plain is not None
        self.engine.keys._streams[self.stream] = {(KIND, self.key.commitment[:8]): self.key}
        taken = self.path.take(held, leaf, leaf.plain, location)
        return taken, held.row.row

    def merged(self, leaf: ServedLeaf, head: bytes, position: int) -> tuple[bool, list[Any]]:
        """What Python makes of one segment of a change, on a copy of the row."""
        held = PageStream.__new__(PageStream)
        held.row, held._state = StreamRow(copy.deepcopy(self.row)), None
        taken = self.path._merge(held, leaf, head, position, KIND, self.key, 7, 40)
        return taken, held.row.row

    def fast(self, leaf: ServedLeaf, location: int) -> tuple[bool, list[Any]]:
        """What the compiled twin makes of it, on another copy."""
        row = copy.deepcopy(self.row)
        assert leaf.plain is not None
        self.engine.keys._streams[self.stream] = {(KIND, self.key.commitment[:8]): self.key}
        fresh = [Fresh(leaf, leaf.plain[0], leaf.plain, None)]
        stop = runs.take_run(
            fresh, 0, [location], 0, row, row[1], self.stream, self.path, OWNER, -1
        )
        return stop == 1, row


@needs_runs
@given(data=st.data())
@settings(max_examples=250)
def test_a_change_is_taken_alike_compiled_or_not(data):
    """The twin may leave a change to Python; what it takes, it takes as Python does."""
    held = Held()
    if data.draw(st.booleans()):
        held.fill_forms()
    written: list[tuple[int, int, bytes, int]] = []
    for step in range(data.draw(st.integers(1, 7))):
        device, number = data.draw(st.sampled_from(DEVICES)), step + 1
        body = data.draw(bodies(written))
        if len(body) > 480:
            continue
        leaf = sealed_leaf(held.key, step, device, number, body)
        before = copy.deepcopy(held.row)
        fast, fast_row = held.fast(leaf, 40 + step)
        slow, slow_row = held.slowly(leaf, 40 + step)
        assert fast_row == (slow_row if fast else before)
        assert slow or not fast
        if slow:
            held.row = slow_row
            cells = len(slow_row[1][3]) and 4
            written.append((device, number, leaf.link[:8], cells))


@needs_runs
@given(data=st.data(), position=st.sampled_from([1, 2, 8]), asked=st.sampled_from([1, 2, 8]))
@settings(max_examples=100)
def test_a_segment_of_several_is_taken_alike_compiled_or_not(data, position, asked):
    """As above, wherever in its change the segment stands; said to stand elsewhere it is shut."""
    held = Held()
    leaf = sealed_leaf(held.key, 0, 1, 7, data.draw(bodies([])), position)
    leaf = leaf._replace(segments=leaf.segments[position:] * 9)
    head = leaf.header[:-PLAIN_TABLE_BYTES]
    slow, slow_row = held.merged(leaf, head, asked)
    twin_row = copy.deepcopy(held.row)
    fast = runs.take_segment(
        leaf, len(head), asked, KIND, held.key, 7, 40, twin_row[1], held.engine.forms_checked
    )
    assert slow or not fast
    assert position == asked or not slow
    assert twin_row == (slow_row if fast else held.row)


@needs_runs
@given(data=st.data(), position=st.integers(0, KIND), after=st.integers(0, 8))
@settings(max_examples=150)
def test_a_stored_segment_is_opened_alike_compiled_or_not(data, position, after):
    """The twin opens what Python does where the head is a usual one, and gives nothing else."""
    held = Held()
    body = data.draw(st.binary(max_size=300))
    change = stored_change(held.key, body, position, after, size=data.draw(st.sampled_from([0, 9])))
    hostile = change._replace(header=data.draw(changed(change.header)))
    ring = held.engine.keys
    ring._streams[held.stream] = {(KIND, held.key.commitment[:8]): held.key}
    asked = (ring.prepared(held.stream), ring.get, held.stream)
    assert runs.open_stored(change, KIND, *asked) == body
    assert runs.open_stored(change, KIND + 1, *asked) is None
    assert runs.open_stored(hostile, KIND, *asked) in (body, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_segment, "plain_kernel", None)
        assert stored_segment.open_stored(held.engine.keys, held.stream, change, KIND) == body


def stored_change(
    key: StreamKey, body: bytes, position: int, after: int, size: int
) -> StoredChange:
    """A change whose segment number ``position`` is the only one that opens."""
    head = encode_head(
        device=1,
        number=9,
        stream=b"k" * 16,
        previous_here=0,
        after=[(20 + at, 1, b"l" * 8) for at in range(after)],
        control_size=3,
        random8=b"r" * 8,
        checkpoint_size=size,
        checkpoint_root=b"r" * 32 if size else b"",
    )
    aad = sha256(head).digest() + bytes([position]) + key.commitment
    padded = pad(body, TAG_BYTES)
    sealed = siv_seal(key.cipher, segment_nonce(b"p" * 32, head, position), aad, padded)
    rows = [(kind, bytes(8), 64, bytes(32)) for kind in range(position)]
    rows.append((KIND, key.commitment[:8], len(sealed), sha256(sealed).digest()))
    header = encode_header(head, rows)
    return StoredChange(b"p" * 32, header, b"g" * 64, (b"?" * 64,) * position + (sealed,))


fragments = st.sampled_from(
    [b"a", b"\x7f", "à".encode(), "ệ".encode(), "😀".encode(), b"\x80", b"\xc1\xbf", b"\xc3",
     b"\xe0\x80\x80", b"\xe1\xba", b"\xed\xa0\x80", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80",
     b"\xf5\x80\x80\x80", b"\xe1\xba\x41", b"\xf0\x9f\x98"]
)  # fmt: skip


@needs_runs
@given(texts=st.lists(st.lists(fragments, max_size=4).map(b"".join), min_size=1, max_size=3))
@settings(max_examples=400)
def test_text_that_is_none_is_refused_alike_compiled_or_not(texts):
    held = Held()
    pairs = b"".join(
        msgpack.packb(field << 4 | code) + bytes([0xA0 | len(text)]) + text
        for (_, field, code), text in zip(FIELDS, texts, strict=False)
    )
    group = b"\x91\x93" + msgpack.packb(RECORDS[0]) + bytes([PERSON, 0x90 | 2 * len(texts)])
    leaf = sealed_leaf(held.key, 0, 1, 1, b"\x94\x05\x01\x90" + group + pairs)
    slow, slow_row = held.slowly(leaf, 0)
    fast, fast_row = held.fast(leaf, 0)
    assert (fast, fast_row) == (slow, slow_row if fast else held.row)


@needs_runs
@pytest.mark.parametrize("full", [False, True])
def test_form_saves_are_taken_by_the_twin(full):
    """Else the property above would hold without saying anything."""
    held = Held()
    if full:
        held.fill_forms()
    pairs = [part for _, field, code in FIELDS[:3] for part in (field << 4 | code, "việc làm")]
    pairs[-1] = ["nhà", 3, None]
    replaces: list[Any] = []
    for step in range(4):
        packed = msgpack.packb([5, 1, replaces, [[RECORDS[0], PERSON, pairs]]], use_bin_type=True)
        leaf = sealed_leaf(held.key, step, DEVICES[step % 3], step + 1, packed)
        held.slowly(leaf, step)  # the form is known from here on
        taken, held.row = held.fast(leaf, step)
        assert taken
        replaces = [[leaf.device, step + 1, leaf.link[:8], 7]]
    leaf = sealed_leaf(held.key, 9, 1, 9, packed, 3)
    leaf = leaf._replace(segments=leaf.segments[3:] * 4)
    head_bytes, row = len(leaf.header) - PLAIN_TABLE_BYTES, copy.deepcopy(held.row[1])
    checked = held.engine.forms_checked
    assert runs.take_segment(leaf, head_bytes, 3, KIND, held.key, 9, 9, row, checked)
    entries = [held.row[0][at : at + 6] for at in range(0, 24, 6)]
    assert [entry[4] for entry in entries] == [COUNTS] * 4
    assert sum(len(slot[1]) for slot in held.row[1][1]) == 1


def form_save(held: Held, step: int, device: int, number: int, replaces: list[Any]) -> ServedLeaf:
    """The same three fields of the same record each time."""
    pairs = [part for _, field, code in FIELDS[:3] for part in (field << 4 | code, "làm")]
    packed = msgpack.packb([5, 1, replaces, [[RECORDS[0], PERSON, pairs]]], use_bin_type=True)
    return sealed_leaf(held.key, step, device, number, packed)


@needs_runs
@given(
    applied=st.sets(st.integers(1, 40), min_size=1, max_size=30),
    named=st.lists(st.integers(1, 41), min_size=1, max_size=16, unique=True),
)
def test_what_was_replaced_long_ago_is_known_to_both(applied, named):
    """The twin takes a change where all it names was applied, at whichever end of the list."""
    held = Held()
    first = form_save(held, 0, 1, max(applied), [])
    _, held.row = held.slowly(first, 0)
    [slot] = held.row[1][1]
    slot[0] = sorted(applied)
    later = form_save(held, 1, 2, 1, [[1, number, first.link[:8], 7] for number in named])
    slow, slow_row = held.slowly(later, 1)
    fast, fast_row = held.fast(later, 1)
    assert (slow, fast) == (True, applied.issuperset(named))
    assert fast_row == (slow_row if fast else held.row)


@needs_runs
@pytest.mark.parametrize("link8", [b"", b"short", b"link " * 2, "eight ch", None])
def test_no_link_of_another_length_is_read_by_the_twin(link8):
    """It reads eight bytes of it: a row that holds fewer is left to Python, and left alone."""
    held = Held()
    first = form_save(held, 0, 1, 1, [])
    _, held.row = held.slowly(first, 0)
    held.row[1][1][0][1][1][0] = link8
    later = form_save(held, 1, 2, 1, [[1, 1, first.link[:8], 7]])
    assert held.fast(later, 1) == (False, held.row)


@needs_runs
@pytest.mark.parametrize("path", [(0,), (4,), (1, 0), (1, 1), (1, 2), (1, 3)])
def test_a_row_with_nothing_where_a_list_belongs_is_left_alone(path):
    """A damaged database: the twin looks at no part that is not there."""
    held = Held()
    _, held.row = held.slowly(form_save(held, 0, 1, 1, []), 0)
    part = held.row
    for at in path[:-1]:
        part = part[at]
    part[path[-1]] = None
    row = copy.deepcopy(held.row)
    leaf = form_save(held, 1, 2, 1, [])
    assert leaf.plain is not None
    fresh = [Fresh(leaf, 1, leaf.plain, None)]
    assert runs.take_run(fresh, 0, [1], 0, row, row[1], held.stream, held.path, OWNER, -1) == 0
    assert row == held.row
    if path[0] != 1:
        rows = {held.stream: row}
        assert runs.place_runs([(held.stream, [leaf])], rows, StoredChange, 99) == ([], [None])


@needs_runs
def test_a_mask_below_zero_is_left_alone():
    held = Held()
    first = form_save(held, 0, 1, 1, [])
    _, held.row = held.slowly(first, 0)
    held.row[1][1][0][1][1][2] = -1
    later = form_save(held, 1, 2, 1, [[1, 1, first.link[:8], 7]])
    assert held.fast(later, 1) == (False, held.row)


@needs_runs
@pytest.mark.parametrize("part", [0, 4])
def test_a_row_of_another_shape_is_left_as_it_was(part):
    """All that may fail comes before the first change of the row."""
    held = Held()
    _, held.row = held.slowly(form_save(held, 0, 1, 1, []), 0)
    held.row[part] = "something else"
    row = copy.deepcopy(held.row)
    leaf = form_save(held, 1, 2, 1, [])
    assert leaf.plain is not None
    fresh = [Fresh(leaf, 1, leaf.plain, None)]
    with pytest.raises(TypeError):
        runs.take_run(fresh, 0, [1], 0, row, row[1], held.stream, held.path, OWNER, -1)
    assert row == held.row


@needs_runs
@pytest.mark.parametrize("index", [2, 3, 4])
def test_no_key_is_introduced_before_its_statement_compiled_or_not(index):
    held = Held()
    held.slowly(form_save(held, 9, 1, 1, []), 0)  # the form is known from here on
    held.row[2][2][0][6] = 3
    leaf = form_save(held, index, 1, 1, [])
    assert (held.slowly(leaf, 1)[0], held.fast(leaf, 1)[0]) == (index > 3, index > 3)


@needs_runs
@given(data=st.data())
def test_whether_all_of_a_stream_is_new_is_the_same_compiled_or_not(data):
    held = Held()
    leaves = [
        sealed_leaf(held.key, at, data.draw(st.sampled_from(DEVICES)), number, b"")
        for at, number in enumerate(data.draw(st.lists(st.integers(1, 6), max_size=6)))
    ]
    rows = {held.stream: held.row}
    changes, [placed] = runs.place_runs([(held.stream, leaves)], rows, StoredChange, 99)
    newest: dict[int, int] = {}
    rising = True
    for leaf in leaves:
        assert leaf.plain is not None
        rising = rising and leaf.plain[0] > newest.get(leaf.device, 0)
        newest[leaf.device] = leaf.plain[0]
    assert placed == (-1 if rising else None)
    assert changes == ([StoredChange._make(leaf[2:6]) for leaf in leaves] if rising else [])


@needs_runs
@given(data=st.data())
def test_a_batch_is_taken_up_to_what_is_not_plain(data):
    """Several streams at once: each as far as Python would take its changes one by one."""
    helds = [Held(), Held()]
    batch, rows = [], {}
    for at, held in enumerate(helds):
        held.stream = StreamId(bytes([at]) * 16)
        held.engine.keys._streams[held.stream] = {(KIND, held.key.commitment[:8]): held.key}
        written: list[tuple[int, int, bytes, int]] = []
        leaves = []
        for number in range(1, data.draw(st.integers(2, 5))):
            body = data.draw(bodies(written))
            if len(body) > 480:
                continue
            leaves.append(sealed_leaf(held.key, number, DEVICES[number % 3], number, body))
            written.append((leaves[-1].device, number, leaves[-1].link[:8], 4))
        batch.append((held.stream, leaves))
        rows[held.stream] = copy.deepcopy(held.row)
    plain = PlainBatch(helds[0].path, batch, rows, 99)
    assert plain.others() == []
    plain.take(list(range(len(plain.changes))))
    left = {stopped.stream: stopped for stopped in plain.stopped}
    first = 0
    for held, (stream, leaves) in zip(helds, batch, strict=True):
        count = len(leaves) - (len(left[stream].leaves) if stream in left else 0)
        for at, leaf in enumerate(leaves[:count]):
            taken, held.row = held.slowly(leaf, first + at)
            assert taken
        assert rows[stream] == held.row
        assert (stream in plain.whole) is (stream not in left)
        if stream in left:
            assert left[stream].leaves == leaves[count:]
            assert left[stream].first == first + count
            assert left[stream].last_index == (leaves[count - 1].index if count else -1)
        first += len(leaves)
    assert plain.merged == sum(len(leaves) for _, leaves in batch) - sum(
        len(stopped.leaves) for stopped in plain.stopped
    )


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
