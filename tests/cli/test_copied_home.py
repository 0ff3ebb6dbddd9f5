"""A copy of a home: whichever syncs second sends nothing, and is told why and what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

from cli.casesync_runs import Laptop

ATTEMPTS = 6
"""Each request of either moves the counter that the other has to pass."""


def copied(laptop: Laptop, tmp_path: Path) -> Laptop:
    """A copy of its home; the laptop synced since."""
    copy = Laptop(tmp_path / "copy", passphrase=laptop.passphrase)
    laptop.json("sync")
    shutil.copytree(laptop.home, copy.home, ignore=shutil.ignore_patterns("lock"))
    laptop.json("sync")
    return copy


def test_a_copied_home_is_told_so_by_sync_status_and_doctor(offices, tmp_path):
    copy = copied(offices.osso, tmp_path)
    refused = copy.run("sync", "--json")
    assert (refused.code, refused.error["code"]) == (3, "counter-replayed")
    assert [f["code"] for f in copy.json("status")["missing"]] == ["folder-copied"]
    done = copy.run("doctor", "--json")
    assert (done.code, done.err) == (3, "")
    said = {item["code"]: item["level"] for item in done.json["items"]}
    assert said["folder-copied"] == "error"
    assert "never sync from here" in copy.run("doctor").out
    offices.osso.json("case", "new", "--kind", "gbv")
    assert 0 in {offices.osso.run("sync").code for _ in range(ATTEMPTS)}
    codes = [copy.run("sync", "--json").error["code"] for _ in range(ATTEMPTS)]
    assert codes[-1] == "device-restored", "it lacks what was written since"
    assert copy.json("outbox")["count"] == 0


def test_who_saves_in_a_copied_home_is_told_so(offices, tmp_path):
    copy = copied(offices.shelter, tmp_path)
    assert copy.run("case", "new", "--kind", "gbv").err == ""
    assert copy.run("sync").code == 3
    case = copy.json("case", "list", "--limit", "1")["items"][0]["case"]
    saved = copy.run("case", "set", case, "case.risk_level=high")
    assert saved.code == 0
    assert "never sync from here" in saved.err
