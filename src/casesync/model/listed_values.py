"""What lists and search take of single values, and what a record has gathered of them (model).

An office writes the same codes, names and dates all day, so what a value gives is remembered, by
field. Resolving and formatting are ``resolvers`` and ``value_format``.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from unicodedata import is_normalized

import msgpack

from casesync.foundation.limits import TEXT_BYTES_MAX
from casesync.model.resolvers.registry import resolve
from casesync.model.resolvers.resolution import CellWrite
from casesync.model.schema import Field, ResolverCode, Schema, ValueKind
from casesync.model.segment_body import CLOCK_MAX
from casesync.model.value_format import json_value
from casesync.model.values import Fit, fit

LISTED_TEXT_CHARS_MAX: Final = 256
"""Codes, dates and names of elements; longer ones are nothing that anybody types."""
NOT_SEARCHED: Final = frozenset({"consent.notice_text"})
"""Texts of the office's own forms: each stands in every case that has it, so that any word of it
would find them all (``protocol/schemas.md``, *Folding*)."""
DISPUTED: Final = object()
"""In place of a value that needs a person."""

_AS_WRITTEN: Final = frozenset(
    {
        ResolverCode.ONCE,
        ResolverCode.LATEST,
        ResolverCode.ALL,
        ResolverCode.EARLIEST,
    }
)
"""Where a single write is effective as it is."""
_REMEMBERED_VALUES: Final = 512
"""Of each field, twice: as values and as bytes."""
_REMEMBERED_CHARS_MAX: Final = 64
_REMEMBERED_ITEMS_MAX: Final = 16
_CODE_TYPES: Final = frozenset({str, type(None)})
_NAMED_TYPES: Final = frozenset({bool, tuple, type(None)})
_TEXT_KINDS: Final = frozenset({ValueKind.TEXT, ValueKind.PHONE})

ListedValue = tuple[Any, tuple[str, ...]]
"""What a single write of a field gives: its JSON value (or ``DISPUTED``), what is searched."""


class Gathered:
    """One record while its segments are read."""

    __slots__ = ("is_simple", "members", "newest_ms", "oldest_ms", "texts", "values")

    def __init__(self) -> None:
        self.is_simple = True
        """Whether no cell has two writes or needs a person, and the schema knows all of them."""
        self.values: dict[str, Any] = {}
        """"type.field" -> JSON value."""
        self.texts: list[str] = []
        self.members: dict[str, tuple[Field, dict[Any, bool]]] = {}
        """"type.field" of a set -> its elements, whether they are in it; and (element, part)."""
        self.oldest_ms, self.newest_ms = CLOCK_MAX, 0

    def put(self, step: ListedField, named: Any, is_member: bool) -> bool:  # noqa: ANN401
        """Take an element or, by (element, part), a part; False if another write is beside it.

        A part is never in a list, and a conflict only beside another write.
        """
        _, held = self.members.setdefault(step.name, (step.field, {}))
        if named in held:
            return False
        held[named] = is_member
        return True

    def note(self, clock_ms: int, texts: list[str], is_simple: bool) -> None:
        """Take what else there is to know of a segment."""
        self.newest_ms = max(self.newest_ms, clock_ms)
        self.oldest_ms = min(self.oldest_ms, clock_ms)
        self.texts += texts
        self.is_simple = self.is_simple and is_simple


class ListedField(NamedTuple):
    """What to do with the single values of a field; ``_listed.pyx`` reads it by position."""

    name: str
    """"type.field"."""
    known: dict[bytes, ListedValue]
    """By msgpack bytes."""
    plain_chars: int
    """A printable NFC text of at most so many characters stands as it is and is searched; 0 =
    every text is to be looked at."""
    learn: Any
    """Given the bytes of a value that is not ``known``: what it gives."""
    is_set: bool
    field: Field
    shown: ShownValues


def listed_field(schema: Schema, type_name: str, field: Field) -> ListedField:
    """A field, nothing of whose values is known yet."""
    name = f"{type_name}.{field.name}"
    shown = ShownValues(schema, field, is_searched=name not in NOT_SEARCHED)
    is_set = field.resolver == ResolverCode.SET
    return ListedField(name, shown.by_bytes, shown.plain_chars, shown.learn, is_set, field, shown)


class ShownValues(dict[str, ListedValue]):
    """Single text values of one field; what is known costs no call: most are codes and names."""

    __slots__ = (
        "_as_written",
        "_field",
        "_is_searched",
        "_is_text",
        "_is_time",
        "_others",
        "_schema",
        "by_bytes",
        "plain_chars",
    )

    def __init__(self, schema: Schema, field: Field, *, is_searched: bool) -> None:
        super().__init__()
        spec = field.value
        self._schema = schema
        self._field = field
        self._is_searched = is_searched
        self._as_written = field.resolver in _AS_WRITTEN
        self._is_text = spec.kind in _TEXT_KINDS
        self._is_time = spec.kind is ValueKind.TIMESTAMP
        is_plain = is_searched and spec.kind is ValueKind.TEXT and not spec.many
        is_plain = is_plain and self._as_written
        self.plain_chars = min(spec.maximum or 0, TEXT_BYTES_MAX // 4) if is_plain else 0
        self._others: dict[bool | tuple[str | None, ...] | None, ListedValue] = {}
        self.by_bytes: dict[bytes, ListedValue] = {}

    def __missing__(self, value: str) -> ListedValue:
        if not self._as_written:
            found = self._resolved(value)
        elif not self._is_searched:
            found = value, ()
        elif self._is_text:
            found = value, (value,) if self._fits(value) else ()
        else:
            found = value, tuple(searched(self._field, value))
        if len(value) <= _REMEMBERED_CHARS_MAX:
            if len(self) >= _REMEMBERED_VALUES:
                self.clear()
            self[value] = found
        return found

    def other(self, value: Any) -> ListedValue:  # noqa: ANN401
        """As looking it up, of what is not a ``str``."""
        if value.__class__ is int and self._as_written and not self._is_time:
            return value, ()
        named = tuple(value) if value.__class__ is list and _are_codes(value) else value
        if named.__class__ not in _NAMED_TYPES:
            return self._resolved(value)
        known = self._others.get(named)
        if known is None:
            if len(self._others) >= _REMEMBERED_VALUES:
                self._others.clear()
            known = self._others[named] = self._resolved(value)
        return known

    def learn(self, packed: bytes) -> ListedValue:
        """As looking it up, of a scalar or a list of scalars in msgpack."""
        value = msgpack.unpackb(packed)
        found = self[value] if value.__class__ is str else self.other(value)
        if len(packed) <= _REMEMBERED_CHARS_MAX and not self._is_time:
            if len(self.by_bytes) >= _REMEMBERED_VALUES:
                self.by_bytes.clear()
            self.by_bytes[packed] = found
        return found

    def _resolved(self, value: Any) -> ListedValue:  # noqa: ANN401
        field = self._field
        effective = value
        if not self._as_written:
            only = CellWrite(value, 0, None, 0, 0, 0)
            effective, conflict = resolve(int(field.resolver), (only,), field)
            if conflict:
                return DISPUTED, ()
        shown = json_value(field, effective)
        if not self._is_searched:
            return shown, ()
        if self._is_text:
            return shown, tuple(searched_text(self._schema, field, value))
        return shown, tuple(searched(field, shown))

    def _fits(self, value: str) -> bool:
        """``fit``, at a glance for what nearly every text is."""
        if (
            0 < len(value) <= self.plain_chars
            and value.isprintable()
            and not value.isspace()
            and is_normalized("NFC", value)
        ):
            return True
        return fit(self._schema, self._field, value) is Fit.FITS


def is_text(field: Field) -> bool:
    """Whether what was written of a field is searched, not only what counts of it."""
    return field.value.kind in _TEXT_KINDS


def searched_text(schema: Schema, field: Field, written: Any) -> list[str]:  # noqa: ANN401
    """What is searched of one write of a text."""
    fits = written is not None and fit(schema, field, written) is Fit.FITS
    return _strings(written) if fits else []


def searched(field: Field, shown: Any) -> list[str]:  # noqa: ANN401
    """What is searched of a JSON value that is no text: codes, dates, elements.

    Nothing of a time: people see it in their zone and their order of day and month, so nobody
    would type it as JSON has it, and hardly two cases share one.
    """
    if field.value.kind is ValueKind.TIMESTAMP:
        return []
    return [item for item in _strings(shown) if len(item) <= LISTED_TEXT_CHARS_MAX]


def _are_codes(value: list[Any]) -> bool:
    """Whether a list, of codes or of a step's states, is worth remembering."""
    return (
        len(value) <= _REMEMBERED_ITEMS_MAX
        and _CODE_TYPES.issuperset(map(type, value))
        and all(item is None or len(item) <= _REMEMBERED_CHARS_MAX for item in value)
    )


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return []
