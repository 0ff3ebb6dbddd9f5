"""Whether a schema can be used, and whether one may follow another (model).

Specified in ``protocol/schemas.md``, *What a schema must satisfy* and *Successors*. Runs when a
schema file is loaded and again when a schema arrives as bytes, so that an existing ``Schema`` is a
valid one. Which schema is in force is decided by the control log, not here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Final

from casesync.foundation.errors import UsageError
from casesync.foundation.ids import CONTENT_COMPARTMENTS
from casesync.foundation.limits import TEXT_BYTES_MAX
from casesync.model.schema_types import (
    AMENDS,
    Code,
    Codelist,
    Field,
    Labels,
    Part,
    RecordType,
    ResolverCode,
    Rule,
    RuleKind,
    Schema,
    ValueKind,
    ValueSpec,
)

TYPES_MAX: Final = 256
FIELDS_MAX: Final = 1024
PARTS_MAX: Final = 64
CODELISTS_MAX: Final = 256
CODES_MAX: Final = 4096
RULES_MAX: Final = 64
"""Ten times what the project's own schema needs; together they stay below a blob of 1 MB."""
TYPE_NUMBER_MAX: Final = (1 << 16) - 1
FIELD_NUMBER_MAX: Final = (1 << 16) - 1
"""As a content segment can carry them: the key of a cell has 20 bits."""
ELEMENT_CHARS_MAX: Final = 256
"""An element names something; longer text is a value."""
PART_NUMBER_MAX: Final = 255
VERSION_MAX: Final = (1 << 31) - 1
LABEL_CHARS_MAX: Final = 120
CODE_CHARS_MAX: Final = 60
INTEGER_MIN: Final = -(1 << 63)
INTEGER_MAX: Final = (1 << 63) - 1

ELEMENT_TEXT_KINDS: Final = frozenset({ValueKind.TEXT, ValueKind.CODE, ValueKind.PHONE})
ELEMENT_ID_KINDS: Final = frozenset(
    {ValueKind.RECORD, ValueKind.UNIT, ValueKind.MEMBER, ValueKind.ID}
)
_BOUNDED_KINDS: Final = frozenset({ValueKind.INTEGER, ValueKind.MONEY})
_EARLIEST_KINDS: Final = _BOUNDED_KINDS | {ValueKind.DAY, ValueKind.TIMESTAMP}
_ELEMENT_RESOLVERS: Final = frozenset(
    {ResolverCode.SET, ResolverCode.LEDGER, ResolverCode.REVOKE, ResolverCode.ALL}
)
_NEED_ELEMENT: Final = frozenset({ResolverCode.SET, ResolverCode.LEDGER})

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*", re.ASCII)


def check_schema(schema: Schema) -> None:
    """Check everything about ``schema`` that does not depend on another one.

    Raises:
        UsageError: ``schema-invalid`` with ``where`` (names joined by dots) and ``why``.
    """
    _require(1 <= schema.version <= VERSION_MAX, "version", "out of range")
    _require(len(schema.types) <= TYPES_MAX, "types", "too many")
    _require(len(schema.codelists) <= CODELISTS_MAX, "codelists", "too many")
    _distinct([kind.name for kind in schema.types.values()], "types")
    for name, codelist in schema.codelists.items():
        _require(name == codelist.name, name, "stands under another name")
        _check_codelist(codelist)
    for number, record_type in schema.types.items():
        _require(number == record_type.number, record_type.name, "stands under another number")
        _check_type(schema, record_type)


def check_successor(old: Schema, new: Schema) -> None:
    """Check that ``new`` may replace ``old``: nothing that records rely on changes or goes.

    Raises:
        UsageError: ``schema-invalid`` with ``where`` and ``why``.
    """
    _require(new.version > old.version, "version", "not larger than the one in force")
    for number, before in old.types.items():
        after = new.types.get(number)
        if after is None:
            raise _invalid(before.name, "a type cannot go")
        same = (after.name, after.entry) == (before.name, before.entry)
        _require(same, before.name, "name and entry of a type never change")
        for field in before.fields.values():
            _check_kept(f"{before.name}.{field.name}", field, after.fields.get(field.number))
    for name, codelist in old.codelists.items():
        kept = new.codelists.get(name)
        gone = set(codelist.codes) - set(kept.codes if kept is not None else ())
        _require(not gone, name, "codes cannot go, only be deprecated")


def _check_kept(where: str, before: Field, after: Field | None) -> None:
    if after is None:
        raise _invalid(where, "a field cannot go, only be retired")
    _require(after.name == before.name, where, "a number is not given to another field")
    _require(after.compartment == before.compartment, where, "the compartment never changes")
    _require(after.resolver == before.resolver, where, "the resolver never changes")
    _require(_meaning(after.value) == _meaning(before.value), where, "the kind never changes")
    _require(_meaning(after.element) == _meaning(before.element), where, "elements never change")
    for number, part in before.parts.items():
        kept = after.parts.get(number)
        same = kept is not None and (kept.name, _meaning(kept.value), bool(kept.order)) == (
            part.name,
            _meaning(part.value),
            bool(part.order),
        )
        _require(same, f"{where}.{part.name}", "a part never changes or goes")


def _meaning(value: ValueSpec | None) -> tuple[object, ...] | None:
    """What of a value spec must stay; bounds may be widened or narrowed for new values."""
    return None if value is None else (value.kind, value.codelist, value.many)


def _check_codelist(codelist: Codelist) -> None:
    where = codelist.name
    _check_name(where, where)
    _require(0 < len(codelist.codes) <= CODES_MAX, where, "no codes or too many")
    for code_id, code in codelist.codes.items():
        _check_code(where, code_id, code)


def _check_code(where: str, code_id: str, code: Code) -> None:
    _require(code_id == code.id, where, "a code stands under another id")
    right = len(code_id) <= CODE_CHARS_MAX and _CODE.fullmatch(code_id) is not None
    _require(right, where, "an id of a code has other characters than letters, digits, _ . + -")
    _check_labels(f"{where}.{code_id}", code.labels)


def _check_type(schema: Schema, record_type: RecordType) -> None:
    where = record_type.name
    _check_name(where, where)
    _require(1 <= record_type.number <= TYPE_NUMBER_MAX, where, "number out of range")
    _check_labels(where, record_type.labels)
    _require(0 < len(record_type.fields) <= FIELDS_MAX, where, "no fields or too many")
    _distinct([field.name for field in record_type.fields.values()], where)
    for number, field in record_type.fields.items():
        _require(number == field.number, f"{where}.{field.name}", "stands under another number")
        _check_field(schema, f"{where}.{field.name}", field)
    if record_type.entry:
        _check_entry(record_type)
    _require(len(record_type.rules) <= RULES_MAX, where, "too many rules")
    _distinct([rule.number for rule in record_type.rules], where)
    _distinct([rule.name for rule in record_type.rules], where)
    for rule in record_type.rules:
        _check_rule(schema, record_type, rule)


def _check_entry(record_type: RecordType) -> None:
    for field in record_type.fields.values():
        once = field.resolver == ResolverCode.ONCE
        _require(once, f"{record_type.name}.{field.name}", "a field of an entry is not once")
    amends = next((f for f in record_type.fields.values() if f.name == AMENDS), None)
    right = amends is not None and amends.value == ValueSpec(ValueKind.RECORD)
    _require(right, record_type.name, "an entry has no field amends of kind record")


def _check_field(schema: Schema, where: str, field: Field) -> None:
    _check_name(where, field.name)
    _require(1 <= field.number <= FIELD_NUMBER_MAX, where, "number out of range")
    _check_labels(where, field.labels)
    _require(field.compartment in CONTENT_COMPARTMENTS, where, "no compartment for fields")
    _check_value(schema, where, field.value)
    once = field.resolver == ResolverCode.ONCE
    _require(once or not field.value.many, where, "a list is not once")
    _check_elements(schema, where, field)
    _check_order(schema, where, field)
    _check_steps(where, field)
    if field.resolver == ResolverCode.LEDGER:
        _require(field.value.kind in _BOUNDED_KINDS, where, "a ledger of something else than sums")
    if field.resolver == ResolverCode.EARLIEST:
        _require(field.value.kind in _EARLIEST_KINDS, where, "earliest of a kind without order")
    _require(not field.parts or field.resolver in _NEED_ELEMENT, where, "parts of no element")
    _require(len(field.parts) <= PARTS_MAX, where, "too many parts")
    _distinct([part.name for part in field.parts.values()], where)
    for number, part in field.parts.items():
        _require(number == part.number, where, "a part stands under another number")
        _check_part(schema, f"{where}.{part.name}", part)


def _check_elements(schema: Schema, where: str, field: Field) -> None:
    element = field.element
    if element is None:
        _require(field.resolver not in _NEED_ELEMENT, where, "no kind of elements")
        return
    _require(field.resolver in _ELEMENT_RESOLVERS, where, "elements without set, ledger or key")
    allowed = ELEMENT_TEXT_KINDS | ELEMENT_ID_KINDS
    _require(element.kind in allowed and not element.many, where, "no kind for elements")
    _check_value(schema, where, element)
    _require((element.maximum or 0) <= ELEMENT_CHARS_MAX, where, "elements that are too long")
    if field.resolver == ResolverCode.SET:
        _require(field.value == ValueSpec(ValueKind.BOOLEAN), where, "presence is not boolean")


def _check_order(schema: Schema, where: str, field: Field) -> None:
    if field.resolver not in (ResolverCode.PROTECTIVE, ResolverCode.STATE):
        _require(not field.order and field.absent_as is None, where, "an order of no use")
        return
    _check_codes_ordered(schema, where, field.value, field.order)
    allowed = field.absent_as is None or field.resolver == ResolverCode.PROTECTIVE
    _require(allowed, where, "absent_as of a state")
    _check_absent_as(where, field.absent_as, field.order)


def _check_part(schema: Schema, where: str, part: Part) -> None:
    _check_name(where, part.name)
    _require(1 <= part.number <= PART_NUMBER_MAX, where, "number out of range")
    _check_labels(where, part.labels)
    _check_value(schema, where, part.value)
    _require(not part.value.many, where, "a list is not once")
    if part.order:
        _check_codes_ordered(schema, where, part.value, part.order)
    _check_absent_as(where, part.absent_as, part.order)


def _check_codes_ordered(
    schema: Schema, where: str, value: ValueSpec, order: Sequence[str]
) -> None:
    _require(value.kind == ValueKind.CODE, where, "an order of something else than codes")
    _distinct(order, where)
    same = set(order) == set(schema.codes(value))
    _require(same, where, "the order does not have exactly the codes of the list")


def _check_absent_as(where: str, absent_as: str | None, order: Collection[str]) -> None:
    _require(absent_as is None or absent_as in order, where, "absent_as does not stand in order")


def _check_steps(where: str, field: Field) -> None:
    if field.resolver != ResolverCode.STATE:
        _require(not field.steps, where, "steps of no use")
        return
    _require(any(first is None for first, _ in field.steps), where, "no first state")
    for first, second in field.steps:
        known = (first is None or first in field.order) and second in field.order
        _require(known, where, "a step between unknown states")


def _check_value(schema: Schema, where: str, value: ValueSpec) -> None:
    if value.kind == ValueKind.CODE:
        _require(value.codelist in schema.codelists, where, "no such codelist")
    else:
        _require(value.codelist is None, where, "a codelist of no use")
    if value.kind == ValueKind.TEXT:
        right = value.minimum is None and 1 <= (value.maximum or 0) <= TEXT_BYTES_MAX
        _require(right, where, f"text needs a maximum of 1 to {TEXT_BYTES_MAX} characters")
    elif value.kind in _BOUNDED_KINDS:
        low = INTEGER_MIN if value.minimum is None else value.minimum
        high = INTEGER_MAX if value.maximum is None else value.maximum
        _require(INTEGER_MIN <= low <= high <= INTEGER_MAX, where, "bounds that nothing fits")
    else:
        _require(value.minimum is None and value.maximum is None, where, "bounds of no use")


def _check_rule(schema: Schema, record_type: RecordType, rule: Rule) -> None:
    where = f"{record_type.name}.{rule.name}"
    _check_name(where, rule.name)
    _require(1 <= rule.number <= FIELD_NUMBER_MAX, where, "number out of range")
    _check_labels(where, rule.labels)
    anchor = record_type.fields.get(rule.anchor)
    if anchor is None:
        raise _invalid(where, "no such anchor field")
    _require(set(rule.values) <= set(schema.codes(anchor.value)), where, "no such value")
    for number in rule.types:
        seen = schema.types.get(number)
        _require(seen is not None and seen.entry, where, "no such entry type")
    _require(set(rule.fields) <= set(record_type.fields), where, "no such field")
    edits = rule.kind == RuleKind.UNSEEN_EDIT
    _require(bool(rule.fields) == edits, where, "fields are for unseen_edit, and needed there")
    _require(bool(rule.types) != edits, where, "entries are for the other rules, needed there")


def _check_name(where: str, name: str) -> None:
    _require(_NAME.fullmatch(name) is not None, where, "a name is a-z, 0-9 and _, at most 40")


def _check_labels(where: str, labels: Labels) -> None:
    for text in labels:
        _require(0 < len(text) <= LABEL_CHARS_MAX, where, "a label is missing or too long")
        # Labels reach every screen: what could move a cursor or turn a line must not stand there.
        harmless = text.isprintable() and unicodedata.is_normalized("NFC", text)
        _require(harmless, where, "a label is not printable NFC text")


def _distinct(names: Sequence[object], where: str) -> None:
    _require(len(set(names)) == len(names), where, "a name, number or code stands twice")


def _require(condition: bool, where: str, why: str) -> None:
    if not condition:
        raise _invalid(where, why)


def _invalid(where: str, why: str) -> UsageError:
    return UsageError("schema-invalid", where=where, why=why)
