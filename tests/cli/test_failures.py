"""Each failure: its exit code, a line a caseworker can act on, and nothing changed."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from casesync.client import Replica
from casesync.client.home import Home
from cli.casesync_runs import Laptop
from cli.conftest import enrol, found, start_relay, stop_relay


@pytest.fixture(scope="module")
def shelter(relay, tmp_path_factory):
    laptop = Laptop(tmp_path_factory.mktemp("failures") / "home", "hoa sen ven hồ 1")
    found(relay, laptop)
    return laptop


@pytest.fixture(scope="module")
def case(shelter):
    return shelter.json("case", "new", "--kind", "gbv", "--set", "person.given_name=Hòa")["case"]


def expect(done, code: int, name: str) -> None:
    assert done.code == code, done.err
    assert done.out == ""
    assert done.error["code"] == name
    assert done.error["message"]
    assert done.error["advice"]


def values_of(laptop: Laptop, case: str) -> object:
    return laptop.json("case", "show", case)["records"]


def test_a_wrong_passphrase(shelter):
    expect(Laptop(shelter.home, "sai").run("status", "--json"), 3, "passphrase-wrong")


def test_no_passphrase_and_nobody_to_ask(shelter):
    expect(Laptop(shelter.home).run("status", "--json"), 3, "locked")


def test_no_replica_here(tmp_path):
    expect(Laptop(tmp_path / "none", "x").run("status", "--json"), 3, "home-missing")


def test_a_second_network_in_one_home(shelter, relay):
    done = shelter.run("network", "create", "N", "--relay", relay.url, "--json")
    expect(done, 2, "home-exists")


@pytest.mark.parametrize(
    ("assignment", "name"),
    [
        ("person.nonsense=1", "field-unknown"),
        ("nonsense.name=1", "type-unknown"),
        ("person.sex_on_file=nonsense", "value-unknown-code"),
        ("person.date_of_birth=nonsense", "value-not-a-date"),
        ("person.given_name+=Hoa", "field-no-set"),
        ("person.phones[1].nonsense=x", "part-unknown"),
    ],
)
def test_what_the_schema_does_not_know(shelter, case, assignment, name):
    before = values_of(shelter, case)
    expect(shelter.run("case", "set", case, assignment, "--json"), 2, name)
    assert values_of(shelter, case) == before


def test_a_part_of_what_is_not_in_the_list_adds_nothing(shelter, case):
    before = values_of(shelter, case)
    part = "person.phones[+84900000009].whose=self"
    done = shelter.run("case", "set", case, part, "--json")
    expect(done, 2, "element-unknown")
    assert "+84900000009" in done.error["message"]
    assert "person.phones+=+84900000009" in done.error["advice"]
    expect(shelter.run("case", "set", case, part, "--resolve", "--json"), 2, "element-unknown")
    assert values_of(shelter, case) == before
    assert shelter.run("case", "set", case, "person.phones+=+84900000009", part).code == 0
    assert shelter.run("case", "set", case, "person.phones-=+84900000009").code == 0
    expect(shelter.run("case", "set", case, part, "--json"), 2, "element-unknown")


@pytest.mark.parametrize(
    "assignments",
    [
        ["person.given_name=A", "person.given_name=B"],
        ["case.kinds+=trafficking", "case.kinds-=trafficking"],
    ],
)
def test_one_field_twice_in_a_command_writes_neither(shelter, case, assignments):
    before = values_of(shelter, case)
    expect(shelter.run("case", "set", case, *assignments, "--json"), 2, "assignment-twice")
    twice = [word for assignment in assignments for word in ("--set", assignment)]
    expect(shelter.run("case", "new", "--kind", "gbv", *twice, "--json"), 2, "assignment-twice")
    assert values_of(shelter, case) == before


def test_one_field_under_two_names_of_its_record_writes_neither(shelter, case):
    before = values_of(shelter, case)
    records = shelter.json("case", "show", case)["records"]
    person = next(record["id"] for record in records if record["type"] == "person")
    for first, second in (
        ("person.given_name=A", f"person/{person[:6]}.given_name=B"),
        (f"person/{person[:6]}.given_name=A", f"person/{person}.given_name=A"),
        ("person.phones+=0900000009", f"person/{person}.phones-=+84900000009"),
    ):
        done = shelter.run("case", "set", case, first, second, "--json")
        expect(done, 2, "assignment-twice")
    unset = ("person.given_name", f"person/{person}.given_name")
    expect(shelter.run("case", "unset", case, *unset, "--json"), 2, "assignment-twice")
    assert values_of(shelter, case) == before


def test_a_history_of_a_field_that_no_record_has_is_an_error(shelter, case):
    done = shelter.run("case", "history", case, "--field", "nofield", "--json")
    expect(done, 2, "filter-field-unknown")
    assert shelter.run("case", "history", case, "--field", "given_name").code == 0


def test_an_error_in_json_keeps_vietnamese_letters(shelter):
    done = shelter.run("--lang", "vi", "case", "show", "Đỗ", "--json")
    assert "\\u" not in done.err
    assert done.error["message"] in done.err


def test_the_parts_that_the_advice_speaks_of_are_shown(shelter):
    shown = shelter.run("schema", "show", "person").out
    parts = next(
        field["parts"]
        for field in shelter.json("schema", "show", "person")["fields"]
        if field["field"] == "phones"
    )
    assert parts
    assert all(f"phones[...].{part}" in "".join(shown.split()) for part in parts)


def test_like_names_are_offered_only_where_there_are_any(shelter, case):
    advice = shelter.run("case", "set", case, "person.given_nam=1", "--json").error["advice"]
    assert "given_name" in advice
    advice = shelter.run("case", "set", case, "person.qqq=1", "--json").error["advice"]
    assert advice == "'casesync schema show person' lists all fields."


def test_all_times_in_json_have_milliseconds_and_a_z(shelter, case):
    shown = shelter.run("case", "show", case, "--json").out
    listed = shelter.run("case", "list", "--json").out
    times = re.findall(r'"(\d{4}-\d\d-\d\dT[^"]*)"', shown + listed)
    assert len(times) > 3
    assert not [t for t in times if not re.fullmatch(r"[-\d]{10}T\d\d:\d\d:\d\d\.\d{3}Z", t)]


def test_a_replica_unlocked_too_long_is_refused_in_hours(shelter):
    done = shelter.run("unlock", "--for", "25h", "--json")
    expect(done, 2, "unlock-time")
    assert "12 hours" in done.error["message"]


def test_nothing_is_made_and_nothing_false_promised_where_the_relay_is_unreachable(tmp_path):
    laptop = Laptop(tmp_path / "home", "hoa sen ven hồ Tây")
    done = laptop.run("network", "create", "N", "--relay", "http://127.0.0.1:9", "--json")
    expect(done, 4, "relay-unreachable")
    assert "offline" not in done.error["message"] + done.error["advice"]
    assert not laptop.home.exists()


def test_one_bad_assignment_spoils_the_whole_change(shelter, case):
    before = values_of(shelter, case)
    done = shelter.run("case", "set", case, "person.given_name=Khác", "person.nonsense=1", "--json")
    expect(done, 2, "field-unknown")
    assert values_of(shelter, case) == before


def test_an_unknown_and_a_mistyped_case(shelter, case):
    expect(shelter.run("case", "show", "0000", "--json"), 2, "case-unknown")
    mistyped = case[:-1] + ("0" if case[-1] != "0" else "1")
    done = shelter.run("case", "show", mistyped, "--json")
    assert (done.code, done.error["code"]) == (2, "case-code-mistyped")


def test_an_ambiguous_case_lists_the_candidates(shelter):
    codes: dict[str, str] = {}
    with Replica.open(shelter.home, shelter.passphrase) as replica:
        while True:  # until two of 32,768 beginnings are the same: about 230 cases
            code = replica.new_case(["gbv"]).case
            if code[:3] in codes:
                break
            codes[code[:3]] = code
    done = shelter.run("case", "show", code[:3], "--json")
    assert (done.code, done.error["code"]) == (2, "case-ambiguous")
    assert all(c in done.error["message"] + done.error["advice"] for c in (code, codes[code[:3]]))


def test_a_new_passphrase_that_nobody_gives_is_asked_for_by_its_own_name(shelter):
    done = shelter.run("passphrase", "change", "--json")
    expect(done, 3, "passphrase-new-needed")
    assert "--new-passphrase-file" in done.error["advice"]


def test_a_short_new_passphrase_is_refused_and_nothing_is_made_or_changed(relay, shelter, tmp_path):
    laptop, words = Laptop(tmp_path / "home", "bốn từ dễ nhớ"), ("--name", "Lan", "--json")
    create = ("network", "create", "Bình Yên", "--relay", relay.url, *words)
    expect(laptop.run(*create), 2, "passphrase-short")
    invitation = shelter.json("invite", "--unit", "Nhà Bình Yên", "--role", "caseworker")
    expect(laptop.run("join", invitation["text"], *words), 2, "passphrase-short")
    assert not laptop.home.exists()
    unreachable = ("network", "create", "Bình Yên", "--relay", "http://127.0.0.1:9", *words)
    expect(laptop.run(*unreachable), 2, "passphrase-short")
    (tmp_path / "new").write_text("bốn từ dễ nhớ\n", "utf-8")
    file = ("--new-passphrase-file", str(tmp_path / "new"))
    done = shelter.run("passphrase", "change", *file, "--json")
    expect(done, 2, "passphrase-short")
    assert {"15", "13"} <= set(re.findall(r"\d+", done.error["message"]))
    assert shelter.run("whoami").code == 0
    shelter.json("invite", "cancel", invitation["id"])


def test_an_invitation_for_too_long_is_refused_before_the_relay_is_asked(shelter):
    words = ("invite", "--unit", "Nhà Bình Yên", "--role", "caseworker", "--json")
    expect(shelter.run(*words, "--for", "30d"), 2, "invitation-time")
    made = shelter.json(*words[:-1], "--for", "29d")
    shelter.json("invite", "cancel", made["id"])


def test_who_holds_the_replica_leaves_the_commands_name_and_no_argument(shelter, monkeypatch):
    held, locked = [], Home.locked

    def noted(home, command, *arguments):
        held.append(command)
        return locked(home, command, *arguments)

    monkeypatch.setattr(Home, "locked", noted)
    shelter.json("case", "find", "Hòa")
    assert held == ["casesync case find"]


def test_an_unknown_unit_role_and_purpose(shelter):
    expect(
        shelter.run("invite", "--unit", "Không có", "--role", "caseworker", "--json"),
        2,
        "unit-unknown",
    )
    expect(
        shelter.run("invite", "--unit", "Nhà Bình Yên", "--role", "king", "--json"),
        2,
        "role-unknown",
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


@pytest.mark.parametrize("also_lost", [(), ("vault",), ("anchor",)])
def test_a_replica_whose_database_was_moved_is_left_alone(relay, tmp_path, also_lost):
    laptop = Laptop(tmp_path / "home", "bốn từ rất dễ nhớ")
    found(relay, laptop)
    made = laptop.json("invite", "--unit", "Nhà Bình Yên", "--role", "caseworker")
    for name in ("replica.db", *also_lost):
        (laptop.home / name).rename(tmp_path / name)
    before = contents(laptop.home)
    for words in (
        ("join", made["text"], "--name", "Z"),
        ("join",),
        ("network", "create", "N", "--relay", relay.url, "--plain-http"),
        ("status",),
        ("sync",),
        ("case", "list"),
        ("unlock",),
        ("passphrase", "change", "--new-passphrase-file", str(laptop.home / "vault")),
    ):
        expect(laptop.run(*words, "--json"), 3, "database-missing")
    done = laptop.run("doctor", "--json")
    assert done.code == 3
    assert "database-missing" in {row["code"] for row in json.loads(done.out)["items"]}
    assert contents(laptop.home) == before
    for name in ("replica.db", *also_lost):
        (tmp_path / name).rename(laptop.home / name)
    assert laptop.json("whoami")["member"]


def test_a_replica_whose_vault_was_moved_is_left_alone(relay, tmp_path):
    laptop = Laptop(tmp_path / "home", "bốn từ rất dễ nhớ")
    found(relay, laptop)
    (laptop.home / "vault").rename(tmp_path / "vault")
    before = contents(laptop.home)
    new = ("--new-passphrase-file", str(tmp_path / "new"))
    (tmp_path / "new").write_text("bốn từ khác dễ nhớ\n", "utf-8")
    for words in (("case", "list"), ("unlock",), ("join",), ("passphrase", "change", *new)):
        done = laptop.run(*words, "--json")
        expect(done, 3, "vault-missing")
        assert "network create" not in done.err
    again = laptop.run("network", "create", "N", "--relay", relay.url, "--json")
    expect(again, 2, "home-exists")
    done = laptop.run("doctor", "--json")
    assert done.code == 3
    assert "vault-missing" in {row["code"] for row in done.json["items"]}
    for lang, words in (("en", "put it back"), ("vi", "để lại chỗ cũ")):
        assert words in replace(laptop, lang=lang).run("case", "list").err
    assert contents(laptop.home) == before
    (tmp_path / "vault").rename(laptop.home / "vault")
    assert laptop.json("whoami")["member"]


def code_shown(shelter: Laptop, joiner: Laptop) -> tuple[dict[str, str], str]:
    """(invitation, the code on the joiner's screen), asked for at the inviter's."""
    made = shelter.json("invite", "--unit", "Nhà Bình Yên", "--role", "caseworker")
    joiner.json("join", made["text"], "--name", "Mai")
    shelter.json("member", "approve", made["id"])
    status = joiner.json("join", made["text"], "--name", "Mai")
    assert status["state"] == "code"
    assert shelter.json("member", "approve", made["id"])["state"] == "code"
    return made, status["code"]


def test_a_mistyped_code_is_asked_for_again(shelter, tmp_path):
    joiner = Laptop(tmp_path / "a", "bốn từ rất dễ nhớ")
    made, code = code_shown(shelter, joiner)
    swapped = next(i for i in range(6) if {code[i], code[i + 1]} not in ({code[i]}, {"0", "Z"}))
    slips = [
        code[:-1],
        code + "0",
        "nonsense",
        ("1" if code[0] != "1" else "2") + code[1:],
        code[:swapped] + code[swapped + 1] + code[swapped] + code[swapped + 2 :],
    ]
    for typed in slips:
        done = shelter.run("member", "approve", made["id"], "--code", typed, "--json")
        expect(done, 2, "enrolment-code-mistyped")
        assert typed not in done.err
    spoken = f"{code[:4].lower()}-{code[4:].lower()}"
    shelter.json("member", "approve", made["id"], "--code", spoken)
    assert joiner.json("join", made["text"], "--name", "Mai")["state"] == "joined"
    number = joiner.json("whoami")["device"]
    shelter.json("device", "suspend", str(number), "--yes")


def test_a_wrong_code_burns_the_invitation(shelter, tmp_path):
    joiner = Laptop(tmp_path / "a", "bốn từ rất dễ nhớ")
    members = shelter.json("member", "list")
    made, _ = code_shown(shelter, joiner)
    done = shelter.run("member", "approve", made["id"], "--code", "0000000", "--json")
    expect(done, 6, "enrolment-code-wrong")
    done = joiner.run("join", made["text"], "--name", "Mai", "--json")
    assert done.code != 0
    assert shelter.json("member", "list") == members


def test_a_new_invitation_helps_where_the_first_was_spoilt(shelter, tmp_path):
    joiner = Laptop(tmp_path / "a", "bốn từ rất dễ nhớ")
    first = shelter.json("invite", "--unit", "Nhà Bình Yên", "--role", "caseworker")
    joiner.json("join", first["text"], "--name", "Mai")
    shelter.json("invite", "cancel", first["id"])
    expect(joiner.run("join", first["text"], "--name", "Mai", "--json"), 5, "invitation-gone")
    expect(joiner.run("join", "nonsense", "--name", "Mai", "--json"), 2, "invitation-malformed")
    enrol(shelter, joiner, "Nhà Bình Yên", "caseworker", "Mai Hoa")
    assert joiner.json("whoami")["member"] == "Mai Hoa"


def test_a_relay_that_is_not_there(tmp_path):
    relay = start_relay(tmp_path / "relay.db")
    laptop = Laptop(tmp_path / "home", "bốn từ rất dễ nhớ")
    found(relay, laptop)
    case = laptop.json("case", "new", "--kind", "gbv")["case"]
    made = laptop.json("invite", "--unit", "Nhà Bình Yên", "--role", "caseworker")
    assert stop_relay(relay) == 0
    expect(laptop.run("sync", "--json"), 4, "relay-unreachable")
    expect(laptop.run("invite", "cancel", made["id"], "--json"), 4, "relay-unreachable")
    assert [i["state"] for i in laptop.json("invite", "list")["items"]] == ["open"]
    assert laptop.json("case", "set", case, "person.given_name=Hòa")["saved"] == 1
    assert laptop.json("status")["synced"] is False
    again = start_relay(tmp_path / "relay.db", int(relay.url.rsplit(":", 1)[1]))
    assert laptop.json("sync")["synced"] is True
    laptop.json("invite", "cancel", made["id"])
    assert [i["state"] for i in laptop.json("invite", "list")["items"]] == ["cancelled"]
    stop_relay(again)


def test_another_relay_at_the_same_address(tmp_path):
    relay = start_relay(tmp_path / "relay.db")
    laptop = Laptop(tmp_path / "home", "bốn từ rất dễ nhớ")
    found(relay, laptop)
    stop_relay(relay)
    other = start_relay(tmp_path / "other.db", int(relay.url.rsplit(":", 1)[1]))
    done = laptop.run("sync", "--json")
    assert done.code in {4, 6}
    stop_relay(other)


def test_a_relay_with_another_key_is_not_trusted(relay, tmp_path):
    laptop = Laptop(tmp_path / "home", "bốn từ rất dễ nhớ")
    done = laptop.run(
        "network", "create", "N", "--relay", relay.url, "--relay-key", "00" * 32, "--json"
    )
    assert done.code == 6
    assert not (laptop.home / "replica.db").exists()


def test_no_permission(relay, shelter, tmp_path):
    second = Laptop(tmp_path / "home", "bốn từ rất dễ nhớ")
    enrol(shelter, second, "Nhà Bình Yên", "supervisor", "Thu")
    done = second.run("unit", "add", "Khác", "--type", "osso", "--json")
    assert done.code == 5
    done = second.run("case", "new", "--kind", "gbv", "--set", "person.given_name=X", "--json")
    assert done.code == 5


def database(home: Path) -> Path:
    return max(home.glob("*.db"), key=lambda path: path.stat().st_size)


def digest(home: Path) -> str:
    return hashlib.sha256(database(home).read_bytes()).hexdigest()


@pytest.fixture
def lonely(relay, tmp_path):
    laptop = Laptop(tmp_path / "home", "bốn từ rất dễ nhớ")
    found(relay, laptop)
    laptop.json("case", "new", "--kind", "gbv")
    laptop.json("sync")
    return laptop


def test_a_corrupted_database(lonely):
    path = database(lonely.home)
    data = path.read_bytes()
    path.write_bytes(data[:8192] + bytes(byte ^ 0x55 for byte in data[8192:]))
    before = digest(lonely.home)
    for command in (["case", "list"], ["sync"], ["status"]):
        done = lonely.run(*command, "--json")
        assert (done.code, done.out) == (3, "")
        assert done.error["code"] in {"database-corrupt", "database-does-not-open"}
    assert digest(lonely.home) == before


def test_a_rolled_back_database_sends_nothing(lonely):
    old = database(lonely.home).read_bytes()
    lonely.json("case", "new", "--kind", "gbv")
    lonely.json("sync")
    for path in lonely.home.glob(database(lonely.home).name + "-*"):
        path.unlink()
    database(lonely.home).write_bytes(old)
    done = lonely.run("sync", "--json")
    expect(done, 3, "database-rolled-back")


def test_choices_are_named_in_the_readers_language(shelter, case):
    typed = ["case", "set", case, "case.risk_level=rất cao"]
    assert "high (High)" in shelter.run(*typed).err
    said = replace(shelter, lang="vi").run(*typed).err
    assert "high (Cao)" in said
    assert "High" not in said


def test_a_mistyped_field_is_answered_with_the_one_most_like_it(shelter, case):
    done = shelter.run("case", "set", case, "person.given_nme=Hoa", "--json")
    expect(done, 2, "field-unknown")
    assert "given_name" in done.error["advice"]


def test_a_name_in_place_of_a_code_is_sent_to_the_search(shelter):
    assert "case find" in shelter.run("case", "show", "hoa").err


def test_a_begun_join_goes_on_without_its_invitation(shelter, tmp_path):
    joiner = Laptop(tmp_path / "a", "bốn từ rất dễ nhớ")
    done = joiner.run("join", "--name", "Mai", "--json")
    assert (done.code, done.error["code"]) == (2, "usage-missing")
    made = shelter.json("invite", "--unit", "Nhà Bình Yên", "--role", "caseworker")
    done = joiner.run("join", made["text"], "--json")
    assert (done.code, done.error["code"]) == (2, "usage-missing")
    assert not joiner.home.exists()
    joiner.json("join", made["text"], "--name", "Mai")
    shelter.json("member", "approve", made["id"])
    assert joiner.json("join")["state"] == "code"
    shelter.json("invite", "cancel", made["id"])


def test_who_has_joined_is_told_so_for_no_invitation_but_her_own(shelter, tmp_path):
    joiner, other = (
        Laptop(tmp_path / "a", "bốn từ rất dễ nhớ"),
        Laptop(tmp_path / "b", "bốn từ khác dễ nhớ"),
    )
    made, code = code_shown(shelter, joiner)
    shelter.json("member", "approve", made["id"], "--code", code)
    for words in ((), (), (made["text"],), (made["text"], "--name", "Mai")):
        assert joiner.json("join", *words)["state"] == "joined"  # also where an answer was lost
    used, used_code = code_shown(shelter, other)
    shelter.json("member", "approve", used["id"], "--code", used_code)
    opened = shelter.json("invite", "--unit", "Nhà Bình Yên", "--role", "caseworker")
    for text in (used["text"], opened["text"]):
        done = joiner.run("join", text, "--name", "X", "--json")
        expect(done, 2, "joined-already")
    expect(joiner.run("join", "nonsense", "--name", "X", "--json"), 2, "invitation-malformed")
    expect(shelter.run("join", opened["text"], "--name", "X", "--json"), 2, "joined-already")
    expect(shelter.run("join", "--json"), 2, "joined-already")
    assert joiner.json("whoami")["member"] == "Mai"
    shelter.json("invite", "cancel", opened["id"])


@pytest.mark.parametrize("words", [["invite"], ["grant"]])
def test_a_noun_alone_asks_for_what_its_default_verb_needs(shelter, words):
    done = shelter.run(*words, "--json")
    assert (done.code, done.error["code"]) == (2, "usage-missing")
