"""What a value may be: checking decoded and typed values against their field (model).

Specified in ``protocol/schemas.md``, *Value kinds*. Everything that arrives was written by
somebody else's program: a value of any shape may stand in any cell. Values that do not fit never
block a merge; they are told apart here, so that screens can show them as what they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Any, Final

from casesync.foundation.errors import UsageError
from casesync.foundation.limits import TEXT_BYTES_MAX
from casesync.model.schema_checks import INTEGER_MAX, INTEGER_MIN
from casesync.model.schema_types import Field, Part, ResolverCode, Schema, ValueKind, ValueSpec

Value = Any
"""A value as it stands in a cell: None, bool, int, str, bytes or a list of these."""

ID_BYTES: Final = 16
DIGEST_BYTES: Final = 32
TIMESTAMP_MAX: Final = (1 << 48) - 1
ITEMS_MAX: Final = 256
"""Items of a list value; more is not something a person ticked."""

_DATE: Final = re.compile(r"(~?)(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_PHONE: Final = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_STATE_ITEMS: Final = 2


class Fit(Enum):
    """How a value stands to its field."""

    FITS = "fits"
    NEWER = "newer"
    """A code that this schema does not know: shown as from a newer version."""
    WRONG = "wrong"
    """Nothing that the field can hold; shown harmlessly, never interpreted."""


def validate(schema: Schema, field: Field, value: object) -> Value:
    """The canonical form of ``value`` for a cell of ``field``; None is always allowed.

    A state is ``[from, to]``, a set's presence a boolean. Parts have ``validate_part``.

    Raises:
        UsageError: ``value-...``: what the field needs; ``value-unknown-code`` with the known
            ones; ``value-invalid`` with ``why`` for what nobody can type.
    """
    if value is None:
        return None
    if field.resolver == ResolverCode.STATE:
        return _state(schema, field, value)
    return validate_spec(schema, field.value, value, name=field.name)


def validate_part(schema: Schema, field: Field, part: Part, value: object) -> Value:
    """The canonical form of ``value`` for a part; raises as ``validate``."""
    if value is None:
        return None
    return validate_spec(schema, part.value, value, name=f"{field.name}.{part.name}")


def validate_element(schema: Schema, field: Field, element: object) -> str | bytes:
    """The canonical form of what names an element of ``field``; raises as ``validate``."""
    if field.element is None:
        raise UsageError("value-no-elements", field=field.name)
    found = validate_spec(schema, field.element, element, name=field.name)
    assert isinstance(found, str | bytes), "the schema allows no other kind of element"
    return found


def validate_spec(schema: Schema, spec: ValueSpec, value: object, *, name: str) -> Value:
    """The canonical form of one value of ``spec``; ``name`` is how messages call the field."""
    if not spec.many:
        return _CHECKS[spec.kind](schema, spec, value, name)
    if not isinstance(value, list | tuple) or len(value) > ITEMS_MAX:
        raise UsageError("value-invalid", field=name, why="not-a-list")
    if not value:
        raise UsageError("value-empty", field=name)
    return sorted({_CHECKS[spec.kind](schema, spec, item, name) for item in value})


def is_valid(schema: Schema, field: Field, value: object) -> bool:
    """Whether ``value`` is a canonical value of ``field`` in this schema."""
    return fit(schema, field, value) is Fit.FITS


def fit(schema: Schema, field: Field, value: object) -> Fit:
    """How a decoded cell value stands to its field."""
    return _fit(lambda: validate(schema, field, value), value)


def fit_part(schema: Schema, field: Field, part: Part, value: object) -> Fit:
    """How the decoded value of a part stands to it."""
    return _fit(lambda: validate_part(schema, field, part, value), value)


def fit_element(schema: Schema, field: Field, element: object) -> Fit:
    """How the decoded name of an element stands to its field."""
    return _fit(lambda: validate_element(schema, field, element), element)


def check_step(field: Field, before: str | None, after: str) -> None:
    """Refuse a step between states that the schema does not declare.

    For what people enter here; a step that arrives is shown and flagged, never dropped.

    Raises:
        UsageError: ``step-not-allowed``.
    """
    if (before, after) not in field.steps:
        allowed = [step for step in field.order if (before, step) in field.steps]
        raise UsageError(
            "step-not-allowed",
            field=field.name,
            before=before or "-",
            after=after,
            allowed=", ".join(allowed) or "-",
        )


def _fit(check: Callable[[], Value], value: object) -> Fit:
    try:
        canonical = check()
    except UsageError as error:
        return Fit.NEWER if error.code == "value-unknown-code" else Fit.WRONG
    return Fit.FITS if canonical == value else Fit.WRONG


def _state(schema: Schema, field: Field, value: object) -> Value:
    if not isinstance(value, list | tuple) or len(value) != _STATE_ITEMS:
        raise UsageError("value-invalid", field=field.name, why="not-a-step")
    before, after = value
    if before is not None:
        before = _code(schema, field.value, before, field.name)
    return [before, _code(schema, field.value, after, field.name)]


def _text(schema: Schema, spec: ValueSpec, value: object, name: str) -> str:
    del schema
    if not isinstance(value, str):
        raise UsageError("value-invalid", field=name, why="not-text")
    # Before normalising: a hostile value may be a megabyte, and NFC can only shorten it usefully.
    most = spec.maximum or 0
    if len(value) > 4 * most:
        raise UsageError("value-too-long", field=name, chars=len(value), most=most)
    text = unicodedata.normalize("NFC", value)
    if not text or text.isspace():
        raise UsageError("value-empty", field=name)
    # Nearly every text is printable, which leaves nothing to look at one by one.
    if not text.isprintable() and any(
        unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text
    ):
        raise UsageError("value-control-characters", field=name)
    if len(text) > most or len(text.encode()) > TEXT_BYTES_MAX:
        raise UsageError("value-too-long", field=name, chars=len(text), most=most)
    return text


def _code(schema: Schema, spec: ValueSpec, value: object, name: str) -> str:
    if not isinstance(value, str):
        raise UsageError("value-invalid", field=name, why="not-a-code")
    if value not in schema.codes(spec):
        raise UsageError(
            "value-unknown-code",
            field=name,
            known=_offered(schema, spec, "en"),
            known_vi=_offered(schema, spec, "vi"),
        )
    return value


def _date(schema: Schema, spec: ValueSpec, value: object, name: str) -> str:
    del schema
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise UsageError("value-not-a-date", field=name)
    estimated, year, month, day = match.groups()
    if spec.kind == ValueKind.DAY and (estimated or day is None):
        raise UsageError("value-not-a-day", field=name)
    try:
        date(int(year), int(month or 1), int(day or 1))
    except ValueError as error:
        raise UsageError("value-not-a-date", field=name) from error
    return match.group()


def _integer(schema: Schema, spec: ValueSpec, value: object, name: str) -> int:
    del schema
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError("value-not-a-number", field=name)
    low = INTEGER_MIN if spec.minimum is None else spec.minimum
    high = INTEGER_MAX if spec.maximum is None else spec.maximum
    if not low <= value <= high:
        raise UsageError("value-out-of-range", field=name, low=low, high=high)
    return value


def _timestamp(schema: Schema, spec: ValueSpec, value: object, name: str) -> int:
    del schema, spec
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= TIMESTAMP_MAX:
        raise UsageError("value-not-a-time", field=name)
    return value


def _boolean(schema: Schema, spec: ValueSpec, value: object, name: str) -> bool:
    del schema, spec
    if not isinstance(value, bool):
        raise UsageError("value-not-yes-or-no", field=name)
    return value


def _phone(schema: Schema, spec: ValueSpec, value: object, name: str) -> str:
    del schema, spec
    if not isinstance(value, str) or _PHONE.fullmatch(value) is None:
        raise UsageError("value-not-a-phone", field=name)
    return value


def _identifier(schema: Schema, spec: ValueSpec, value: object, name: str) -> bytes:
    del schema
    size = DIGEST_BYTES if spec.kind == ValueKind.DIGEST else ID_BYTES
    if not isinstance(value, bytes) or len(value) != size:
        raise UsageError("value-not-an-id", field=name)
    return value


_CHECKS: Final[dict[ValueKind, Callable[[Schema, ValueSpec, object, str], Value]]] = {
    ValueKind.TEXT: _text,
    ValueKind.CODE: _code,
    ValueKind.DATE: _date,
    ValueKind.DAY: _date,
    ValueKind.TIMESTAMP: _timestamp,
    ValueKind.INTEGER: _integer,
    ValueKind.MONEY: _integer,
    ValueKind.BOOLEAN: _boolean,
    ValueKind.PHONE: _phone,
    ValueKind.RECORD: _identifier,
    ValueKind.UNIT: _identifier,
    ValueKind.MEMBER: _identifier,
    ValueKind.ID: _identifier,
    ValueKind.DIGEST: _identifier,
}

_KNOWN_CHARS_MAX: Final = 300


def _offered(schema: Schema, spec: ValueSpec, lang: str) -> str:
    """The codes that can be chosen, with their labels."""
    offered = (code for code in schema.codes(spec).values() if not code.deprecated)
    return _shortened(", ".join(f"{code.id} ({code.labels.text(lang)})" for code in offered))


def _shortened(known: str) -> str:
    return known if len(known) <= _KNOWN_CHARS_MAX else known[:_KNOWN_CHARS_MAX] + "…"
