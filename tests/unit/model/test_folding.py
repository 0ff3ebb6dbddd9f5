"""How search compares Vietnamese text (protocol/schemas.md, *Folding*)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casesync.model.folding import exact_key, fold, search_words

VIETNAMESE = (
    "aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ"
)
vietnamese_text = st.text(alphabet=VIETNAMESE + VIETNAMESE.upper() + "  -,", max_size=40)
any_text = st.text(max_size=40) | vietnamese_text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Nguyễn Thị Đào", "nguyen thi dao"),
        ("ĐƯỜNG ĐỒNG HỒ", "duong dong ho"),
        ("Hoà Bình", "hoa binh"),
        ("Thuỷ", "thuy"),
        ("Lý", "li"),
        ("Lí", "li"),
        ("Quý", "qui"),
        ("Mỹ Duyên", "mi duyen"),
        ("Mai", "mai"),
        ("May", "may"),
        ("y tế", "y te"),
        ("  hai \t\n dòng ", "hai dong"),
        ("không\u200bgian", "khonggian"),
        ("", ""),
    ],
)
def test_folding_forgets_diacritics_and_case(text, folded):
    assert fold(text) == folded
    assert fold(unicodedata.normalize("NFD", text)) == folded


def test_a_query_without_diacritics_finds_every_spelling():
    names = ["Nguyễn Thị Đào", "nguyễn thị đào", unicodedata.normalize("NFD", "NGUYỄN THỊ ĐÀO")]
    assert {fold(name) for name in names} == {fold("nguyen thi dao")}


def test_y_and_i_are_one_only_where_spelling_wavers():
    assert fold("Lý") == fold("Lí")
    assert fold("Quý") == fold("Quí")
    assert fold("Kỳ") == fold("Kì")
    assert fold("Mai") != fold("May")
    assert fold("Thúy") != fold("Thúi")
    assert fold("Hải") != fold("Hảy")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hoà", "hòa"),
        ("thuỷ", "thủy"),
        ("khoẻ", "khỏe"),
        ("Hoè", "hòe"),
        ("TUỲ", "tùy"),
        ("quý", "qúy"),
        ("Hoà  Bình", "hòa bình"),
        ("Thuỷ-Hoà", "thủy-hòa"),
    ],
)
def test_the_place_of_the_tone_is_a_habit_not_a_difference(one, other):
    assert exact_key(one) == exact_key(other)
    assert exact_key(unicodedata.normalize("NFD", one)) == exact_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Đào", "Dao"),
        ("hoà", "hoa"),
        ("hoà", "hoá"),
        ("Lan", "Lân"),
        ("Thi", "Thị"),
        ("mơ", "mo"),
        ("Lý", "Lí"),
        ("à a", "a à"),
        ("hoà bình", "hoa bình"),
    ],
)
def test_an_accented_query_keeps_its_accents(one, other):
    assert exact_key(one) != exact_key(other)


@given(any_text)
@example("ͅ")
@example("ẛ̣")
@example("İ")
@example("áạ b")
def test_both_keys_are_idempotent(text):
    assert fold(fold(text)) == fold(text)
    assert exact_key(exact_key(text)) == exact_key(text)


@given(any_text)
def test_both_keys_ignore_composition(text):
    for key in (fold, exact_key):
        forms = {key(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
        assert forms == {key(text)}


@given(vietnamese_text)
def test_both_keys_ignore_case(text):
    for key in (fold, exact_key):
        assert key(text.upper()) == key(text) == key(text.lower())


@given(vietnamese_text, vietnamese_text)
def test_equal_exactly_is_equal_folded(one, other):
    if exact_key(one) == exact_key(other):
        assert fold(one) == fold(other)


@given(vietnamese_text)
def test_folded_vietnamese_is_ascii(text):
    assert fold(text).isascii()


@given(any_text)
def test_words_are_the_folded_words(text):
    words = search_words(text)
    assert all(word and not any(c.isspace() for c in word) for word in words)
    assert search_words(" ".join(words)) == words


def test_words_split_at_what_is_no_letter_or_digit():
    assert search_words("Trần-Thị (Bé), 0912 345") == ["tran", "thi", "be", "0912", "345"]
