"""Schema files: TOML as people write it, read into a checked schema (model).

Specified in ``protocol/schemas.md``, *Schema files*. Files are passed in as text; replicas never
see them, they get the canonical bytes (``schema_bytes``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, Final

from casesync.foundation.errors import UsageError
from casesync.foundation.ids import compartment_by_word
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

_RESOLVERS: Final = {code.word: code for code in ResolverCode}
_KINDS: Final = {kind.word: kind for kind in ValueKind}
_RULES: Final = {kind.word: kind for kind in RuleKind}
_PRESENCE: Final = ValueSpec(ValueKind.BOOLEAN)


def load_toml(texts: Mapping[str, str], *, version: int = 1) -> Schema:
    """Read schema files and check them together.

    Args:
        texts: file name (for messages) -> TOML. A file holds one record type, or codelists, or
            both.
        version: version of the schema they make.

    Raises:
        UsageError: ``schema-invalid`` with ``where`` and ``why``.
    """
    files = {name: _parsed(name, text) for name, text in texts.items()}
    codelists: dict[str, Codelist] = {}
    for name, file in files.items():
        for list_name, rows in file.table("codelists").items():
            _once(codelists, list_name, _codelist(_Table(f"{name}: {list_name}", rows), list_name))
    heads = {name: file for name, file in files.items() if "number" in file.rows}
    numbers = {file.text("name"): file.number("number") for file in heads.values()}
    types: dict[int, RecordType] = {}
    for file in heads.values():
        found = _record_type(file, numbers)
        _once(types, found.number, found)
    for file in files.values():
        file.check_all_read()
    schema = Schema(version=version, types=types, codelists=codelists)
    check_schema(schema)
    return schema


class _Table:
    """A TOML table that knows where it stands and which of its keys were read."""

    def __init__(self, where: str, rows: object) -> None:
        if not isinstance(rows, dict):
            raise _invalid(where, "not a table")
        self.where = where
        self.rows: dict[str, Any] = rows
        self._read: set[str] = set()

    def has(self, key: str) -> bool:
        return key in self.rows

    def text(self, key: str) -> str:
        return str(self._get(key, str))

    def text_or_none(self, key: str) -> str | None:
        return self.text(key) if key in self.rows else None

    def number(self, key: str) -> int:
        return int(self._get(key, int))

    def number_or_none(self, key: str) -> int | None:
        return self.number(key) if key in self.rows else None

    def flag(self, key: str) -> bool:
        return bool(self._get(key, bool)) if key in self.rows else False

    def texts(self, key: str) -> tuple[str, ...]:
        rows = self.array(key)
        if not all(isinstance(row, str) for row in rows):
            raise _invalid(self.where, f"{key} is not an array of strings")
        return tuple(rows)

    def array(self, key: str) -> list[Any]:
        return list(self._get(key, list)) if key in self.rows else []

    def table(self, key: str) -> dict[str, Any]:
        return dict(self._get(key, dict)) if key in self.rows else {}

    def labels(self) -> Labels:
        labels = _Table(f"{self.where}.labels", self._get("labels", dict))
        found = Labels(labels.text("vi"), labels.text("en"))
        labels.check_all_read()
        return found

    def one_of(self, key: str, closed: Mapping[str, Any]) -> Any:  # noqa: ANN401
        word = self.text(key)
        if word not in closed:
            raise _invalid(self.where, f"{key} is none of {', '.join(closed)}")
        return closed[word]

    def check_all_read(self) -> None:
        """A misspelt key must not pass as an omitted one."""
        unknown = sorted(set(self.rows) - self._read)
        if unknown:
            raise _invalid(self.where, f"unknown key {', '.join(unknown)}")

    def _get(self, key: str, kind: type) -> Any:  # noqa: ANN401
        self._read.add(key)
        value = self.rows.get(key)
        if type(value) is not kind:
            raise _invalid(self.where, f"{key} is missing or no {kind.__name__}")
        return value


def _parsed(name: str, text: str) -> _Table:
    try:
        return _Table(name, tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _invalid(name, str(error)) from error


def _codelist(table: _Table, name: str) -> Codelist:
    codes: dict[str, Code] = {}
    deprecated = set(table.texts("deprecated"))
    for code_id, labels in table.rows.items():
        if code_id == "deprecated":
            continue
        words = table.texts(code_id)
        if len(words) != len(Labels._fields):
            raise _invalid(f"{table.where}.{code_id}", "a code is [vi, en]")
        _once(codes, code_id, Code(code_id, Labels(*labels), code_id in deprecated))
    if not deprecated <= set(codes):
        raise _invalid(table.where, "deprecated names an unknown code")
    return Codelist(name, codes)


def _record_type(file: _Table, numbers: Mapping[str, int]) -> RecordType:
    name = file.text("name")
    fields: dict[int, Field] = {}
    for field_name, rows in file.table("fields").items():
        field = _field(_Table(f"{name}.{field_name}", rows), field_name)
        _once(fields, field.number, field)
    by_name = {field.name: field.number for field in fields.values()}
    rules = tuple(
        _rule(_Table(f"{name}: rule", row), by_name, numbers) for row in file.array("rules")
    )
    return RecordType(
        number=file.number("number"),
        name=name,
        labels=file.labels(),
        entry=file.flag("entry"),
        fields=fields,
        rules=rules,
    )


def _field(table: _Table, name: str) -> Field:
    compartment = compartment_by_word(table.text("compartment"))
    if compartment is None:
        raise _invalid(table.where, "no such compartment")
    resolver = table.one_of("resolver", _RESOLVERS)
    element = _spec(table, "element") if table.has("element") else None
    presence = resolver == ResolverCode.SET
    parts: dict[int, Part] = {}
    for part_name, rows in table.table("parts").items():
        part = _part(_Table(f"{table.where}.{part_name}", rows), part_name)
        _once(parts, part.number, part)
    field = Field(
        number=table.number("number"),
        name=name,
        labels=table.labels(),
        compartment=compartment,
        resolver=resolver,
        value=_PRESENCE if presence else _spec(table, "value"),
        element=element,
        order=table.texts("order"),
        absent_as=table.text_or_none("absent_as"),
        steps=_steps(table),
        parts=parts,
        retired=table.flag("retired"),
    )
    table.check_all_read()
    return field


def _part(table: _Table, name: str) -> Part:
    number, labels, value = table.number("number"), table.labels(), _spec(table, "value")
    part = Part(number, name, labels, value, table.texts("order"), table.text_or_none("absent_as"))
    table.check_all_read()
    return part


def _spec(table: _Table, key: str) -> ValueSpec:
    """``value = "code"`` with ``codelist``; ``element = "text"`` with ``element_max``..."""
    prefix = "element_" if key == "element" else ""
    kind = table.one_of(key, _KINDS)
    return ValueSpec(
        kind,
        table.text_or_none(f"{prefix}codelist"),
        table.number_or_none(f"{prefix}min"),
        table.number_or_none(f"{prefix}max"),
        table.flag("many") if key == "value" else False,
    )


def _steps(table: _Table) -> frozenset[tuple[str | None, str]]:
    """``[from, to]`` pairs; TOML has no null, so an empty ``from`` is "nothing set before"."""
    steps = set()
    for row in table.array("steps"):
        right = isinstance(row, list) and len(row) == 2 and all(isinstance(x, str) for x in row)
        if not right:
            raise _invalid(table.where, "a step is [from, to]")
        steps.add((row[0] or None, row[1]))
    return frozenset(steps)


def _rule(table: _Table, fields: Mapping[str, int], types: Mapping[str, int]) -> Rule:
    anchor = table.text("anchor")
    table.where = f"{table.where} {table.text('name')}"
    rule = Rule(
        table.number("number"),
        table.text("name"),
        table.labels(),
        table.one_of("kind", _RULES),
        _named(table, fields, anchor),
        table.texts("values"),
        tuple(_named(table, types, name) for name in table.texts("entries")),
        tuple(_named(table, fields, name) for name in table.texts("fields")),
    )
    table.check_all_read()
    return rule


def _named(table: _Table, numbers: Mapping[str, int], name: str) -> int:
    if name not in numbers:
        raise _invalid(table.where, f"unknown name {name}")
    return numbers[name]


def _once(found: dict[Any, Any], key: object, value: object) -> None:
    if key in found:
        raise _invalid(str(key), "stands twice")
    found[key] = value


def _invalid(where: str, why: str) -> UsageError:
    return UsageError("schema-invalid", where=where, why=why)
