"""One value of a record as people read it, by its kind and codelist (cli)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casesync.model.schema_types import ValueKind
from casesync_cli.render import value_text
from casesync_cli.times import people_date, people_time

if TYPE_CHECKING:
    from casesync.model.schema_types import Schema, ValueSpec


def shown_value(schema: Schema, spec: ValueSpec, lang: str, value: object) -> str:
    """``value`` in words; what does not fit its kind is shown as it is, never hidden."""
    if isinstance(value, list | tuple):
        return ", ".join(shown_value(schema, spec, lang, item) for item in value)
    if spec.kind is ValueKind.CODE and isinstance(value, str):
        code = schema.codes(spec).get(value)
        return value if code is None else code.labels.text(lang)
    if spec.kind in {ValueKind.DATE, ValueKind.DAY} and isinstance(value, str):
        return people_date(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if spec.kind is ValueKind.TIMESTAMP:
            return people_time(value)
        if spec.kind is ValueKind.MONEY:
            return f"{value:,}".replace(",", ".") + " ₫"
    return value_text(lang, value)
