"""Attack 70: one change applied twice, or its segments at different times.

Refusing layer: merging (``model/merge.py``; record-model.md, Cell).
"""

from __future__ import annotations

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from casesync.model.cells import CellId
from casesync.model.merge import StreamState
from casesync.model.segment_body import Content, Replacement, Write, decode_content, encode_content

CELL = CellId(b"\x01" * 16, 1, 1, None, 0)
LINKS = {(1, 1): b"link-1-1", (2, 1): b"link-2-1", (1, 2): b"link-1-2"}


def body(*names: tuple[int, int]) -> Content:
    replaces = [Replacement(*name, LINKS[name], 1) for name in names]
    return decode_content(encode_content(1, 1, replaces, [Write(CELL, 3, "w")]))


def segments() -> dict[tuple[int, int, int], Content]:
    """A word, what replaced it, and what replaced that, in two compartments each."""
    return {
        (device, number, compartment): content
        for (device, number), content in {
            (1, 1): body(),
            (2, 1): body((1, 1)),
            (1, 2): body((2, 1)),
        }.items()
        for compartment in (2, 7)
    }


def stored(state: StreamState) -> StreamState:
    return StreamState(msgpack.unpackb(msgpack.packb(state.row), strict_map_key=False))


def test_a_replaced_word_does_not_come_back_by_repetition() -> None:
    """Remembered for ever, also through the store."""
    state = StreamState()
    for (device, number, compartment), content in segments().items():
        link8 = LINKS[device, number]
        assert state.apply(device, number, compartment, link8, content, 1)
    for (device, number, compartment), content in segments().items():
        state = stored(state)
        link8 = LINKS[device, number]
        assert not state.apply(device, number, compartment, link8, content, 1)
    assert {(w.device, w.number) for w in state.live_writes()} == {(1, 2)}


def test_another_segment_under_a_number_that_was_applied_is_not_applied() -> None:
    """Two changes with one (device, number): the first counts, the other is quarantined."""
    state = StreamState()
    state.apply(1, 1, 2, LINKS[1, 1], body(), 1)
    assert not state.apply(1, 1, 2, b"forked!!", body(), 2)
    assert [w.link8 for w in state.live_writes()] == [LINKS[1, 1]]


@given(st.permutations(sorted(segments())), st.data())
def test_segments_of_one_change_may_come_at_different_times(
    order: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    """A key that arrives late opens one segment long after the other."""
    contents = segments()
    state = StreamState()
    for device, number, compartment in order + data.draw(st.lists(st.sampled_from(order))):
        content = contents[device, number, compartment]
        state.apply(device, number, compartment, LINKS[device, number], content, 1)
    assert {(w.device, w.number, w.compartment) for w in state.live_writes()} == {
        (1, 2, 2),
        (1, 2, 7),
    }
