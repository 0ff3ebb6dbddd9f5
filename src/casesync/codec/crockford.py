"""Codes that people read aloud: Crockford base32 and its check character (codec).

Specified in ``protocol/record-model.md``, *Case code* and *Conflict id*, and in
``protocol/enrolment.md``. The alphabet leaves out
I, L, O and U, so that no code spells a word and no two characters look alike; what people type is
read leniently (lower case, missing hyphens, O for 0, I and L for 1). Which case a prefix means is
not decided here.
"""

from __future__ import annotations

import unicodedata
from typing import Final, NamedTuple

from casesync.foundation.errors import UsageError

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""32 characters, 5 bits each, in the order of their values."""

CASE_CODE_DATA_CHARS: Final = 11
"""55 bits: two of 10,000 cases share a code with probability 1.4e-9."""
CASE_CODE_CHARS: Final = CASE_CODE_DATA_CHARS + 1
CASE_CODE_PREFIX_CHARS_MIN: Final = 3
"""Fewer characters match half a small office."""
TYPED_CHARS_MAX: Final = 64
"""Longer input is not a code; nothing is computed on it."""

_RECORD_BYTES: Final = 16
_GROUP_CHARS: Final = 4
_VALUES: Final = {
    **{char: value for value, char in enumerate(ALPHABET)},
    "O": 0,
    "I": 1,
    "L": 1,
}


class CodePrefix(NamedTuple):
    """What somebody typed of a case code: 3 to 11 characters of data, check character verified."""

    chars: str
    """Upper case, without hyphens and without the check character."""
    whole: bool
    """All 11 characters and a right check character were typed."""

    @property
    def shown(self) -> str:
        """The characters with hyphens, as a case code starting with them is written."""
        return grouped(self.chars)

    @property
    def first_record(self) -> bytes:
        """The smallest record id (16 bytes) that has this prefix."""
        return _padded_record(self.chars, 0)

    @property
    def last_record(self) -> bytes:
        """The largest record id (16 bytes) that has this prefix."""
        return _padded_record(self.chars, 1)

    def matches(self, record: bytes) -> bool:
        """Whether ``record`` (16 bytes) has a code that starts like this."""
        return self.first_record <= record <= self.last_record


def case_code(record: bytes) -> str:
    """The code of the case with the record id ``record`` (16 bytes): ``XXXX-XXXX-XXXX``."""
    if len(record) != _RECORD_BYTES:
        raise ValueError("a record id has 16 bytes")
    data = short_code(record, CASE_CODE_DATA_CHARS * 5)
    return grouped(data + check_char(data))


def parse_case_code(text: str) -> CodePrefix:
    """Read a case code or the first 3 to 11 characters of one.

    Raises:
        UsageError: ``case-code-mistyped`` if a character cannot stand in a code, the length
            cannot be right, or the check character of a whole code does not match.
    """
    chars = _normalised(text)
    if chars is None or not CASE_CODE_PREFIX_CHARS_MIN <= len(chars) <= CASE_CODE_CHARS:
        raise UsageError("case-code-mistyped")
    if len(chars) < CASE_CODE_CHARS:
        return CodePrefix(chars, whole=False)
    data, check = chars[:-1], chars[-1]
    if check_char(data) != check:
        raise UsageError("case-code-mistyped")
    return CodePrefix(data, whole=True)


def short_code(data: bytes, bits: int) -> str:
    """The first ``bits`` bits of ``data`` (a multiple of 5, at most 8 times its length)."""
    if bits <= 0 or bits % 5 or bits > 8 * len(data):
        raise ValueError("bits must be a positive multiple of 5 that data holds")
    number = int.from_bytes(data, "big") >> (8 * len(data) - bits)
    return "".join(ALPHABET[number >> shift & 31] for shift in range(bits - 5, -1, -5))


def parse_short_code(text: str, chars: int) -> str | None:
    """Read a code of exactly ``chars`` characters as typed (conflict ids, comparison codes).

    Returns:
        The code in capital letters without hyphens, to be compared with ``short_code``; None if
        ``text`` cannot be such a code.
    """
    read = _normalised(text)
    return read if read is not None and len(read) == chars else None


def parse_checked_code(text: str, chars: int) -> str | None:
    """Read a code of ``chars`` characters, the last of which checks the others.

    Returns:
        The code in capital letters without hyphens; None if ``text`` was mistyped.
    """
    read = parse_short_code(text, chars)
    return read if read is not None and check_char(read[:-1]) == read[-1] else None


def check_char(data: str) -> str:
    """The Luhn mod 32 check character of ``data`` (capital letters of the alphabet).

    It finds every single wrong character and all swaps of neighbours but 0 with Z.
    """
    total = 0
    for position, char in enumerate(reversed(data)):
        product = _VALUES[char] * (1 if position % 2 else 2)
        total += product // 32 + product % 32
    return ALPHABET[-total % 32]


def _normalised(text: str) -> str | None:
    """Characters of the alphabet only, or None if something else stands in ``text``."""
    if len(text) > TYPED_CHARS_MAX:
        return None
    chars = []
    for char in unicodedata.normalize("NFKC", text).upper():
        if char.isspace() or unicodedata.category(char) == "Pd":
            continue
        value = _VALUES.get(char)
        if value is None:
            return None
        chars.append(ALPHABET[value])
    return "".join(chars)


def grouped(chars: str) -> str:
    """The characters of a code in groups of four, as people read them aloud."""
    return "-".join(chars[i : i + _GROUP_CHARS] for i in range(0, len(chars), _GROUP_CHARS))


def _padded_record(chars: str, fill: int) -> bytes:
    number = 0
    for char in chars:
        number = number << 5 | _VALUES[char]
    rest = 8 * _RECORD_BYTES - 5 * len(chars)
    number = number << rest | ((1 << rest) - 1) * fill
    return number.to_bytes(_RECORD_BYTES, "big")
