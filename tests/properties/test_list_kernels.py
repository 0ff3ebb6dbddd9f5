"""The compiled twins of lists do what their Python does, on honest bytes and on hostile ones.

``model/_listed.pyx`` beside ``ListedRecords.take``, ``storage/_index_words.pyx`` beside
``_joined_words`` and ``_joined_tokens``. Where they were not compiled there is nothing to compare.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.foundation.errors import CasesyncError
from casesync.model import listed
from casesync.model.cells import CellId
from casesync.model.listed import ListedRecords
from casesync.model.listed_values import Gathered
from casesync.model.schema import ValueKind
from casesync.model.segment_body import Write, decode_content, encode_content
from casesync.storage import listing_entry
from plain_changes import changed
from properties.test_listing_ways import SCHEMA, states
from properties.test_page_paths import RECORDS

list_kernel = listed.listed_kernel
needs_lists = pytest.mark.skipif(list_kernel is None, reason="not compiled here")
word_kernel = listing_entry.words_kernel
needs_words = pytest.mark.skipif(word_kernel is None, reason="not compiled here")


@needs_lists
@given(states(), st.data(), st.integers(0, 2**70))
def test_a_segment_gives_lists_the_same_compiled_or_not(made, data, mask):
    """Whatever could be merged; and what the twin leaves it has not touched."""
    for body in filter(None, made[1].values()):
        for opened in (body, data.draw(changed(body))):
            try:
                content = decode_content(opened)
            except CasesyncError:
                continue
            records = ListedRecords(SCHEMA)
            compiled: dict[Any, Gathered] = {}
            if not list_kernel.take(opened, mask, compiled, records):
                assert not compiled
                continue
            python: dict[Any, Gathered] = {}
            records.take(content, mask, python)
            assert known_of(compiled) == known_of(python)


def known_of(found: dict[Any, Gathered]) -> Any:
    return {
        name: (
            *(one.is_simple, one.oldest_ms, one.newest_ms),
            one.is_simple and repr((one.values, one.texts, one.members)),
        )
        for name, one in found.items()
    }


@needs_lists
def test_a_form_is_taken_by_the_compiled_twin():
    """Else the property above would hold without saying anything about it."""
    person = SCHEMA.type_by_name("person")
    made = [
        Write(CellId(RECORDS[0], person.number, f.number, None, 0), int(f.resolver), "Đào")
        for f in person.fields.values()
        if f.value.kind is ValueKind.TEXT and f.element is None
    ]
    found: dict[Any, Gathered] = {}
    body = encode_content(7, 1, [], made)
    assert list_kernel.take(body, (1 << len(made)) - 1, found, ListedRecords(SCHEMA))
    [one] = found.values()
    assert set(one.values.values()) == {"Đào"}


@needs_words
@given(
    st.lists(
        st.lists(st.text(max_size=40) | st.sampled_from(["Đào", "đào,", "thuý thúy", "a\x01b"])),
        max_size=4,
    ),
    st.integers(1, 5),
)
def test_words_of_texts_are_the_same_compiled_or_not(cases, remembered):
    """Case after case, also when what is remembered is forgotten in between."""
    learn = listing_entry._PIECES.__getitem__
    words = word_kernel.IndexWords(learn, remembered)
    for texts in cases:
        compiled, python = words.joined(texts), listing_entry._joined_words(texts)
        assert [set(w.split()) for w in compiled] == [set(w.split()) for w in python]


shown = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="aà😀", min_size=60, max_size=600),
    st.integers(),
    st.booleans(),
    st.none(),
    st.just("\ud800"),
)


@needs_words
@given(
    st.dictionaries(
        st.sampled_from(["case.status", "person.given_name", "x" * 300, "\udfff"]),
        shown | st.lists(shown, max_size=4) | st.dictionaries(st.text(max_size=5), shown),
    )
)
def test_tokens_of_fields_are_the_same_compiled_or_not(fields):
    compiled = listing_entry._joined_tokens(fields).split()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing_entry, "words_kernel", None)
        assert set(compiled) == set(listing_entry._joined_tokens(fields).split())
    assert len(set(compiled)) == len(compiled)
    for name, value in fields.items():
        if isinstance(value, listing_entry.SCALARS):
            assert listing_entry.token(name, value) in compiled
