"""What records look like: types, fields, codelists, rules, as plain values (model).

Specified in ``protocol/schemas.md``. A schema is data that an administrator signed; these types
hold one that has been checked (``schema_checks.check_schema``). How its fields merge is decided
by ``model/resolvers``, what a value may be by ``model/values.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import IntEnum
from typing import Final, NamedTuple

from casesync.foundation.errors import UsageError
from casesync.foundation.ids import Compartment

UNIT_DEFINED_FIRST: Final = 1 << 14
"""Type and field numbers from here on are given by offices, below it by the project."""


class ResolverCode(IntEnum):
    """The resolver's code as it travels with each cell (``record-model.md``, *Resolvers*)."""

    ONCE = 1
    LATEST = 2
    ALL = 3
    PROTECTIVE = 4
    SET = 5
    REVOKE = 6
    LEDGER = 7
    STATE = 8
    EARLIEST = 9

    @property
    def word(self) -> str:
        """The resolver's name as schema files write it, lower case."""
        return self.name.lower()


class ValueKind(IntEnum):
    """What a value is; the numbers are permanent (``schemas.md``, *Value kinds*)."""

    TEXT = 1
    CODE = 2
    DATE = 3
    TIMESTAMP = 4
    INTEGER = 5
    MONEY = 6
    BOOLEAN = 7
    PHONE = 8
    RECORD = 9
    UNIT = 10
    MEMBER = 11
    DIGEST = 12
    ID = 13
    DAY = 14

    @property
    def word(self) -> str:
        """The kind's name as schema files write it, lower case."""
        return self.name.lower()


class RuleKind(IntEnum):
    """The rules over changes that exist (``schemas.md``, *Rules*)."""

    CONCURRENT_ENTRY = 1
    UNSEEN_EDIT = 2
    NEEDS_ENTRY = 3

    @property
    def word(self) -> str:
        """The rule's name as schema files write it, lower case."""
        return self.name.lower()


class Labels(NamedTuple):
    """What people see instead of a name or code."""

    vi: str
    en: str

    def text(self, lang: str) -> str:
        """The label in ``lang`` ("vi", else English)."""
        return self.vi if lang == "vi" else self.en


class Code(NamedTuple):
    """One value of a codelist; a deprecated one is kept and shown but not offered."""

    id: str
    labels: Labels
    deprecated: bool


class Codelist(NamedTuple):
    """A closed list of codes in the order in which they are offered."""

    name: str
    codes: Mapping[str, Code]


class ValueSpec(NamedTuple):
    """What one value may be."""

    kind: ValueKind
    codelist: str | None = None
    """For kind code: the list its values come from."""
    minimum: int | None = None
    """For integers and money; None = no bound but 64 bits."""
    maximum: int | None = None
    """For integers and money the largest value, for text the number of characters."""
    many: bool = False
    """A list of such values, distinct and in ascending order (fields that are written once)."""


class Part(NamedTuple):
    """An inner field of an element; resolved as ``all``, or ``protective`` if it has an order."""

    number: int
    """From 1; 0 is the element's presence."""
    name: str
    labels: Labels
    value: ValueSpec
    order: tuple[str, ...] = ()
    absent_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a record type; number, compartment, resolver and kinds never change."""

    number: int
    name: str
    labels: Labels
    compartment: Compartment
    resolver: ResolverCode
    value: ValueSpec
    """Of each cell; a presence (kind boolean) if the resolver is ``set``."""
    element: ValueSpec | None = None
    """What names an element; None = the field is one cell without elements."""
    order: tuple[str, ...] = ()
    """protective: codes, the most protective first. state: states, the winner of a concurrency
    first."""
    absent_as: str | None = None
    """protective: absent counts and shows as this code; None = absent ranks below every code."""
    steps: frozenset[tuple[str | None, str]] = frozenset()
    """state: the legal (from, to); from None = nothing was set before."""
    parts: Mapping[int, Part]
    retired: bool = False
    """Kept and shown where it has values, not offered any more."""

    @property
    def key(self) -> int:
        """The key of its cells in a content segment (``change.md``)."""
        return self.number << 4 | self.resolver

    @property
    def unit_defined(self) -> bool:
        """An office's own field, not one of the project's."""
        return self.number >= UNIT_DEFINED_FIRST

    def part_by_name(self, name: str) -> Part:
        """The part that people call ``name``. Raises UsageError ``part-unknown``."""
        found = next((part for part in self.parts.values() if part.name == name), None)
        if found is None:
            names = ", ".join(part.name for part in self.parts.values())
            raise UsageError("part-unknown", field=self.name, part=name, known=names or "-")
        return found


class Rule(NamedTuple):
    """A rule over changes: what is flagged, and beside which field (``schemas.md``, *Rules*)."""

    number: int
    name: str
    labels: Labels
    kind: RuleKind
    anchor: int
    """Number of the field of this type that carries the flag."""
    values: tuple[str, ...]
    """Values of the anchor for which the rule is in force; () = any value."""
    types: tuple[int, ...]
    """Numbers of the entry types it looks at."""
    fields: tuple[int, ...]
    """Numbers of the fields of this type it looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordType:
    """One type of record."""

    number: int
    name: str
    labels: Labels
    entry: bool = False
    """Immutable: every field is ``once``, corrected by a record that names it in ``amends``."""
    fields: Mapping[int, Field]
    rules: tuple[Rule, ...] = ()

    def field_by_name(self, name: str) -> Field:
        """The field that people call ``name``. Raises UsageError ``field-unknown``."""
        found = next((field for field in self.fields.values() if field.name == name), None)
        if found is None:
            names = [field.name for field in self.fields.values()]
            close = ", ".join(get_close_matches(name, names))
            raise UsageError("field-unknown", type=self.name, field=name, close=close)
        return found


AMENDS: Final = "amends"
"""Name of the field in which an entry names the entry it corrects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """All record types of a network at one version."""

    version: int
    types: Mapping[int, RecordType]
    codelists: Mapping[str, Codelist]

    def type_by_name(self, name: str) -> RecordType:
        """The type that people call ``name``. Raises UsageError ``type-unknown``."""
        found = next((kind for kind in self.types.values() if kind.name == name), None)
        if found is None:
            known = ", ".join(kind.name for kind in self.types.values())
            raise UsageError("type-unknown", type=name, known=known)
        return found

    def field_by_name(self, name: str) -> tuple[RecordType, Field]:
        """Type and field of ``TYPE.FIELD``; raises UsageError as its two steps do."""
        type_name, _, field_name = name.partition(".")
        record_type = self.type_by_name(type_name)
        return record_type, record_type.field_by_name(field_name)

    def field(self, type_number: int, field_number: int) -> Field | None:
        """The field with these numbers; None = from a newer version."""
        record_type = self.types.get(type_number)
        return None if record_type is None else record_type.fields.get(field_number)

    def codes(self, value: ValueSpec) -> Mapping[str, Code]:
        """The codes that ``value`` may be; empty unless its kind is code."""
        found = None if value.codelist is None else self.codelists.get(value.codelist)
        return {} if found is None else found.codes

    def compartments_of(self, type_number: int) -> Iterator[Compartment]:
        """The compartments that hold fields of a type, ascending, each once."""
        record_type = self.types.get(type_number)
        fields = () if record_type is None else record_type.fields.values()
        return iter(sorted({field.compartment for field in fields}))
