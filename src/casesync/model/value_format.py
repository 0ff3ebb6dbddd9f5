"""Values as people read them, and as JSON (model).

Specified in ``protocol/schemas.md``, *Shown values*. Whatever stands in a cell is shown: a code
of a newer schema as itself, a value that cannot be one as its plain form, every text made
harmless (``safe_text``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final

from casesync.foundation.errors import UsageError
from casesync.model.date_text import VIETNAM_OFFSET_MIN
from casesync.model.safe_text import safe_text
from casesync.model.schema_types import Field, Part, Schema, ValueKind, ValueSpec
from casesync.model.values import Value, validate_spec

PLAIN_CHARS_MAX: Final = 200
"""Of a value that does not fit its field."""
ITEMS_SHOWN_MAX: Final = 64
"""Of a list; more codes than any shipped list of topics has."""
_NESTING_MAX: Final = 4
_DAY_MS: Final = 86_400_000

_NEWER: Final = {"vi": "từ phiên bản mới hơn", "en": "from a newer version"}
_WRONG: Final = {"vi": "giá trị không hợp lệ", "en": "not a valid value"}
_ABOUT: Final = {"vi": "khoảng", "en": "about"}
_BOOLEANS: Final = {"vi": ("Không", "Có"), "en": ("No", "Yes")}


def format_value(
    schema: Schema,
    field: Field,
    value: object,
    lang: str,
    *,
    offset_min: int = VIETNAM_OFFSET_MIN,
) -> str:
    """One line for people (text fields may have several); "" for an absent value.

    Args:
        schema: where labels are looked up.
        field: the field; of a state both ``[from, to]`` and the state alone are shown as state.
        value: anything, also what a hostile device wrote.
        lang: "vi" or "en".
        offset_min: minutes that the reader's clock is ahead of UTC (for times).
    """
    return _format(schema, field.value, _state_of(value, field.value), lang, offset_min)


def format_part(
    schema: Schema, part: Part, value: object, lang: str, *, offset_min: int = VIETNAM_OFFSET_MIN
) -> str:
    """As ``format_value`` for a part of an element."""
    return _format(schema, part.value, value, lang, offset_min)


def format_element(schema: Schema, field: Field, element: object, lang: str) -> str:
    """As ``format_value`` for the name of an element."""
    if field.element is None:
        return _plain(element, lang)
    return _format(schema, field.element, element, lang, VIETNAM_OFFSET_MIN)


def json_value(field: Field | Part | None, value: object) -> Any:  # noqa: ANN401
    """``value`` as JSON carries it: codes and text as they are, ids in hex, times ISO 8601 UTC.

    A state is its new state. What does not fit its field is carried too: bytes as hex.
    """
    spec = None if field is None else field.value
    if spec is not None:
        value = _state_of(value, spec)
        if spec.kind == ValueKind.TIMESTAMP and type(value) is int:
            day = _utc_day(value // _DAY_MS)
            if day is not None:
                seconds, ms = divmod(value % _DAY_MS, 1000)
                minutes = seconds // 60
                clock = f"{minutes // 60:02}:{minutes % 60:02}:{seconds % 60:02}"
                return f"{day}T{clock}.{ms:03}Z"
    return _jsonable(value)


def json_element(element: str | bytes) -> str:
    """The name of an element as JSON carries it."""
    return element.hex() if isinstance(element, bytes) else element


def _jsonable(value: object) -> Any:  # noqa: ANN401
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, str):
        # A lone surrogate cannot be written as UTF-8; decoded msgpack has none, callers might.
        return value.encode("utf-8", "replace").decode()
    return value


def _state_of(value: object, spec: ValueSpec) -> object:
    """The new state of a step ``[from, to]``; other values as they are."""
    step = isinstance(value, list | tuple) and len(value) == 2 and not spec.many
    return value[1] if step and spec.kind == ValueKind.CODE else value  # type: ignore[index]


def _format(schema: Schema, spec: ValueSpec, value: object, lang: str, offset_min: int) -> str:
    if value is None:
        return ""
    lang = "vi" if lang == "vi" else "en"
    if spec.many and isinstance(value, list | tuple):
        one = spec._replace(many=False)
        shown = [_format(schema, one, item, lang, offset_min) for item in value[:ITEMS_SHOWN_MAX]]
        left_out = len(value) - ITEMS_SHOWN_MAX
        return ", ".join(shown) + (f"… (+{left_out})" if left_out > 0 else "")
    try:
        fitting = validate_spec(schema, spec, value, name="")
    except UsageError as error:
        if error.code == "value-unknown-code":
            return f"{_shown(value)} ({_NEWER[lang]})"
        return _plain(value, lang)
    if spec.kind == ValueKind.TIMESTAMP:
        return _time(fitting, offset_min)
    if spec.kind == ValueKind.CODE:
        fitting = schema.codes(spec)[fitting].labels.text(lang)
    return _FORMATS[spec.kind](fitting, lang)


def _plain(value: object, lang: str) -> str:
    return f"({_WRONG['vi' if lang == 'vi' else 'en']}: {_shown(value)})"


def _shown(value: object, depth: int = 0) -> str:
    """Any decoded value in a few harmless characters; nothing of it is evaluated."""
    if isinstance(value, str):
        return safe_text(value, limit_chars=PLAIN_CHARS_MAX)
    if isinstance(value, bytes):
        more = "…" if len(value) > PLAIN_CHARS_MAX // 2 else ""
        return value[: PLAIN_CHARS_MAX // 2].hex() + more
    if isinstance(value, list | tuple):
        if depth >= _NESTING_MAX:
            return "[…]"
        items = [_shown(item, depth + 1) for item in value[:8]]
        return "[" + ", ".join(items + ["…"] * (len(value) > 8)) + "]"
    if value is None or isinstance(value, bool | int):
        return str(value)
    return "?"


def _date(value: str, lang: str) -> str:
    estimated = value.startswith("~")
    shown = "/".join(reversed(value.removeprefix("~").split("-")))
    return f"{_ABOUT[lang]} {shown}" if estimated else shown


@lru_cache(maxsize=1024)
def _utc_day(day: int) -> str | None:
    """The ISO 8601 date so many days after 1970-01-01; None beyond the years 1 to 9999."""
    try:
        return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
    except OverflowError:
        return None


def _moment(value: int, offset_min: int) -> datetime | None:
    try:
        zone = timezone(timedelta(minutes=offset_min))
        return datetime(1970, 1, 1, tzinfo=UTC).astimezone(zone) + timedelta(milliseconds=value)
    except (OverflowError, ValueError):
        return None


def _time(value: int, offset_min: int) -> str:
    moment = _moment(value, offset_min)
    return str(value) if moment is None else moment.strftime("%d/%m/%Y %H:%M")


def _money(value: int, lang: str) -> str:
    del lang
    return f"{value:,} ₫".replace(",", ".")


def _phone(value: str, lang: str) -> str:
    del lang
    if not value.startswith("+84") or value.startswith("+840"):
        return value
    national = "0" + value[3:]
    return f"{national[:4]} {national[4:7]} {national[7:]}"


def _text(value: str, lang: str) -> str:
    del lang
    return safe_text(value, multiline=True)


def _hex(value: bytes, lang: str) -> str:
    del lang
    return value.hex()


def _boolean(value: bool, lang: str) -> str:
    return _BOOLEANS[lang][value]


def _integer(value: int, lang: str) -> str:
    del lang
    return str(value)


_FORMATS: Final[dict[ValueKind, Callable[[Value, str], str]]] = {
    ValueKind.TEXT: _text,
    ValueKind.CODE: _text,
    ValueKind.DATE: _date,
    ValueKind.DAY: _date,
    ValueKind.INTEGER: _integer,
    ValueKind.MONEY: _money,
    ValueKind.BOOLEAN: _boolean,
    ValueKind.PHONE: _phone,
    ValueKind.RECORD: _hex,
    ValueKind.UNIT: _hex,
    ValueKind.MEMBER: _hex,
    ValueKind.ID: _hex,
    ValueKind.DIGEST: _hex,
}
