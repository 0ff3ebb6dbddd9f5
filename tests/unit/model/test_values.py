"""Values against their field (protocol/schemas.md, *Value kinds*)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.foundation.errors import UsageError
from casesync.model.schema import ValueKind, ValueSpec
from casesync.model.values import (
    ITEMS_MAX,
    Fit,
    check_step,
    fit,
    fit_element,
    fit_part,
    is_valid,
    validate,
    validate_element,
    validate_part,
    validate_spec,
)
from unit.model.shipped import shipped_schema

SCHEMA = shipped_schema()
ID = b"\x01" * 16


def field(name: str):
    return SCHEMA.field_by_name(name)[1]


def spec(kind: ValueKind, **changes) -> ValueSpec:
    return ValueSpec(kind, **changes)


GOOD = [
    (spec(ValueKind.TEXT, maximum=5), "Đào"),
    (spec(ValueKind.CODE, codelist="risk_level"), "high"),
    (spec(ValueKind.DATE), "1990-05-17"),
    (spec(ValueKind.DATE), "1990-05"),
    (spec(ValueKind.DATE), "~1990"),
    (spec(ValueKind.DAY), "2024-02-29"),
    (spec(ValueKind.TIMESTAMP), 1_700_000_000_000),
    (spec(ValueKind.INTEGER, minimum=0, maximum=9), 9),
    (spec(ValueKind.MONEY), -15_000_000),
    (spec(ValueKind.BOOLEAN), False),
    (spec(ValueKind.PHONE), "+84912345678"),
    (spec(ValueKind.RECORD), ID),
    (spec(ValueKind.UNIT), ID),
    (spec(ValueKind.MEMBER), ID),
    (spec(ValueKind.ID), ID),
    (spec(ValueKind.DIGEST), ID + ID),
    (spec(ValueKind.CODE, codelist="service", many=True), ["health", "legal_aid"]),
    (spec(ValueKind.RECORD, many=True), [ID, b"\x02" * 16]),
]


@pytest.mark.parametrize(("value_spec", "value"), GOOD)
def test_a_value_of_each_kind_is_kept_as_it_is(value_spec, value):
    assert validate_spec(SCHEMA, value_spec, value, name="f") == value


BAD = [
    (
        spec(ValueKind.TEXT, maximum=5),
        ["", "   ", "sixsix", 5, None, b"x", "a\x1bb", "\ud800", ["a"]],
    ),
    (spec(ValueKind.CODE, codelist="risk_level"), [1, None, ["high"], b"high"]),
    (
        spec(ValueKind.DATE),
        [
            "",
            "1990-13",
            "1990-02-30",
            "0000",
            "90",
            "17/05/1990",
            "~~1990",
            "1990-5",
            1990,
            "１９９０",
        ],
    ),
    (spec(ValueKind.DAY), ["1990-05", "1990", "~1990-05-17", "2023-02-29"]),
    (spec(ValueKind.TIMESTAMP), [-1, 1 << 48, True, "1", 1.5]),
    (spec(ValueKind.INTEGER, minimum=0, maximum=9), [-1, 10, True, "5", None, 1 << 70]),
    (spec(ValueKind.MONEY), [1 << 63, False, "1"]),
    (spec(ValueKind.BOOLEAN), [1, 0, "yes", None]),
    (
        spec(ValueKind.PHONE),
        ["0912345678", "+0912345678", "+84 912345678", "+1", "+" + "1" * 16, 84],
    ),
    (spec(ValueKind.RECORD), [b"", b"\x01" * 15, "01" * 16, None]),
    (spec(ValueKind.DIGEST), [ID]),
    (spec(ValueKind.CODE, codelist="service", many=True), ["health", [], [1], ["x"] * 300, {}]),
]


@pytest.mark.parametrize(
    ("value_spec", "value"), [(value_spec, value) for value_spec, values in BAD for value in values]
)
def test_whatever_does_not_fit_is_refused_as_our_own_error(value_spec, value):
    with pytest.raises(UsageError) as caught:
        validate_spec(SCHEMA, value_spec, value, name="f")
    assert caught.value.code.startswith("value-")
    assert caught.value.params["field"] == "f"


def test_an_unknown_code_is_newer_not_wrong():
    risk = field("case.risk_level")
    assert fit(SCHEMA, risk, "extreme") is Fit.NEWER
    assert fit(SCHEMA, risk, "high") is Fit.FITS
    assert fit(SCHEMA, risk, 3) is Fit.WRONG
    assert fit(SCHEMA, risk, None) is Fit.FITS
    with pytest.raises(UsageError) as caught:
        validate(SCHEMA, risk, "extreme")
    assert "high" in caught.value.message("vi")


def test_text_is_normalised_and_what_is_not_nfc_does_not_fit():
    rule = field("person.contact_rule")
    assert validate(SCHEMA, rule, "Hoa\u0300") == "Hoà"
    assert fit(SCHEMA, rule, "Hoa\u0300") is Fit.WRONG
    assert is_valid(SCHEMA, rule, "Hoà")
    assert is_valid(SCHEMA, rule, "x" * 280)
    assert not is_valid(SCHEMA, rule, "x" * 281)


def test_lists_are_sorted_and_distinct():
    topics = field("consultation.topics")
    assert validate(SCHEMA, topics, ["legal_aid", "health", "health"]) == ["health", "legal_aid"]
    assert fit(SCHEMA, topics, ["legal_aid", "health"]) is Fit.WRONG
    assert fit(SCHEMA, topics, ["health", "legal_aid"]) is Fit.FITS
    with pytest.raises(UsageError):
        validate(SCHEMA, field("consultation.persons"), [ID] * (ITEMS_MAX + 1))


def test_true_is_not_one():
    assert fit(SCHEMA, field("consent.permission"), True) is Fit.FITS
    assert fit(SCHEMA, field("consent.permission"), 1) is Fit.WRONG
    assert fit(SCHEMA, field("person.children_count"), True) is Fit.WRONG


def test_a_state_is_a_step():
    status = field("case.status")
    assert validate(SCHEMA, status, (None, "open")) == [None, "open"]
    assert fit(SCHEMA, status, ["open", "closed"]) is Fit.FITS
    assert fit(SCHEMA, status, ["closed_duplicate", "draft"]) is Fit.FITS  # shown and flagged
    assert fit(SCHEMA, status, ["open", "erased"]) is Fit.NEWER
    for wrong in ["open", ["open"], ["open", None], [1, "open"], [["open"], "open"], ["", {}]]:
        assert fit(SCHEMA, status, wrong) is not Fit.FITS


def test_a_step_that_is_not_declared_is_refused_before_it_is_written():
    status = field("case.status")
    check_step(status, None, "open")
    check_step(status, "closed", "open")
    with pytest.raises(UsageError) as caught:
        check_step(status, "closed_duplicate", "in_shelter")
    assert caught.value.code == "step-not-allowed"
    assert caught.value.params["allowed"] == "closed_duplicate, open"


def test_elements_and_parts_have_kinds_of_their_own():
    phones = field("person.phones")
    safe = phones.part_by_name("safe")
    assert validate_element(SCHEMA, phones, "+84912345678") == "+84912345678"
    assert validate_part(SCHEMA, phones, safe, "no") == "no"
    assert validate_part(SCHEMA, phones, safe, None) is None
    assert fit_element(SCHEMA, phones, "0912") is Fit.WRONG
    assert fit_element(SCHEMA, phones, ID) is Fit.WRONG
    assert fit_part(SCHEMA, phones, safe, "perhaps") is Fit.NEWER
    assert fit_element(SCHEMA, field("case.risk_level"), "x") is Fit.WRONG
    assert fit(SCHEMA, phones, True) is Fit.FITS
    assert fit(SCHEMA, phones, "yes") is Fit.WRONG
    assert fit_element(SCHEMA, field("case.assigned_members"), ID) is Fit.FITS


hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=10,
)
FIELDS = [f for kind in SCHEMA.types.values() for f in kind.fields.values()]


@given(st.sampled_from(FIELDS), hostile)
def test_no_decoded_value_raises_anything_but_a_usage_error(found, value):
    verdict = fit(SCHEMA, found, value)
    if verdict is Fit.FITS:
        assert validate(SCHEMA, found, value) == value
    fit_element(SCHEMA, found, value)
    for part in found.parts.values():
        fit_part(SCHEMA, found, part, value)


@given(st.sampled_from(FIELDS), hostile)
def test_validating_is_idempotent(found, value):
    try:
        canonical = validate(SCHEMA, found, value)
    except UsageError:
        return
    assert validate(SCHEMA, found, canonical) == canonical
    assert is_valid(SCHEMA, found, canonical)
