"""The compiled twins of what a save is made of do what their Python does.

``model/_form_body.pyx`` beside ``own_content.made_form``. Where it was not compiled there is
nothing to compare.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.foundation.errors import UsageError
from casesync.model import own_content
from casesync.model.cells import CellId, intern_form
from casesync.model.own_content import made_content, made_form
from casesync.model.segment_body import Replacement, Write, decode_content

form_kernel = own_content.form_kernel
needs_forms = pytest.mark.skipif(form_kernel is None, reason="not compiled here")
RECORD = bytes(range(16))


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
