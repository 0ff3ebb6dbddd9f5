"""What people type after ``case set`` has exactly one meaning, or is refused with the form."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.client.views import Assignment
from casesync.foundation.errors import UsageError
from casesync_cli.assignments import (
    parse_assignment,
    parse_field_value,
    parse_filter,
    parse_record_name,
    parse_target,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "person.given_name=Hoa",
            Assignment("person", None, "given_name", None, None, "set", "Hoa"),
        ),
        (
            "person/0aF3.given_name=Hoa",
            Assignment("person", "0af3", "given_name", None, None, "set", "Hoa"),
        ),
        ("case.kinds+=gbv", Assignment("case", None, "kinds", None, None, "add", "gbv")),
        ("case.kinds-=gbv", Assignment("case", None, "kinds", None, None, "remove", "gbv")),
        (
            "person.phones[+84900000001].whose=self",
            Assignment("person", None, "phones", "+84900000001", "whose", "set", "self"),
        ),
        (
            r"person.phones[a\]b\\c].whose=self",
            Assignment("person", None, "phones", r"a]b\c", "whose", "set", "self"),
        ),
        ("note.text=a=b+=c", Assignment("note", None, "text", None, None, "set", "a=b+=c")),
        ("note.text=a\nb", Assignment("note", None, "text", None, None, "set", "a\nb")),
    ],
)
def test_each_form_has_one_meaning(text, expected):
    assert parse_assignment(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "person",
        "person=Hoa",
        "person.given_name",
        ".given_name=Hoa",
        "person..given_name=Hoa",
        "Person.given_name=Hoa",
        "person/xyz.given_name=Hoa",
        "person/.given_name=Hoa",
        "person.phones[].whose=self",
        "person.phones[1=x",
        "person.phones[1]=x",
        "person.phones.whose=x",
        "person.phones[1].whose+=x",
        "person.given_name =Hoa",
    ],
)
def test_anything_else_is_refused_with_the_form(text):
    with pytest.raises(UsageError) as refused:
        parse_assignment(text)
    assert refused.value.code == "assignment-form"
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("text", ["person.given_name=", "case.kinds+="])
def test_an_empty_value_is_not_taken_for_unset(text):
    with pytest.raises(UsageError) as refused:
        parse_assignment(text)
    assert refused.value.code == "assignment-empty"


def test_a_target_of_unset_has_no_value():
    assert parse_target("person/0a.given_name") == Assignment(
        "person", "0a", "given_name", None, None, "unset", None
    )
    with pytest.raises(UsageError, match="TYPE"):
        parse_target("person.given_name=Hoa")


def test_values_of_a_new_record_name_no_type():
    assert parse_field_value("note", "text=xin chào").type == "note"
    with pytest.raises(UsageError) as refused:
        parse_field_value("note", "xin chào")
    assert refused.value.code == "field-value-form"


def test_a_record_is_named_by_type_and_id():
    assert parse_record_name("note/0AF3") == ("note", "0af3")
    for text in ("note", "note/", "0af3", "note/xyz"):
        with pytest.raises(UsageError):
            parse_record_name(text)


def test_a_filter_names_a_field():
    assert parse_filter("case.status=open") == ("case.status", "open")
    assert parse_filter("status=open") == ("status", "open")
    for text in ("case.status", "=open", "a.b.c=open"):
        with pytest.raises(UsageError):
            parse_filter(text)


names = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)


@given(names, names, st.one_of(st.none(), names), st.text(min_size=1), st.text(min_size=1))
def test_what_is_parsed_is_what_was_typed(type_name, field, part, element, value):
    escaped = element.replace("\\", "\\\\").replace("]", "\\]")
    text = f"{type_name}.{field}" + ("" if part is None else f"[{escaped}].{part}")
    parsed = parse_assignment(f"{text}={value}")
    assert (parsed.type, parsed.field, parsed.part, parsed.text) == (type_name, field, part, value)
    assert parsed.element == (None if part is None else element)


@given(st.text())
def test_no_text_ends_in_anything_but_an_assignment_or_a_usage_error(text):
    for parse in (parse_assignment, parse_target, parse_filter, parse_record_name):
        with contextlib.suppress(UsageError):
            parse(text)
