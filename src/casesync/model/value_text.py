"""Values as people type them, in Vietnamese and English (model).

Specified in ``protocol/schemas.md``, *Typed values*. Reading is generous in form and strict in
meaning: where a text could mean two values it is refused with a line that says how to write it.
What is shown is ``value_format``'s affair.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

from casesync.foundation.errors import UsageError
from casesync.model.date_text import VIETNAM_OFFSET_MIN, read_date, read_day, read_timestamp
from casesync.model.folding import exact_key, fold
from casesync.model.schema_types import Code, Field, Part, Schema, ValueKind, ValueSpec
from casesync.model.values import Value, validate_element, validate_part, validate_spec

_YES: Final = frozenset({"có", "co", "yes", "y", "true", "đúng", "1"})
_NO: Final = frozenset({"không", "khong", "no", "n", "false", "sai", "0"})

_GROUPED: Final = re.compile(r"-?\d{1,3}(?:([., ])\d{3})(?:\1\d{3})*", re.ASCII)
_PLAIN: Final = re.compile(r"-?\d+", re.ASCII)
_DECIMAL: Final = re.compile(r"(-?\d+)[.,](\d{1,3})", re.ASCII)
_CURRENCY: Final = re.compile(r"\s*(?:₫|đồng|dong|đ|vnđ|vnd)$", re.IGNORECASE)
_MULTIPLES: Final = (
    (re.compile(r"\s*(?:tỷ|tỉ|ty)$", re.IGNORECASE), 9),
    (re.compile(r"\s*(?:triệu|trieu|tr|million)$", re.IGNORECASE), 6),
    (re.compile(r"\s*(?:nghìn|ngàn|nghin|ngan|k|thousand)$", re.IGNORECASE), 3),
)
_DIGITS_MAX: Final = 18
"""More do not fit 64 bits; Python would compute with millions of them."""
_TYPED_CHARS_MAX: Final = 200
"""Of everything but text: longer is no date, number or code."""

_PHONE_MARKS: Final = re.compile(r"[\s.\-()/]+")
_VN_PHONE: Final = re.compile(r"0[1-9]\d{8,9}", re.ASCII)
_NEVER_ISSUED: Final = re.compile(r"84000\d{6}", re.ASCII)
"""Numbers of invented persons: no operator can issue them, so nobody is ever called by mistake."""
_HEX_MARKS: Final = re.compile(r"[\s-]+")
_LIST_MARKS: Final = re.compile(r"[,;\n]")


def parse_value(
    schema: Schema, field: Field, text: str, *, offset_min: int = VIETNAM_OFFSET_MIN
) -> Value:
    """The canonical value of ``field`` that somebody typed as ``text``; of a state the new state.

    Args:
        schema: where codes are looked up.
        field: a field whose cells have values (not a set: its elements have ``parse_element``).
        text: as typed, in Vietnamese or English.
        offset_min: minutes that the typist's clock is ahead of UTC (for times).

    Raises:
        UsageError: ``value-...``, each with what can be written instead.
    """
    return _parse(schema, field.value, text, field.name, offset_min)


def parse_part(
    schema: Schema, field: Field, part: Part, text: str, *, offset_min: int = VIETNAM_OFFSET_MIN
) -> Value:
    """The canonical value of a part that somebody typed; raises as ``parse_value``."""
    value = _parse(schema, part.value, text, f"{field.name}.{part.name}", offset_min)
    return validate_part(schema, field, part, value)


def parse_element(schema: Schema, field: Field, text: str) -> str | bytes:
    """The canonical name of an element that somebody typed; raises as ``parse_value``."""
    if field.element is None:
        raise UsageError("value-no-elements", field=field.name)
    value = _parse(schema, field.element, text, field.name, VIETNAM_OFFSET_MIN)
    return validate_element(schema, field, value)


def _parse(schema: Schema, spec: ValueSpec, text: str, name: str, offset_min: int) -> Value:
    if spec.kind == ValueKind.TEXT:
        lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip()
        if not lines:
            raise UsageError("value-empty", field=name)
        return validate_spec(schema, spec, lines, name=name)
    if len(text) > _TYPED_CHARS_MAX * (100 if spec.many else 1):
        raise UsageError("value-too-long", field=name, chars=len(text), most=_TYPED_CHARS_MAX)
    if spec.many:
        one = spec._replace(many=False)
        items = [item for item in _LIST_MARKS.split(text) if item.strip()]
        found = [_parse(schema, one, item, name, offset_min) for item in items]
        return validate_spec(schema, spec, found, name=name)
    typed = " ".join(unicodedata.normalize("NFC", text).split())
    if not typed:
        raise UsageError("value-empty", field=name)
    if spec.kind == ValueKind.CODE:
        value: Value = _code(schema.codes(spec), typed)
    elif spec.kind == ValueKind.TIMESTAMP:
        value = read_timestamp(typed, name, offset_min)
    else:
        value = _READERS[spec.kind](typed, name)
    return validate_spec(schema, spec, value, name=name)


def _code(codes: Mapping[str, Code], typed: str) -> str:
    """The id of the code that ``typed`` names; ``typed`` itself (to be refused) if none does."""
    if typed in codes:
        return typed
    wanted = exact_key(typed)
    for key in (exact_key, fold):
        matches = [
            code.id
            for code in codes.values()
            if wanted in {key(code.id), key(code.labels.vi), key(code.labels.en)}
        ]
        if len(matches) == 1:
            return matches[0]
        # Without diacritics only what was typed without them: "mạng" must not find "mang".
        wanted = fold(typed) if typed.isascii() else ""
    return typed


def _integer(typed: str, name: str) -> int:
    number = _whole(typed)
    if number is None:
        raise UsageError("value-not-a-number", field=name)
    return number


def _money(typed: str, name: str) -> int:
    rest = _CURRENCY.sub("", typed)
    for pattern, zeros in _MULTIPLES:
        shorter, found = pattern.subn("", rest)
        if found:
            number = _scaled(shorter, zeros)
            break
    else:
        number = _whole(rest)
    if number is None:
        raise UsageError("value-not-money", field=name)
    return number


def _whole(text: str) -> int | None:
    if len(text) > 2 * _DIGITS_MAX:
        return None
    if _GROUPED.fullmatch(text):
        text = re.sub("[., ]", "", text)
    if not _PLAIN.fullmatch(text) or len(text) > _DIGITS_MAX:
        return None
    return int(text)


def _scaled(text: str, zeros: int) -> int | None:
    """``text`` times 10 to the ``zeros``: "1,5" triệu; three decimals are read as thousands."""
    decimal = _DECIMAL.fullmatch(text)
    whole = _whole(text)
    if decimal is None or whole is not None:
        return None if whole is None else whole * int(10**zeros)
    digits, fraction = decimal.groups()
    if len(digits) > _DIGITS_MAX or len(fraction) > zeros:
        return None
    return int(digits + fraction) * int(10 ** (zeros - len(fraction)))


def _boolean(typed: str, name: str) -> bool:
    word = exact_key(typed)
    if word in {exact_key(yes) for yes in _YES}:
        return True
    if word in {exact_key(no) for no in _NO}:
        return False
    raise UsageError("value-not-yes-or-no", field=name)


def _phone(typed: str, name: str) -> str:
    plus = typed.lstrip().startswith("+")
    digits = _PHONE_MARKS.sub("", typed).removeprefix("+")
    if digits.startswith("00"):
        plus, digits = True, digits[2:]
    if not (digits.isascii() and digits.isdigit()):
        raise UsageError("value-not-a-phone", field=name)
    if plus and _NEVER_ISSUED.fullmatch(digits):
        return "+" + digits
    if plus:
        # +84 (0)912...: the trunk zero is not dialled from abroad and no part of the number.
        number = "+84" + digits[3:] if digits.startswith("840") else "+" + digits
    elif _VN_PHONE.fullmatch(digits):
        number = "+84" + digits[1:]
    elif digits.startswith("84") and _VN_PHONE.fullmatch("0" + digits[2:]):
        number = "+" + digits
    else:
        raise UsageError("value-not-a-phone", field=name)
    if number.startswith("+84") and not _VN_PHONE.fullmatch("0" + number[3:]):
        raise UsageError("value-not-a-phone", field=name)
    if not 7 <= len(number) - 1 <= 15 or number[1] == "0":
        raise UsageError("value-not-a-phone", field=name)
    return number


def _identifier(typed: str, name: str) -> bytes:
    try:
        return bytes.fromhex(_HEX_MARKS.sub("", typed))
    except ValueError as error:
        raise UsageError("value-not-an-id", field=name) from error


_READERS: Final[dict[ValueKind, Callable[[str, str], Value]]] = {
    ValueKind.DATE: read_date,
    ValueKind.DAY: read_day,
    ValueKind.INTEGER: _integer,
    ValueKind.MONEY: _money,
    ValueKind.BOOLEAN: _boolean,
    ValueKind.PHONE: _phone,
    ValueKind.RECORD: _identifier,
    ValueKind.UNIT: _identifier,
    ValueKind.MEMBER: _identifier,
    ValueKind.ID: _identifier,
    ValueKind.DIGEST: _identifier,
}
