"""One value of a record as people read it, by its kind and codelist (cli).

``model.value_format`` knows the kinds; here the views' JSON forms (times as ISO 8601, ids in hex)
are understood, and the reader's own time zone decides how times are shown.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from casesync.model.schema_types import ValueKind
from casesync.model.value_format import format_element, format_part, format_value
from casesync_cli.times import people_time

if TYPE_CHECKING:
    from casesync.model.schema_types import Field, Part, Schema, ValueSpec

_ID_KINDS = frozenset(
    {ValueKind.RECORD, ValueKind.UNIT, ValueKind.MEMBER, ValueKind.DIGEST, ValueKind.ID}
)


def shown_value(schema: Schema, field: Field, lang: str, value: object) -> str:
    """A field's value in words; a dash where there is none."""
    return _readable(field.value, value) or format_value(schema, field, value, lang) or "-"


def shown_part(schema: Schema, part: Part, lang: str, value: object) -> str:
    """As ``shown_value`` for a part of an element."""
    return _readable(part.value, value) or format_part(schema, part, value, lang) or "-"


def shown_element(schema: Schema, field: Field, lang: str, element: object) -> str:
    """As ``shown_value`` for what names an element."""
    found = None if field.element is None else _readable(field.element, element)
    return found or format_element(schema, field, element, lang)


def _readable(spec: ValueSpec, value: object) -> str | None:
    """Times in local time and ids as they are; None = the model's business."""
    if spec.kind is ValueKind.TIMESTAMP:
        if isinstance(value, int) and not isinstance(value, bool):
            return people_time(value)
        if isinstance(value, str):
            try:
                return people_time(int(datetime.fromisoformat(value).timestamp() * 1000))
            except ValueError:
                return None
    if spec.kind in _ID_KINDS and isinstance(value, str):
        return value
    return None
