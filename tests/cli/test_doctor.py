"""``doctor``: every check that can be made is listed, and none of it sends in a circle."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casesync.client.examination import first_error
from casesync.client.network_views import Finding
from casesync.client.views import FACTS
from casesync.foundation.error_texts import TEXTS
from casesync_cli.commands.doctor import words_of
from casesync_cli.texts import catalogue
from cli.casesync_runs import Laptop
from cli.conftest import found


@pytest.fixture
def laptop(relay, tmp_path):
    made = Laptop(tmp_path / "home", "hoa sen ven hồ Tây")
    found(relay, made)
    for _ in range(3):
        made.json("case", "new", "--kind", "gbv")
    return made


def levels(done) -> dict[str, str]:
    return {row["code"]: row["level"] for row in done.json["items"]}


def spoil(laptop: Laptop, start: int, end: int | None = None) -> None:
    path = laptop.home / "replica.db"
    data = bytearray(path.read_bytes())
    data[start:end] = bytes(byte ^ 0x55 for byte in data[start:end])
    path.write_bytes(data)


def test_a_sound_replica_passes_every_check(laptop):
    done = laptop.run("doctor", "--json")
    assert done.code == 0
    checks = levels(done)
    for name in ("database-current", "database-sound", "relay-reachable"):
        assert checks[name] == "ok"


def test_a_database_of_which_no_page_is_left_is_told_among_the_checks_that_pass(laptop):
    spoil(laptop, 0)
    done = laptop.run("doctor", "--json")
    assert (done.code, done.err) == (3, "")
    checks = levels(done)
    assert checks["vault-sound"] == checks["anchor-sound"] == "ok"
    assert checks["database-does-not-open"] == "error"
    assert checks["relay-unchecked"] == "warning"
    for lang, word in (("en", "invite you again"), ("vi", "mời lại")):
        said = replace(laptop, lang=lang).run("doctor").out
        assert word in said
        assert "casesync doctor" not in said


def test_a_page_that_is_damaged_is_found_wherever_it_lies(laptop):
    size = (laptop.home / "replica.db").stat().st_size
    whole = (laptop.home / "replica.db").read_bytes()
    assert size > 5 * 16384
    for start in range(16384, size, 5 * 16384):
        spoil(laptop, start + 100, start + 200)
        done = laptop.run("doctor", "--json")
        assert (done.code, done.err) == (3, ""), start
        checks = levels(done)
        assert checks["database-corrupt"] == "error", start
        assert "disk-error" not in checks, start
        assert list(checks.values()).count("ok") >= 2, start
        (laptop.home / "replica.db").write_bytes(whole)


def test_a_damaged_vault_or_anchor_is_told_among_the_others(laptop):
    whole = (laptop.home / "anchor").read_bytes()
    (laptop.home / "anchor").write_bytes(bytes(len(whole)))
    done = laptop.run("doctor", "--json")
    assert (done.code, levels(done)["anchor-damaged"]) == (3, "error")
    assert levels(done)["database-sound"] == "ok"
    (laptop.home / "anchor").write_bytes(whole)
    (laptop.home / "vault").write_bytes(b"nonsense")
    done = laptop.run("doctor", "--json")
    assert (done.code, levels(done)["vault-damaged"]) == (3, "error")
    assert levels(done)["anchor-sound"] == "ok"


def test_a_missing_anchor_is_named_as_such(laptop):
    path = laptop.home / "anchor"
    whole = path.read_bytes()
    path.unlink()
    done = laptop.run("doctor", "--json")
    assert (done.code, levels(done)["anchor-missing"]) == (3, "error")
    assert not {"anchor-sound", "database-rolled-back"} & levels(done).keys()
    path.write_bytes(whole)
    assert laptop.run("doctor", "--json").code == 0


def test_a_wrong_passphrase_is_no_damage(laptop):
    done = Laptop(laptop.home, "sai").run("doctor", "--json")
    assert (done.code, done.out, done.error["code"]) == (3, "", "passphrase-wrong")


@pytest.mark.parametrize(
    ("findings", "exit_code"),
    [
        ([("error", "disk-full"), ("error", "device-suspended")], 3),
        ([("warning", "relay-unreachable"), ("error", "device-suspended")], 5),
        ([("ok", "database-sound"), ("error", "relay-key-changed"), ("error", "disk-full")], 6),
    ],
)
def test_the_first_error_gives_the_exit_code(findings, exit_code):
    error = first_error([Finding(level, code) for level, code in findings])
    assert error is not None
    assert error.exit_code == exit_code
    assert (
        first_error([Finding("ok", "database-sound"), Finding("warning", "no-witnesses")]) is None
    )


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_no_finding_says_to_run_the_doctor(lang):
    codes = [*TEXTS, *FACTS, "database-current", "relay-unchecked"]
    codes += [key.removeprefix("finding.") for key in catalogue("facts", lang) if "finding." in key]
    circular = [c for c in codes if "casesync doctor" in words_of(lang, Finding("error", c))]
    assert not circular
