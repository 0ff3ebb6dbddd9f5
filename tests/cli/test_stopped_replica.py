"""A replica that was stopped by the relay's word or by its anchor, as people meet it."""

from __future__ import annotations

import pytest

from casesync.client.health import LAST_SYNC
from casesync.client.replica import Replica
from casesync.codec import canonical
from casesync.foundation.errors import LocalStateError
from cli.casesync_runs import Laptop
from cli.conftest import found

PASSPHRASE = "hoa sen ven hồ Tây"


@pytest.fixture
def stopped(relay, tmp_path):
    """A laptop to which the relay said that it was restored."""
    laptop = Laptop(tmp_path / "home", PASSPHRASE)
    found(relay, laptop)
    laptop.json("case", "new", "--kind", "gbv")
    laptop.json("sync")
    with Replica.open(laptop.home, PASSPHRASE) as replica:
        replica.core.fail(LocalStateError("device-restored"))
    return laptop


def test_a_laptop_the_relay_stopped_shows_its_cases_and_says_what_to_do(stopped):
    listed = stopped.run("case", "list", "--json")
    assert (listed.code, listed.json["count"]) == (0, 1)
    assert stopped.run("case", "show", listed.json["items"][0]["case"]).code == 0
    refused = stopped.run("case", "new", "--kind", "gbv", "--json")
    assert (refused.code, refused.error["code"]) == (3, "device-restored")
    assert "nothing is sent any more" in stopped.run("status").out
    checked = stopped.run("doctor").out
    assert "restored or copied" in checked
    assert "Sync again" in checked
    stopped.json("sync")
    assert stopped.json("status")["synced"]
    assert stopped.run("case", "new", "--kind", "gbv").code == 0


@pytest.mark.parametrize(("lang", "words"), [("en", "restored or copied"), ("vi", "sao chép")])
def test_who_saves_where_the_relay_refused_a_change_is_told_why(relay, tmp_path, lang, words):
    laptop = Laptop(tmp_path / "home", PASSPHRASE, lang)
    found(relay, laptop)
    case = laptop.json("case", "new", "--kind", "gbv")["case"]
    assert laptop.run("case", "set", case, "case.risk_level=low").err == ""
    with Replica.open(laptop.home, PASSPHRASE) as replica, replica.core.transaction() as tx:
        tx.put_value(LAST_SYNC, canonical.pack([0, "device-forked"]))
    done = laptop.run("case", "set", case, "case.risk_level=high")
    assert done.code == 0
    assert words in done.err
    assert "'casesync join'" in done.err


def test_the_anchors_word_stands_above_the_relays_and_closes_the_replica(stopped):
    old = (stopped.home / "replica.db").read_bytes()
    stopped.json("sync")
    stopped.json("case", "new", "--kind", "gbv")
    for path in stopped.home.glob("replica.db-*"):
        path.unlink()
    (stopped.home / "replica.db").write_bytes(old)
    for command in (["case", "list"], ["sync"], ["case", "new", "--kind", "gbv"], ["case", "list"]):
        done = stopped.run(*command, "--json")
        assert (done.code, done.error["code"]) == (3, "database-rolled-back")
