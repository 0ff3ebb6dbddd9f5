"""The folded index behind search and filters (storage floor, DESIGN.md 9).

One FTS5 row per case with three columns: ``folded`` has the words without accents and answers what
is searched; ``exact`` has those words that carry accents, as ``model.folding`` writes them, and
decides who comes first; ``fields`` has one token per field and value for filters. FTS5 is the
cheapest index there is under SQLCipher, where every row of a table costs many times its content.

What a person types is only ever words: each stands between quotation marks, so that no operator of
the index's query language gets through. Words that were replaced stay in old parts of the index
until SQLite merges them, as the old values stay in the sealed changes; a case that is dropped is
merged away in the same transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final, NamedTuple

from casesync.model.folding import exact_key, fold
from casesync.storage.session import Session

WORDS_MAX: Final = 16
"""Longer queries are cut; sixteen words already name one case."""
_PREFIX_CHARS_MIN: Final = 2
"""One letter begins a word in every case; it is looked for as a word of its own."""
_REMEMBERED_WORDS: Final = 16 * 1024
"""Vietnamese has some 7,000 syllables."""
_REMEMBERED_CHARS_MAX: Final = 32
_SCALARS: Final = (str, int, float)
# Exact keys set tones behind the last letter, where some do not combine with it.
_WORD: Final = re.compile("(?:[^\\W_]|[\u0300-\u036f])+")


class _Words(NamedTuple):
    """The words of one piece of text."""

    folded_text: str
    exact_text: str
    """What the columns take; of ``exact`` what is not in ``folded``, which a query asks for."""
    folded: tuple[str, ...]
    exact: tuple[str, ...]


class IndexEntry(NamedTuple):
    """What the index keeps of a case: words in any order, each once, between spaces."""

    folded: str
    exact: str
    fields: str


def _words(key: str) -> tuple[str, ...]:
    if key.isascii() and key.isalnum():  # one word
        return (key,)
    return tuple(_WORD.findall(key))


class _Pieces(dict[str, _Words]):
    """Words by piece; looking one up that is known costs no call."""

    def __missing__(self, piece: str) -> _Words:
        key, base = exact_key(piece), fold(piece)
        folded = _words(base)
        exact = folded if key == base else _words(key)
        accented = "" if exact is folded else " ".join(w for w in exact if w not in folded)
        words = _Words(" ".join(folded), accented, folded, exact)
        if len(piece) <= _REMEMBERED_CHARS_MAX:
            if len(self) >= _REMEMBERED_WORDS:
                self.clear()
            self[piece] = words
        return words


_PIECES: Final = _Pieces()


def index_entry(fields: Mapping[str, Any], texts: Sequence[str]) -> IndexEntry:
    """What to keep of a case with these values and texts."""
    words = list(map(_PIECES.__getitem__, set(" ".join(texts).split())))
    folded, exact = set(map(itemgetter(0), words)), set(map(itemgetter(1), words))
    return IndexEntry(" ".join(folded), " ".join(exact), " ".join(_tokens(fields)))


class CaseIndex:
    """The index, by the serial number of the case's stream."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._dropped = False

    def put(self, serial: int, entry: IndexEntry) -> None:
        """Index a case that is not in the index."""
        self._session.execute(
            "INSERT INTO case_index(rowid, folded, exact, fields) VALUES (?, ?, ?, ?)",
            (serial, *entry),
        )

    def replace(self, serial: int, entry: IndexEntry) -> None:
        """Index a case that is in the index; costs little where its words are the same."""
        held = self._session.execute(
            "SELECT folded, exact, fields FROM case_index WHERE rowid = ?", (serial,)
        ).fetchone()
        if [set(words.split()) for words in held or ()] != [set(w.split()) for w in entry]:
            self._remove(serial)
            self.put(serial, entry)

    def drop(self, serial: int) -> None:
        """Forget a case."""
        self._remove(serial)
        self._dropped = True

    def flush(self) -> None:
        """Before the commit: words of dropped cases leave the index, not only its answers."""
        if self._dropped:
            self._session.execute("INSERT INTO case_index(case_index) VALUES ('optimize')")
            self._dropped = False

    def forget(self) -> None:
        """The transaction is over."""
        self._dropped = False

    def having(self, name: str, value: object) -> set[int]:
        """Cases whose field has this value (a JSON scalar), or has it among others."""
        if not isinstance(value, _SCALARS):
            return set()
        return self._matching(f'fields : "{_token(name, value)}"')

    def find(self, text: str) -> list[set[int]]:
        """Disjoint sets of hits, best first.

        Every word of ``text`` must stand in the case, the last one perhaps as a beginning. First
        come cases that have all words as typed, then those where the last only begins so, then
        those that agree without accents.
        """
        folded: list[str] = []
        typed: list[str] = []
        for words in map(_PIECES.__getitem__, text.split()):
            folded += [f'folded : "{word}"' for word in words.folded]
            typed += [
                f'{"folded" if word in words.folded else "exact"} : "{word}"'
                for word in words.exact
            ]
        if not folded:
            return []
        folded, typed = folded[:WORDS_MAX], typed[:WORDS_MAX]
        hits = self._matching(_beginning(folded))
        if not typed:  # signs that folding turns into letters, such as a letter in a circle
            return [hits]
        whole = self._matching(" AND ".join(typed)) & hits
        begun = (hits if typed == folded else self._matching(_beginning(typed)) & hits) - whole
        return [whole, begun, hits - whole - begun]

    def _remove(self, serial: int) -> None:
        self._session.execute("DELETE FROM case_index WHERE rowid = ?", (serial,))

    def _matching(self, query: str) -> set[int]:
        rows = self._session.execute(
            "SELECT rowid FROM case_index WHERE case_index MATCH ?", (query,)
        ).fetchall()
        return {row[0] for row in rows}


def _beginning(terms: list[str]) -> str:
    """All terms, the last also as the beginning of a word."""
    quoted = terms[-1].partition('"')[2]
    return " AND ".join(terms) + (" *" if len(quoted) > _PREFIX_CHARS_MIN else "")


def _tokens(fields: Mapping[str, Any]) -> Iterable[str]:
    found = set()
    for name, value in fields.items():
        if isinstance(value, _SCALARS):
            found.add(_token(name, value))
        elif isinstance(value, (list, tuple, dict)):
            found.update(_token(name, item) for item in value if isinstance(item, _SCALARS))
    return found


@lru_cache(_REMEMBERED_WORDS, typed=True)
def _token(name: str, value: object) -> str:
    """One word that stands for a field and a value (a JSON scalar); "1", 1 and true differ."""
    text = f"{name}\0{type(value).__name__}\0{value}"
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]
