"""What the person at a suspended device is told: it is served nothing, not even why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cli.casesync_runs import Laptop
from cli.conftest import enrol, found


@pytest.fixture
def suspended(relay, tmp_path):
    """(shelter, a laptop of it that was suspended and has not asked the relay since)."""
    shelter = Laptop(tmp_path / "shelter", "hoa sen ven hồ 1")
    stolen = Laptop(tmp_path / "stolen", "hoa sen ven hồ 2")
    found(relay, shelter)
    enrol(shelter, stolen, "Nhà Bình Yên", "caseworker", "Mai")
    assert stolen.json("sync")["synced"] is True
    number = stolen.json("whoami")["device"]
    shelter.json("device", "suspend", str(number), "--yes")
    return shelter, stolen


def codes(rows):
    return [row["code"] for row in rows]


def test_status_says_it_after_the_first_refused_sync_and_what_to_do(suspended):
    _, stolen = suspended
    assert "device-suspended" not in codes(stolen.json("status")["missing"])
    refused = stolen.run("sync", "--json")
    assert (refused.code, refused.error["code"]) == (5, "device-suspended")
    status = stolen.json("status")
    assert "device-suspended" in codes(status["missing"])
    assert status["synced"] is False
    for lang, word, advice in (
        ("en", "suspended", "administrator"),
        ("vi", "đình chỉ", "quản trị"),
    ):
        said = replace(stolen, lang=lang).run("status").out
        assert word in said
        assert advice in said


def test_who_saves_there_is_told_that_it_reaches_nobody(suspended):
    _, stolen = suspended
    case = stolen.json("case", "new", "--kind", "gbv")["case"]
    assert stolen.run("sync").code == 5
    for words in (
        ("case", "set", case, "case.risk_level=high"),
        ("case", "new", "--kind", "gbv"),
        ("record", "add", case, "note", "text=hẹn"),
    ):
        done = stolen.run(*words)
        assert (done.code, len(done.out.splitlines())) == (0, 1)
        assert "will never be sent" in done.err
    assert stolen.run("case", "set", case, "case.risk_level=low", "--json").err == ""


def test_status_says_what_to_do_with_a_database_that_was_rolled_back(relay, tmp_path):
    laptop = Laptop(tmp_path / "home", "bốn từ rất dễ nhớ")
    found(relay, laptop)
    older = (laptop.home / "replica.db").read_bytes()
    laptop.json("case", "new", "--kind", "gbv")
    (laptop.home / "replica.db").write_bytes(older)
    status = laptop.json("status")
    assert status["synced"] is False
    stopped = next(row for row in status["missing"] if row["code"] == "push-stopped")
    assert stopped["params"] == {"reason": "database-rolled-back"}
    assert "another --home" in stopped["text"]
    for lang in ("en", "vi"):
        assert "'casesync join'" in replace(laptop, lang=lang).run("status").out


def test_doctor_finds_out_by_itself(suspended):
    _, stolen = suspended
    done = stolen.run("doctor", "--json")
    assert (done.code, done.err) == (5, "")
    found_out = {row["code"]: row for row in done.json["items"]}
    assert found_out["device-suspended"]["level"] == "error"
    assert "administrator" in found_out["device-suspended"]["text"]
    assert "device-suspended" in codes(stolen.json("status")["missing"])


def test_nobody_else_is_told_so(suspended):
    shelter, _ = suspended
    assert "device-suspended" not in codes(shelter.json("doctor")["items"])
    shelter.json("sync")
    assert "device-suspended" not in codes(shelter.json("status")["missing"])


def test_who_may_not_suspend_is_told_so_before_any_preview(relay, tmp_path):
    lan, mai = (
        Laptop(tmp_path / "lan", "bốn từ rất dễ nhớ"),
        Laptop(tmp_path / "mai", "bốn từ khác dễ nhớ"),
    )
    found(relay, lan)
    enrol(lan, mai, "Nhà Bình Yên", "caseworker", "Mai")
    lan.json("sync")
    mine = lan.json("whoami")["device"]
    theirs = mai.json("whoami")["device"]
    for laptop, device, code, advice in (
        (mai, mine, 5, "member list"),
        (lan, mine, 2, "Another administrator"),
        (lan, 99, 2, "device list"),
    ):
        done = laptop.run("device", "suspend", str(device), "--yes")
        assert (done.code, done.out) == (code, "")
        assert advice in done.err
    assert lan.run("device", "suspend", str(theirs), "--yes").code == 0
    again = lan.run("device", "suspend", str(theirs), "--yes")
    assert (again.code, again.out) == (2, "")


def test_nobody_is_suspended_where_nobody_can_be_asked(relay, tmp_path):
    lan, mai = (
        Laptop(tmp_path / "lan", "bốn từ rất dễ nhớ"),
        Laptop(tmp_path / "mai", "bốn từ khác dễ nhớ"),
    )
    found(relay, lan)
    enrol(lan, mai, "Nhà Bình Yên", "caseworker", "Mai")
    lan.json("sync")
    theirs = str(mai.json("whoami")["device"])
    for arguments in (("device", "suspend", theirs, "--json"), ("device", "suspend", theirs)):
        done = lan.run(*arguments)
        assert done.code == 2
        assert "--yes" in done.err
    assert {row["state"] for row in lan.json("device", "list")["items"]} == {"active"}
