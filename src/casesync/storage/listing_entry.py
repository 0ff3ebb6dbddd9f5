"""What lists and the index keep of a case, made of its values and texts (storage floor).

It takes no database, so that it can be made in one thread while another one writes. Words by word
of what people wrote: an office writes the same ones all day.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final, NamedTuple

from casesync.foundation.compiled import compiled
from casesync.model.folding import exact_key, fold
from casesync.sync.ports import ListingEntry, ListingRow

words_kernel = compiled("casesync.storage._index_words", 2)
"""Finds the words and tokens of cases; without it ``_joined_words`` and ``_joined_tokens`` do."""

SCALARS: Final = (str, int, float)
"""JSON values that a filter compares; the others are lists or objects of them."""
_REMEMBERED_WORDS: Final = 16 * 1024
"""Vietnamese has some 7,000 syllables."""
_REMEMBERED_CHARS_MAX: Final = 32
# Exact keys set tones behind the last letter, where some do not combine with it.
_WORD: Final = re.compile("(?:[^\\W_]|[\u0300-\u036f])+")


class Words(NamedTuple):
    """The words of one piece of text."""

    folded_text: str
    exact_text: str
    """What the columns take; of ``exact`` what is not in ``folded``, which a query asks for."""
    folded: tuple[str, ...]
    exact: tuple[str, ...]


class _Pieces(dict[str, Words]):
    """Words by piece; looking one up that is known costs no call."""

    def __missing__(self, piece: str) -> Words:
        key, base = exact_key(piece), fold(piece)
        folded = _words(base)
        exact = folded if key == base else _words(key)
        accented = "" if exact is folded else " ".join(w for w in exact if w not in folded)
        words = Words(" ".join(folded), accented, folded, exact)
        if len(piece) <= _REMEMBERED_CHARS_MAX:
            if len(self) >= _REMEMBERED_WORDS:
                self.clear()
            self[piece] = words
        return words


_PIECES: Final = _Pieces()


class ListingEntries:
    """Makes entries of many cases, in one thread."""

    def __init__(self) -> None:
        """What it finds out about words is remembered as long as it lives."""
        learn = _PIECES.__getitem__
        self._words = _joined_words
        if words_kernel is not None:
            self._words = words_kernel.IndexWords(learn, _REMEMBERED_WORDS).joined

    def entry(self, row: ListingRow) -> ListingEntry:
        """What is kept of a case."""
        folded, exact = self._words(row.texts)
        return ListingEntry(
            row.stream,
            row.record,
            row.code,
            row.sort_ms,
            _json(row.fields),
            folded,
            exact,
            _joined_tokens(row.fields),
        )


def words_of(text: str) -> list[Words]:
    """The words of what was typed, piece by piece."""
    return [_PIECES[piece] for piece in text.split()]


@lru_cache(_REMEMBERED_WORDS, typed=True)
def token(name: str, value: object) -> str:
    """One word that stands for a field and a value (a JSON scalar); "1", 1 and true differ."""
    text = f"{name}\0{type(value).__name__}\0{value}"
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def _joined_words(texts: Sequence[str]) -> tuple[str, str]:
    """(folded, exact) words of the texts, each once."""
    words = list(map(_PIECES.__getitem__, set(" ".join(texts).split())))
    folded, exact = set(map(itemgetter(0), words)), set(map(itemgetter(1), words))
    return " ".join(folded), " ".join(exact)


def _words(key: str) -> tuple[str, ...]:
    if key.isascii() and key.isalnum():  # one word
        return (key,)
    return tuple(_WORD.findall(key))


def _joined_tokens(fields: Mapping[str, Any]) -> str:
    """The tokens of the fields' values, each once."""
    if words_kernel is not None and type(fields) is dict:
        joined: str = words_kernel.joined_tokens(fields, SCALARS, token)
        return joined
    found = set()
    for name, value in fields.items():
        if isinstance(value, SCALARS):
            found.add(token(name, value))
        elif isinstance(value, (list, tuple, dict)):
            found.update(token(name, item) for item in value if isinstance(item, SCALARS))
    return " ".join(found)


_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
