"""Attack 69: a replacement mask over another compartment's cells, or over cells not written.

Refusing layer: merging (``model/merge.py``; record-model.md, Cell).
"""

from __future__ import annotations

import pytest

from casesync.model.cells import CellId
from casesync.model.merge import StreamState
from casesync.model.segment_body import Content, Replacement, Write, decode_content, encode_content

IDENTITY, OPERATIONS = 2, 7
LINK = b"the-link"


def cell(field: int) -> CellId:
    return CellId(b"\x01" * 16, 1, field, None, 0)


def body(fields: list[int], mask: int | None = None) -> Content:
    names = [] if mask is None else [Replacement(1, 1, LINK, mask)]
    return decode_content(encode_content(1, 1, names, [Write(cell(f), 3, "w") for f in fields]))


@pytest.mark.parametrize("first", [True, False])
def test_a_mask_reaches_only_the_segment_of_its_own_compartment(first: bool) -> None:
    """One change with two segments shares number and link; the table is per compartment."""
    state = StreamState()
    attack = body([1, 2], mask=0b11)
    if first:
        state.apply(2, 1, OPERATIONS, b"attacker", attack, 2)
    state.apply(1, 1, IDENTITY, LINK, body([1, 2]), 1)
    state.apply(1, 1, OPERATIONS, LINK, body([5]), 1)
    if not first:
        state.apply(2, 1, OPERATIONS, b"attacker", attack, 2)
    live = {(w.device, w.compartment, w.cell.field) for w in state.live_writes()}
    assert {(1, IDENTITY, 1), (1, IDENTITY, 2), (1, OPERATIONS, 5)} <= live


@pytest.mark.parametrize("mask", [0b10, 0b111, (1 << 256) - 1])
@pytest.mark.parametrize("first", [True, False])
def test_bits_on_cells_that_the_writer_does_not_write_are_ignored(mask: int, first: bool) -> None:
    state = StreamState()
    changes = [(1, LINK, body([1, 2])), (2, b"attacker", body([3, 1], mask=mask))]
    for device, link8, content in changes[::-1] if first else changes:
        state.apply(device, 1, IDENTITY, link8, content, 1)
    live = {(w.device, w.cell.field) for w in state.live_writes()}
    assert (1, 2) in live
    assert ((1, 1) in live) is not bool(mask & 1)
