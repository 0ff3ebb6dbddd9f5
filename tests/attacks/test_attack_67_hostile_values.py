"""Attack 67: a member sends hostile decrypted data (the part that the model stops).

Wrong types, huge text, control characters and terminal escapes, names like ``__class__``,
bidirectional overrides: refused or shown harmlessly, never executed, never in the way of others.
"""

from __future__ import annotations

import json

import pytest

from casesync.codec.canonical import pack, unpack
from casesync.foundation.errors import CasesyncError, UsageError
from casesync.foundation.limits import SEGMENT_BYTES_MAX
from casesync.model.folding import exact_key, fold, search_words
from casesync.model.safe_text import safe_text
from casesync.model.schema import schema_from_bytes, schema_to_bytes
from casesync.model.value_format import format_element, format_part, format_value, json_value
from casesync.model.values import Fit, fit, fit_element, fit_part, validate
from unit.model.shipped import shipped_schema

SCHEMA = shipped_schema()
FIELDS = [field for kind in SCHEMA.types.values() for field in kind.fields.values()]
HOSTILE_TEXT = {
    "escape": "\x1b]0;owned\x07\x1b[2J\x1b[1;1Hadmin approved",
    "c1 escape": "\x9b2J\x9d0;x\x9c",
    "override": "risk \u202ewol\u202c \u2066\u2067x\u2069",
    "invisible": "a\u200b\u200c\u200d\u2060\ufeff\u00adb\U000e0041",
    "lines": "ok\r\nroot# \x0b\x0c\u2028\u2029\x85",
    "null": "a\x00b",
    "dunder": "__class__.__init__.__globals__",
    "format": "{0.__class__} %s %n ${jndi:ldap://x} {{7*7}}",
    "markup": "[red]x[/red] <script>alert(1)</script> `id`",
    "marks": "a" + "\u0301" * 10_000,
    "huge": "A" * (SEGMENT_BYTES_MAX - 64),
}
HOSTILE_VALUES = {
    "true": True,
    "negative": -(1 << 63),
    "large": (1 << 64) - 1,
    "bytes": b"\x00" * 16,
    "many bytes": b"\xff" * 100_000,
    "list": ["high", ["low", [None, [b"x"]]]],
    "step of steps": [["open", "closed"], ["open", "closed"]],
    "map": {0: "high", 1: {2: b"x"}},
    "empty list": [],
    "long list": ["high"] * 5_000,
    **HOSTILE_TEXT,
}


def shown(field, value) -> list[str]:
    texts = [format_element(SCHEMA, field, value, "vi")]
    for lang in ("vi", "en"):
        texts.append(format_value(SCHEMA, field, value, lang))
        texts += [format_part(SCHEMA, part, value, lang) for part in field.parts.values()]
    return texts


@pytest.mark.parametrize("name", HOSTILE_VALUES)
def test_a_hostile_value_in_any_field_is_judged_shown_and_exported_without_harm(name):
    value = unpack(pack(HOSTILE_VALUES[name]))
    for field in FIELDS:
        assert fit(SCHEMA, field, value) in Fit
        assert fit_element(SCHEMA, field, value) in Fit
        assert all(fit_part(SCHEMA, field, part, value) in Fit for part in field.parts.values())
        for text in shown(field, value):
            assert all(line.isprintable() for line in text.split("\n"))
            assert len(text) < 30_000
        json.loads(json.dumps(json_value(field, value)))


@pytest.mark.parametrize("name", HOSTILE_TEXT)
def test_hostile_text_is_one_harmless_line_on_a_screen(name):
    line = safe_text(HOSTILE_TEXT[name], limit_chars=500)
    assert line.isprintable()
    assert len(line) < 5_000
    assert "\x1b" not in line
    assert "\u202e" not in line


@pytest.mark.parametrize("name", HOSTILE_TEXT)
def test_hostile_text_can_be_searched_like_any_other(name):
    for key in (fold(HOSTILE_TEXT[name]), exact_key(HOSTILE_TEXT[name])):
        assert not any(ord(char) < 32 for char in key)
    assert isinstance(search_words(HOSTILE_TEXT[name]), list)


def test_no_name_from_outside_reaches_an_attribute():
    """Field names of a hostile schema are data: dunder names are refused, lookups are tables."""
    for name in ("__class__", "__init__", "mro", "fields"):
        with pytest.raises(UsageError):
            SCHEMA.types[1].field_by_name(name)
    top = unpack(schema_to_bytes(SCHEMA))
    top[2][0][4][0][1] = "__class__"
    with pytest.raises(CasesyncError) as caught:
        schema_from_bytes(pack(top))
    assert caught.value.code == "schema-invalid"


def test_a_hostile_label_does_not_reach_a_screen_through_the_schema():
    top = unpack(schema_to_bytes(SCHEMA))
    for label in ("x\x1b[2J", "\u202ex", "", "x" * 1000, "line\nline"):
        top[2][0][2] = [label, "Case"]
        with pytest.raises(CasesyncError):
            schema_from_bytes(pack(top))


def test_a_hostile_value_does_not_speak_through_an_error():
    """Errors become logs: what was refused is not repeated in them."""
    for value in HOSTILE_TEXT.values():
        with pytest.raises(UsageError) as caught:
            validate(SCHEMA, SCHEMA.field_by_name("case.risk_level")[1], value)
        text = caught.value.message("vi") + caught.value.message("en") + repr(caught.value.params)
        assert text.isprintable()
        assert value not in text
