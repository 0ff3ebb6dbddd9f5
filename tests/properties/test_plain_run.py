"""The compiled twin of single plain changes and segments does what its Python does.

``sync/_plain_run.pyx`` beside ``PlainPath.take``, ``sync/_stored.pyx`` beside ``stored_segment``:
honest bytes and hostile ones. Where it was not compiled there is nothing to compare.
"""

from __future__ import annotations

import copy
from hashlib import sha256
from itertools import permutations
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.access.verdicts import COUNTS
from casesync.codec.padding import pad
from casesync.crypto.aead import TAG_BYTES, siv_seal
from casesync.crypto.sealing import segment_nonce
from casesync.sync.keyring import StreamKey
from casesync.sync.plain_path import Fresh
from casesync.sync.ports import StoredChange
from casesync.sync.stored_segment import open_segments
from casesync.sync.stored_segment import stored_kernel as stored
from casesync.translog.header import (
    PLAIN_TABLE_BYTES,
    encode_head,
    encode_header,
    plain_header,
)
from plain_changes import (
    DEVICES,
    FIELDS,
    KIND,
    OWNER,
    Held,
    altered,
    bodies,
    changed,
    form_save,
    key_row,
    runs,
    sealed_leaf,
)
from properties.test_page_paths import PERSON, RECORDS

needs_stored = pytest.mark.skipif(stored is None, reason="not compiled here")
needs_runs = pytest.mark.skipif(runs is None, reason="not compiled here")


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
    leaf = altered(leaf, segments=leaf.segments[position:] * 9)
    head = leaf.header[:-PLAIN_TABLE_BYTES]
    slow, slow_row = held.merged(leaf, head, asked)
    twin_row = copy.deepcopy(held.row)
    fast = runs.take_segment(
        leaf, len(head), asked, KIND, held.key, 7, 40, twin_row[1], held.engine.forms_checked
    )
    assert slow or not fast
    assert position == asked or not slow
    assert twin_row == (slow_row if fast else held.row)


@needs_stored
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
    keys = msgpack.packb(key_row(held, KIND), use_bin_type=True)
    changes = {1: change, 2: hostile}
    segments, others = [(1, KIND, 1), (1, KIND, 2)], [(1, KIND + 1, 1), (2, KIND, 1)]
    assert stored.open_segments(segments, changes, keys) == [body, body]
    assert open_segments(ring, held.stream, segments, changes) == [body, body]
    assert open_segments(ring, held.stream, others[:1], changes) == [None]
    assert stored.open_segments([*segments, others[0]], changes, keys) is None
    assert stored.open_segments(segments, changes, None) is None
    assert stored.open_segments([others[1]], changes, keys) in ([body], None)


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
def test_more_forms_than_the_twin_remembers_are_told_apart():
    """It finds a form by a small number: many share one, and none is taken for another."""
    held = Held()
    forms = [order for size in (1, 2, 3) for order in permutations(FIELDS[:7], size)]
    assert len(forms) > 200
    for form in forms * 2:
        pairs = [part for _, field, code in form for part in (field << 4 | code, "x")]
        packed = msgpack.packb([5, 1, [], [[RECORDS[0], PERSON, pairs]]])
        leaf = sealed_leaf(held.key, 0, 1, 7, packed)
        slow = held.slowly(leaf, 40)
        assert slow[0]
        assert held.fast(leaf, 40) == slow


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
    leaf = altered(leaf, segments=leaf.segments[3:] * 4)
    head_bytes, row = len(leaf.header) - PLAIN_TABLE_BYTES, copy.deepcopy(held.row[1])
    checked = held.engine.forms_checked
    assert runs.take_segment(leaf, head_bytes, 3, KIND, held.key, 9, 9, row, checked)
    entries = [held.row[0][at : at + 6] for at in range(0, 24, 6)]
    assert [entry[4] for entry in entries] == [COUNTS] * 4
    assert sum(len(slot[1]) for slot in held.row[1][1]) == 1


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
    plain = plain_header(leaf.header)
    assert plain is not None
    fresh = [Fresh(leaf, 1, plain, None)]
    assert runs.take_run(fresh, 0, [1], 0, row, row[1], held.stream, held.path, OWNER, -1) == 0
    assert row == held.row


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
    plain = plain_header(leaf.header)
    assert plain is not None
    fresh = [Fresh(leaf, 1, plain, None)]
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
