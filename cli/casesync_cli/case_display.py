"""A case on the screen: what counts, what is disputed, what is closed, what is missing (cli)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from casesync.foundation.errors import UsageError
from casesync_cli.labels import labels
from casesync_cli.render import Output, copied_words, value_text
from casesync_cli.texts import tr
from casesync_cli.times import people_time
from casesync_cli.value_display import SHORT_ID

if TYPE_CHECKING:
    from casesync.client.views import CaseView, ElementView, FieldView, RecordView, ValueView
    from casesync.model.schema_types import Field, Part, RecordType, Schema
    from casesync_cli.value_display import Shown


def show_case(out: Output, view: CaseView, shown: Shown) -> None:
    """The whole case."""
    out.say("case.head", case=view.case, unit=view.owner)
    if view.conflicts:
        out.say("case.conflicts", count=view.conflicts)
    if view.unsent:
        out.say("case.unsent", count=view.unsent)
    copiers = Counter(
        write.copied_by for record in view.records for write in _writes(record) if write.copied_by
    )
    for copier, count in copiers.items():
        out.say("copied.all", author=copier.author, unit=copier.unit, count=count)
    if view.sealed_compartments:
        sealed = labels(out.lang, "compartment", view.sealed_compartments)
        out.say("case.sealed", compartments=sealed)
    if view.incomplete:
        out.say("case.incomplete")
        out.facts(view.incomplete)
    show_records(out, view.records, shown)
    out.say("case.base", base=view.base)


def show_records(out: Output, records: Sequence[RecordView], shown: Shown) -> None:
    """Records one after the other, entries in the order in which they were written."""
    if not records:
        out.say("nothing")
    places: dict[str, int] = {}
    for record in records:
        places.setdefault(record.type, len(places))
    amended_by = {record.amends_hex: record.id_hex for record in records}
    for record in sorted(records, key=lambda r: (places[r.type], _written_ms(shown.schema, r))):
        record_type = _type(shown.schema, record.type)
        label = record.type if record_type is None else record_type.labels.text(out.lang)
        out.text("")
        out.text(f"{label} ({record.type}/{record.id_hex[:SHORT_ID]})")
        _about_entry(out, record, record_type, amended_by.get(record.id_hex))
        out.facts(record.flags)
        _Fields(out, shown, record_type).show(record.fields)


def _about_entry(
    out: Output, record: RecordView, record_type: RecordType | None, amended_by: str | None
) -> None:
    """Who wrote an entry when, what it amends and what amends it."""
    writes = _writes(record)
    if record_type is not None and record_type.entry and writes:
        first = min(writes, key=lambda write: write.time_ms)
        time = people_time(first.time_ms)
        out.say("case.written", author=first.author, unit=first.unit, time=time)
    if record.amends_hex is not None:
        out.say("case.amends", id=record.amends_hex[:SHORT_ID])
    if amended_by is not None:
        out.say("case.amended", id=amended_by[:SHORT_ID])


def _writes(record: RecordView) -> list[ValueView]:
    """What of a record can be read here."""
    return [
        write
        for view in record.fields.values()
        for values in (
            view.values,
            *(element.values for element in view.elements or ()),
            *(part.values for element in view.elements or () for part in element.parts.values()),
        )
        for write in values
    ]


def _written_ms(schema: Schema, record: RecordView) -> int:
    """Where an entry stands among those of its type; other records keep their order."""
    record_type = _type(schema, record.type)
    if record_type is None or not record_type.entry:
        return 0
    return min((write.time_ms for write in _writes(record)), default=0)


def _type(schema: Schema, name: str) -> RecordType | None:
    try:
        return schema.type_by_name(name)
    except UsageError:
        return None  # from a newer version: shown by its name


class _Fields:
    """The lines of one record."""

    def __init__(self, out: Output, shown: Shown, record_type: RecordType | None) -> None:
        self._out = out
        self._shown = shown
        self._type = record_type

    def show(self, fields: Mapping[str, FieldView]) -> None:
        labels = {name: self._label(name) for name in fields}
        open_fields = {
            name: view for name, view in fields.items() if not view.sealed and name != "amends"
        }
        width = max((len(labels[name]) for name in open_fields), default=0)
        for name, view in open_fields.items():
            field = self._field(name)
            start = f"  {labels[name]:<{width}}  "
            if view.elements is not None:
                self._elements(start, view.elements, field)
            else:
                self._value(start, view, partial(self._text, field))
        sealed = [labels[name] for name, view in fields.items() if view.sealed]
        if sealed:
            self._out.text(f"  {self._out.words('case.is-sealed')} {', '.join(sealed)}")

    def _field(self, name: str) -> Field | None:
        try:
            return None if self._type is None else self._type.field_by_name(name)
        except UsageError:
            return None

    def _label(self, name: str) -> str:
        field = self._field(name)
        return name if field is None else field.labels.text(self._out.lang)

    def _text(self, field: Field | None, value: object) -> str:
        if field is None:
            return value_text(self._out.lang, value)
        return self._shown.value(field, value)

    def _part_text(self, part: Part | None, value: object) -> str:
        if part is None:
            return value_text(self._out.lang, value)
        return self._shown.part(part, value)

    def _unsent_mark(self, values: Sequence[ValueView]) -> str:
        unsent = any(not value.sent for value in values)
        return f"  ({self._out.words('case.not-sent')})" if unsent else ""

    def _value(self, start: str, view: FieldView, text: Callable[[object], str]) -> None:
        shown = text(view.value)
        if view.conflict and view.value is None:
            said = [text(value.value) for value in view.values]
            shown = " / ".join(dict.fromkeys(said))
        self._out.text(start + shown + self._unsent_mark(view.values))
        if view.conflict:
            self._conflict(view.values, text)
        flags = [f for i, f in enumerate(view.flags) if f not in view.flags[:i]]
        self._out.facts(flags, indent="    ")

    def _conflict(self, values: Sequence[ValueView], text: Callable[[object], str]) -> None:
        self._out.text("    ! " + self._out.words("case.disputed"))
        for value in values:
            words = tr(
                self._out.lang,
                "case.value",
                value=text(value.value),
                author=value.author,
                unit=value.unit,
                time=people_time(value.time_ms),
            )
            self._out.text(words + copied_words(self._out.lang, value.copied_by))

    def _elements(self, start: str, elements: Sequence[ElementView], field: Field | None) -> None:
        if not elements:
            self._out.text(start + "-")
        for element in elements:
            name = value_text(self._out.lang, element.element)
            if field is not None:
                name = self._shown.element(field, element.element)
            self._out.text(start + name + self._unsent_mark(element.values))
            start = " " * len(start)
            for part_name, view in element.parts.items():
                part = _part(field, part_name)
                label = part_name if part is None else part.labels.text(self._out.lang)
                self._value(f"{start}  {label}: ", view, partial(self._part_text, part))


def _part(field: Field | None, name: str) -> Part | None:
    try:
        return None if field is None else field.part_by_name(name)
    except UsageError:
        return None  # a part of a newer version is shown by its name
