"""A schema as the bytes that a control entry names by their hash (model).

Specified in ``protocol/schemas.md``, *Canonical bytes*. The bytes are canonical: one schema has
one encoding, so that its hash names it.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final, TypeVar

from casesync.codec.canonical import pack, unpack
from casesync.foundation.errors import RemoteProtocolError, UsageError
from casesync.foundation.ids import Compartment
from casesync.foundation.limits import BLOB_BYTES_MAX
from casesync.model.schema_checks import check_schema
from casesync.model.schema_types import (
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

FORMAT: Final = 1
"""The first element; another number is a format this version cannot read."""

_T = TypeVar("_T")
_STEP_ITEMS = 2


def schema_to_bytes(schema: Schema) -> bytes:
    """The canonical bytes of ``schema``."""
    types = [_type_out(schema.types[number]) for number in sorted(schema.types)]
    codelists = [_codelist_out(schema.codelists[name]) for name in sorted(schema.codelists)]
    return pack([FORMAT, schema.version, types, codelists])


def schema_hash(data: bytes) -> bytes:
    """32 bytes: SHA-256 of a schema's canonical bytes."""
    return sha256(data).digest()


def schema_from_bytes(data: bytes) -> Schema:
    """Read and check a schema that came from elsewhere.

    Raises:
        RemoteProtocolError: ``malformed`` for bytes that are no schema, ``schema-newer`` for a
            format of a later version, ``schema-invalid`` for one that breaks a rule of
            ``schemas.md``.
    """
    if len(data) > BLOB_BYTES_MAX:
        raise _malformed()
    top = unpack(data)
    if isinstance(top, list) and top and type(top[0]) is int and top[0] > FORMAT:
        raise RemoteProtocolError("schema-newer")
    found, version, types, codelists = _row(top, int, int, list, list)
    if found != FORMAT:
        raise _malformed()
    schema = Schema(
        version=version,
        types=_numbered(types, _type_in, lambda item: item.number),
        codelists=_numbered(codelists, _codelist_in, lambda item: item.name),
    )
    try:
        check_schema(schema)
    except UsageError as error:
        raise RemoteProtocolError(error.code, **error.params) from error
    return schema


def _type_out(kind: RecordType) -> list[Any]:
    fields = [_field_out(kind.fields[number]) for number in sorted(kind.fields)]
    rules = [[*rule[:2], list(rule.labels), *map(_listed, rule[3:])] for rule in kind.rules]
    return [kind.number, kind.name, list(kind.labels), kind.entry, fields, rules]


def _field_out(field: Field) -> list[Any]:
    parts = [_part_out(field.parts[number]) for number in sorted(field.parts)]
    steps = sorted(([a, b] for a, b in field.steps), key=lambda step: (step[0] or "", step[1]))
    return [
        field.number,
        field.name,
        list(field.labels),
        int(field.compartment),
        int(field.resolver),
        _value_out(field.value),
        None if field.element is None else _value_out(field.element),
        list(field.order),
        field.absent_as,
        steps,
        parts,
        field.retired,
    ]


def _part_out(part: Part) -> list[Any]:
    labels, value = list(part.labels), _value_out(part.value)
    return [part.number, part.name, labels, value, list(part.order), part.absent_as]


def _value_out(value: ValueSpec) -> list[Any]:
    return [int(value.kind), value.codelist, value.minimum, value.maximum, value.many]


def _codelist_out(codelist: Codelist) -> list[Any]:
    return [codelist.name, [[c.id, list(c.labels), c.deprecated] for c in codelist.codes.values()]]


def _listed(value: Any) -> Any:  # noqa: ANN401
    return list(value) if isinstance(value, tuple) else int(value)


def _type_in(row: object) -> RecordType:
    number, name, labels, entry, fields, rules = _row(row, int, str, list, bool, list, list)
    return RecordType(
        number=number,
        name=name,
        labels=_labels_in(labels),
        entry=entry,
        fields=_numbered(fields, _field_in, lambda item: item.number),
        rules=tuple(map(_rule_in, rules)),
    )


def _field_in(row: object) -> Field:
    if type(row) is not list or len(row) != 12:
        raise _malformed()
    number, name, labels, compartment, resolver = _row(row[:5], int, str, list, int, int)
    steps, parts, retired = _row(row[9:], list, list, bool)
    return Field(
        number=number,
        name=name,
        labels=_labels_in(labels),
        compartment=_member(Compartment, compartment),
        resolver=_member(ResolverCode, resolver),
        value=_value_in(row[5]),
        element=None if row[6] is None else _value_in(row[6]),
        order=_texts(row[7]),
        absent_as=_optional(row[8], str),
        steps=_steps_in(steps),
        parts=_numbered(parts, _part_in, lambda item: item.number),
        retired=retired,
    )


def _steps_in(rows: list[Any]) -> frozenset[tuple[str | None, str]]:
    steps = []
    for row in rows:
        if type(row) is not list or len(row) != _STEP_ITEMS or type(row[1]) is not str:
            raise _malformed()
        steps.append((_optional(row[0], str), row[1]))
    keys = [(first or "", second) for first, second in steps]
    if any(a >= b for a, b in pairwise(keys)):
        raise _malformed()
    return frozenset(steps)


def _part_in(row: object) -> Part:
    if type(row) is not list or len(row) != 6:
        raise _malformed()
    number, name, labels = _row(row[:3], int, str, list)
    order, absent_as = _texts(row[4]), _optional(row[5], str)
    return Part(number, name, _labels_in(labels), _value_in(row[3]), order, absent_as)


def _value_in(row: object) -> ValueSpec:
    if type(row) is not list or len(row) != 5 or type(row[4]) is not bool:
        raise _malformed()
    kind = _member(ValueKind, row[0])
    low, high = _optional(row[2], int), _optional(row[3], int)
    return ValueSpec(kind, _optional(row[1], str), low, high, row[4])


def _rule_in(row: object) -> Rule:
    number, name, labels, kind, anchor, values, types, fields = _row(
        row, int, str, list, int, int, list, list, list
    )
    return Rule(
        number,
        name,
        _labels_in(labels),
        _member(RuleKind, kind),
        anchor,
        _texts(values),
        _integers(types),
        _integers(fields),
    )


def _codelist_in(row: object) -> Codelist:
    name, rows = _row(row, str, list)
    codes: dict[str, Code] = {}
    for item in rows:
        code_id, labels, deprecated = _row(item, str, list, bool)
        if code_id in codes:
            raise _malformed()
        codes[code_id] = Code(code_id, _labels_in(labels), deprecated)
    return Codelist(name, codes)


def _labels_in(row: list[Any]) -> Labels:
    vi, en = _row(row, str, str)
    return Labels(vi, en)


def _row(row: object, *types: type) -> list[Any]:
    """``row`` if it is an array of exactly these types (bool is not int here)."""
    if type(row) is not list or [type(item) for item in row] != list(types):
        raise _malformed()
    return row


def _numbered(
    rows: list[Any], read: Callable[[object], _T], key: Callable[[_T], Any]
) -> dict[Any, _T]:
    """Rows by key; they must ascend, so that a schema has one encoding."""
    found: dict[Any, _T] = {}
    previous: Any = None
    for row in rows:
        item = read(row)
        item_key = key(item)
        if previous is not None and not previous < item_key:
            raise _malformed()
        found[item_key] = item
        previous = item_key
    return found


_Member = TypeVar("_Member", Compartment, ResolverCode, ValueKind, RuleKind)


def _member(closed: type[_Member], value: object) -> _Member:
    if type(value) is not int:
        raise _malformed()
    try:
        return closed(value)
    except ValueError as error:
        # A resolver or kind of a later version: the schema as a whole needs that version.
        raise RemoteProtocolError("schema-newer") from error


def _texts(row: object) -> tuple[str, ...]:
    if type(row) is not list or any(type(item) is not str for item in row):
        raise _malformed()
    return tuple(row)


def _integers(row: object) -> tuple[int, ...]:
    if type(row) is not list or any(type(item) is not int for item in row):
        raise _malformed()
    return tuple(row)


def _optional(value: Any, kind: type[_T]) -> _T | None:  # noqa: ANN401
    if value is not None and type(value) is not kind:
        raise _malformed()
    return value


def _malformed() -> RemoteProtocolError:
    return RemoteProtocolError("malformed", what="schema")
