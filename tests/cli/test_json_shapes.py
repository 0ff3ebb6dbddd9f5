"""The JSON other programs rely on (``cli/JSON.md``)."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from casesync.client.network_views import DeviceView, SyncReport
from casesync.client.views import (
    CaseView,
    ElementView,
    Fact,
    FieldView,
    Page,
    RecordView,
    ValueView,
)
from casesync_cli.render_json import dumps, plain

VALUE = ValueView("high", "Lan", "Nhà Bình Yên", 3, 0, "3.7.2")
SHAPE_OF_VALUE = {
    "value": "high",
    "author": "Lan",
    "unit": "Nhà Bình Yên",
    "device": 3,
    "time": "1970-01-01T00:00:00.000Z",
    "dot": "3.7.2",
}


def case_with(fields: dict[str, FieldView]) -> CaseView:
    record = RecordView("case", "ab" * 16, fields)
    return CaseView("0000-0000-0000", "cd" * 16, "token", "Nhà Bình Yên", (record,))


def test_case_show_has_the_shape_of_the_contract():
    other = ValueView("low", "Mai", "OSSO", 5, 1000, "5.1.0")
    view = case_with({"risk_level": FieldView("high", True, False, (VALUE, other))})
    shown = json.loads(dumps(plain(view)))
    assert shown["case"] == "0000-0000-0000"
    assert shown["stream"] == "cd" * 16
    assert shown["base"] == "token"
    (record,) = shown["records"]
    assert (record["type"], record["id"]) == ("case", "ab" * 16)
    field = record["fields"]["risk_level"]
    assert set(field) == {"value", "conflict", "sealed", "values"}
    assert field["conflict"] is True
    assert field["values"][0] == SHAPE_OF_VALUE


def test_a_set_field_is_a_list_of_elements():
    part = FieldView("self", values=(VALUE,))
    element = ElementView("+84900000001", values=(VALUE,), parts={"whose": part})
    shown = plain(case_with({"phones": FieldView(None, elements=(element,))}))
    (first,) = shown["records"][0]["fields"]["phones"]
    assert first["element"] == "+84900000001"
    assert first["values"] == [SHAPE_OF_VALUE]
    assert first["parts"]["whose"]["value"] == "self"


def test_a_sealed_set_field_says_so_instead_of_looking_empty():
    shown = plain(case_with({"phones": FieldView(None, sealed=True, elements=())}))
    assert shown["records"][0]["fields"]["phones"]["sealed"] is True


def test_what_is_not_sent_yet_says_so():
    unsent = ValueView("low", "Mai", "OSSO", 5, 1000, "5.1.0", sent=False)
    shown = plain(case_with({"f": FieldView("low", values=(unsent,))}))
    assert shown["records"][0]["fields"]["f"]["values"][0]["sent"] is False


def test_lists_have_items_and_a_count():
    page = Page((DeviceView(3, "laptop", "Lan", "NBY", "caseworker", "active"),), 7, "X")
    shown = plain(page)
    assert (shown["count"], shown["after"], shown["items"][0]["number"]) == (7, "X", 3)


def test_facts_have_a_code_parameters_and_words():
    fact = Fact("waiting-for-change", {"number": 5, "unit": "OSSO"})
    report = SyncReport(0, 0, 0, 1, 0, 0, False, (fact,))
    assert plain(report, "en")["missing"] == [
        {
            "code": "waiting-for-change",
            "params": {"number": 5, "unit": "OSSO"},
            "text": "waiting for change 5 of OSSO",
        }
    ]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_carries_any_text_and_nothing_that_steers_a_terminal(text):
    written = dumps({"value": text})
    assert json.loads(written) == {"value": text}
    assert all(c.isprintable() or c == "\n" for c in written)
