"""One value of a record as people read it, by its kind and codelist (cli).

``model.value_format`` knows the kinds; here the views' JSON forms (times as ISO 8601, ids in hex)
are understood, and the reader's own time zone decides how times are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from casesync.foundation.errors import UsageError
from casesync.model.schema_types import ValueKind
from casesync.model.value_format import format_element, format_part, format_value
from casesync_cli.render import value_text
from casesync_cli.times import moment_ms, people_time

if TYPE_CHECKING:
    from casesync.client.replica import Replica
    from casesync.model.schema_types import Field, Part, Schema, ValueSpec

_ID_KINDS = frozenset({ValueKind.RECORD, ValueKind.DIGEST, ValueKind.ID})
SHORT_ID = 8
"""Hex digits of an id on the screen; commands take any prefix that is unique."""
_NAMED_KINDS = frozenset({ValueKind.UNIT, ValueKind.MEMBER})


class Shown:
    """Puts values into words, for one reader."""

    def __init__(self, schema: Schema, lang: str, names: Mapping[str, str]) -> None:
        """Args: names: units and members by id in hex."""
        self.schema = schema
        self._lang = lang
        self._names = names

    def value(self, field: Field, value: object) -> str:
        """A field's value; a dash where there is none."""
        return self._readable(field.value, value) or self._or_dash(
            format_value(self.schema, field, value, self._lang)
        )

    def part(self, part: Part, value: object) -> str:
        """A value of an element's part."""
        return self._readable(part.value, value) or self._or_dash(
            format_part(self.schema, part, value, self._lang)
        )

    def element(self, field: Field, element: object) -> str:
        """What names an element."""
        found = None if field.element is None else self._readable(field.element, element)
        return found or format_element(self.schema, field, element, self._lang)

    def of(
        self, type_name: str, name: str, part: str | None, element: object, value: object
    ) -> str:
        """A value given by the names of its type, field and part; unknown ones as they are."""
        try:
            _, field = self.schema.field_by_name(f"{type_name}.{name}")
            if part is not None:
                return self.part(field.part_by_name(part), value)
        except UsageError:
            return value_text(self._lang, value)
        return value_text(self._lang, value) if element is not None else self.value(field, value)

    def _readable(self, spec: ValueSpec, value: object) -> str | None:
        if spec.kind in _NAMED_KINDS and isinstance(value, str):
            return self._names.get(value, value)
        return _readable(spec, value)

    @staticmethod
    def _or_dash(text: str) -> str:
        return text or "-"


def _readable(spec: ValueSpec, value: object) -> str | None:
    """Times in local time and the beginnings of ids; None = the model's business."""
    if spec.kind is ValueKind.TIMESTAMP:
        if isinstance(value, int) and not isinstance(value, bool):
            return people_time(value)
        if isinstance(value, str):
            time_ms = moment_ms(value)
            return None if time_ms is None else people_time(time_ms)
    if spec.kind in _ID_KINDS and isinstance(value, str):
        return value[:SHORT_ID]
    return None


def shown_by(replica: Replica, lang: str) -> Shown:
    """The words of this replica's network."""
    names = {unit.id_hex: unit.name for unit in replica.units()}
    names |= {member.id_hex: member.name for member in replica.members()}
    return Shown(replica.schema(), lang, names)
