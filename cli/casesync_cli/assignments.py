r"""``TYPE[/ID].FIELD[ELEMENT].PART=VALUE`` as typed, into ``Assignment`` (cli).

Only the form is judged here. Whether type, field, element and part exist, and what the value means,
the library decides by the network's schema. In an element ``]`` is written ``\]``, ``\`` as ``\\``.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from casesync.client.views import Assignment
from casesync.foundation.errors import UsageError

_NAME: Final = r"[a-z][a-z0-9_]*"
_RECORD: Final = rf"(?P<type>{_NAME})(?:/(?P<record>[0-9a-fA-F]{{1,32}}))?"
_FIELD: Final = rf"(?P<field>{_NAME})(?:\[(?P<element>(?:[^\]\\]|\\.)+)\])?(?:\.(?P<part>{_NAME}))?"
_VALUE: Final = r"(?P<op>\+=|-=|=)(?P<text>.*)"
_ASSIGNMENT: Final = re.compile(rf"{_RECORD}\.{_FIELD}{_VALUE}", re.DOTALL)
_FIELD_VALUE: Final = re.compile(rf"{_FIELD}{_VALUE}", re.DOTALL)
_TARGET: Final = re.compile(rf"{_RECORD}\.{_FIELD}")
_RECORD_NAME: Final = re.compile(_RECORD)
_OPS: Final[dict[str, Literal["set", "add", "remove"]]] = {"=": "set", "+=": "add", "-=": "remove"}


def parse_assignment(text: str) -> Assignment:
    """One ``TYPE[/ID].FIELD...=VALUE``.

    Raises: UsageError: ``assignment-form``, ``assignment-empty``.
    """
    match = _ASSIGNMENT.fullmatch(text)
    if match is None:
        raise UsageError("assignment-form", text=text)
    return _assignment(match["type"], match["record"], match)


def parse_field_value(type_name: str, text: str) -> Assignment:
    """One ``FIELD...=VALUE`` of a record whose type is known.

    Raises: UsageError: ``field-value-form``, ``assignment-empty``.
    """
    match = _FIELD_VALUE.fullmatch(text)
    if match is None:
        raise UsageError("field-value-form", text=text)
    return _assignment(type_name, None, match)


def parse_target(text: str) -> Assignment:
    """One ``TYPE[/ID].FIELD...`` to be made absent.

    Raises: UsageError: ``target-form``.
    """
    match = _TARGET.fullmatch(text)
    if match is None:
        raise UsageError("target-form", text=text)
    return Assignment(
        match["type"], _hex(match["record"]), match["field"], _element(match), match["part"],
        "unset", None,
    )  # fmt: skip


def parse_record_name(text: str) -> tuple[str, str]:
    """``TYPE/ID`` into (type, id prefix).

    Raises: UsageError: ``record-form``.
    """
    match = _RECORD_NAME.fullmatch(text)
    if match is None or match["record"] is None:
        raise UsageError("record-form", text=text)
    return match["type"], match["record"].lower()


def parse_filter(text: str) -> tuple[str, str]:
    """``TYPE.FIELD=VALUE`` of ``case list --filter`` into (``type.field``, value).

    Raises: UsageError: ``filter-form``.
    """
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(rf"(?:{_NAME}\.)?{_NAME}", name):
        raise UsageError("filter-form", text=text)
    return name, value


def _assignment(type_name: str, record: str | None, match: re.Match[str]) -> Assignment:
    op, element, part = _OPS[match["op"]], _element(match), match["part"]
    if element is not None and (part is None or op != "set"):
        raise UsageError("assignment-form", text=match.string)
    if element is None and part is not None:
        raise UsageError("assignment-form", text=match.string)
    if not match["text"]:
        raise UsageError("assignment-empty", text=match.string)
    return Assignment(type_name, _hex(record), match["field"], element, part, op, match["text"])


def _hex(record: str | None) -> str | None:
    return None if record is None else record.lower()


def _element(match: re.Match[str]) -> str | None:
    text = match["element"]
    return None if text is None else re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
