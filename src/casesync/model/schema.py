"""Schemas: the one door through which other floors and modules take them (model).

The pieces: ``schema_types`` (what a schema is), ``schema_checks`` (whether one can be used),
``schema_bytes`` (as a control blob). Schema files are read by ``schema_toml``, which only those
who make a schema need. Specified in ``protocol/schemas.md``.
"""

from __future__ import annotations

from casesync.model.schema_bytes import schema_from_bytes, schema_hash, schema_to_bytes
from casesync.model.schema_checks import check_schema, check_successor
from casesync.model.schema_types import (
    AMENDS,
    UNIT_DEFINED_FIRST,
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

__all__ = [
    "AMENDS",
    "UNIT_DEFINED_FIRST",
    "Code",
    "Codelist",
    "Field",
    "Labels",
    "Part",
    "RecordType",
    "ResolverCode",
    "Rule",
    "RuleKind",
    "Schema",
    "ValueKind",
    "ValueSpec",
    "check_schema",
    "check_successor",
    "schema_from_bytes",
    "schema_hash",
    "schema_to_bytes",
]
