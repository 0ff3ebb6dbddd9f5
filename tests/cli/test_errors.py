"""Every failure: one line, advice, the right exit code, the same shape in JSON."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from casesync_cli.app import COMMANDS, run
from cli.casesync_runs import Laptop


@pytest.fixture
def nowhere(tmp_path):
    return Laptop(tmp_path / "home", "a passphrase")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonsense"], "usage-no-such-command"),
        (["case", "nonsense"], "usage-no-such-command"),
        (["case", "show"], "usage-missing"),
        (["case"], "usage-missing"),
        (["case", "show", "A", "B"], "usage-extra"),
        (["grant", "revoke", "A", "B", "C"], "usage-extra"),
        (["case", "show", "A", "--nonsense"], "usage-no-such-option"),
        (["case", "list", "--limit", "many"], "usage-bad-value"),
        (["case", "list", "--after"], "usage-no-value"),
        (["unit", "add", "N", "--type", "oso"], "usage-choice"),
        (["case", "set", "A", "nonsense"], "assignment-form"),
        (["case", "set", "A", "person.given_name=\udcff"], "usage-not-text"),
        (["unlock", "--for", "ever"], "duration-form"),
        (["network", "create", "N", "--relay", "http://x", "--relay-key", "zz"], "relay-key-form"),
    ],
)
def test_a_mistyped_command_ends_with_2_and_changes_nothing(nowhere, arguments, code):
    done = nowhere.run("--json", *arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.error["code"] == code
    assert set(done.error) == {"code", "message", "advice"}
    assert not nowhere.home.exists()


def test_people_get_one_line_and_one_line_of_advice(nowhere):
    done = nowhere.run("case", "list", "--filter", "nonsense")
    message, advice = done.err.splitlines()
    assert "FIELD=VALUE" in message
    assert "case.status=open" in advice


@pytest.mark.parametrize(("lang", "word"), [("vi", "LỆNH"), ("en", "COMMAND")])
@pytest.mark.parametrize("before", [["case"], ["--json"], ["case", "--json"], []])
def test_a_missing_verb_is_named_in_the_readers_language(nowhere, lang, word, before):
    done = nowhere.run("--lang", lang, *before)
    assert done.code == 2
    assert word in done.err
    assert "Missing" not in done.err


def test_an_option_without_its_value_is_sent_to_the_help_of_its_command(nowhere):
    advice = nowhere.run("--json", "case", "list", "--after").error["advice"]
    assert "casesync case list --help" in advice


def test_a_pasted_text_does_not_bury_the_advice(nowhere):
    done = nowhere.run("--json", "case", "set", "A", "ở" * 5000)
    assert done.error["code"] == "assignment-form"
    assert "ởở…" in done.error["message"]
    assert len(done.error["message"]) < 1000


def test_what_can_be_chosen_is_listed(nowhere):
    done = nowhere.run("unit", "add", "N", "--type", "oso")
    assert "shelter, osso, union, provider, audit" in done.err


def test_errors_of_parsing_are_told_in_the_language_asked_for_wherever_it_stands(tmp_path):
    laptop = Laptop(tmp_path / "home", lang="vi")
    assert "Không có tùy chọn" in laptop.run("case", "show", "A", "--nonsense").err


def test_json_may_stand_before_and_after_the_command(nowhere):
    assert (
        nowhere.run("--json", "case", "show").error == nowhere.run("case", "show", "--json").error
    )


def test_a_mistyped_verb_of_invite_and_grant_is_not_mistaken_for_the_default(nowhere):
    assert nowhere.run("invite", "lsit", "--json").code == 2
    assert nowhere.run("grant", "--json").code == 2


@pytest.mark.parametrize("name", [n for n in COMMANDS if n not in {"demo", "relay"}])
def test_every_command_has_help_in_both_languages(name, capsys):
    assert run([name, "--help"]) == 0
    english = capsys.readouterr().out
    assert run(["--lang", "vi", name, "--help"]) == 0
    assert "Cách dùng" in capsys.readouterr().out
    assert f"casesync {name}" in english


@pytest.mark.parametrize(
    ("verb", "options"),
    [("grant", ["--to", "--compartments", "--consent"]), ("invite", ["--unit", "--role"])],
)
def test_help_of_a_noun_shows_what_it_takes_without_a_verb(verb, options, nowhere):
    shown = nowhere.run(verb, "--help").out
    assert [option for option in options if option not in shown] == []
    assert "COMMAND [ARGS]" in shown
    assert "list" in shown


def test_help_asked_for_in_json_is_a_document(nowhere):
    assert "--purpose" in nowhere.run("--json", "case", "show", "--help").json["help"]
    assert "--purpose" in nowhere.run("case", "show", "--help", "--json").json["help"]


def test_what_is_missing_is_named_as_the_usage_line_names_it(tmp_path):
    done = Laptop(tmp_path / "home", lang="vi").run("case", "set")
    assert "Thiếu 'HỒ_SƠ'" in done.err
    assert "HỒ_SƠ" in Laptop(tmp_path / "home", lang="vi").run("case", "set", "--help").out


def test_a_locale_chooses_the_language(tmp_path):
    laptop = Laptop(tmp_path / "home", extra={"LC_ALL": "vi_VN.UTF-8"})
    command = [part for part in laptop.command("--help") if part not in {"--lang", "en"}]
    done = subprocess.run(
        command, env=laptop.environment(), capture_output=True, encoding="utf-8", check=True
    )
    assert "Cách dùng" in done.stdout


def test_a_passphrase_file_that_cannot_be_read_is_a_usage_error(tmp_path):
    laptop = Laptop(tmp_path / "home")
    done = laptop.run("--json", "--passphrase-file", str(tmp_path / "absent"), "unlock")
    assert (done.code, done.error["code"]) == (2, "passphrase-file")
    assert str(tmp_path) not in done.err


def test_nobody_is_asked_where_nobody_sits(tmp_path):
    done = Laptop(tmp_path / "home").run("unlock", "--json")
    assert (done.code, done.error["code"]) == (3, "locked")


def test_an_error_object_is_one_line_of_json(nowhere):
    done = nowhere.run("--json", "nonsense")
    assert len(done.err.strip().splitlines()) == 1
    json.loads(done.err)


def test_a_bug_is_told_by_its_place_and_never_by_content(tmp_path):
    program = (
        "import sys\n"
        "from casesync_cli import app\n"
        "def broken(arguments):\n"
        "    raise ValueError('Nguyễn Thị Hoa')\n"
        "app.run = broken\n"
        "sys.argv = ['casesync', *sys.argv[1:]]\n"
        "app.main()\n"
    )
    command = [sys.executable, "-c", program, "status", "--json"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert json.loads(done.stderr)["error"]["code"] == "internal"
    assert "Hoa" not in done.stderr
    assert "ValueError" in done.stderr
