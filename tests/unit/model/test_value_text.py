"""Values as people type and read them (protocol/schemas.md, *Typed values*, *Shown values*)."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.foundation.error_texts import TEXTS
from casesync.foundation.errors import UsageError
from casesync.model.date_text import read_date, read_day, read_timestamp
from casesync.model.schema import Field, ValueKind, ValueSpec
from casesync.model.value_format import (
    format_element,
    format_part,
    format_value,
    json_element,
    json_value,
)
from casesync.model.value_text import _money, parse_element, parse_part, parse_value
from casesync.model.values import Fit, fit
from unit.model.shipped import shipped_schema

SCHEMA = shipped_schema()


def field(name: str) -> Field:
    return SCHEMA.field_by_name(name)[1]


@pytest.mark.parametrize(
    ("typed", "date"),
    [
        ("17/05/1990", "1990-05-17"),
        ("7/5/1990", "1990-05-07"),
        ("17-05-1990", "1990-05-17"),
        ("17.5.1990", "1990-05-17"),
        ("ngày 17/5/1990", "1990-05-17"),
        ("ngày 17 tháng 5 năm 1990", "1990-05-17"),
        ("1990-05-17", "1990-05-17"),
        ("07/2019", "2019-07"),
        ("7/2019", "2019-07"),
        ("tháng 7/2019", "2019-07"),
        ("Tháng 7 năm 2019", "2019-07"),
        ("không rõ ngày, tháng 7/2019", "2019-07"),
        ("2019-07", "2019-07"),
        ("2019", "2019"),
        ("năm 2019", "2019"),
        ("~2019", "~2019"),
        ("~ 07/2019", "~2019-07"),
        ("khoảng 2019", "~2019"),
        ("khoảng năm 1985", "~1985"),
        ("about 17/05/1990", "~1990-05-17"),
        ("1991 âm lịch", "~1991"),
        ("15/8/1991 (âm lịch)", "~1991"),
        ("Tân Mùi 1991", "~1991"),
        ("năm Quý Hợi (1983)", "~1983"),
        ("Giáp Tý 1984", "~1984"),
        ("Kỷ Tỵ 1989", "~1989"),
    ],
)
def test_dates_are_read_as_people_write_them(typed, date):
    assert read_date(typed, "f") == date
    assert read_date(unicodedata.normalize("NFC", typed.upper()), "f") == date


@pytest.mark.parametrize(
    "typed",
    [
        "31/02/2020",
        "13/2019",
        "05/17/1990",
        "17/5/90",
        "hôm qua",
        "Giáp Tý 1991",
        "1",
        "0/2019",
        "x",
    ],
)
def test_what_is_no_date_is_refused(typed):
    with pytest.raises(UsageError) as caught:
        read_date(typed, "f")
    assert caught.value.code == "value-not-a-date"


@pytest.mark.parametrize("typed", ["05/1990", "1990", "~17/05/1990", "mai", "17/05/1990 âm lịch"])
def test_a_day_is_whole_and_certain(typed):
    assert read_day("17/05/1990", "f") == "1990-05-17"
    with pytest.raises(UsageError) as caught:
        read_day(typed, "f")
    assert caught.value.code == "value-not-a-day"


def test_times_are_read_in_the_typists_zone_and_shown_in_the_readers():
    expected = 1_783_243_800_000  # 2026-07-05T09:30:00Z
    for typed in [
        "05/07/2026 16:30",
        "5/7/2026 16h30",
        "2026-07-05 16:30",
        "2026-07-05T16:30",
        "2026-07-05T09:30:00Z",
        "2026-07-05T09:30:00+00:00",
    ]:
        assert read_timestamp(typed, "f", 420) == expected
    given_at = field("consent.given_at")
    assert parse_value(SCHEMA, given_at, "05/07/2026 09:30", offset_min=0) == expected
    assert format_value(SCHEMA, given_at, expected, "vi") == "05/07/2026 16:30"
    assert format_value(SCHEMA, given_at, expected, "en", offset_min=-60) == "05/07/2026 08:30"
    assert json_value(given_at, expected) == "2026-07-05T09:30:00.000Z"
    assert read_timestamp("05/07/2026", "f", 0) == 1_783_209_600_000


@pytest.mark.parametrize(
    "typed",
    ["05/07/2026 25:00", "05/2026 10:00", "16:30", "0001-01-01T00:00", "1950-01-01T00:00", "T"],
)
def test_what_is_no_time_is_refused(typed):
    with pytest.raises(UsageError) as caught:
        read_timestamp(typed, "f", 420)
    assert caught.value.code == "value-not-a-time"


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("15.000.000 ₫", 15_000_000),
        ("15,000,000", 15_000_000),
        ("15 000 000 đ", 15_000_000),
        ("15000000 đồng", 15_000_000),
        ("15000000VND", 15_000_000),
        ("15 triệu", 15_000_000),
        ("15tr", 15_000_000),
        ("1,5 triệu", 1_500_000),
        ("1.5 triệu đồng", 1_500_000),
        ("500k", 500_000),
        ("500 nghìn", 500_000),
        ("2 tỷ", 2_000_000_000),
        ("0", 0),
        ("-20.000", -20_000),
    ],
)
def test_money_is_read_with_dots_and_words(typed, amount):
    assert _money(typed, "f") == amount


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "abc",
        "1.5",
        "1,5",
        "15.00.000",
        "1.234,567",
        "triệu",
        "1,2345 nghìn",
        "9" * 500,
        "1e9",
        "½",
    ],
)
def test_what_is_no_amount_is_refused(typed):
    with pytest.raises(UsageError) as caught:
        _money(typed, "f")
    assert caught.value.code == "value-not-money"


@pytest.mark.parametrize(
    ("typed", "phone"),
    [
        ("0912345678", "+84912345678"),
        ("0912 345 678", "+84912345678"),
        ("0912.345.678", "+84912345678"),
        ("(024) 3971-9999", "+842439719999"),
        ("84912345678", "+84912345678"),
        ("+84 912 345 678", "+84912345678"),
        ("+84 (0)912 345 678", "+84912345678"),
        ("0084912345678", "+84912345678"),
        ("+855 12 345 678", "+85512345678"),
        ("+84 000 123 456", "+84000123456"),
    ],
)
def test_phones_are_read_as_dialled(typed, phone):
    phones = field("person.phones")
    assert parse_element(SCHEMA, phones, typed) == phone
    shown = format_element(SCHEMA, phones, phone, "vi")
    assert parse_element(SCHEMA, phones, shown) == phone


@pytest.mark.parametrize(
    "typed",
    ["113", "1900969680", "09123", "+84912", "0912345678901234", "phone", "+0912345678", "+"],
)
def test_what_is_no_phone_is_refused(typed):
    with pytest.raises(UsageError) as caught:
        parse_element(SCHEMA, field("person.phones"), typed)
    assert caught.value.code == "value-not-a-phone"


@pytest.mark.parametrize(
    "typed", ["high", "HIGH", "Cao", "cao", "High", " cao ", unicodedata.normalize("NFD", "Cao")]
)
def test_codes_are_read_by_id_and_by_label_of_both_languages(typed):
    assert parse_value(SCHEMA, field("case.risk_level"), typed) == "high"


def test_codes_are_read_without_diacritics_if_only_one_fits():
    assert parse_value(SCHEMA, field("case.risk_level"), "trung binh") == "medium"
    assert parse_value(SCHEMA, field("person.ethnicity"), "Thái") == "thai"
    assert parse_value(SCHEMA, field("person.ethnicity"), "o du") == "o_du"
    assert parse_element(SCHEMA, field("case.kinds"), "bao luc gia dinh") == "domestic_violence"
    assert parse_element(SCHEMA, field("person.citizenship"), "vn") == "VN"
    assert parse_element(SCHEMA, field("person.citizenship"), "Việt Nam") == "VN"


def test_an_unknown_code_is_refused_with_the_known_ones():
    with pytest.raises(UsageError) as caught:
        parse_value(SCHEMA, field("case.risk_level"), "mạng")
    assert caught.value.code == "value-unknown-code"
    assert caught.value.params["known"] == "high (High), medium (Medium), low (Low)"
    assert caught.value.params["known_vi"] == "high (Cao), medium (Trung bình), low (Thấp)"


def test_marks_that_were_typed_are_not_ignored():
    assert parse_value(SCHEMA, field("person.ethnicity"), "thai") == "thai"
    with pytest.raises(UsageError):
        parse_value(SCHEMA, field("person.ethnicity"), "Thài")


@pytest.mark.parametrize("typed", ["có", "Có", "co", "yes", "Y", "TRUE", "đúng", "1"])
def test_yes_is_read(typed):
    assert parse_value(SCHEMA, field("consent.permission"), typed) is True


@pytest.mark.parametrize("typed", ["không", "KHÔNG", "khong", "no", "false", "sai", "0"])
def test_no_is_read(typed):
    assert parse_value(SCHEMA, field("consent.permission"), typed) is False


def test_neither_yes_nor_no_is_refused():
    with pytest.raises(UsageError) as caught:
        parse_value(SCHEMA, field("consent.permission"), "có thể")
    assert caught.value.code == "value-not-yes-or-no"


def test_lists_are_separated_by_commas():
    topics = field("consultation.topics")
    assert parse_value(SCHEMA, topics, "Y tế, legal_aid; health") == ["health", "legal_aid"]
    assert format_value(SCHEMA, topics, ["health", "legal_aid"], "vi") == "Y tế, Trợ giúp pháp lý"
    with pytest.raises(UsageError):
        parse_value(SCHEMA, topics, " , ")


def test_text_keeps_what_was_typed_in_composed_form():
    text = field("note.text")
    assert parse_value(SCHEMA, text, "  Hoà\u0301 \r\n dòng hai  ") == unicodedata.normalize(
        "NFC", "Hoà\u0301 \n dòng hai"
    )
    with pytest.raises(UsageError) as caught:
        parse_value(SCHEMA, text, " \n ")
    assert caught.value.code == "value-empty"
    with pytest.raises(UsageError) as caught:
        parse_value(SCHEMA, field("person.contact_rule"), "x" * 281)
    assert caught.value.code == "value-too-long"


def test_numbers_and_ids_are_read():
    count = field("person.children_count")
    assert parse_value(SCHEMA, count, "3") == 3
    for typed, code in [("31", "value-out-of-range"), ("ba", "value-not-a-number")]:
        with pytest.raises(UsageError) as caught:
            parse_value(SCHEMA, count, typed)
        assert caught.value.code == code
    record = field("note.amends")
    assert parse_value(SCHEMA, record, "0123456789ABCDEF-0123456789abcdef") == bytes.fromhex(
        "0123456789abcdef" * 2
    )
    with pytest.raises(UsageError) as caught:
        parse_value(SCHEMA, record, "xyz")
    assert caught.value.code == "value-not-an-id"
    with pytest.raises(UsageError):
        parse_value(SCHEMA, record, "0123")


def test_parts_are_read_and_shown():
    phones = field("person.phones")
    safe = phones.part_by_name("safe")
    assert parse_part(SCHEMA, phones, safe, "chỉ theo cách đã hẹn") == "only_as_agreed"
    assert format_part(SCHEMA, safe, "only_as_agreed", "vi") == "Chỉ theo cách đã hẹn"
    with pytest.raises(UsageError) as caught:
        parse_part(SCHEMA, phones, safe, "maybe")
    assert caught.value.params["field"] == "phones.safe"


def test_elements_of_a_plain_field_are_refused():
    with pytest.raises(UsageError) as caught:
        parse_element(SCHEMA, field("case.risk_level"), "high")
    assert caught.value.code == "value-no-elements"


@pytest.mark.parametrize(
    ("name", "value", "vi", "en"),
    [
        ("case.risk_level", "high", "Cao", "High"),
        ("case.risk_level", None, "", ""),
        ("case.status", ["open", "closed"], "Đã đóng", "Closed"),
        ("case.status", "closed", "Đã đóng", "Closed"),
        ("person.date_of_birth", "1990-05-17", "17/05/1990", "17/05/1990"),
        ("person.date_of_birth", "~1990-05", "khoảng 05/1990", "about 05/1990"),
        ("consent.permission", True, "Có", "Yes"),
        ("person.children_count", 2, "2", "2"),
        (
            "case.risk_level",
            "extreme",
            "extreme (từ phiên bản mới hơn)",
            "extreme (from a newer version)",
        ),
        ("case.risk_level", 7, "(giá trị không hợp lệ: 7)", "(not a valid value: 7)"),
        (
            "person.address",
            "12\x1b[2J",
            "(giá trị không hợp lệ: 12␛[2J)",
            "(not a valid value: 12␛[2J)",
        ),
        ("person.address", "dòng 1\ndòng 2", "dòng 1\ndòng 2", "dòng 1\ndòng 2"),
        ("note.amends", b"\x01" * 16, "01" * 16, "01" * 16),
    ],
)
def test_values_are_shown_in_both_languages(name, value, vi, en):
    assert format_value(SCHEMA, field(name), value, "vi") == vi
    assert format_value(SCHEMA, field(name), value, "en") == en


def test_money_is_shown_with_dots():
    money = Field(
        number=1,
        name="grant",
        labels=field("case.kinds").labels,
        compartment=field("case.kinds").compartment,
        resolver=field("person.given_name").resolver,
        value=ValueSpec(ValueKind.MONEY),
        parts={},
    )
    assert format_value(SCHEMA, money, 15_000_000, "vi") == "15.000.000 ₫"
    assert format_value(SCHEMA, money, -5, "en") == "-5 ₫"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner, max_size=12),
    max_leaves=20,
)
FIELDS = [f for kind in SCHEMA.types.values() for f in kind.fields.values()]


@given(st.sampled_from(FIELDS), anything, st.sampled_from(["vi", "en"]))
def test_whatever_stands_in_a_cell_is_shown_harmlessly_and_fits_json(found, value, lang):
    texts = [
        format_value(SCHEMA, found, value, lang),
        format_element(SCHEMA, found, value, lang),
        *(format_part(SCHEMA, part, value, lang) for part in found.parts.values()),
    ]
    for text in texts:
        assert all(line.isprintable() for line in text.split("\n"))
    json.dumps(json_value(found, value), ensure_ascii=False).encode()
    json.dumps(json_value(None, value), ensure_ascii=False).encode()


@given(
    st.sampled_from([f for f in FIELDS if f.element is None]), st.text(st.characters(), max_size=40)
)
def test_whatever_is_typed_is_a_fitting_value_or_a_usage_error_in_both_languages(found, typed):
    refusal = None
    try:
        value = parse_value(SCHEMA, found, typed)
    except UsageError as error:
        refusal = error
    if refusal is not None:
        assert refusal.code in TEXTS
        assert "?" not in refusal.message("vi") + refusal.message("en")
        return
    if found.steps:
        value = [None, value]
    assert fit(SCHEMA, found, value) is Fit.FITS


@given(st.sampled_from(FIELDS), st.dates())
def test_shown_days_are_read_back(found, date):
    if found.value.kind in (ValueKind.DAY, ValueKind.DATE):
        shown = format_value(SCHEMA, found, date.isoformat(), "vi")
        assert parse_value(SCHEMA, found, shown) == date.isoformat()


def test_elements_are_json_as_text_or_hex():
    assert json_element("+84912345678") == "+84912345678"
    assert json_element(b"\x01" * 16) == "01" * 16
