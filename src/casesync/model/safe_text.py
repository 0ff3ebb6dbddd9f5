"""Hostile text made harmless for a screen (model).

Specified in ``protocol/schemas.md``, *Showing text*. Members type text, and a member's device may
lie: escape sequences move cursors, bidirectional controls reorder what stands beside them,
invisible characters hide differences. Here each of them becomes something visible. Only what is
shown changes; the bytes that were signed stay in the history as they came. Markup of a particular
screen (rich, HTML) is its own affair.
"""

from __future__ import annotations

import unicodedata
from typing import Final

SHOWN_CHARS_MAX: Final = 20_000
"""Longer than any text field the project ships; what is beyond is counted, not printed."""
MARKS_PER_LETTER_MAX: Final = 4
"""Vietnamese needs two in decomposed form; towers of marks cover the lines above and below."""

_INVISIBLE: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\ufe0e\uffa0"
)
"""Letters, marks and symbols by category that nevertheless show nothing."""
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_MARK_CATEGORIES: Final = frozenset({"Mn", "Me"})
_DELETE: Final = "\x7f"
_DELETE_PICTURE: Final = "\u2421"
_PICTURES_FIRST: Final = 0x2400
"""Control pictures of Unicode: U+001B is shown as U+241B."""


def safe_text(text: str, *, limit_chars: int = SHOWN_CHARS_MAX, multiline: bool = False) -> str:
    """``text`` as it can be printed: one line, nothing invisible, nothing that moves a cursor.

    Args:
        text: any string, surrogates included.
        limit_chars: characters of ``text`` shown; how many were left out stands at the end.
        multiline: keep line feeds (a carriage return is still shown, it could overwrite).
    """
    shown = text[:limit_chars]
    if not (shown.isascii() and shown.isprintable()):
        shown = _visible(shown, multiline=multiline)
    left_out = len(text) - limit_chars
    return shown if left_out <= 0 else f"{shown}… (+{left_out})"


def is_harmless(text: str) -> bool:
    """Whether ``safe_text`` would show ``text`` unchanged on one line."""
    return safe_text(text) == text


def _visible(text: str, *, multiline: bool) -> str:
    pieces: list[str] = []
    marks = 0
    for char in text:
        if char == "\n" and multiline:
            pieces.append(char)
            marks = 0
            continue
        category = unicodedata.category(char)
        if category in _MARK_CATEGORIES and char not in _INVISIBLE:
            marks += 1
            if marks <= MARKS_PER_LETTER_MAX:
                pieces.append(char)
            elif marks == MARKS_PER_LETTER_MAX + 1:
                pieces.append("…")
            continue
        marks = 0
        pieces.append(_shown_char(char, category))
    return "".join(pieces)


def _shown_char(char: str, category: str) -> str:
    if category == "Zs":
        return " "
    if category not in _HIDDEN_CATEGORIES and char not in _INVISIBLE:
        return char
    if char < " ":
        return chr(_PICTURES_FIRST + ord(char))
    if char == _DELETE:
        return _DELETE_PICTURE
    return f"⟨U+{ord(char):04X}⟩"
