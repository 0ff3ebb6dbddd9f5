"""``case import``: every row of a table is saved, or nothing, and what is wrong is named."""

from __future__ import annotations

import subprocess

import pytest

from casesync.client import form_batch
from casesync.foundation.errors import LocalStateError, UsageError
from casesync_cli import form_file
from casesync_cli.commands import case_import
from casesync_cli.form_file import read_table

NAMES = "case,person.given_name,person.phones+\n"


def read(text: str | bytes) -> form_file.Table:
    data = text if isinstance(text, bytes) else text.encode()
    return read_table(data, "forms.csv", lambda _: None)


def shape(table: form_file.Table) -> list[tuple]:
    return [
        (row.number, row.case, [(v.type, v.field, v.op, v.text) for v in row.values])
        for row in table.rows
    ]


def wrong(table: form_file.Table) -> list[tuple]:
    return [(one.row, one.column, one.error.code) for one in table.wrong.first()]


HOA = ("person", "given_name", "set", "Hoa")
PHONE = ("person", "phones", "add", "+84000900111")


@pytest.mark.parametrize(
    "text",
    [
        NAMES + "7Q4K,Hoa,+84000900111\n",
        NAMES + "7Q4K,Hoa,+84000900111",
        "\ufeff" + NAMES + "7Q4K,Hoa,+84000900111\n",
        (NAMES + "7Q4K,Hoa,+84000900111\n").replace("\n", "\r\n"),
        NAMES + '"7Q4K","Hoa","+84000900111"\n',
        (NAMES + " 7Q4K ,Hoa,+84000900111\n").replace(",", ";"),
        " person.given_name ,case,,person.phones+\nHoa,7Q4K,,+84000900111,,\n",
        NAMES + "7Q4K,Hoa,+84000900111\n,,\n7Q4K,,  \n\n",
    ],
    ids=["plain", "no end", "bom", "crlf", "quoted", "semicolons", "order", "rows of nothing"],
)
def test_each_way_of_writing_a_table_says_the_same(text):
    table = read(text)
    assert shape(table) == [(2, "7Q4K", [HOA, PHONE])]
    assert not table.wrong.count


def test_a_cell_keeps_its_line_breaks_quotes_and_equals_signs():
    table = read('case,note.text\nA,"eine ""a""\r\nb=c; d"\n')
    assert table.rows[0].values[0].text == 'eine "a"\r\nb=c; d'


def test_an_empty_cell_says_nothing_of_its_field():
    table = read(NAMES + "A,,+84000900111\nB,Hoa,\n")
    assert shape(table) == [(2, "A", [PHONE]), (3, "B", [HOA])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(1, None, "forms-no-case-column")]),
        ("person.given_name\nHoa\n", [(1, None, "forms-no-case-column")]),
        ("case,name\nA,Hoa\n", [(1, "name", "forms-column")]),
        ("case,person.given_name=x\nA,Hoa\n", [(1, "person.given_name=x", "forms-column")]),
        ("case,case\nA,B\n", [(1, "case", "forms-column-twice")]),
        (
            "case,note.text,note.text\nA,x,y\n",
            [(1, "note.text", "forms-column-twice")],
        ),
        (NAMES + ",Hoa,\n", [(2, "case", "forms-case-missing")]),
        (NAMES + "A,Hoa,\nB,Hoa,,x\n", [(3, "D", "forms-cell-extra")]),
        (NAMES + 'A,"Hoa\n', [(2, None, "forms-row-form")]),
        (NAMES + 'A,Hoa,\nB,"Hoa"x,\n', [(3, None, "forms-row-form")]),
        ("case,note.text\nA," + "ă" * 32_769, [(2, "note.text", "forms-cell-long")]),
        ("case,note.text\nA," + "a" * 200_000, [(2, None, "forms-row-form")]),
        ("case," + ",".join(f"note.f{n}" for n in range(257)), [(1, None, "forms-columns-many")]),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_row_and_column(text, expected):
    assert wrong(read(text)) == expected


def test_a_cell_far_to_the_right_has_the_letters_of_a_spreadsheet():
    assert [form_file._letter(at) for at in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_a_file_that_is_too_large_or_no_text_or_has_too_many_rows_is_refused(monkeypatch):
    with pytest.raises(UsageError) as no_text:
        read(NAMES.encode() + b"A,Ho\xe0,\n")
    assert no_text.value.code == "forms-file"
    monkeypatch.setattr(form_file, "FORMS_PER_CALL_MAX", 2)
    assert len(read(NAMES + "A,Hoa,\n" * 2).rows) == 2
    with pytest.raises(UsageError) as many:
        read(NAMES + "A,Hoa,\n" * 3)
    assert many.value.code == "forms-rows-many"
    monkeypatch.setattr(form_file, "FORM_FILE_BYTES_MAX", len(NAMES))
    assert not read(NAMES).rows
    with pytest.raises(UsageError) as large:
        read(NAMES + "\n")
    assert large.value.code == "forms-file-large"


@pytest.mark.parametrize("row", ["\n", ",,\n", ",Hoa,\n", "A,Hoa,,x\n"])
def test_rows_that_say_nothing_or_are_wrong_count_too(monkeypatch, row):
    monkeypatch.setattr(form_file, "FORMS_PER_CALL_MAX", 2)
    assert len(read(NAMES + row + "A,Hoa,\n").rows) == 1
    with pytest.raises(UsageError) as many:
        read(NAMES + row * 2 + "A,Hoa,\n")
    assert many.value.code == "forms-rows-many"


def test_the_cells_of_a_table_are_bounded(monkeypatch):
    """Each takes much more memory than its two bytes in the file."""
    monkeypatch.setattr(form_file, "FORM_FILE_CELLS_MAX", 4)
    assert len(read(NAMES + "A,Hoa,1\n" * 2 + ",,\n").rows) == 2
    with pytest.raises(UsageError) as many:
        read(NAMES + "A,Hoa,1\n" * 2 + "A,Hoa,\n")
    assert many.value.code == "forms-cells-many"


def test_of_what_is_wrong_the_first_is_kept_and_all_is_counted(monkeypatch):
    monkeypatch.setattr(form_file, "FORM_PROBLEMS_KEPT_MAX", 3)
    table = read(NAMES + ",Hoa,\n" * 10 + "A,Hoa," + ",x" * 10)
    assert wrong(table) == [(at, "case", "forms-case-missing") for at in (2, 3, 4)]
    assert table.wrong.count == 20
    assert len(table.wrong._kept) < 2 * 3


def test_what_is_wrong_with_a_column_holds_no_frames():
    def unknown(_: object) -> None:
        raise UsageError("field-unknown", field="x")

    [one] = read_table(b"case,person.nothing\n", "f", unknown).wrong.first()
    assert (one.error.__traceback__, one.error.__cause__, one.error.__context__) == (None,) * 3


def test_a_case_that_is_not_here_holds_no_frames():
    """Each of 100,000 rows may name another one."""

    class Here:
        def resolve_case(self, text: str) -> None:
            raise UsageError("case-unknown", case=text)

    table = read(NAMES + "A,Hoa,\nB,Hoa,\n")
    assert not case_import._resolved(Here(), table.rows, table.wrong)
    assert wrong(table) == [(at, "case", "case-unknown") for at in (2, 3)]
    assert all(one.error.__traceback__ is None for one in table.wrong.first())


# -- the command --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cases(offices):
    new = ("case", "new", "--kind", "gbv", "--set", "person.given_name=Hoa")
    return [offices.shelter.json(*new)["case"] for _ in range(2)]


def table(tmp_path, *rows: str, names: str = "case,person.given_name,person.date_of_birth"):
    file = tmp_path / "forms.csv"
    file.write_text("\n".join([names, *rows]) + "\n", "utf-8")
    return str(file)


def given_name(laptop, case: str) -> str:
    [person] = [r for r in laptop.json("case", "show", case)["records"] if r["type"] == "person"]
    return person["fields"]["given_name"]["value"]


def outbox(laptop) -> int:
    return laptop.json("outbox")["count"]


def test_rows_are_saved_each_as_one_change(offices, cases, tmp_path):
    shelter, before = offices.shelter, outbox(offices.shelter)
    file = table(tmp_path, f"{cases[0]},Lý,02/03/1990", f"{cases[1]},Lan,", f"{cases[0]},Mai,")
    done = shelter.run("case", "import", file)
    assert (done.code, done.out) == (0, "3 saved in 2 cases, not sent yet.\n")
    assert outbox(shelter) == before + 3
    assert [given_name(shelter, case) for case in cases] == ["Mai", "Lan"]
    report = shelter.json("case", "import", table(tmp_path, f"{cases[0]},Lý,"))
    assert report == {"saved": 1, "checked": 1, "cases": 1}


def test_a_dry_run_checks_and_saves_nothing(offices, cases, tmp_path):
    shelter, before = offices.shelter, outbox(offices.shelter)
    file = table(tmp_path, f"{cases[0]},Dry,", f"{cases[1]},Dry,")
    done = shelter.run("case", "import", file, "--dry-run")
    assert (done.code, done.out) == (0, "2 can be saved in 2 cases. Nothing was saved.\n")
    assert shelter.json("case", "import", file, "--dry-run")["saved"] == 0
    assert outbox(shelter) == before
    bad = table(tmp_path, f"{cases[0]},Dry,31/02/1990")
    assert shelter.run("case", "import", bad, "--dry-run").code == 2


def test_whatever_is_wrong_is_said_with_its_row_and_nothing_is_saved(offices, cases, tmp_path):
    shelter, before = offices.shelter, outbox(offices.shelter)
    bad = [f"{cases[0]},Lý,{day}/02/1990" for day in range(30, 42)]
    file = table(tmp_path, f"{cases[1]},Lý,", ",Lý,", "0000-0000-0000,Lý,", *bad)
    done = shelter.run("case", "import", file)
    lines = done.err.splitlines()
    assert (done.code, done.out) == (2, "")
    assert [line.split(":")[0] for line in lines[:10]] == [
        "Row 3, case", "Row 4, case", *(f"Row {n}, person.date_of_birth" for n in range(5, 13)),
    ]  # fmt: skip
    assert lines[10] == "... and 4 more."
    assert "Problems in forms.csv: 14" in lines[11]
    refused = shelter.run("case", "import", file, "--json")
    problems = refused.error["problems"]
    assert len(problems) == 14
    assert (problems[0]["row"], problems[0]["column"]) == (3, "case")
    assert refused.error["count"] == 14
    assert problems[0]["code"] == "forms-case-missing"
    assert outbox(shelter) == before


@pytest.mark.parametrize("row", ["0000-0000-0000,Lý,", ",Lý,", "{case},Lý,,x"])
def test_good_rows_wait_for_one_whose_case_or_form_is_wrong(offices, cases, tmp_path, row):
    shelter, before = offices.shelter, outbox(offices.shelter)
    file = table(tmp_path, f"{cases[1]},Lý,", row.format(case=cases[0]))
    assert shelter.run("case", "import", file).code == 2
    assert outbox(shelter) == before


def test_a_column_that_no_record_has_is_said_once(offices, cases, tmp_path):
    rows = [f"{cases[0]},Lý"] * 20
    file = table(tmp_path, *rows, names="case,person.nothing")
    done = offices.shelter.run("case", "import", file, "--json")
    assert done.code == 2
    [problem] = done.error["problems"]
    assert (problem["row"], problem["column"], problem["code"]) == (
        1, "person.nothing", "field-unknown",
    )  # fmt: skip


def test_a_name_of_a_column_can_neither_steer_the_terminal_nor_fill_it(offices, cases, tmp_path):
    names = f"case,person.\u202e\x07na,person.{'a' * 5000}"
    done = offices.shelter.run("case", "import", table(tmp_path, f"{cases[0]},Lý", names=names))
    assert done.code == 2
    assert not {"\u202e", "\x07"} & set(done.err)
    assert [line[:13] for line in done.err.splitlines()[:2]] == ["Row 1, person"] * 2
    assert max(map(len, done.err.splitlines())) < 600


def test_a_dash_reads_standard_input(offices, cases):
    shelter = offices.shelter
    text = f"case,person.given_name\r\n{cases[0]},Từ ống\r\n"
    done = subprocess.run(
        shelter.command("case", "import", "-"),
        env=shelter.environment(),
        input=b"\xef\xbb\xbf" + text.encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert given_name(shelter, cases[0]) == "Từ ống"


def test_a_file_that_is_not_there_is_said(offices, tmp_path):
    done = offices.shelter.run("case", "import", str(tmp_path / "none.csv"), "--json")
    assert (done.code, done.error["code"]) == (2, "forms-file")


def test_ctrl_c_leaves_what_was_saved_and_says_how_much(offices, cases, tmp_path, monkeypatch):
    shelter, before = offices.shelter, outbox(offices.shelter)
    monkeypatch.setattr(form_batch, "FORMS_PER_TRANSACTION", 2)

    def interrupt(bars, key, done, whole):
        raise KeyboardInterrupt

    monkeypatch.setattr("casesync_cli.progress.Bars.show", interrupt)
    done = shelter.run("case", "import", table(tmp_path, *[f"{cases[0]},Lý,"] * 5))
    assert done.code == 130
    assert "2 of 5 are saved and stay" in done.err
    monkeypatch.undo()
    assert outbox(shelter) == before + 2


def test_what_is_wrong_beyond_the_first_thousand_is_counted(offices, cases, tmp_path, monkeypatch):
    """Of what the file, the cases and the check of the forms find."""
    for module in (form_batch, form_file):
        monkeypatch.setattr(module, "FORM_PROBLEMS_KEPT_MAX", 3)
    rows = [",Lý,", "0000-0000-0000,Lý,", *[f"{cases[0]},Lý,31/02/1990"] * 12]
    file = table(tmp_path, *rows)
    error = offices.shelter.run("case", "import", file, "--json").error
    assert (error["count"], [one["row"] for one in error["problems"]]) == (14, [2, 3, 4])
    done = offices.shelter.run("case", "import", file)
    assert done.err.splitlines()[3] == "... and 11 more."


def test_a_failure_behind_a_commit_says_how_many_rows_stay(offices, cases, tmp_path, monkeypatch):
    shelter, before = offices.shelter, outbox(offices.shelter)
    monkeypatch.setattr(form_batch, "FORMS_PER_TRANSACTION", 2)
    whole, file = form_batch._Writing._write_transaction, table(tmp_path, *[f"{cases[0]},Lý,"] * 5)

    def fail_behind(writing, saved, some):
        whole(writing, saved, some)
        raise failure

    monkeypatch.setattr(form_batch._Writing, "_write_transaction", fail_behind)
    failure = LocalStateError("disk-full")
    assert "2 of 5 are saved and stay" in shelter.run("case", "import", file).err
    assert shelter.run("case", "import", file, "--json").error["saved"] == 2
    failure = KeyboardInterrupt()
    done = shelter.run("case", "import", file)
    assert (done.code, "2 of 5 are saved and stay" in done.err) == (130, True)
    monkeypatch.undo()
    assert outbox(shelter) == before + 6


def test_large_numbers_can_be_read():
    assert case_import.number_text(3412) == "3 412"
