"""``casesync demo`` from beginning to end, with a handful of cases."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys

import pytest

from casesync_cli.demo.narrator import CHECKS
from cli.casesync_runs import Laptop
from cli.conftest import start_relay, stop_relay


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """One run, kept for looking around; its folder has a space in its name."""
    folder = tmp_path_factory.mktemp("demo") / "to look at"
    scratch = tmp_path_factory.mktemp("scratch")
    laptop = Laptop(tmp_path_factory.mktemp("none"), lang="vi", extra={"TMPDIR": str(scratch)})
    done = laptop.run("demo", "--json", "--cases", "3", "--keep", str(folder))
    return done, folder, scratch


def test_every_check_of_the_story_is_made_and_holds(told):
    done, _, _ = told
    assert [check["check"] for check in done.json["checks"] if not check["held"]] == []
    assert done.code == 0, done.err
    assert done.json["held"] is True
    assert done.json["checks"] == [{"check": key, "held": True} for key in CHECKS]


def test_nothing_but_the_document_is_said(told):
    done, _, _ = told
    assert done.out == json.dumps(done.json, ensure_ascii=False, indent=2) + "\n"
    assert done.err == ""


def test_every_process_has_ended(told):
    _, folder, _ = told
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(folder) not in listed.stdout


def test_what_is_kept_can_be_looked_at(told):
    _, folder, _ = told
    text = (folder / "LOOK-AROUND.txt").read_text("utf-8")
    serve, *looks = [
        line for line in text.splitlines() if "casesync" in line.split("/")[-1] or " -m " in line
    ]
    port = int(re.findall(r"--port (\d+)", serve)[0])
    relay = start_relay(folder / "relay" / "relay.db", port)
    try:
        command = shlex.split(looks[0])
        assert command[:3] == [sys.executable, "-m", "casesync_cli"]
        done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["count"] == 3 + 3 + 1
        synced = subprocess.run(
            [*command[:-2], "sync", "--json"], capture_output=True, text=True, check=True
        )
        assert json.loads(synced.stdout)["synced"] is True
    finally:
        stop_relay(relay)
    for kept in (folder / "LOOK-AROUND.txt", *folder.glob("*.passphrase")):
        assert kept.stat().st_mode & 0o077 == 0


def test_a_folder_that_holds_something_is_left_alone(told):
    _, folder, _ = told
    before = sorted(path.name for path in folder.iterdir())
    refused = Laptop(folder).run("demo", "--json", "--keep", str(folder))
    assert (refused.code, refused.error["code"]) == (2, "demo-folder-not-empty")
    assert sorted(path.name for path in folder.iterdir()) == before


def test_nothing_is_left_in_the_temporary_folder(told):
    _, _, scratch = told
    assert list(scratch.iterdir()) == []
