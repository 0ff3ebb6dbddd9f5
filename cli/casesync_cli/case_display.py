"""A case on the screen: what counts, what is disputed, what is closed, what is missing (cli)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from casesync.foundation.errors import UsageError
from casesync_cli.render import Output, value_text
from casesync_cli.times import people_time
from casesync_cli.value_display import shown_value

if TYPE_CHECKING:
    from casesync.client.views import CaseView, ElementView, FieldView, RecordView, ValueView
    from casesync.model.schema_types import Field, RecordType, Schema, ValueSpec

SHORT_ID = 8
"""Hex digits of a record's id on the screen; commands take any prefix that is unique."""


def show_case(out: Output, view: CaseView, schema: Schema) -> None:
    """The whole case."""
    out.say("case.head", case=view.case, unit=view.owner)
    if view.conflicts:
        out.say("case.conflicts", count=view.conflicts)
    if view.unsent:
        out.say("case.unsent", count=view.unsent)
    if view.sealed_compartments:
        out.say("case.sealed", compartments=", ".join(view.sealed_compartments))
    if view.incomplete:
        out.say("case.incomplete")
        out.facts(view.incomplete)
    show_records(out, view.records, schema)
    out.say("case.base", base=view.base)


def show_records(out: Output, records: Sequence[RecordView], schema: Schema) -> None:
    """Records one after the other."""
    if not records:
        out.say("nothing")
    for record in records:
        record_type = _type(schema, record.type)
        label = record.type if record_type is None else record_type.labels.text(out.lang)
        out.text("")
        out.text(f"{label} ({record.type}/{record.id_hex[:SHORT_ID]})")
        if record.amends_hex is not None:
            out.say("case.amends", id=record.amends_hex[:SHORT_ID])
        out.facts(record.flags)
        _Fields(out, schema, record_type).show(record.fields)


def _type(schema: Schema, name: str) -> RecordType | None:
    try:
        return schema.type_by_name(name)
    except UsageError:
        return None  # from a newer version: shown by its name


class _Fields:
    """The lines of one record."""

    def __init__(self, out: Output, schema: Schema, record_type: RecordType | None) -> None:
        self._out = out
        self._schema = schema
        self._type = record_type

    def show(self, fields: Mapping[str, FieldView]) -> None:
        labels = {name: self._label(name) for name in fields}
        width = max((len(label) for label in labels.values()), default=0)
        for name, view in fields.items():
            spec = self._field(name)
            start = f"  {labels[name]:<{width}}  "
            if view.sealed:
                self._out.text(start + self._out.words("case.is-sealed"))
            elif view.elements is not None:
                self._elements(start, view.elements, spec)
            else:
                self._value(start, view, None if spec is None else spec.value)

    def _field(self, name: str) -> Field | None:
        try:
            return None if self._type is None else self._type.field_by_name(name)
        except UsageError:
            return None

    def _label(self, name: str) -> str:
        spec = self._field(name)
        return name if spec is None else spec.labels.text(self._out.lang)

    def _text(self, spec: ValueSpec | None, value: object) -> str:
        if spec is None:
            return value_text(self._out.lang, value)
        return shown_value(self._schema, spec, self._out.lang, value)

    def _value(self, start: str, view: FieldView, spec: ValueSpec | None) -> None:
        unsent = any(not value.sent for value in view.values)
        mark = f"  ({self._out.words('case.not-sent')})" if unsent else ""
        self._out.text(start + self._text(spec, view.value) + mark)
        if view.conflict:
            self._conflict(view.values, spec)
        self._out.facts(view.flags)

    def _conflict(self, values: Sequence[ValueView], spec: ValueSpec | None) -> None:
        self._out.text("    ! " + self._out.words("case.disputed"))
        for value in values:
            self._out.say(
                "case.value",
                value=self._text(spec, value.value),
                author=value.author,
                unit=value.unit,
                time=people_time(value.time_ms),
            )

    def _elements(self, start: str, elements: Sequence[ElementView], spec: Field | None) -> None:
        if not elements:
            self._out.text(start + "-")
        for element in elements:
            name = self._text(None if spec is None else spec.element, element.element)
            unsent = any(not value.sent for value in element.values)
            mark = f"  ({self._out.words('case.not-sent')})" if unsent else ""
            self._out.text(start + name + mark)
            start = " " * len(start)
            for part_name, part in element.parts.items():
                self._part(start, part_name, part, spec)

    def _part(self, start: str, name: str, view: FieldView, spec: Field | None) -> None:
        label, value_spec = name, None
        if spec is not None:
            try:
                part = spec.part_by_name(name)
            except UsageError:
                pass  # a part of a newer version is shown by its name
            else:
                label, value_spec = part.labels.text(self._out.lang), part.value
        self._out.text(f"{start}  {label}: {self._text(value_spec, view.value)}")
        if view.conflict:
            self._conflict(view.values, value_spec)
