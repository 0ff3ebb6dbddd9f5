"""Merging, case by case (record-model.md, Cell); the laws are in tests/properties."""

from __future__ import annotations

import msgpack
import pytest

from casesync.model.cells import CellId
from casesync.model.merge import Segment, StreamState, rebuild
from casesync.model.segment_body import (
    Content,
    Copy,
    Replacement,
    Write,
    decode_content,
    encode_content,
    encode_copies,
)

RECORD = b"\x01" * 16
OTHER = b"\x02" * 16
A, B, C = 1, 2, 3
FIELD = 2


def link(device: int, number: int) -> bytes:
    return bytes([device, number]) * 4


def cell(field: int, record: bytes = RECORD, element: str | None = None, part: int = 0) -> CellId:
    return CellId(record, 1, field, element, part)


def content(*cells: CellId, replaces: list[Replacement] | None = None) -> Content:
    writes = [Write(c, 3, "v") for c in cells]
    return decode_content(encode_content(5, 1, replaces or [], writes))


def names(device: int, number: int, mask: int) -> Replacement:
    return Replacement(device, number, link(device, number), mask)


def put(state: StreamState, device: int, number: int, body: Content, **options: object) -> bool:
    compartment = int(options.pop("compartment", FIELD))
    return state.apply(device, number, compartment, link(device, number), body, 1, **options)


def live(state: StreamState) -> set[tuple[int, int, int]]:
    return {(w.device, w.number, w.position) for w in state.live_writes()}


def test_a_form_save_replaces_the_save_it_read() -> None:
    state = StreamState()
    put(state, A, 1, content(cell(1), cell(2)))
    put(state, B, 1, content(cell(1), cell(2), replaces=[names(A, 1, 0b11)]))
    assert live(state) == {(B, 1, 0), (B, 1, 1)}


def test_concurrent_saves_of_one_cell_both_live() -> None:
    state = StreamState()
    put(state, A, 1, content(cell(1)))
    put(state, B, 1, content(cell(1), replaces=[names(A, 1, 1)]))
    assert not state.has_conflict_candidates()
    put(state, C, 1, content(cell(1), replaces=[names(A, 1, 1)]))
    assert live(state) == {(B, 1, 0), (C, 1, 0)}
    assert state.has_conflict_candidates()


def test_a_resolution_names_every_write_it_was_shown() -> None:
    state = StreamState()
    put(state, A, 1, content(cell(1)))
    put(state, B, 1, content(cell(1)))
    shown = state.replaces_for([cell(1)], FIELD)
    assert shown == [names(A, 1, 1), names(B, 1, 1)]
    put(state, C, 1, content(cell(1)))
    put(state, A, 2, content(cell(1), replaces=shown))
    assert live(state) == {(C, 1, 0), (A, 2, 0)}


def test_a_save_of_another_form_replaces_only_what_both_write() -> None:
    state = StreamState()
    put(state, A, 1, content(cell(1), cell(2), cell(3)))
    put(state, B, 1, content(cell(3), cell(1), replaces=[names(A, 1, 0b111)]))
    assert live(state) == {(A, 1, 1), (B, 1, 0), (B, 1, 1)}


def test_the_same_fields_of_another_record_are_other_cells() -> None:
    state = StreamState()
    put(state, A, 1, content(cell(1)))
    put(state, B, 1, content(cell(1, OTHER), replaces=[names(A, 1, 1)]))
    assert live(state) == {(A, 1, 0), (B, 1, 0)}


def test_the_same_fields_of_another_type_are_other_cells() -> None:
    state = StreamState()
    other = [CellId(RECORD, 9, field, None, 0) for field in (1, 2)]
    put(state, A, 1, content(cell(1), cell(2)))
    put(state, B, 1, content(other[0], replaces=[names(A, 1, 0b11)]))
    assert live(state) == {(A, 1, 0), (A, 1, 1), (B, 1, 0)}


def test_a_cell_is_the_same_under_another_resolver() -> None:
    """The code travels with the cell, but it is no part of its name."""
    for fields in ((1,), (1, 2)):
        state = StreamState()
        put(state, A, 1, content(*(cell(field) for field in fields)))
        writes = [Write(cell(1), 2, "w")]
        body = decode_content(encode_content(1, 1, [names(A, 1, 1)], writes))
        put(state, B, 1, body)
        assert (A, 1, 0) not in live(state)


def test_elements_and_parts_are_cells_of_their_own() -> None:
    state = StreamState()
    put(state, A, 1, content(cell(4, element="a"), cell(4, element="a", part=1)))
    put(state, A, 2, content(cell(4, element="b")))
    put(state, B, 1, content(cell(4, element="a"), replaces=[names(A, 1, 0b11)]))
    assert live(state) == {(A, 1, 1), (A, 2, 0), (B, 1, 0)}


def test_a_wide_change_is_replaced_beyond_64_bits() -> None:
    state = StreamState()
    cells = [cell(n) for n in range(1, 201)]
    put(state, A, 1, content(*cells))
    put(state, B, 1, content(cells[150], cells[199], replaces=state.replaces_for(cells, FIELD)))
    state = StreamState(msgpack.unpackb(msgpack.packb(state.row), strict_map_key=False))
    assert len(live(state)) == 200
    assert (A, 1, 150) not in live(state)
    assert (A, 1, 199) not in live(state)


def test_a_late_target_arrives_replaced() -> None:
    state = StreamState()
    put(state, B, 1, content(cell(1), replaces=[names(A, 1, 0b11)]))
    put(state, A, 1, content(cell(1), cell(2)))
    assert live(state) == {(B, 1, 0), (A, 1, 1)}
    assert state.row[4] == {}
    assert all(slot[2] is None for slot in state.row[1])


def test_numbers_below_the_highest_are_applied_once_when_they_come_late() -> None:
    state = StreamState()
    assert put(state, A, 7, content(cell(1)))
    assert put(state, A, 3, content(cell(2)))
    assert not put(state, A, 3, content(cell(2)))
    assert not put(state, A, 7, content(cell(1)))
    assert state.holds(A, 3, FIELD)
    assert not state.holds(A, 4, FIELD)
    assert not state.holds(A, 3, FIELD + 1)


def test_nothing_is_remembered_of_what_is_replaced_and_here() -> None:
    """A row stays small: replaced saves leave their number only."""
    state = StreamState()
    put(state, A, 1, content(*(cell(n) for n in range(1, 11))))
    sizes = []
    for number in range(2, 40):
        cells = [cell(n) for n in range(1, 11)]
        replaces = state.replaces_for(cells, FIELD)
        put(state, A, number, content(*cells, replaces=replaces))
        sizes.append(len(msgpack.packb(state.row)))
    assert sizes[-1] - sizes[0] == len(sizes) - 1 + 2  # a byte a number; the array's own length


def test_a_live_form_save_costs_some_forty_bytes() -> None:
    """Budget: rows are read and written with every sync; shapes and records stand in tables."""
    state = StreamState()
    cells = [cell(n) for n in range(1, 11)]
    for number in range(1, 31):
        put(state, A, number, content(*cells))
    size = len(msgpack.packb(state.row))
    assert size / 30 < 40


def test_more_forms_and_records_than_the_tables_hold_are_kept_beside() -> None:
    state = StreamState()
    for number in range(1, 101):
        record = bytes([number]) * 16
        put(state, A, number, content(*(cell(n, record) for n in range(1, number + 1))))
    assert len(live(state)) == sum(range(1, 101))
    everything = {write.cell for write in state.live_writes()}
    put(state, B, 1, content(cell(1, b"d" * 16), replaces=state.replaces_for(everything, FIELD)))
    assert (A, 100, 0) not in live(state)
    assert len(state.row[2]) == len(state.row[3]) == 32


def test_late_admission_is_a_rebuild_with_other_verdicts() -> None:
    segments = [
        Segment(A, 1, FIELD, link(A, 1), content(cell(1)), 10),
        Segment(B, 1, FIELD, link(B, 1), content(cell(1), replaces=[names(A, 1, 1)]), 11),
    ]
    refused = rebuild(segments, lambda device, number, compartment: device != B)
    assert live(refused) == {(A, 1, 0)}
    assert [(w.device, w.location) for w in refused.shadow_writes()] == [(B, 11)]
    assert live(rebuild(segments)) == {(B, 1, 0)}


def copies(*made: Copy) -> Content:
    return decode_content(encode_copies(1, 1, b"g" * 16, 1, 1, made))


def copy(device: int, number: int, field: int, *replaces: Replacement) -> Copy:
    return Copy(device, number, link(device, number), 0, cell(field), 3, 5, "v", replaces)


def test_a_copy_is_live_until_its_original_comes() -> None:
    state = StreamState()
    put(state, C, 1, copies(copy(A, 1, 1)))
    [write] = state.live_writes()
    assert (write.device, write.number, write.copy) == (A, 1, 0)
    put(state, A, 1, content(cell(1)))
    [write] = state.live_writes()
    assert (write.device, write.number, write.copy) == (A, 1, None)


def test_who_replaces_the_original_replaces_the_copy_also_before_it_comes() -> None:
    before, after = StreamState(), StreamState()
    for state, order in ((before, (B, C)), (after, (C, B))):
        for device in order:
            if device == B:
                put(state, B, 1, content(cell(1), replaces=[names(A, 1, 1)]))
            else:
                put(state, C, 1, copies(copy(A, 1, 1)))
        assert live(state) == {(B, 1, 0)}
    assert before.normalised() == after.normalised()


def test_a_copy_counts_as_long_as_its_original() -> None:
    state = StreamState()
    put(state, C, 1, copies(copy(A, 1, 1), copy(B, 1, 2)), counts_original=lambda d, _: d != A)
    assert live(state) == {(B, 1, 0)}


def test_copies_of_a_change_that_does_not_count_are_not_there() -> None:
    state = StreamState()
    put(state, C, 1, copies(copy(A, 1, 1)), counts=False)
    assert live(state) == set()


def test_a_forged_copy_cannot_replace_an_original_that_is_here() -> None:
    """What a copy claims to replace concerns copies only."""
    state = StreamState()
    put(state, A, 1, content(cell(1)))
    put(state, C, 1, copies(copy(B, 1, 1, names(A, 1, 1))))
    assert live(state) == {(A, 1, 0), (B, 1, 0)}


def test_of_two_copies_of_one_write_the_first_carrier_by_number_is_shown() -> None:
    for order in ((1, 2), (2, 1)):
        state = StreamState()
        for number in order:
            body = copies(copy(A, 1, 1))
            state.apply(C, number, FIELD, link(C, number), body, 100 + number)
        [write] = state.live_writes()
        assert write.location == 101


@pytest.mark.parametrize("compartment", [2, 7])
def test_compartments_do_not_see_each_other(compartment: int) -> None:
    state = StreamState()
    put(state, A, 1, content(cell(1)), compartment=2)
    put(state, A, 1, content(cell(1)), compartment=7)
    put(state, B, 1, content(cell(1), replaces=[names(A, 1, 1)]), compartment=compartment)
    assert {(w.device, w.compartment) for w in state.live_writes()} == {
        (B, compartment),
        (A, 9 - compartment),
    }
    assert {w.device for w in state.live_writes((compartment,))} == {B}


def test_copies_and_refused_changes_may_be_pointed_elsewhere() -> None:
    state = StreamState()
    put(state, C, 11, copies(copy(A, 1, 1)))
    put(state, C, 12, content(cell(1)), counts=False)
    put(state, C, 13, content(cell(2)))
    for number, location in ((11, 71), (12, 72), (13, 73)):
        state.relocate(C, number, location)
        state.relocate(number, C, 99)
    assert sorted(w.location for w in state.live_writes()) == [71, 73]
    assert [w.location for w in state.shadow_writes()] == [72]


def test_what_is_named_is_told_by_compartment() -> None:
    state = StreamState()
    for compartment in (2, 7):
        body = content(cell(1), replaces=[names(A, compartment, 1)])
        put(state, B, 1, body, compartment=compartment)
    assert list(state.named_writes(2)) == [(cell(1), names(A, 2, 1))]
    assert list(state.named_writes(7)) == [(cell(1), names(A, 7, 1))]
