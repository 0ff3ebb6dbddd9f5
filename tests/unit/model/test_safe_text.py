"""Hostile text on a screen (protocol/schemas.md, *Showing text*)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.model.safe_text import MARKS_PER_LETTER_MAX, is_harmless, safe_text

anything = st.text(st.characters(), max_size=60) | st.text("\x1b[2J\n\r\u202e\u200b́", max_size=30)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Nguyễn Thị Đào", "Nguyễn Thị Đào"),
        (unicodedata.normalize("NFD", "Nguyễn Đào"), unicodedata.normalize("NFD", "Nguyễn Đào")),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("a\x00b\x07c\x7f", "a␀b␇c␡"),
        ("one\ntwo\r\tthree", "one␊two␍␉three"),
        ("\x9b2J", "⟨U+009B⟩2J"),
        ("abc\u202edcba", "abc⟨U+202E⟩dcba"),
        ("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"),
        ("zero\u200bwidth\ufeff", "zero⟨U+200B⟩width⟨U+FEFF⟩"),
        ("line\u2028para\u2029", "line⟨U+2028⟩para⟨U+2029⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("no-break\xa0space\u3000", "no-break space "),
        ("\u3164\u115f", "⟨U+3164⟩⟨U+115F⟩"),
        ("日本 🙂", "日本 🙂"),
    ],
)
def test_what_moves_hides_or_reorders_is_shown_as_a_sign(text, shown):
    assert safe_text(text) == shown


def test_lines_are_kept_where_asked_but_a_carriage_return_never():
    assert safe_text("one\ntwo\rthree", multiline=True) == "one\ntwo␍three"


def test_long_text_is_cut_and_the_rest_counted():
    assert safe_text("x" * 100, limit_chars=10) == "x" * 10 + "… (+90)"
    assert safe_text("x" * 10, limit_chars=10) == "x" * 10
    assert len(safe_text("\u202e" * 10_000_000)) < 200_000


def test_towers_of_marks_are_cut():
    tower = safe_text("a" + "\u0301" * 500 + "b")
    assert tower == "a" + "\u0301" * MARKS_PER_LETTER_MAX + "…b"


@given(anything)
def test_whatever_comes_the_result_is_harmless_and_stays(text):
    for multiline in (False, True):
        shown = safe_text(text, multiline=multiline)
        lines = shown.split("\n") if multiline else [shown]
        for line in lines:
            assert line.isprintable()
        assert safe_text(shown, multiline=multiline) == shown
        shown.encode("utf-8")


@given(anything)
def test_harmless_text_is_shown_unchanged(text):
    assert is_harmless(text) == (safe_text(text) == text)
    assert is_harmless(safe_text(text))
