"""The command line's story, as other programs would drive it: real processes, one relay."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from cli.casesync_runs import Laptop
from cli.conftest import Offices, enrol

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}")


def field(view: dict, type_name: str, name: str):
    records = [r for r in view["records"] if r["type"] == type_name]
    return records[0]["fields"][name]


@pytest.fixture(scope="module")
def case(offices: Offices) -> str:
    """A case the shelter has shared with the OSSO, writing allowed."""
    shelter = offices.shelter
    made = shelter.json(
        "case", "new", "--kind", "trafficking", "--set", "person.given_name=Hòa",
        "--set", "person.safe_to_contact=no", "--set", "case.risk_level=low",
    )  # fmt: skip
    assert CODE.fullmatch(made["case"])
    return made["case"]


def test_a_new_case_is_found_without_accents_and_not_sent_yet(offices, case):
    shelter = offices.shelter
    assert [i["case"] for i in shelter.json("case", "find", "hoa")["items"]] == [case]
    assert case in [i["case"] for i in shelter.json("case", "list")["items"]]
    for wanted in ("case.status=open", "status=open", "person.given_name=Hòa"):
        assert shelter.json("case", "list", "--filter", wanted)["count"] == 1
    assert shelter.json("case", "list", "--filter", "status=closed")["count"] == 0
    view = shelter.json("case", "show", case)
    assert view["unsent"] >= 1
    assert field(view, "person", "given_name")["values"][0]["sent"] is False
    assert shelter.json("status")["synced"] is False


def test_sync_says_synced_only_when_nothing_is_owed(offices, case):
    report = offices.shelter.json("sync")
    assert report["synced"] is True
    assert report["missing"] == []
    assert offices.shelter.json("outbox") == {"items": [], "count": 0}
    view = offices.shelter.json("case", "show", case)
    assert view["unsent"] == 0
    assert set(field(view, "person", "given_name")) == {"value", "conflict", "sealed", "values"}


def test_another_office_sees_nothing_before_a_grant(offices, case):
    offices.osso.json("sync")
    assert offices.osso.json("case", "list") == {"items": [], "count": 0, "after": None}
    refused = offices.osso.run("case", "show", case, "--json")
    assert (refused.code, refused.error["code"]) == (2, "case-unknown")


def test_a_grant_rests_on_a_consent(offices, case):
    to = ["--to", "OSSO Hải Phòng", "--compartments", "contact,livelihood"]
    refused = offices.shelter.run(
        "grant", case, *to, "--purpose", "service", "--consent", "00" * 16, "--json"
    )
    assert refused.code in {2, 5}
    consent = offices.shelter.json("consent", "give", case, "--purpose", "service", *to)["id"]
    (shown,) = offices.shelter.json("consent", "show", case)["items"]
    assert (shown["id"], shown["given"], shown["author"]) == (consent, True, "Lan")
    assert shown["given_at"] > "2024"
    offices.shelter.json("consent", "show", case, "--purpose", "report_nonidentifiable")
    assert offices.shelter.json("audit", "mine")["items"][-1]["purpose"] == "report_nonidentifiable"
    granted = offices.shelter.json(
        "grant", case, *to, "--purpose", "service", "--consent", consent, "--write"
    )
    assert granted["state"] == "active"
    offices.shelter.json("sync")
    offices.osso.json("sync")
    view = offices.osso.json("case", "show", case)
    assert field(view, "person", "safe_to_contact")["value"] == "no"
    assert "identity" in view["sealed"]


def test_who_copied_a_value_for_another_office_is_said_there(offices, case):
    """The values of the test before came to the OSSO as copies."""
    view = offices.osso.json("case", "show", case)
    (write,) = field(view, "person", "safe_to_contact")["values"]
    lan = offices.shelter.json("whoami")["device"]
    copier = {"author": "Lan", "unit": "Nhà Bình Yên", "device": lan}
    assert (write["author"], write["copied_by"]) == ("Lan", copier)
    assert (
        "Values copied for this office by Lan, Nhà Bình Yên"
        in offices.osso.run("case", "show", case).out
    )
    history = offices.osso.json("case", "history", case)["items"]
    assert {row["field"] for row in history} >= {"safe_to_contact"}
    assert all(row["copied_by"] == copier and row["live"] for row in history)
    assert len({row["dot"] + row["field"] for row in history}) == len(history)
    assert "copied by Lan, Nhà Bình Yên" in offices.osso.run("case", "history", case).out
    own = offices.shelter.run("case", "show", case, "--json").out
    assert "copied_by" not in own
    assert {row["copied_by"] for row in offices.shelter.json("case", "history", case)["items"]} == {
        None
    }


def test_both_offices_keep_their_words_and_a_person_decides(offices, case):
    offices.shelter.json("case", "set", case, "person.safe_to_contact=yes")
    offices.osso.json("case", "set", case, "person.safe_to_contact=only_as_agreed")
    offices.shelter.json("sync")
    offices.osso.json("sync")
    offices.shelter.json("sync")
    shown = field(offices.shelter.json("case", "show", case), "person", "safe_to_contact")
    assert shown["conflict"] is True
    assert shown["value"] == "only_as_agreed"
    assert {value["author"] for value in shown["values"]} == {"Lan", "Mai"}

    edit = ("case", "set", case, "person.safe_to_contact=yes", "--purpose", "xem lại")
    stopped = offices.shelter.run(*edit)
    assert stopped.code == 7
    assert "Mai" in stopped.err
    stopped = offices.shelter.run(*edit, "--json")
    assert (stopped.code, stopped.out, stopped.error["code"]) == (7, "", "conflict-open")
    look = offices.shelter.json("audit", "mine", "--limit", "1")["items"][0]
    assert (look["action"], look["look"], look["purpose"]) == ("conflict", True, "xem lại")
    [shown] = json.loads(stopped.err)["error"]["conflicts"]
    assert shown == offices.shelter.json("conflict", "show", shown["id"])
    assert {value["value"] for value in shown["values"]} == {"yes", "only_as_agreed"}

    (line,) = [i for i in offices.shelter.json("case", "list")["items"] if i["case"] == case]
    assert line["fields"]["person.safe_to_contact"] == "only_as_agreed"
    assert line["disputed"] == {"person.safe_to_contact": ["yes", "only_as_agreed"]}
    listed = offices.shelter.run("case", "list").out
    assert "agreed (!)" in listed
    assert "conflict list" in listed

    (conflict,) = offices.shelter.json("conflict", "list")["items"]
    offices.shelter.json("conflict", "resolve", conflict["id"], "--value", "only_as_agreed")
    offices.shelter.json("sync")
    offices.osso.json("sync")
    for office in (offices.shelter, offices.osso):
        after = field(office.json("case", "show", case), "person", "safe_to_contact")
        assert (after["conflict"], after["value"]) == (False, "only_as_agreed")
        assert office.json("conflict", "list")["count"] == 0


def test_an_edit_replaces_what_was_shown_not_what_arrived_since(offices, case):
    base = offices.shelter.json("case", "show", case)["base"]
    offices.osso.json("case", "set", case, "person.contact_rule=chỉ gọi buổi sáng")
    offices.osso.json("sync")
    offices.shelter.json("sync")
    edit = ["case", "set", case, "person.contact_rule=không gọi", "--base", base]
    saved = offices.shelter.json(*edit)
    assert saved["disputed"] == ["person.contact_rule"]
    shown = field(offices.shelter.json("case", "show", case), "person", "contact_rule")
    assert shown["conflict"] is True
    assert len(shown["values"]) == 2


def test_an_edit_with_an_old_token_does_not_contradict_its_own_author(offices, case):
    shelter = offices.shelter
    base = shelter.json("case", "show", case)["base"]
    assert shelter.json("case", "set", case, "person.given_name=Hoài")["disputed"] == []
    edit = ["case", "set", case, "--base", base]
    stopped = shelter.run(*edit, "person.given_name=Hoa", "--json")
    assert (stopped.code, stopped.error["code"]) == (7, "base-outdated")
    assert "person.given_name" in stopped.error["message"]
    assert field(shelter.json("case", "show", case), "person", "given_name")["value"] == "Hoài"
    repeated = shelter.json(*edit, "person.given_name=Hoài")
    assert repeated["disputed"] == []
    assert shelter.json(*edit, "person.family_name=Trần")["saved"] == 1
    shown = field(shelter.json("case", "show", case), "person", "given_name")
    assert (shown["value"], shown["conflict"]) == ("Hoài", False)


def test_an_old_token_from_before_a_record_does_not_make_a_second_one(offices):
    shelter = offices.shelter
    made = shelter.json("case", "new", "--kind", "gbv")
    shelter.json("case", "set", made["case"], "person.given_name=Na")
    edit = ["case", "set", made["case"], "person.family_name=Lê", "--base", made["base"], "--json"]
    stopped = shelter.run(*edit)
    assert (stopped.code, stopped.error["code"]) == (7, "base-outdated")
    assert shelter.json("record", "list", made["case"], "person")["count"] == 1


def test_a_resolution_names_what_was_shown_and_stops_if_others_came(offices, case):
    """The conflict of the test before is shown, then a third value arrives."""
    (conflict,) = offices.shelter.json("conflict", "list")["items"]
    shown = offices.shelter.json("conflict", "show", conflict["id"])
    assert len(shown["values"]) == 2
    offices.osso.json("case", "set", case, "person.contact_rule=chỉ nhắn tin")
    offices.osso.json("sync")
    offices.shelter.json("sync")
    stopped = offices.shelter.run(
        "conflict", "resolve", conflict["id"], "--value", "không gọi", "--json"
    )
    assert (stopped.code, stopped.error["code"]) == (7, "conflict-moved")
    assert len(json.loads(stopped.err)["error"]["conflicts"]) == 1
    moved = offices.shelter.json("conflict", "show", conflict["id"])
    assert "chỉ nhắn tin" in {value["value"] for value in moved["values"]}
    offices.shelter.json("conflict", "resolve", conflict["id"], "--value", "không gọi")
    assert offices.shelter.json("conflict", "list")["count"] == 0


def test_a_resolution_stops_if_a_colleague_has_decided_meanwhile(offices, case):
    """It says who, and what; an id that names nothing here stays a slip of the finger."""
    shelter, osso = offices.shelter, offices.osso
    for office, level in ((shelter, "no"), (osso, "yes")):
        office.json("case", "set", case, f"person.safe_to_contact={level}")
    for office in (shelter, osso, shelter):
        office.json("sync")
    (conflict,) = shelter.json("conflict", "list")["items"]
    done = osso.run("conflict", "resolve", conflict["id"], "--value", "no")
    assert f"Conflict {conflict['id']} decided: No" in done.out
    osso.json("sync")
    shelter.json("sync")
    resolve = ("conflict", "resolve", conflict["id"].lower(), "--value", "yes")
    stopped = shelter.run(*resolve, "--json")
    assert (stopped.code, stopped.error["code"]) == (7, "conflict-decided")
    assert "Mai (OSSO Hải Phòng) decided on 'No'" in stopped.error["message"]
    history = f"casesync case history {case} --field person.safe_to_contact"
    assert history in stopped.error["advice"]
    vietnamese = replace(shelter, lang="vi").run(*resolve)
    assert (vietnamese.code, "chọn 'Không'" in vietnamese.err) == (7, True)
    look = shelter.json("audit", "mine", "--limit", "1")["items"][0]
    assert (look["action"], look["look"], look["case"]) == ("conflict", True, case)
    missing = shelter.run("conflict", "resolve", "00000000", "--value", "yes", "--json")
    assert (missing.code, missing.error["code"]) == (2, "conflict-unknown")


def test_work_done_behind_a_revocation_arrives_in_quarantine(offices, case):
    grant = offices.shelter.json("grant", "list", case)["items"][0]
    offices.osso.json("case", "set", case, "person.safe_to_contact=no")
    offices.shelter.json("grant", "revoke", grant["id"][:8])
    offices.shelter.json("sync")
    offices.osso.json("sync")
    report = offices.shelter.json("sync")
    assert report["quarantined"] >= 1
    assert_counted_alike(offices.shelter, report)
    (late,) = [
        row
        for row in offices.shelter.json("quarantine", "list")["items"]
        if row["reason"] == "grant-revoked"
    ]
    assert offices.shelter.json("quarantine", "show", late["id"])["unit"] == "OSSO Hải Phòng"
    assert_destroyed(offices, case)


def assert_counted_alike(laptop: Laptop, report: dict[str, Any]) -> None:
    """What ``sync`` says is quarantined or awaited, ``status`` says with the same words."""
    status = laptop.json("status")
    counts = ("conflicts", "quarantined", "awaiting")
    assert [status[key] for key in counts] == [report[key] for key in counts]
    number = report["quarantined"] - report["awaiting"]
    assert f"Changes that do not count: {number}" in laptop.run("sync").out
    assert re.search(rf"^do not count +{number}$", laptop.run("status").out, re.MULTILINE)


def assert_destroyed(offices: Offices, case: str) -> None:
    """The office whose grant was revoked keeps headers, no value, no index."""
    assert offices.osso.json("case", "find", "Hòa")["count"] == 0
    left = offices.osso.run("case", "show", case, "--json")
    shown = left.json["records"] if left.code == 0 else []
    assert all(view["sealed"] for record in shown for view in record["fields"].values())


def test_the_auditor_verifies_and_sees_who_looked(offices, case):
    offices.osso.json("sync")
    offices.audit.json("sync")
    report = offices.audit.json("audit", "verify")
    assert "not compared with the relay" in offices.audit.run("audit", "verify", "--offline").out
    assert "not compared" not in offices.audit.run("audit", "verify").out
    assert report["entries"] > 0
    assert all(device["state"] != "failed" for device in report["devices"])
    seen = offices.audit.json("audit", "list", "--case", case)["items"]
    assert {entry["member"] for entry in seen} >= {"Lan", "Mai"}
    assert {"read", "grant"} <= {entry["action"] for entry in seen}
    assert all(not item["fields"] for item in offices.audit.json("case", "list")["items"])


def test_entries_are_amended_not_changed(offices, case):
    shelter = offices.shelter
    made = shelter.json("record", "add", case, "note", "text=Gọi lúc 9 giờ")
    prefix = made["id"][:8]
    amended = shelter.json("record", "amend", case, f"note/{prefix}", "text=Gọi lúc 10 giờ")
    assert amended["amends"] == made["id"]
    assert shelter.json("record", "list", case, "note")["count"] == 2
    refused = shelter.run("case", "set", case, f"note/{made['id']}.text=khác", "--json")
    assert refused.code == 2


def test_a_stolen_laptop_gets_nothing_more(offices, tmp_path_factory):
    second = Laptop(tmp_path_factory.mktemp("second") / "home", "hoa sen ven hồ 4")
    enrol(offices.shelter, second, "Nhà Bình Yên", "caseworker", "Cúc")
    second.json("sync")
    number = second.json("whoami")["device"]
    result = offices.shelter.json("device", "suspend", str(number), "--yes")
    assert result["sole_device"] is False
    assert result["unit_rotated"] is True
    assert second.run("sync", "--json").code == 5
    states = {d["number"]: d["state"] for d in offices.shelter.json("device", "list")["items"]}
    assert states[number] == "suspended"
    assert offices.shelter.json("sync")["synced"] is True


def test_sync_tells_own_changes_from_those_of_others(offices, case):
    for office in (offices.osso, offices.audit, offices.shelter, offices.audit):
        office.json("sync")
    quiet = offices.audit.json("sync")
    assert (quiet["pushed"], quiet["confirmed"], quiet["received"]) == (0, 0, 0)
    offices.shelter.json("case", "set", case, "person.family_name=Lê")
    mine = offices.shelter.json("sync")
    assert mine["pushed"] == mine["confirmed"] >= 1
    assert mine["received"] == 0
    theirs = offices.audit.json("sync")
    assert theirs["received"] >= 1
    assert "Changes of others received: 0." in offices.shelter.run("sync").out


def test_two_offices_read_each_other_the_same_code(offices):
    for office in (offices.osso, offices.audit, offices.shelter, offices.osso, offices.audit):
        office.json("sync")
    views = [office.json("status") for office in (offices.osso, offices.audit)]
    assert views[0]["change_checkpoint"] == views[1]["change_checkpoint"]
    codes = {view["comparison_code"] for view in views}
    assert len(codes) == 1
    code = codes.pop()
    assert re.fullmatch(r"(\d{5} ){5}\d{5}", code)
    said = offices.osso.run("status").out
    assert code in said
    assert views[0]["change_checkpoint"].split()[1] not in said


def test_a_case_of_which_nothing_can_be_read_was_not_changed_in_1970(offices, case):
    (line,) = [i for i in offices.audit.json("case", "list")["items"] if i["case"] == case]
    assert line["changed"] is None
    assert "1970" not in offices.audit.run("case", "list").out
    (line,) = [i for i in offices.shelter.json("case", "list")["items"] if i["case"] == case]
    assert line["changed"] > "2024"
