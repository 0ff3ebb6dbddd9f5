"""A copy of a home: whichever syncs second sends nothing, and is told why and what to do."""

from __future__ import annotations

import shutil

from cli.casesync_runs import Laptop

ATTEMPTS = 6
"""Each request of either moves the counter that the other has to pass."""


def test_a_copied_home_is_told_so_by_sync_status_and_doctor(offices, tmp_path):
    copy = Laptop(tmp_path / "copy", passphrase=offices.osso.passphrase)
    offices.osso.json("sync")
    shutil.copytree(offices.osso.home, copy.home, ignore=shutil.ignore_patterns("lock"))
    offices.osso.json("sync")
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
