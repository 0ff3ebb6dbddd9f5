"""What lists and search need of a stream's records: names, values, words (model).

Nearly every record is written by few segments, each cell by one of them, and nothing has arrived
that does not count: then its values stand in the segments as they are shown, and resolving each
cell on its own would only repeat them. Such a record is read off its segments; every other one goes
through ``projection``, and so does whatever this module does not know at a glance. Both ways give
the same (``tests/properties/test_listing_ways.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple
from unicodedata import is_normalized

from casesync.foundation.limits import TEXT_BYTES_MAX
from casesync.model.cells import FORMS_INTERNED_MAX, Form
from casesync.model.projection import CellProjection, RecordProjection
from casesync.model.resolvers.registry import resolve
from casesync.model.resolvers.resolution import CellWrite, canonical_bytes
from casesync.model.schema import Field, RecordType, ResolverCode, Schema, ValueKind
from casesync.model.segment_body import Content, forms_of, is_copies
from casesync.model.value_format import json_value
from casesync.model.values import Fit, fit

PART_IN_CASE, CLIENT = "role_in_case", "client"
LISTED_TEXT_CHARS_MAX: Final = 256
"""Codes, dates and names of elements; longer ones are nothing that anybody types."""

RecordName = tuple[int, bytes]
"""(type, id)."""
Projections = Callable[[Collection[RecordName] | None], list[RecordProjection]]
"""The projections of these records, None = of all."""
Opened = Callable[[int, int], Content | None]
"""(location, compartment) -> the decoded segment."""

_AS_WRITTEN: Final = frozenset(
    {
        ResolverCode.ONCE,
        ResolverCode.LATEST,
        ResolverCode.ALL,
        ResolverCode.EARLIEST,
    }
)
"""Where a single write is effective as it is."""
_DISPUTED: Final = object()
_REMEMBERED_VALUES: Final = 512
"""Of each field."""
_REMEMBERED_CHARS_MAX: Final = 64
_REMEMBERED_ITEMS_MAX: Final = 16
_CODE_TYPES: Final = frozenset({str, type(None)})
_NAMED_TYPES: Final = frozenset({bool, tuple, type(None)})
_TEXT_KINDS: Final = frozenset({ValueKind.TEXT, ValueKind.PHONE})


class ListedRecord(NamedTuple):
    """One record as lists take it."""

    type: int
    id: bytes
    is_client: bool
    oldest_ms: int
    newest_ms: int
    """The smallest and the largest claimed clock of its live writes."""
    fields: dict[str, Any]
    """"type.field" -> effective JSON value; none of an entry, of which a case has many."""
    texts: list[str]
    conflicts: tuple[CellProjection, ...]

    @property
    def leading(self) -> tuple[bool, int, bytes]:
        """Sort key: of several records of a type a list shows the first one.

        The client goes before all, then whoever was written first.
        """
        return not self.is_client, self.oldest_ms, self.id


class _Step(NamedTuple):
    """What to do with the value at one position of a form."""

    name: str
    """"type.field"."""
    field: Field
    shown: _Shown


_Value = tuple[Any, tuple[str, ...]]
"""What a single write of a field gives: its JSON value (or ``_DISPUTED``), what is searched."""


class _Shown(dict[str, _Value]):
    """Single text values of one field; what is known costs no call: most are codes and names."""

    __slots__ = (
        "_as_written",
        "_field",
        "_is_text",
        "_is_time",
        "_others",
        "_plain_chars",
        "_schema",
    )

    def __init__(self, schema: Schema, field: Field) -> None:
        super().__init__()
        spec = field.value
        self._schema = schema
        self._field = field
        self._as_written = field.resolver in _AS_WRITTEN
        self._is_text = spec.kind in _TEXT_KINDS
        self._is_time = spec.kind is ValueKind.TIMESTAMP
        is_plain = spec.kind is ValueKind.TEXT and not spec.many
        self._plain_chars = min(spec.maximum or 0, TEXT_BYTES_MAX // 4) if is_plain else 0
        self._others: dict[bool | tuple[str | None, ...] | None, _Value] = {}

    def __missing__(self, value: str) -> _Value:
        if not self._as_written:
            found = self._resolved(value)
        elif self._is_text:
            found = value, (value,) if self._fits(value) else ()
        else:
            found = value, (value,) if len(value) <= LISTED_TEXT_CHARS_MAX else ()
        if len(value) <= _REMEMBERED_CHARS_MAX:
            if len(self) >= _REMEMBERED_VALUES:
                self.clear()
            self[value] = found
        return found

    def other(self, value: Any) -> _Value:  # noqa: ANN401
        """As looking it up, of what is not a ``str``."""
        if value.__class__ is int and self._as_written and not self._is_time:
            return value, ()
        named = tuple(value) if value.__class__ is list and _are_codes(value) else value
        if named.__class__ not in _NAMED_TYPES:
            return self._resolved(value)
        known = self._others.get(named)
        if known is None:
            if len(self._others) >= _REMEMBERED_VALUES:
                self._others.clear()
            known = self._others[named] = self._resolved(value)
        return known

    def _resolved(self, value: Any) -> _Value:  # noqa: ANN401
        field = self._field
        effective = value
        if not self._as_written:
            only = CellWrite(value, 0, None, 0, 0, 0)
            effective, conflict = resolve(int(field.resolver), (only,), field)
            if conflict:
                return _DISPUTED, ()
        shown = json_value(field, effective)
        if not self._is_text:
            return shown, tuple(_short_strings(shown))
        fits = value is not None and fit(self._schema, field, value) is Fit.FITS
        return shown, tuple(_strings(value)) if fits else ()

    def _fits(self, value: str) -> bool:
        """``fit``, at a glance for what nearly every text is."""
        if (
            0 < len(value) <= self._plain_chars
            and value.isprintable()
            and not value.isspace()
            and is_normalized("NFC", value)
        ):
            return True
        return fit(self._schema, self._field, value) is Fit.FITS


class _Plan(NamedTuple):
    """What to do with the values of one form."""

    steps: tuple[_Step, ...]
    names: tuple[str, ...]
    sets: tuple[tuple[str, Field, Any, int], ...]
    """("type.field", field, element, part), behind the others."""
    is_entry: bool


_Piece = tuple[Form, int, list[Any], int]
"""Form, mask of its live cells, the segment's group, the author's clock."""


class ListedRecords:
    """Reads records under one schema; remembers what it found out about its forms."""

    def __init__(self, schema: Schema) -> None:
        """Args: schema: the newest."""
        self.schema = schema
        self._plans: dict[Form, _Plan | None] = {}
        self._steps: dict[str, _Step] = {}

    def read(
        self,
        segments: list[tuple[int, int, int]] | None,
        opened: Opened,
        projections: Projections,
    ) -> list[ListedRecord]:
        """The records of a stream, in no particular order.

        Args:
            segments: the merged stream's ``plain_segments``.
            opened: opens a stored segment; asked once for each.
            projections: the slow way, asked for what has no fast one.
        """
        found = None if segments is None else _pieces(segments, opened)
        if found is None:
            return [self.projected(record) for record in projections(None)]
        records: list[ListedRecord] = []
        others: list[RecordName] = []
        for name, pieces in found.items():
            record = self._at_a_glance(name, pieces)
            if record is None:
                others.append(name)
            else:
                records.append(record)
        if others:
            records += [self.projected(record) for record in projections(others)]
        return records

    def projected(self, record: RecordProjection) -> ListedRecord:
        """What lists take of a projection."""
        record_type = self.schema.types.get(record.type)
        fields: dict[str, Any] = {}
        texts: list[str] = []
        is_client = False
        for field in record.fields.values():
            if field.field is None or record_type is None:
                continue
            is_client = is_client or (field.field.name, field.value) == (PART_IN_CASE, CLIENT)
            value = json_value(field.field, field.value)
            if not record_type.entry:
                fields[f"{record_type.name}.{field.field.name}"] = value
            if field.cell is None or field.field.value.kind not in _TEXT_KINDS:
                texts += _short_strings(value)
                continue
            for write in field.cell.writes:
                if fit(self.schema, field.field, write.value) is Fit.FITS:
                    texts += _strings(write.value)
        clocks = [write.clock_ms for cell in record.cells() for write in cell.writes]
        oldest, newest = min(clocks, default=0), max(clocks, default=0)
        disputed = tuple(cell for cell in record.cells() if cell.conflict)
        return ListedRecord(
            record.type, record.id, is_client, oldest, newest, fields, texts, disputed
        )

    # -- records that are read off their segments -----------------------------------------------

    def _at_a_glance(self, name: RecordName, pieces: list[_Piece]) -> ListedRecord | None:
        """The record, None if it is not so simple."""
        values: dict[str, Any] = {}
        texts: list[str] = []
        members: dict[str, tuple[Field, dict[Any, bool]]] = {}
        plan = None
        for form, mask, group, _ in pieces:
            plan = self._plan(form)
            if plan is None:
                return None
            if not _take_scalars(plan, form.full, mask, group[2], values, texts):
                return None
            if plan.sets and not _take_sets(plan, mask, group, members):
                return None
        assert plan is not None
        for full_name, (field, held) in members.items():
            named = [element for element, member in held.items() if member]
            if full_name in values:
                return None
            values[full_name] = value = json_value(field, sorted(named, key=canonical_bytes))
            texts += _short_strings(value)
        clocks = [piece[3] for piece in pieces]
        part = f"{self.schema.types[name[0]].name}.{PART_IN_CASE}"
        is_client = values.get(part) == CLIENT
        fields = {} if plan.is_entry else values
        return ListedRecord(*name, is_client, min(clocks), max(clocks), fields, texts, ())

    def _plan(self, form: Form) -> _Plan | None:
        try:
            return self._plans[form]
        except KeyError:
            if len(self._plans) >= FORMS_INTERNED_MAX:
                self._plans.clear()
            plan = self._plans[form] = self._planned(form)
            return plan

    def _planned(self, form: Form) -> _Plan | None:
        """None if the form has what this schema does not know."""
        record_type = self.schema.types.get(form.type)
        if record_type is None:
            return None
        fields = [record_type.fields.get(key >> 4) for key in form.keys]
        fields += [record_type.fields.get(key >> 4) for key, _, _ in form.elements]
        for at, field in enumerate(fields):
            is_element = at >= len(form.keys)
            if field is None or (field.resolver == ResolverCode.SET) is not is_element:
                return None
        if any(element is None for _, element, _ in form.elements):
            return None
        steps = [self._step(record_type, field) for field in fields if field is not None]
        scalars = tuple(steps[: len(form.keys)])
        sets = tuple(
            (step.name, step.field, element, part)
            for step, (_, element, part) in zip(steps[len(form.keys) :], form.elements, strict=True)
        )
        return _Plan(scalars, tuple(step.name for step in scalars), sets, record_type.entry)

    def _step(self, record_type: RecordType, field: Field) -> _Step:
        name = f"{record_type.name}.{field.name}"
        step = self._steps.get(name)
        if step is None:
            step = self._steps[name] = _Step(name, field, _Shown(self.schema, field))
        return step


def _pieces(
    segments: list[tuple[int, int, int]], opened: Opened
) -> dict[RecordName, list[_Piece]] | None:
    """The live groups of each record, None where that is not all there is to know."""
    found: dict[RecordName, list[_Piece]] = {}
    for location, compartment, mask in segments:
        content = opened(location, compartment)
        if content is None or is_copies(content):
            return None
        clock_ms, _, _, groups, _ = content
        behind = mask
        for group, form in zip(groups, forms_of(content), strict=True):
            live = behind & form.full
            behind >>= form.size
            if live:
                found.setdefault((form.type, group[0]), []).append((form, live, group, clock_ms))
    return found


def _take_scalars(
    plan: _Plan, full: int, mask: int, scalars: list[Any], values: dict[str, Any], texts: list[str]
) -> bool:
    """Take single values; False if one has another beside it, or needs a person."""
    found = [
        step.shown[value] if value.__class__ is str else step.shown.other(value)
        for step, value in zip(plan.steps, scalars[1::2], strict=True)
    ]
    names = plan.names
    if mask != full:
        live = [at for at in range(len(found)) if mask >> at & 1]
        names, found = tuple(names[at] for at in live), [found[at] for at in live]
    before = len(values)
    values.update(zip(names, [shown for shown, _ in found], strict=True))
    if len(values) != before + len(found):
        return False
    for shown, searched in found:
        if shown is _DISPUTED:
            return False
        texts += searched
    return True


def _take_sets(
    plan: _Plan, mask: int, group: list[Any], members: dict[str, tuple[Field, dict[Any, bool]]]
) -> bool:
    """Take elements and parts; False if one has another write beside it."""
    mask >>= len(plan.steps)
    for at, (name, field, element, part) in enumerate(plan.sets):
        if not mask >> at & 1:
            continue
        _, held = members.setdefault(name, (field, {}))
        if part:  # never in a list, and a conflict only beside another write
            named = (element, part)
            if named in held:
                return False
            held[named] = False
        elif element in held:
            return False
        else:
            held[element] = group[3][at][3] is True
    return True


def _are_codes(value: list[Any]) -> bool:
    """Whether a list, of codes or of a step's states, is worth remembering."""
    return (
        len(value) <= _REMEMBERED_ITEMS_MAX
        and _CODE_TYPES.issuperset(map(type, value))
        and all(item is None or len(item) <= _REMEMBERED_CHARS_MAX for item in value)
    )


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return []


def _short_strings(value: object) -> list[str]:
    return [item for item in _strings(value) if len(item) <= LISTED_TEXT_CHARS_MAX]
