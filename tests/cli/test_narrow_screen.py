"""Lists at a terminal of 80 columns: codes and times whole, and words, too."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cli.casesync_runs import Laptop
from cli.conftest import Offices
from cli.terminal_runs import at_terminal

WIDTH = 80
TIME = re.compile(r"\d\d/\d\d/\d{4} \d\d:\d\d")


def lines_of(laptop: Laptop, *words: str) -> list[str]:
    """What stands on the screen, without what makes it bold."""
    narrow = replace(laptop, lang="vi", extra={"COLUMNS": str(WIDTH), "NO_COLOR": "1"})
    code, screen = at_terminal(narrow, words)
    assert code == 0, screen
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", screen).splitlines()]
    assert max(map(len, lines)) <= WIDTH, screen
    return lines


@pytest.fixture(scope="module")
def case(offices: Offices) -> str:
    """A case in conflict, with a change that came behind the end of its grant."""
    shelter, osso = offices.shelter, offices.osso
    made: str = shelter.json(
        "case", "new", "--kind", "trafficking", "--set", "person.family_name=Nguyễn",
        "--set", "person.middle_name=Thị Sương", "--set", "person.given_name=Mơ",
        "--set", "case.risk_level=medium", "--set", "person.safe_to_contact=only_as_agreed",
    )["case"]  # fmt: skip
    shared = ("--to", "OSSO Hải Phòng", "--compartments", "contact,operations")
    consent = shelter.json("consent", "give", made, "--purpose", "service", *shared)["id"]
    rest = ("--purpose", "service", "--consent", consent, "--write")
    grant = shelter.json("grant", made, *shared, *rest)["id"]
    for office in (shelter, osso):
        office.json("sync")
    for office, word in ((shelter, "chỉ gọi buổi sáng"), (osso, "không gọi nữa")):
        office.json("case", "set", made, f"person.contact_rule={word}")
    for office in (osso, shelter):
        office.json("sync")
    osso.json("case", "set", made, "person.contact_rule=nhắn tin thôi")
    shelter.json("grant", "revoke", grant)
    for office in (shelter, osso, shelter):
        office.json("sync")
    offices.audit.json("sync")
    return made


def test_a_line_of_a_list_of_cases_is_a_few_lines_of_whole_words(offices, case):
    text = "\n".join(lines := lines_of(offices.shelter, "case", "list"))
    assert case in text
    assert TIME.search(text)
    for whole in ("Nguyễn Thị", "Nhà Bình Yên", "Trung bình", "xung đột", "liên lạc an"):
        assert whole in text, text
    assert len(lines) <= 12, text


def test_access_entries_are_read_from_top_to_bottom(offices, case):
    lines = lines_of(offices.audit, "audit", "list", "--case", case)
    text = "\n".join(lines)
    for whole in (case, "chia sẻ", "OSSO Hải Phòng", "phụ trách hồ sơ", "Điều phối"):
        assert whole in text, text
    assert len(TIME.findall(text)) == text.count(case)
    entries = offices.audit.json("audit", "list", "--case", case)["count"]
    assert len(lines) <= 6 * entries, text


def test_a_conflict_and_a_quarantined_change_fit_the_screen(offices, case):
    [conflict] = offices.shelter.json("conflict", "list")["items"]
    text = "\n".join(lines_of(offices.shelter, "conflict", "list"))
    for whole in (conflict["id"], case, "person.contact_rule", "chỉ gọi", "không gọi"):
        assert whole in text, text
    assert TIME.search(text)
    late = offices.shelter.json("quarantine", "list")["items"][0]
    text = "\n".join(lines_of(offices.shelter, "quarantine", "list"))
    for whole in (late["id"], case, "OSSO Hải Phòng", "cách ly", "việc chia sẻ"):
        assert whole in text, text
    assert TIME.search(text)


def test_a_wide_screen_and_a_file_have_a_line_for_each_row(offices, case):
    listed = offices.shelter.run("case", "list").out
    [line] = [line for line in listed.splitlines() if case in line]
    assert TIME.search(line)
    assert "Nhà Bình Yên" in line


def test_no_value_can_look_like_the_line_below_it(offices):
    kinds = ("--kind", "gbv", "--set", "person.given_name=Mơ\nNhà Khác")
    code = offices.osso.json("case", "new", *kinds)["case"]
    text = "\n".join(lines_of(offices.osso, "case", "list"))
    [line] = [line for line in text.splitlines() if code in line]
    assert "Mơ Nhà Khác" in line
    assert len(re.findall(r"(?<= )-(?= |$)", text, re.MULTILINE)) == 1, "of two dashes the first"
