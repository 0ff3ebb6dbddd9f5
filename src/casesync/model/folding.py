"""Vietnamese text as search compares it (model).

Specified in ``protocol/schemas.md``, *Folding*. Two keys of one text: ``fold`` forgets every
diacritic, so that "nguyen thi dao" finds "Nguyễn Thị Đào"; ``exact_key`` keeps them and forgets
only what is a matter of typing habits: case, composed or decomposed form, and where the tone mark
stands (hoà = hòa). Who searches with diacritics means them: exact matches rank first. Neither key
is ever shown or stored as a value.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

TONES: Final = frozenset("\u0300\u0301\u0303\u0309\u0323")
"""The five tone marks: huyền, sắc, ngã, hỏi, nặng. Circumflex, breve and horn make letters."""

_STROKE: Final = str.maketrans({"đ": "d", "Đ": "d"})
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Lý = Lí, Mỹ = Mĩ, Quý = Quí: y after a consonant (or qu) at the end of a syllable. Behind
# another vowel y is a different sound: Mai is not May, and thủy is not thủi.
_FINAL_Y: Final = re.compile(r"(?:(?<=[bcdfghjklmnpqrstvwxz])|(?<=qu))y(?![^\W\d_])")


def fold(text: str) -> str:
    """``text`` without diacritics, case, invisible characters and surplus spaces.

    Idempotent, and the same for composed and decomposed text.
    """
    if text.isascii() and text.isprintable():  # nothing to take off, and no words to look up
        return _FINAL_Y.sub("i", " ".join(text.lower().split()))
    letters = _cased(text, "NFKD")
    stripped = "".join(c for c in letters if not unicodedata.category(c).startswith("M"))
    return _FINAL_Y.sub("i", _spaced(stripped.translate(_STROKE)))


def exact_key(text: str) -> str:
    """``text`` with diacritics, the tone of each word standing behind its last letter.

    Idempotent, and the same for composed and decomposed text and for both habits of placing the
    tone. The result is a key, not a spelling: "Nguyễn" has its tilde on the n.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())
    pieces: list[str] = []
    tones: list[str] = []
    for char in _spaced(_cased(text, "NFD")):
        if char in TONES:
            tones.append(char)
            continue
        if tones and not unicodedata.category(char).startswith(("L", "M")):
            pieces += tones
            tones.clear()
        pieces.append(char)
    return unicodedata.normalize("NFC", "".join(pieces + tones))


def search_words(text: str) -> list[str]:
    """The words of ``fold(text)``, as an index takes them and a query is split."""
    return [word for word in re.split(r"\W+", fold(text)) if word]


def _cased(text: str, form: Literal["NFD", "NFKD"]) -> str:
    """Decomposed and without case (Unicode 3.13, caseless matching)."""
    return unicodedata.normalize(form, unicodedata.normalize(form, text).casefold())


def _spaced(text: str) -> str:
    """Without invisible characters; runs of white space as one space, none at the ends."""
    visible = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) not in _HIDDEN_CATEGORIES
    )
    return " ".join(visible.split())
