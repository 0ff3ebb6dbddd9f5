"""The compiled twins of what a save is made of do what their Python does.

``model/_form_body.pyx`` beside ``own_content.made_form``, ``sync/_own_save.pyx`` beside
``own_save``. Where they were not compiled there is nothing to compare.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec import canonical
from casesync.crypto.aead import prepare
from casesync.foundation.errors import UsageError
from casesync.model import own_content
from casesync.model.cells import CellId, intern_form
from casesync.model.own_content import made_content, made_form
from casesync.model.segment_body import Replacement, Write, decode_content
from casesync.model.state_row import TABLE_MAX
from casesync.sync import own_save
from casesync.sync.keyring import StreamKey
from casesync.sync.own_save import Place, note_save, sealed_save
from casesync.sync.stream_merge import state_of
from casesync.sync.stream_row import StreamRow

form_kernel = own_content.form_kernel
needs_forms = pytest.mark.skipif(form_kernel is None, reason="not compiled here")
save_kernel = own_save.save_kernel
needs_saves = pytest.mark.skipif(save_kernel is None, reason="not compiled here")
RECORD = bytes(range(16))
OWN = 7


def edges(*limits: int) -> st.SearchStrategy[int]:
    """Numbers around these limits, and others."""
    around = [limit + step for limit in limits for step in (-1, 0, 1)]
    return st.one_of(st.sampled_from(around), st.integers(-(1 << 65), 1 << 65))


scalars = st.one_of(
    st.none(),
    st.booleans(),
    edges(0, -0x20, 0x80, -0x80, 0x100, -0x8000, 1 << 16, -(1 << 31), 1 << 32, 1 << 63, 1 << 64),
    st.text(max_size=20),
    st.sampled_from([0, 31, 32, 255, 256, 4095, 4096, 5000]).map(lambda size: "a" * size),
    st.sampled_from([0, 255, 256, 4096]).map(bytes),
    st.just("\ud800"),
    st.just(1.5),
)
values = st.one_of(
    scalars,
    st.lists(scalars, max_size=17),
    st.lists(scalars, max_size=2).map(tuple),
    st.lists(st.lists(scalars, max_size=2), max_size=2),
)
replacements = st.lists(
    st.builds(
        Replacement,
        st.one_of(st.integers(1, 9), edges(0, 1 << 32)),
        st.one_of(st.integers(1, 9), edges(0, 1 << 48)),
        st.sampled_from([8, 8, 8, 8, 7]).map(bytes),
        st.one_of(st.integers(1, 9), edges(0, 1 << 62, 1 << 64)),
    ),
    max_size=17,
)


def outcome(*parts: Any) -> Any:
    """What is made, or how it is refused."""
    try:
        return made_form(*parts)
    except (UsageError, TypeError, ValueError) as error:
        return type(error), str(error)


@needs_forms
@given(
    clock=st.one_of(st.integers(0, 1 << 41), edges(0, 1 << 48)),
    version=st.one_of(st.integers(0, 9), edges(0, 1 << 32)),
    replaces=replacements,
    record=st.sampled_from([RECORD, RECORD, RECORD, b"short"]),
    written=st.lists(values, min_size=1, max_size=9),
)
def test_a_form_is_written_alike_compiled_or_not(clock, version, replaces, record, written):
    form = intern_form(5, [field << 4 | 2 for field in range(1, len(written) + 1)])
    parts = (clock, version, replaces, record, form, written)
    compiled = outcome(*parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_content, "form_kernel", None)
        assert outcome(*parts) == compiled
    if isinstance(compiled[0], bytes):
        assert decode_content(compiled[0]) == compiled[1]


@needs_forms
@pytest.mark.parametrize("cells", [1, 15, 64, 65])
def test_common_forms_are_written_by_the_twin(cells):
    """Up to a mask of one integer."""
    form = intern_form(5, [field << 4 | 2 for field in range(1, cells + 1)])
    replaces = [Replacement(1, 2, bytes(8), 3)]
    made = form_kernel.made_form(1, 2, replaces, RECORD, form, ["chưa rõ"] * cells)
    assert (made is not None) == (cells <= 64)


@needs_forms
def test_every_length_of_a_value_has_its_one_form():
    """msgpack's shortest, at each edge."""
    integers = [edge + step for edge in (0, 0x80, 1 << 8, 1 << 16, 1 << 32) for step in (-1, 0)]
    integers += [-edge + step for edge in (0x20, 0x80, 1 << 15, 1 << 31) for step in (-1, 0)]
    texts = ["a" * size for size in (0, 31, 32, 255, 256)]
    raw = [bytes(size) for size in (0, 255, 256)]
    lists: list[Any] = [[None] * size for size in (0, 15, 16)]
    for written in (integers, texts, raw, [*lists, True, False, None]):
        form = intern_form(5, [field << 4 | 2 for field in range(1, len(written) + 1)])
        body, _ = form_kernel.made_form(1, 2, [], RECORD, form, written)
        scalars = [part for pair in zip(form.keys, written, strict=True) for part in pair]
        assert body == canonical.pack([1, 2, [], [[RECORD, 5, scalars]]])


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([RECORD, RECORD, bytes(16)]),
            st.sampled_from([5, 5, 5, 6]),
            st.integers(1, 4),
            st.sampled_from([None, None, None, "element"]),
        ),
        min_size=1,
        max_size=5,
        unique=True,
    )
)
def test_what_is_made_of_writes_is_what_their_body_decodes_to(rows):
    writes = [Write(CellId(*row, 0), 2, f"giá trị {at}") for at, row in enumerate(rows)]
    body, content = made_content(1, 2, [], writes)
    again, decoded = made_content(1, 2, [], writes)  # its form is known now
    assert (body, content) == (again, decoded)
    assert decode_content(body) == content


# -- sealing --------------------------------------------------------------------------------------

KEY = StreamKey(prepare(b"k" * 32), bytes(range(32)), b"s" * 32, b"k" * 32, 2, (1, 1, 0))
places = st.builds(
    Place,
    device=st.sampled_from([1, OWN, (1 << 32) - 1]),
    number=st.sampled_from([1, 2, 1 << 32, (1 << 48) - 1]),
    stream=st.binary(min_size=16, max_size=16),
    previous_here=st.sampled_from([0, 1, 1 << 32]),
    control_size=st.sampled_from([1, 255, 1 << 33]),
    random8=st.binary(min_size=8, max_size=8),
    previous_link=st.binary(min_size=32, max_size=32),
)
afters = st.lists(
    st.tuples(st.integers(8, 300), st.integers(1, 1 << 40), st.just(b"12345678")),
    max_size=10,
    unique_by=lambda row: row[0],
).map(sorted)


def sealed_both_ways(*parts: Any) -> tuple[Any, Any]:
    """What the twin gives, and what Python gives."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        for kernel in (save_kernel, None):
            patch.setattr(own_save, "save_kernel", kernel)
            try:
                found.append(sealed_save(*parts))
            except ValueError:
                found.append(None)
    return found[0], found[1]


@needs_saves
@given(place=places, after=afters, size=st.sampled_from([0, 1, 47, 48, 111, 495, 496, 5000]))
def test_a_save_is_sealed_alike_compiled_or_not(place, after, size):
    """Where a header could not be, neither makes one."""
    compiled, python = sealed_both_ways(place, after, KEY, b"b" * size)
    assert compiled == python


@needs_saves
def test_common_saves_are_sealed_by_the_twin():
    place = Place(OWN, 5, bytes(16), 4, 9, b"random-8", bytes(32))
    after = [(8, 1, b"12345678")] * 1
    assert save_kernel.sealed_save(place, after, KEY, b"b" * 495) is not None
    assert save_kernel.sealed_save(place, after, KEY, b"b" * 496) is None


# -- noting ---------------------------------------------------------------------------------------

records = st.sampled_from([RECORD, bytes(16), b"r" * 16])
fields = st.sampled_from([(1,), (1, 2), (2, 3, 4), tuple(range(1, 9))])


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """(device, number, compartment, record, fields, what is replaced) of one stream."""
    numbers = dict.fromkeys((OWN, 8, 9), 0)
    found = []
    for _ in range(draw(st.integers(1, 14))):
        device = draw(st.sampled_from([OWN, OWN, 8, 9]))
        numbers[device] += draw(st.integers(1, 3))
        named = draw(st.sampled_from(["held", "held", "nothing", "odd"]))
        compartment = draw(st.sampled_from([2, 2, 3]))
        found.append((device, numbers[device], compartment, draw(records), draw(fields), named))
    return found


def entries_of(row: StreamRow, entry: tuple[Any, ...], form: Any) -> list[Replacement]:
    """What the change replaces: what is live, nothing, or what was never there or is long gone."""
    _, number, compartment, record, _, named = entry
    held = state_of(row).replaces_for_form(record, form, compartment)
    if named == "odd":
        odd = [Replacement(8, number + 5, b"l" * 8, 1), Replacement(OWN, 1, b"l" * 8, 3)]
        return [*odd, *(one._replace(mask=one.mask & 1) for one in held if one.mask & 1)]
    return held if named == "held" else []


@needs_saves
@given(history=histories(), full=st.booleans())
def test_a_save_is_noted_alike_compiled_or_not(history, full):
    row = StreamRow()
    state_of(row)
    if full:
        row.merge_row[2] += [bytes([at]) * 16 for at in range(100, 100 + TABLE_MAX - 1)]
    for entry in history:
        device, number, compartment, record, written, _ = entry
        form = intern_form(5, [field << 4 | 2 for field in written])
        entries = entries_of(row, entry, form)
        _, content = made_form(1, 1, entries, record, form, ["chữ"] * len(written))
        link = bytes([device, number]) * 16
        if device != OWN:
            state_of(row).apply(device, number, compartment, link[:8], content, number << 10)
            row.note_applied(device, number, link[:8])
            row.add(number, device, number, number << 10, 0, 5)
            continue
        after = row.after(OWN)
        twin = StreamRow(copy.deepcopy(row.row))
        left = copy.deepcopy(row.row)
        parts = (OWN, number, link, number << 10, {compartment: copy.deepcopy(content)}, after)
        if not save_kernel.note_save(left, *parts):
            assert left == row.row
        note_save(row, OWN, number, link, number << 10, {compartment: content}, after)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(own_save, "save_kernel", None)
            note_save(twin, *parts)
        assert row.row == twin.row
        assert list(row.row[4]) == list(twin.row[4])


@needs_saves
def test_common_saves_are_noted_by_the_twin():
    """The first save of a form, and one that replaces it."""
    row = StreamRow()
    form = intern_form(5, [1 << 4 | 2, 2 << 4 | 2])
    for number in (1, 2):
        entries = state_of(row).replaces_for_form(RECORD, form, 2)
        assert len(entries) == number - 1
        _, content = made_form(1, 1, entries, RECORD, form, ["a", "b"])
        parts = (OWN, number, bytes([number]) * 32, 1024 + number, {2: content}, [])
        assert save_kernel.note_save(row.row, *parts)
