"""Compiled twins that sort the leaves of a page, carry them and find rows do what Python does.

``sync/_page_leaves.pyx`` beside ``page_leaves``, ``storage/_rows.pyx`` beside ``packed_rows``,
``sync/_handed_out.pyx`` there and back, ``translog/_served_leaf.pyx`` beside ``served_leaf``. Where
they were not compiled there is nothing to compare.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.storage import packed_rows
from casesync.storage.packing import pack_all
from casesync.sync import page_leaves, stream_kernels
from casesync.translog import served_leaf
from casesync.translog.served_leaf import ServedLeaf
from plain_changes import altered, changed, fields

needs_leaf = pytest.mark.skipif(served_leaf.leaf_kernel is None, reason="not compiled here")
needs_leaves = pytest.mark.skipif(page_leaves.leaves_kernel is None, reason="not compiled here")
needs_rows = pytest.mark.skipif(packed_rows.rows_kernel is None, reason="not compiled here")
needs_handing = pytest.mark.skipif(
    stream_kernels.handing_kernel is None, reason="not compiled here"
)
LINKS = st.sampled_from([bytes([n]) * 32 for n in range(4)])
SEGMENTS = st.lists(st.none() | st.binary(max_size=9), max_size=3).map(tuple)


@st.composite
def leaves(draw: st.DrawFn) -> list[ServedLeaf]:
    """Leaves of few devices and streams, chained or not, some own, some with a damaged header."""
    streams = st.sampled_from([bytes([n]) * 16 for n in range(3)])
    found = []
    for index in range(draw(st.integers(0, 12))):
        header = draw(st.binary(min_size=13, max_size=13)) + draw(streams) + b"rest"
        header = draw(st.sampled_from([header, header, header[: draw(st.integers(0, 30))]]))
        found.append(
            ServedLeaf(
                index,
                9,
                draw(LINKS),
                header,
                b"g" * 64,
                draw(SEGMENTS),
                draw(st.sampled_from([None, None, None, 7])),
                draw(st.integers(1, 3)),
                draw(LINKS),
                draw(st.booleans()),
            )
        )
    return found


@needs_leaves
@given(served=leaves())
def test_leaves_are_sorted_alike(served):
    with pytest.MonkeyPatch.context() as patch:
        fast = page_leaves.runs_of(served), page_leaves.by_stream(served)
        patch.setattr(page_leaves, "leaves_kernel", None)
        slow = page_leaves.runs_of(served), page_leaves.by_stream(served)
    assert fast == slow
    assert list(fast[0]) == list(slow[0]), "devices in the order in which they are met"


@needs_rows
@given(data=st.data())
def test_rows_are_read_and_written_alike(data):
    slot = st.sampled_from([None, b"row", True])
    stored = {
        group: data.draw(st.lists(slot, min_size=64, max_size=64)) for group in (0, 1, 1 << 40)
    }
    serials = st.builds(lambda group, at: (group << 6) + at, st.sampled_from(list(stored)), AT)
    asked = data.draw(st.lists(st.none() | serials, max_size=9))
    rows = {serial: bytes([at]) for at, serial in enumerate(data.draw(st.lists(serials)))}
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        for kernel in (packed_rows.rows_kernel, None):
            patch.setattr(packed_rows, "rows_kernel", kernel)
            at_hand: dict[int, list[Any]] = {}
            unplaced: dict[int, dict[int, bytes | None]] = {}
            loads: list[int] = []

            def load(group: int) -> list[Any]:
                loads.append(group)  # noqa: B023 - called in this round only
                return at_hand.setdefault(group, copy.copy(stored[group]))  # noqa: B023

            read = packed_rows.read_rows(at_hand, asked, load)
            elsewhere = packed_rows.write_rows(at_hand, unplaced, rows, load)
            counted = packed_rows.count_rows(asked)
            seen.append((read, elsewhere, at_hand, unplaced, loads, counted))
    assert seen[0] == seen[1]
    assert all(stored[serial >> 6][serial & 63] is True for serial in seen[0][1])


AT = st.integers(0, 63)


def stored_of(parts: list[list[ServedLeaf]]) -> bytes:
    """Leaves as the store has changes, one behind the other."""
    return b"".join(
        pack_all(
            [leaf.previous_link, leaf.header, leaf.signature, leaf.segments]
            for part in parts
            for leaf in part
        )
    )


@needs_handing
@given(served=leaves(), places=st.lists(st.sampled_from([None, 5]), min_size=3, max_size=3))
def test_leaves_come_out_of_their_bytes_as_they_went_in(served, places):
    kernel = stream_kernels.handing_kernel
    batch = [(bytes([at]) * 16, served[at::3]) for at in range(3)]
    counts = [
        0 if last is None else len(part) for last, (_, part) in zip(places, batch, strict=True)
    ]
    changes = stored_of([part for last, (_, part) in zip(places, batch, strict=True) if last])
    came = kernel.leaves(changes, kernel.beside(batch, places), counts)
    for (_, sent), got, last in zip(batch, came, places, strict=True):
        wanted = [] if last is None else sent
        # What a helper does not look at does not travel.
        unseen = {"signature": None, "own": None, "device": 0, "run_starts": False}
        assert list(map(fields, got)) == [fields(leaf)._replace(**unseen) for leaf in wanted]


@needs_handing
@given(served=leaves(), data=st.data())
def test_bytes_of_leaves_that_were_damaged_are_refused_or_read_within_bounds(served, data):
    kernel = stream_kernels.handing_kernel
    changes, said = stored_of([served]), kernel.beside([(bytes(16), served)], [1])
    if data.draw(st.booleans()):
        changes = data.draw(changed(changes))
    else:
        said = data.draw(changed(said))
    counts = data.draw(st.sampled_from([[len(served)], [len(served) + 1], [0], [1 << 20]]))
    try:
        [got] = kernel.leaves(changes, said, counts)
    except ValueError:
        return
    assert len(got) == counts[0]
    sizes = [len(leaf.header) + sum(len(part or b"") for part in leaf.segments) for leaf in got]
    assert sum(sizes) <= len(changes)


@needs_handing
def test_a_link_of_another_length_is_not_carried():
    leaf = ServedLeaf(1, 9, b"p" * 32, b"h" * 40, b"g" * 64, (b"s",), None, 1, b"l" * 32, True)
    kernel, sent = stream_kernels.handing_kernel, [(bytes(16), [leaf])]
    with pytest.raises(ValueError, match="32 bytes"):
        kernel.beside([(bytes(16), [altered(leaf, link=b"short")])], [1])
    changes = stored_of([[altered(leaf, previous_link=b"short")]])
    said = kernel.beside(sent, [1])
    with pytest.raises(ValueError, match="no change"):
        kernel.leaves(changes, said, [1])


NOT_LEAVES: list[Any] = [1, None, (), (1,), [1], b"x"]


@needs_leaves
@pytest.mark.parametrize("odd", NOT_LEAVES)
def test_what_is_no_leaf_is_refused(odd):
    for sort in (page_leaves.leaves_kernel.runs_of, page_leaves.leaves_kernel.by_stream):
        with pytest.raises(TypeError):
            sort([odd])
    if stream_kernels.handing_kernel is None:
        return
    for pairs in ([odd], [(bytes(16), [odd])], [(bytes(16), odd)]):
        with pytest.raises(TypeError):
            stream_kernels.handing_kernel.beside(pairs, [1])
        with pytest.raises(TypeError):
            stream_kernels.packed_kernel.in_two(pairs)


@needs_leaf
@given(served=leaves())
def test_a_leaf_says_what_it_was_made_of(served):
    for leaf in served:
        again = ServedLeaf(*fields(leaf))
        assert (fields(again), again) == (fields(leaf), leaf)
        assert fields(leaf)[6] is leaf.own
        assert altered(leaf, log_time_ms=leaf.log_time_ms + 1) != leaf
    assert served != [fields(leaf) for leaf in served] or not served, "one program has one kind"


@needs_leaf
@pytest.mark.parametrize(
    ("part", "odd"),
    [
        ("index", -1),
        ("log_time_ms", 1 << 64),
        ("device", None),
        ("previous_link", None),
        ("header", "text"),
        ("header", bytearray(40)),
        ("signature", None),
        ("segments", [b"s"]),
        ("segments", (b"s", 7)),
        ("own", "7"),
        ("link", memoryview(bytes(32))),
    ],
)
def test_no_leaf_is_made_of_anything_else(part, odd):
    """It points into its parts: they must be bytes, which stay as they are."""
    leaf = ServedLeaf(1, 9, b"p" * 32, b"h" * 40, b"g" * 64, (b"s",), None, 1, b"l" * 32, True)
    with pytest.raises((TypeError, OverflowError)):
        altered(leaf, **{part: odd})
    whole = fields(leaf)
    leaf.__init__(*whole._replace(device=2))  # type: ignore[misc]
    assert fields(leaf) == whole, "a leaf does not change"
