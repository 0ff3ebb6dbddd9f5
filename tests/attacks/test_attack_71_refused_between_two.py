"""Attack 71: a refused change between two others.

Layer that must make it harmless: merging (``model/replacement.py``; record-model.md, Transparency).
"""

from __future__ import annotations

from itertools import permutations

import pytest

from casesync.model.cells import CellId
from casesync.model.merge import Segment, StreamState, rebuild
from casesync.model.segment_body import Replacement, Write, decode_content, encode_content

CELLS = [CellId(b"\x01" * 16, 1, field, None, 0) for field in (1, 2)]
LINKS = {number: b"link-%d--" % number for number in range(1, 6)}


def chain(length: int) -> list[Segment]:
    """Change n of device n replaces change n - 1, cell by cell; the second writes both cells."""
    made = []
    for n in range(1, length + 1):
        names = [] if n == 1 else [Replacement(n - 1, 1, LINKS[n - 1], 0b11)]
        cells = CELLS if n < length else CELLS[:1]
        body = encode_content(n, 1, names, [Write(cell, 3, f"word {n}") for cell in cells])
        made.append(Segment(n, 1, 2, LINKS[n], decode_content(body), n))
    return made


def live(state: StreamState) -> set[tuple[int, int]]:
    return {(w.device, w.position) for w in state.live_writes()}


def applied(order: tuple[Segment, ...], refused: set[int]) -> StreamState:
    state = StreamState()
    for segment in order:
        state.apply(*segment, counts=segment.device not in refused)
    return state


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_who_replaces_a_refused_write_replaces_what_that_replaced(order: tuple[int, ...]) -> None:
    """The last one saves only the first cell: the refused hand lifts off the second."""
    segments = chain(3)
    state = applied(tuple(segments[n] for n in order), refused={2})
    assert live(state) == {(3, 0), (1, 1)}
    assert {w.device for w in state.shadow_writes()} == {2}


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_transparency_follows_a_chain_of_refused_changes(order: tuple[int, ...]) -> None:
    segments = chain(5)
    state = applied(tuple(segments[n] for n in order), refused={2, 3, 4})
    assert live(state) == {(5, 0), (1, 1)}


def test_a_refused_change_alone_deletes_nothing() -> None:
    state = applied(tuple(chain(2)), refused={2})
    assert live(state) == {(1, 0), (1, 1)}


def test_refused_late_equals_refused_at_once() -> None:
    segments = chain(4)
    before = rebuild(segments)
    assert live(before) == {(4, 0), (3, 1)}
    late = rebuild(segments, lambda device, *_: device != 3)
    assert late.normalised() == applied(tuple(segments[::-1]), refused={3}).normalised()
    assert live(late) == {(4, 0), (2, 1)}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_wrong_link_of_a_refused_change_passes_nothing_on(order: tuple[int, ...]) -> None:
    first, refused, last = chain(3)
    names = [Replacement(2, 1, b"a guess!", 0b11)]
    body = encode_content(3, 1, names, [Write(cell, 3, "word") for cell in CELLS])
    last = last._replace(content=decode_content(body))
    segments = (first, refused, last)
    state = applied(tuple(segments[n] for n in order), refused={2})
    assert live(state) == {(1, 0), (1, 1), (3, 0), (3, 1)}


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_two_that_replace_a_refused_change_by_halves_replace_all_of_it(
    order: tuple[int, ...],
) -> None:
    """Both write both cells, and each names one of them."""
    segments = chain(3)[:2]
    for device, mask in ((3, 0b01), (4, 0b10)):
        names = [Replacement(2, 1, LINKS[2], mask)]
        body = encode_content(3, 1, names, [Write(cell, 3, "word") for cell in CELLS])
        segments.append(Segment(device, 1, 2, LINKS[device], decode_content(body), device))
    state = applied(tuple(segments[n] for n in order), refused={2})
    assert live(state) == {(3, 0), (3, 1), (4, 0), (4, 1)}
