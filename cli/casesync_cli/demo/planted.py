"""Searching files for everything that was planted, in every spelling it could have (cli).

A spelling is a text composed and decomposed, as typed and folded, in UTF-8 and UTF-16, hex and
base64, and with its msgpack head; a number also as an integer. One occurrence is a find, so only
spellings are looked for that do not occur by chance: of six bytes or more, and in UTF-16 of five
letters or more (SQLite's own tables are full of small 16-bit numbers). Shorter words ("low") are
counted: more often than ciphertext of that length can hold them is a find. A write-ahead log holds
a page as often as it was written, so occurrences among the same bytes count once. Two letters tell
nothing.
"""

from __future__ import annotations

import base64
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgpack

from casesync.model.folding import fold

SPELLING_BYTES_MIN: Final = 6
_UTF16_BYTES_MIN: Final = 10
_BY_CHANCE: Final = {3: 8, 4: 4, 5: 3}
"""Occurrences of a word of so many bytes that 10 MB of ciphertext do not hold by chance: for three
bytes 0.6 are expected, and eight are rarer than one in a billion."""
_SURROUNDINGS_BYTES: Final = 8
"""Bytes before and behind a short word by which the copies of a page are known to be copies."""
_WORD_BYTES: Final = 4
_SHORT_CHARS: Final = 8
"""Texts up to this length are also looked for as a quoted word and with their msgpack head."""


class _Spelling(NamedTuple):
    """A spelling and where in it the word is by which it is known."""

    bytes: bytes
    offset: int
    kind: str
    text: str


class Hit(NamedTuple):
    """Something planted that stands in a file."""

    kind: str
    text: str
    file: str
    offset: int


class Planted:
    """Texts by kind (name, number, unit, type, field, value), each once."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}

    def __len__(self) -> int:
        """How many texts."""
        return len(self._kinds)

    def add(self, kind: str, texts: Iterable[str]) -> None:
        """Plant texts; the first kind of a text stands."""
        for text in texts:
            if text.strip():
                self._kinds.setdefault(text, kind)

    def items(self) -> Iterator[tuple[str, str]]:
        """(text, kind) of everything planted."""
        yield from self._kinds.items()


class Search:
    """All spellings of what was planted, ready to be looked for.

    A spelling of five bytes or more holds, wherever it stands, a four-byte word at an even place:
    its first four bytes or the four from its second. So the words of the content at even places
    are compared as sets, and only where one is known the spellings themselves are.
    """

    def __init__(self, planted: Planted, everybodys: bytes = b"") -> None:
        """Args: planted: what to look for; everybodys: what says nothing about anybody.

        A spelling that stands in ``everybodys`` (``PRIMARY``, in the tables of an empty database)
        is left out; the other spellings of the same text are looked for.
        """
        self.texts = len(planted)
        known: dict[bytes, tuple[str, str]] = {}
        for text, kind in planted.items():
            for spelling in spellings(text):
                known.setdefault(spelling, (kind, text))
        self._by_word = _by_word(known)
        for found, _ in self._matches(everybodys):
            known.pop(found.bytes, None)
        self._by_word = _by_word(known)
        self._short = {
            text.encode(): (kind, text)
            for text, kind in planted.items()
            if len(text.encode()) in _BY_CHANCE and text.encode() not in everybodys
        }
        self.spellings = len(known) + len(self._short)

    def content(self, content: bytes, name: str = "-") -> list[Hit]:
        """Everything planted that stands in some bytes."""
        hits = {Hit(f.kind, f.text, name, at) for f, at in self._matches(content)}
        hits.update(
            Hit(kind, text, name, content.find(word))
            for word, (kind, text) in self._short.items()
            if _places(content, word) >= _BY_CHANCE[len(word)]
        )
        return sorted(hits)

    def _matches(self, content: bytes) -> Iterator[tuple[_Spelling, int]]:
        words: set[int] = set()
        for shift in (0, 2):
            whole = max(0, len(content) - shift) // _WORD_BYTES * _WORD_BYTES
            words.update(memoryview(content)[shift : shift + whole].cast("I"))
        for word in words & self._by_word.keys():
            begin = word.to_bytes(_WORD_BYTES, sys.byteorder)
            at = content.find(begin)
            while at >= 0:
                for found in self._by_word[word]:
                    start = at - found.offset
                    if start >= 0 and content.startswith(found.bytes, start):
                        yield found, start
                at = content.find(begin, at + 1)

    def files(self, files: Iterable[Path]) -> tuple[list[Hit], int]:
        """Everything planted that stands in some files, and how many bytes were searched."""
        hits: list[Hit] = []
        size = 0
        for file in files:
            content = file.read_bytes()
            size += len(content)
            hits += self.content(content, file.name)
        return hits, size


def _places(content: bytes, word: bytes) -> int:
    """How often a word occurs, the copies of one page counted once."""
    around: set[bytes] = set()
    at = content.find(word)
    while at >= 0:
        end = at + len(word) + _SURROUNDINGS_BYTES
        around.add(content[max(0, at - _SURROUNDINGS_BYTES) : end])
        at = content.find(word, at + 1)
    return len(around)


def _by_word(known: Mapping[bytes, tuple[str, str]]) -> dict[int, list[_Spelling]]:
    by_word: defaultdict[int, list[_Spelling]] = defaultdict(list)
    for spelling, (kind, text) in known.items():
        for offset in (0, 1):
            word = int.from_bytes(spelling[offset : offset + _WORD_BYTES], sys.byteorder)
            by_word[word].append(_Spelling(spelling, offset, kind, text))
    return dict(by_word)


def spellings(text: str) -> Iterator[bytes]:
    """Every spelling of ``text`` that is long enough to be looked for."""
    return (found for found in _all_spellings(text) if len(found) >= SPELLING_BYTES_MIN)


def _all_spellings(text: str) -> Iterator[bytes]:
    forms = {text, text.casefold(), text.upper(), fold(text)}
    forms |= {unicodedata.normalize(form, t) for form in ("NFC", "NFD") for t in tuple(forms)}
    for form in forms:
        plain = form.encode()
        yield plain
        if 2 * len(form) >= _UTF16_BYTES_MIN:
            yield form.encode("utf-16-le")
            yield form.encode("utf-16-be")
        yield plain.hex().encode()
        yield plain.hex().upper().encode()
        yield from _in_base64(plain)
        if len(form) <= _SHORT_CHARS:
            yield msgpack.packb(form)
            yield from (mark + plain + mark for mark in (b'"', b"'", b" "))
    digits = text.removeprefix("+")
    if digits.isascii() and digits.isdigit() and int(digits) >> 32:
        for size in (6, 8):
            if int(digits) < 1 << 8 * size:
                yield int(digits).to_bytes(size, "big")
                yield int(digits).to_bytes(size, "little")


def _in_base64(plain: bytes) -> Iterator[bytes]:
    """What base64 shows of ``plain`` wherever in a longer text it begins."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + plain)
        first = -(-8 * shift // 6)
        whole = (8 * (shift + len(plain))) // 6
        yield encoded[first:whole]
