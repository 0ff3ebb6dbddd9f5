"""What people see: tables and cases in their language, hostile text made harmless."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files

import pytest

from casesync.client.views import (
    CaseView,
    ConflictView,
    CopierView,
    ElementView,
    Fact,
    FieldView,
    RecordView,
    ValueView,
)
from casesync.model.schema_toml import load_toml
from casesync_cli.case_display import show_case, show_records
from casesync_cli.editing import conflict_lines, conflict_name
from casesync_cli.render import FITTED_ROWS_MAX, Output, deliver
from casesync_cli.settings import Settings
from casesync_cli.value_display import Shown

ESCAPES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="session")
def schema():
    folder = files("casesync.model").joinpath("schemas")
    return load_toml({f.name: f.read_text("utf-8") for f in folder.iterdir()})


def written(value: str, author: str = "Lan", sent: bool = True) -> ValueView:
    return ValueView(value, author, "Nhà Bình Yên", 3, 1_767_225_600_000, "3.1.0", sent)


def case_view() -> CaseView:
    risk = FieldView("high", True, False, (written("high"), written("low", "Mai", False)))
    kinds = FieldView(
        None,
        elements=(ElementView("trafficking"), ElementView("from_a_newer_version")),
    )
    person = {
        "given_name": FieldView("[bold]Hoa\x1b[31m\u202e", values=(written("Hoa"),)),
        "date_of_birth": FieldView("1990-05-17"),
        "safe_to_contact": FieldView("no"),
        "family_name": FieldView(None, sealed=True),
    }
    return CaseView(
        "7Q4K-2M9X-0ABC", "cd" * 16, "token", "Nhà Bình Yên",
        (RecordView("case", "ab" * 16, {"risk_level": risk, "kinds": kinds}),
         RecordView("person", "ef" * 16, person),
         RecordView("of_a_newer_version", "12" * 16, {"what": FieldView("ever")})),
        (Fact("waiting-for-change", {"number": 5, "unit": "OSSO"}),),
        ("identity",), 1, 1,
    )  # fmt: skip


@pytest.fixture
def shown(schema, capsys):
    def show(lang: str) -> str:
        show_case(Output(Settings(lang=lang)), case_view(), Shown(schema, lang, {}))
        return capsys.readouterr().out

    return show


def test_a_case_shows_conflict_sealed_incomplete_and_unsent(shown):
    text = shown("en")
    assert "Case 7Q4K-2M9X-0ABC, kept by Nhà Bình Yên" in text
    assert "waiting for change 5 of OSSO" in text
    assert "Sealed for this device: Identity" in text
    assert "[sealed]" in text
    assert "not sent yet" in text
    assert "in conflict until somebody decides" in text
    assert "Mai, Nhà Bình Yên" in text
    assert re.search(r"\d\d/\d\d/\d{4} \d\d:\d\d", text)
    assert "17/05/1990" in text


def test_a_case_is_shown_in_vietnamese_with_the_schemas_labels(shown, schema):
    text = shown("vi")
    assert "Hồ sơ 7Q4K-2M9X-0ABC, do Nhà Bình Yên giữ" in text
    _, field = schema.field_by_name("case.risk_level")
    assert field.labels.vi in text
    assert schema.codes(field.value)["high"].labels.vi in text


def test_a_conflict_says_which_of_its_values_is_a_copy(schema, capsys):
    copier = CopierView("Hạnh", "Nhà Bình Yên", 4)
    values = (written("high"), replace(written("low", "Mai"), copied_by=copier))
    risk = FieldView(value="high", conflict=True, values=values)
    view = replace(case_view(), records=(RecordView("case", "ab" * 16, {"risk_level": risk}),))
    show_case(Output(Settings(lang="en")), view, Shown(schema, "en", {}))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(") (")[1:] for line in lines if "Mai" in line or "(Lan" in line] == [
        [],
        ["copied by Hạnh, Nhà Bình Yên)"],
    ]
    assert "Values copied for this office by Hạnh, Nhà Bình Yên: 1." in lines


def test_what_a_newer_version_wrote_is_shown_by_name(shown):
    text = shown("en")
    assert "from_a_newer_version" in text
    assert "of_a_newer_version" in text
    assert "ever" in text


def test_text_of_records_can_neither_steer_the_terminal_nor_format_itself(shown):
    text = shown("en")
    assert "[bold]Hoa" in text
    assert not ESCAPES.search(text)


def test_a_table_shows_markup_as_text_and_folds_instead_of_cutting(capsys):
    out = Output(Settings())
    out.table(("case", "value"), [("x", "[red]y[/red]\x1b[2J"), ("z", "w" * 500)])
    text = capsys.readouterr().out
    assert "[red]y[/red]" in text
    assert text.count("w") == 500
    assert not ESCAPES.search(text)


def test_an_empty_list_says_so(capsys):
    Output(Settings(lang="vi")).table(("case",), [])
    assert capsys.readouterr().out == "Không có gì để hiện.\n"


def test_a_conflict_is_told_with_names_times_and_labels(schema):
    values = (written("high"), written("low", "Mai"))
    conflict = ConflictView(
        "7Q4K2M9X", "7Q4K-2M9X-0ABC", "case", "ab" * 16, "risk_level", None, None, values, "high", 0
    )
    lines = conflict_lines("en", conflict, Shown(schema, "en", {}))
    assert "7Q4K2M9X" in lines[0]
    part = replace(conflict, type="person", field="phones", element="+84900000001", part="whose")
    assert conflict_name("en", part) == "person.phones[+84900000001].whose"
    assert "case.risk_level" in lines[0]
    assert "High" in lines[1]
    assert "Low (Mai" in lines[3]
    assert len(lines) == 4


def test_entries_stand_in_the_order_of_writing_with_their_author_and_what_amends_them(
    schema, capsys
):
    def note(letter: str, text: str, author: str, time_ms: int, amends: str | None = None):
        value = ValueView(text, author, "OSSO", 1, time_ms, "1.1.0")
        fields = {
            "text": FieldView(text, values=(value,)),
            "health_text": FieldView(None, sealed=True),
        }
        if amends is not None:
            fields["amends"] = FieldView(amends, values=(value,))
        return RecordView("note", letter * 32, fields, amends)

    late = note("1", "correct", "Mai", 90_000_000, "f" * 32)
    early = note("f", "mistaken", "Lan", 1_000)
    show_records(Output(Settings()), [late, early], Shown(schema, "en", {}))
    text = capsys.readouterr().out
    assert text.index("mistaken") < text.index("correct")
    assert "Lan, OSSO, 01/01/1970" in text
    assert "amended by 11111111" in text
    assert "amends ffffffff" in text
    assert "f" * 9 not in text
    assert text.count("[sealed] ") == 2


def test_json_mode_never_calls_what_writes_for_people(capsys):
    def people(_: Output) -> None:
        raise AssertionError

    deliver(Settings(json=True), {"a": 1}, people)
    assert capsys.readouterr().out == '{\n  "a": 1\n}\n'


def test_a_long_table_is_written_whole_and_harmless(capsys):
    rows = [(f"7Q4K-{i}", "Hoa\x1b[31m\nLan", "x" * 300) for i in range(FITTED_ROWS_MAX + 1)]
    Output(Settings(lang="vi")).table(("case", "name", "value"), rows)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(rows) + 1
    assert lines[0].split() == ["hồ", "sơ", "tên", "giá", "trị"]
    assert lines[-1].startswith(f" 7Q4K-{FITTED_ROWS_MAX}   ")
    assert "x" * 300 in lines[-1]
    assert not ESCAPES.search("".join(lines))
