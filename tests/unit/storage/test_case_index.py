"""The folded index: what stands in it, and what leaves it (DESIGN.md 9)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casesync.foundation.secret_bytes import SecretBytes
from casesync.model.folding import exact_key, fold
from casesync.storage.case_index import WORDS_MAX
from casesync.storage.sql_store import open_encrypted, open_plain
from casesync.sync.ports import StreamFlag
from casesync.testing.conformance_store import code_of, stream_id
from casesync.testing.conformance_store_lists import entries, listing_row

NAMES = ["Nguyễn", "Trần", "Lý", "Lí", "Quý", "Thuỷ", "Thúy", "Hoà", "Hòa", "Đặng", "được", "Anh"]


def found(store, text: str) -> list[int]:
    with store.transaction() as transaction:
        return [int(row.code[5:]) for row in transaction.find_cases(text, 99, None)[0]]


def put(store, number: int, *texts: str, **fields: object) -> None:
    with store.transaction() as transaction:
        transaction.put_listings(entries(listing_row(number, texts=texts, fields=fields)))


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4), st.sampled_from(["NFC", "NFD"]))
@settings(max_examples=60)
def test_every_way_of_typing_a_name_finds_it_and_as_stored_comes_first(words, form):
    store = open_plain()
    name = " ".join(words)
    put(store, 2, name)
    put(store, 1, fold(name))  # equally new, so that it would come first by its code
    typed = unicodedata.normalize(form, name)
    alike = exact_key(name) == exact_key(fold(name))
    assert found(store, typed) == ([1, 2] if alike else [2, 1])
    assert set(found(store, typed.upper())) == {1, 2}
    assert set(found(store, fold(name))) == {1, 2}


def test_tones_on_any_letter_decide_who_comes_first():
    """Some tones do not combine with a word's last letter and stand as marks of their own."""
    store = open_plain()
    for number, text in enumerate(["duoc", "được", "đước"]):
        put(store, number, text)
    assert found(store, "được") == [1, 0, 2]
    assert found(store, "đước") == [2, 0, 1]


def test_the_last_word_may_be_a_beginning_of_two_letters():
    store = open_plain()
    put(store, 1, "Lan Anh 0912345678")
    assert found(store, "lan an") == [1]
    assert found(store, "0912") == [1]
    assert found(store, "la anh") == []
    assert found(store, "l") == []


def test_words_join_neither_across_texts_nor_within():
    store = open_plain()
    put(store, 1, "thi", "hoa lan")
    assert found(store, "thihoa") == []
    assert found(store, "lan thi") == [1]


@pytest.mark.parametrize("words", [WORDS_MAX, WORDS_MAX * 3])
def test_a_whole_pasted_sentence_still_finds(words):
    store = open_plain()
    sentence = " ".join(f"từ{number}" for number in range(words))
    put(store, 1, sentence)
    assert found(store, sentence) == [1]


@given(st.text(max_size=60))
@example("\U0001f110")  # has letters only when folded
@settings(max_examples=100)
def test_no_text_makes_indexing_or_search_fail(text):
    store = open_plain()
    put(store, 1, text, **{"a.b": text})
    found(store, text)
    with store.transaction() as transaction:
        assert transaction.list_cases({"a.b": text}, 9, None)[1] == 1


def test_only_changed_cases_are_indexed_again():
    store = open_plain()
    put(store, 1, "Lan", **{"a.b": 1})
    statements = []
    store._connection.set_trace_callback(statements.append)
    with store.transaction() as transaction:
        transaction.put_listings(
            entries(listing_row(1, sort_ms=99, texts=["Lan"], fields={"a.b": 1}))
        )
    writes = ("INSERT INTO case_index", "DELETE FROM case_index")
    assert not [sql for sql in statements if sql.startswith(writes)]
    put(store, 1, "Mai", **{"a.b": 1})
    assert [sql for sql in statements if sql.startswith(writes)]
    assert found(store, "lan") == []


@pytest.mark.parametrize("encrypted", [True, False])
def test_the_words_of_a_dropped_case_leave_the_index(tmp_path, encrypted):
    """Not only the answers: the index's own blocks (of every earlier version too)."""
    path = tmp_path / "replica.db"
    store = open_encrypted(path, SecretBytes(b"k" * 32)) if encrypted else open_plain(path)
    put(store, 2, "Lan")
    for version in range(3):
        put(store, 1, f"Kwyjibo zyzzyva{version}", **{"a.b": "quuxword"})
    with store.transaction() as transaction:
        transaction.drop_listing(stream_id(1))
    tables = ("case_index_data", "case_index_content", "listing")
    rows = [row for t in tables for row in store._connection.execute(f"SELECT * FROM {t}")]
    for word in ("kwyjibo", "zyzzyva", "quuxword"):
        assert word not in repr(rows).lower()
    assert "lan" in repr(rows).lower()
    assert found(store, "lan") == [2]
    store.close()


def test_dropping_what_is_not_listed_costs_nothing():
    """Streams that are no cases are dropped from the list at every refresh."""
    store = open_plain()
    put(store, 1, "Lan")
    statements = []
    store._connection.set_trace_callback(statements.append)
    with store.transaction() as transaction:
        transaction.drop_listing(stream_id(2))
        transaction.mark_streams([stream_id(3)], StreamFlag.UNSETTLED, on=True)
        transaction.drop_listing(stream_id(3))
    assert not [sql for sql in statements if "optimize" in sql or sql.startswith("DELETE")]


def test_an_object_is_filtered_by_its_names():
    store = open_plain()
    put(store, 1, **{"case.kinds": {"gbv": {"since": 1}, "other": {}}})
    with store.transaction() as transaction:
        assert transaction.list_cases({"case.kinds": "gbv"}, 9, None)[1] == 1
        assert transaction.list_cases({"case.kinds": "since"}, 9, None)[1] == 0
        assert transaction.list_cases({"case.kinds": "\udc80"}, 9, None)[1] == 0


@pytest.mark.parametrize("after", ["\udc80", "ă", "\0", ""])
def test_a_page_behind_something_that_is_no_code_is_refused(after):
    store = open_plain()
    put(store, 1, "Lan")
    with store.transaction() as transaction:
        assert code_of(lambda: transaction.list_cases({}, 9, after)) == "page-unknown"
