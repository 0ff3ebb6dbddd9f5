"""JSON for other programs: exactly one document on stdout (cli).

Views become objects by one rule: ``*_ms`` becomes an ISO 8601 time without the suffix, ``*_hex``
loses the suffix, bytes are hex, tuples are lists; a field that is None stays as null. Every
command's shape is documented in ``cli/JSON.md``.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from casesync.client.views import (
    CaseView,
    ElementView,
    Fact,
    FieldView,
    Page,
    RecordView,
    ValueView,
)
from casesync_cli.labels import labelled
from casesync_cli.texts import fact_text
from casesync_cli.times import iso_time


def dumps(value: object) -> str:
    """One document; characters that could steer a terminal are escaped, letters are not."""
    return _harmless(json.dumps(value, ensure_ascii=False, indent=2))


def line(value: object) -> str:
    """The same in one line, for stderr."""
    return _harmless(json.dumps(value, ensure_ascii=False))


def _harmless(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return json.dumps(character, ensure_ascii=True)[1:-1]


def plain(value: object, lang: str = "en") -> Any:  # noqa: ANN401 - JSON
    """A view, or anything made of views, as JSON values."""
    if isinstance(value, CaseView | FieldView | ValueView | RecordView | Fact | Page):
        return _shape(value, lang)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = (_pair(f.name, getattr(value, f.name), lang) for f in dataclasses.fields(value))
        return dict(pairs)
    if isinstance(value, Mapping):
        return {str(key): plain(item, lang) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item, lang) for item in value]
    return value


def _shape(
    value: CaseView | RecordView | FieldView | ValueView | Page[Any] | Fact, lang: str
) -> dict[str, Any] | list[dict[str, Any]]:
    match value:
        case CaseView():
            return case_shape(value, lang)
        case RecordView():
            return record_shape(value, lang)
        case FieldView():
            return field_shape(value, lang)
        case ValueView():
            return value_shape(value)
        case Page():
            return {"items": plain(value.items, lang), "count": value.count, "after": value.after}
        case Fact():
            text = fact_text(lang, value.code, labelled(lang, value.params))
            return {"code": value.code, "params": plain(dict(value.params)), "text": text}


def json_key(name: str) -> str:
    """A view's field as JSON names it."""
    return name.removesuffix("_ms").removesuffix("_hex")


def _pair(name: str, value: Any, lang: str) -> tuple[str, Any]:  # noqa: ANN401 - JSON
    if name.endswith("_ms") and value is not None:
        return json_key(name), iso_time(value)
    return json_key(name), plain(value, lang)


def case_shape(view: CaseView, lang: str) -> dict[str, Any]:
    """``case show``."""
    return {
        "case": view.case,
        "stream": view.stream_hex,
        "base": view.base,
        "owner": view.owner,
        "records": [record_shape(record, lang) for record in view.records],
        "incomplete": plain(view.incomplete, lang),
        "sealed": list(view.sealed_compartments),
        "conflicts": view.conflicts,
        "unsent": view.unsent,
    }


def record_shape(record: RecordView, lang: str) -> dict[str, Any]:
    """One record; ``amends`` and ``flags`` only where there is something to say."""
    return {
        "type": record.type,
        "id": record.id_hex,
        "fields": {name: field_shape(item, lang) for name, item in record.fields.items()},
        **({"amends": record.amends_hex} if record.amends_hex is not None else {}),
        **({"flags": plain(record.flags, lang)} if record.flags else {}),
    }


def field_shape(view: FieldView, lang: str) -> dict[str, Any] | list[dict[str, Any]]:
    """A field: an object, or for a set field that may be read a list of elements."""
    if view.elements is not None and not view.sealed:
        return [element_shape(element, lang) for element in view.elements]
    return {
        "value": plain(view.value),
        "conflict": view.conflict,
        "sealed": view.sealed,
        "values": [value_shape(value) for value in view.values],
        **({"flags": plain(view.flags, lang)} if view.flags else {}),
    }


def element_shape(view: ElementView, lang: str) -> dict[str, Any]:
    """An element of a set field; ``parts`` only where the field has parts."""
    shape = {
        "element": plain(view.element),
        "value": plain(view.value),
        "conflict": view.conflict,
        "sealed": view.sealed,
        "values": [value_shape(value) for value in view.values],
    }
    if view.parts:
        shape["parts"] = {name: plain(part, lang) for name, part in view.parts.items()}
    return shape


def value_shape(view: ValueView) -> dict[str, Any]:
    """One live write; ``sent`` stands only where it is not sent yet, ``copied_by`` with a copy."""
    shape: dict[str, Any] = {
        "value": plain(view.value),
        "author": view.author,
        "unit": view.unit,
        "device": view.device,
        "time": iso_time(view.time_ms),
        "dot": view.dot,
    }
    if view.copied_by is not None:
        shape["copied_by"] = plain(view.copied_by)
    return shape if view.sent else {**shape, "sent": False}
