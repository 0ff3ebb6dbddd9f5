"""Consents on the command line: what a withdrawal leaves open, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

TO = ["--to", "OSSO Hải Phòng", "--compartments", "contact,livelihood"]


@pytest.fixture
def case(offices):
    return offices.shelter.json("case", "new", "--kind", "gbv")["case"]


def give(shelter, case, *more):
    return shelter.json("consent", "give", case, "--purpose", "service", *TO, *more)["id"]


def share(shelter, case, consent):
    given = shelter.json("grant", case, *TO, "--purpose", "service", "--consent", consent)
    return given["id"]


def expect(done, code: int, name: str) -> None:
    assert (done.code, done.out) == (code, ""), done.out + done.err
    assert done.error["code"] == name


def test_a_withdrawal_names_the_grants_that_rest_on_it_and_how_to_end_them(offices, case):
    consent, other = give(offices.shelter, case), give(offices.shelter, case)
    ended, open_, elsewhere = (share(offices.shelter, case, c) for c in (consent, consent, other))
    offices.shelter.json("grant", "revoke", case, ended)
    said = offices.shelter.run("consent", "withdraw", case, consent[:8]).out
    assert f"casesync grant revoke {case} {open_[:8]}" in said
    assert "OSSO Hải Phòng" in said
    assert ended[:8] not in said
    assert elsewhere[:8] not in said
    done = offices.shelter.json("consent", "withdraw", case, other[:8])
    assert done["withdrawn"] == other
    assert [grant["id"] for grant in done["grants"]] == [elsewhere]
    assert done["grants"][0]["state"] == "active"
    done = offices.shelter.run("grant", "revoke", case, open_[:8])
    assert done.code == 0


def test_a_consent_is_withdrawn_once(offices, case):
    consent = give(offices.shelter, case)
    offices.shelter.json("consent", "withdraw", case, consent)
    before = offices.shelter.json("case", "show", case)["records"]
    again = offices.shelter.run("consent", "withdraw", case, consent, "--json")
    expect(again, 2, "consent-withdrawn-already")
    assert offices.shelter.json("case", "show", case)["records"] == before


def test_a_last_day_that_is_past_is_refused(offices, case):
    past = ["--until", "01/02/2020"]
    given = ["consent", "give", case, "--purpose", "service", *TO]
    expect(offices.shelter.run(*given, *past, "--json"), 2, "until-past")
    said = replace(offices.shelter, lang="vi").run(*given, *past).err
    assert "01/02/2020" in said
    assert offices.shelter.json("consent", "show", case)["count"] == 0
    consent = give(offices.shelter, case)
    shared = ["grant", case, *TO, "--purpose", "service", "--consent", consent]
    expect(offices.shelter.run(*shared, *past, "--json"), 2, "until-past")
    assert offices.shelter.json("grant", "list", case)["count"] == 0


def test_a_consent_may_end_today(offices, case):
    today = datetime.now(tz=timezone(timedelta(hours=7))).strftime("%d/%m/%Y")
    give(offices.shelter, case, "--until", today)


def test_a_last_day_is_shown_as_a_day_with_the_place_where_it_ends(offices, case):
    consent = give(offices.shelter, case, "--until", "31/12/2099")
    shelter = replace(offices.shelter, extra={"TZ": "America/New_York"})
    assert "31/12/2099 in Viet Nam" in shelter.run("consent", "show", case).out
    given = shelter.run("grant", case, *TO, "--purpose", "service", "--consent", consent)
    assert "Last day: 31/12/2099 in Viet Nam." in given.out
    assert "31/12/2099 in Viet Nam" in shelter.run("grant", "list", case).out
    assert "Viet Nam" in shelter.run("grant", "--help").out
    assert "Việt Nam" in replace(shelter, lang="vi").run("consent", "give", "--help").out


def test_an_entry_without_content_is_refused(offices, case):
    expect(offices.shelter.run("record", "add", case, "consultation", "--json"), 2, "record-empty")
    assert offices.shelter.json("record", "list", case, "consultation")["count"] == 0
    offices.shelter.json("record", "add", case, "consultation", "text=Chị đến lần đầu")
    assert offices.shelter.json("record", "list", case, "consultation")["count"] == 1


def test_a_case_gets_no_second_case_record_but_further_persons(offices, case):
    before = offices.shelter.json("record", "list", case, "case")
    for values in (["status=open"], []):
        done = offices.shelter.run("record", "add", case, "case", *values, "--json")
        expect(done, 2, "case-record-exists")
    assert "case set" in done.error["advice"]
    assert offices.shelter.json("record", "list", case, "case") == before
    for name in ("Na", "Bé"):
        offices.shelter.json("record", "add", case, "person", f"given_name={name}")
    assert offices.shelter.json("record", "list", case, "person")["count"] >= 2


def test_no_consent_is_written_word_by_word(offices, case):
    """What was agreed to is recorded as a whole, or not at all."""
    for words in (("record", "add", case, "consent", "purpose=service"),
                  ("case", "set", case, "consent.purpose=service")):  # fmt: skip
        done = offices.shelter.run(*words)
        assert done.code == 2
        assert "consent give" in done.err
    assert offices.shelter.json("consent", "show", case)["items"] == []
