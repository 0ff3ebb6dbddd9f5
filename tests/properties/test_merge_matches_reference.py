"""Merging equals its definition, whatever is delivered in whatever order, refused early or late."""

from __future__ import annotations

import random

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from casesync.model.cells import intern_form
from casesync.model.merge import Segment, StreamState, rebuild
from properties import reference_merge
from properties.merge_worlds import body_of, segment_sets
from properties.reference_merge import Seg

refusals = st.sets(st.tuples(st.integers(1, 4), st.integers(1, 4)), max_size=6)


def delivered(segments: list[Seg], seed: int, refused: set[tuple[int, int]]) -> StreamState:
    """Apply everything once or twice in a random order, storing and loading in between."""
    rnd = random.Random(seed)
    order = segments + [s for s in segments if rnd.random() < 0.3]
    rnd.shuffle(order)
    state = StreamState()
    seen = set()
    for s in order:
        applied = state.apply(
            s.device,
            s.number,
            s.compartment,
            s.link8,
            body_of(s),
            rnd.randrange(1 << 40),
            (s.device, s.number) not in refused,
            lambda device, number: (device, number) not in refused,
        )
        assert applied is ((s.device, s.number, s.compartment) not in seen)
        seen.add((s.device, s.number, s.compartment))
        if rnd.random() < 0.3:
            stored = msgpack.packb(state.to_row())
            state = StreamState.from_row(msgpack.unpackb(stored, strict_map_key=False))
    return state


def live_of(state: StreamState) -> set:
    return {(*write[:6], write.copy) for write in state.live_writes()}


def rebuilt(segments: list[Seg], refused: set[tuple[int, int]]) -> StreamState:
    stored = [
        Segment(s.device, s.number, s.compartment, s.link8, body_of(s), location)
        for location, s in enumerate(segments)
    ]
    return rebuild(stored, lambda device, number, _: (device, number) not in refused)


@given(segment_sets(with_copies=False), refusals, st.integers(0, 1 << 30))
def test_any_delivery_of_originals_gives_the_live_writes_of_the_definition(
    segments: list[Seg], refused: set[tuple[int, int]], seed: int
) -> None:
    """record-model.md, Cell and Transparency; SECURITY attacks 68 to 71 by chance."""
    state = delivered(segments, seed, refused)
    counts = lambda d, n, _: (d, n) not in refused  # noqa: E731
    assert live_of(state) == reference_merge.live(segments, counts)


@given(segment_sets(), refusals, st.integers(0, 1 << 30))
def test_any_delivery_with_copies_gives_the_live_writes_of_the_definition(
    segments: list[Seg], refused: set[tuple[int, int]], seed: int
) -> None:
    """record-model.md, Copies."""
    state = delivered(segments, seed, refused)
    counts = lambda d, n, _: (d, n) not in refused  # noqa: E731
    assert live_of(state) == reference_merge.live(segments, counts)


@given(segment_sets(), refusals, st.integers(0, 1 << 30), st.integers(0, 1 << 30))
def test_two_deliveries_and_a_rebuild_are_one_state(
    segments: list[Seg], refused: set[tuple[int, int]], seed: int, other: int
) -> None:
    """Not only what is live: what is remembered for later is equal too."""
    state = delivered(segments, seed, refused).normalised()
    assert state == delivered(segments, other, refused).normalised()
    assert state == rebuilt(segments, refused).normalised()


@given(segment_sets(), refusals, refusals, st.integers(0, 1 << 30))
def test_a_late_refusal_or_admission_equals_having_known_it(
    segments: list[Seg], first: set[tuple[int, int]], then: set[tuple[int, int]], seed: int
) -> None:
    """Whatever was thought before, the rebuilt state is that of the verdicts now."""
    delivered(segments, seed, first)
    counts = lambda d, n, _: (d, n) not in then  # noqa: E731
    state = rebuilt(segments, then)
    assert live_of(state) == reference_merge.live(segments, counts)
    assert state.normalised() == delivered(segments, seed, then).normalised()


@given(segment_sets(), refusals, st.integers(0, 1 << 30), st.data())
def test_an_author_names_just_the_live_writes_of_her_cells(
    segments: list[Seg], refused: set[tuple[int, int]], seed: int, data: st.DataObject
) -> None:
    """record-model.md, Cell: whole segments are asked for at a time, the answer is by cell."""
    state = delivered(segments, seed, refused)
    live = list(state.live_writes())
    compartment = data.draw(st.sampled_from(sorted({s.compartment for s in segments} | {1})))
    known = sorted({write.cell for write in live}, key=repr)
    asked = set(data.draw(st.lists(st.sampled_from(known)))) if known else set()
    named: dict[tuple[int, int, bytes], int] = {}
    for write in live:
        if write.compartment == compartment and write.cell in asked:
            target = (write.device, write.number, write.link8)
            named[target] = named.get(target, 0) | 1 << write.position
    replaces = state.replaces_for(asked, compartment)
    assert [(tuple(entry[:3]), entry.mask) for entry in replaces] == sorted(named.items())


@given(segment_sets(), refusals, st.integers(0, 1 << 30), st.data())
def test_a_form_names_what_its_cells_name(
    segments: list[Seg], refused: set[tuple[int, int]], seed: int, data: st.DataObject
) -> None:
    """record-model.md, Cell: an author of a whole form asks once for all of its cells."""
    state = delivered(segments, seed, refused)
    live = list(state.live_writes())
    compartment = data.draw(st.sampled_from(sorted({s.compartment for s in segments} | {1})))
    records = sorted({(write.cell.record, write.cell.type) for write in live})
    record, kind = data.draw(st.sampled_from(records)) if records else (bytes(16), 1)
    fields = sorted({write.cell.field for write in live} | {1})
    chosen = data.draw(st.lists(st.sampled_from(fields), min_size=1, unique=True))
    form = intern_form(kind, [field << 4 | 1 for field in chosen])
    named = state.replaces_for(form.cells(record), compartment)
    assert state.replaces_for_form(record, form, compartment) == named
