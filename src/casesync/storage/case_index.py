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

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from casesync.storage.listing_entry import SCALARS, token, words_of
from casesync.storage.session import Session
from casesync.sync.ports import ListingEntry

WORDS_MAX: Final = 16
"""Longer queries are cut; sixteen words already name one case."""
_PREFIX_CHARS_MIN: Final = 2
"""One letter begins a word in every case; it is looked for as a word of its own."""
_ROWS_TOGETHER: Final = 50
"""By one statement: the cipher's library locks memory for each, and who runs beside them waits."""
_PUT: Final = "INSERT INTO case_index(rowid, folded, exact, fields) VALUES (?, ?, ?, ?)"


class CaseIndex:
    """The index, by the serial number of the case's stream."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._dropped = False

    def put(self, entries: Sequence[tuple[int, ListingEntry]]) -> None:
        """Index cases that are not in the index, by serial number."""
        rows = [(serial, entry.folded, entry.exact, entry.tokens) for serial, entry in entries]
        put_together(self._session, _PUT, rows)

    def replace(self, serial: int, entry: ListingEntry) -> None:
        """Index a case that is in the index; costs little where its words are the same."""
        new = (entry.folded, entry.exact, entry.tokens)
        held = self._session.execute(
            "SELECT folded, exact, fields FROM case_index WHERE rowid = ?", (serial,)
        ).fetchone()
        if [set(words.split()) for words in held or ()] != [set(words.split()) for words in new]:
            self._remove(serial)
            self.put([(serial, entry)])

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
        if not isinstance(value, SCALARS):
            return set()
        return self._matching(f'fields : "{token(name, value)}"')

    def find(self, text: str) -> list[set[int]]:
        """Disjoint sets of hits, best first.

        Every word of ``text`` must stand in the case, the last one perhaps as a beginning. First
        come cases that have all words as typed, then those where the last only begins so, then
        those that agree without accents.
        """
        folded: list[str] = []
        typed: list[str] = []
        for words in words_of(text):
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


def put_together(session: Session, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run an insertion of one row for many, with few statements."""
    row_sql = sql[sql.rindex("(") :]
    for at in range(0, len(rows), _ROWS_TOGETHER):
        together = rows[at : at + _ROWS_TOGETHER]
        more = f", {row_sql}" * (len(together) - 1)
        session.execute(sql + more, tuple(chain.from_iterable(together)))
