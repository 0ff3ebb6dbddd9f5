"""``schema list`` and ``schema show`` (cli)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from casesync_cli.command import LocalisedGroup, argument, command
from casesync_cli.labels import label
from casesync_cli.render import Output, deliver, yes_no
from casesync_cli.session import open_replica
from casesync_cli.settings import Settings
from casesync_cli.texts import tr

if TYPE_CHECKING:
    from casesync.model.schema_types import Field, RecordType, Schema, ValueSpec

CODES_SHOWN_MAX: Final = 12
"""Of a field's codes in a table; nobody reads 250 countries there, and ``--json`` has all."""


@command("schema list")
def schema_list(settings: Settings) -> None:
    """List the types of records."""
    with open_replica(settings) as replica:
        found = replica.schema()
    types = [_type_shape(record_type) for record_type in found.types.values()]

    def people(out: Output) -> None:
        rows = [
            (t.name, t.labels.text(out.lang), yes_no(out.lang, t.entry), str(len(t.fields)))
            for t in found.types.values()
        ]
        out.table(("type", "label", "entry", "fields"), rows)

    deliver(settings, {"items": types, "count": len(types)}, people)


@command("schema show", argument("type"))
def schema_show(
    settings: Settings,
    *,
    type: str,
) -> None:
    """Show the fields of a type of record."""
    with open_replica(settings) as replica:
        found = replica.schema()
    record_type = found.type_by_name(type)
    fields = [_field_shape(found, field) for field in record_type.fields.values()]
    shape = {**_type_shape(record_type), "version": found.version, "fields": fields}

    def people(out: Output) -> None:
        rows = []
        for field in record_type.fields.values():
            compartment, resolver = field.compartment.word, field.resolver.word
            rows.append(
                (
                    field.name,
                    field.labels.text(out.lang),
                    f"{label(out.lang, 'compartment', compartment)} ({compartment})",
                    f"{label(out.lang, 'resolver', resolver)} ({resolver})",
                    _values(found, out.lang, _spec(field)),
                )
            )
            rows += [
                (
                    f"{field.name}[...].{part.name}",
                    part.labels.text(out.lang),
                    "",
                    "",
                    _values(found, out.lang, part.value),
                )
                for part in field.parts.values()
            ]
        out.table((("field", "label"), ("compartment", "resolver"), "values"), rows)

    deliver(settings, shape, people)


def _type_shape(record_type: RecordType) -> dict[str, Any]:
    return {
        "type": record_type.name,
        "number": record_type.number,
        "labels": record_type.labels._asdict(),
        "entry": record_type.entry,
    }


def _field_shape(found: Schema, field: Field) -> dict[str, Any]:
    spec = _spec(field)
    return {
        "field": field.name,
        "number": field.number,
        "labels": field.labels._asdict(),
        "compartment": field.compartment.word,
        "resolver": field.resolver.word,
        "kind": spec.kind.word,
        "many": spec.many,
        "codes": {code.id: code.labels._asdict() for code in found.codes(spec).values()},
        "order": list(field.order),
        "parts": [part.name for part in field.parts.values()],
        "retired": field.retired,
    }


def _spec(field: Field) -> ValueSpec:
    """What its value is, or each of its elements."""
    return field.value if field.element is None else field.element


def _values(found: Schema, lang: str, spec: ValueSpec) -> str:
    codes = [code for code in found.codes(spec).values() if not code.deprecated]
    if not codes:
        return label(lang, "kind", spec.kind.word)
    shown = ", ".join(f"{code.id} ({code.labels.text(lang)})" for code in codes[:CODES_SHOWN_MAX])
    more = len(codes) - CODES_SHOWN_MAX
    return shown if more <= 0 else f"{shown}, {tr(lang, 'schema.more', count=more)}"


schema = LocalisedGroup("schema", [schema_list, schema_show])
