"""The relay's operator sees everything there is, and it is not much."""

from __future__ import annotations

import json

from cli.casesync_runs import Laptop
from cli.conftest import found, start_relay, stop_relay

NAMES = ("Bình Yên", "Nhà Bình Yên", "Lan", "Hòa", "caseworker", "given_name", "gbv")


def test_status_and_what_it_sees_are_read_beside_a_running_relay(tmp_path):
    relay = start_relay(tmp_path / "relay.db")
    laptop = Laptop(tmp_path / "home", "hoa sen ven hồ Tây")
    found(relay, laptop)
    laptop.json("case", "new", "--kind", "gbv", "--set", "person.given_name=Hòa")
    laptop.json("sync")
    operator = Laptop(tmp_path / "operator")
    status = operator.json("relay", "status", "--db", str(relay.db))
    assert [network["changes"] > 0 for network in status["networks"]] == [True]
    seen = operator.json("relay", "what-it-sees", "--db", str(relay.db))
    told = operator.run("relay", "what-it-sees", "--db", str(relay.db), "--lang", "vi").out
    for datum in seen["items"]:
        assert datum["meaning"]
        assert f"{datum['table']}.{datum['column']}" in told
    assert not [name for name in NAMES if name in json.dumps(seen, ensure_ascii=False)]
    assert stop_relay(relay) == 0


def test_a_relay_keeps_its_key_and_says_it(tmp_path):
    first = start_relay(tmp_path / "relay.db")
    stop_relay(first)
    second = start_relay(tmp_path / "relay.db")
    stop_relay(second)
    assert first.key == second.key


def test_a_database_that_is_none_is_a_local_error(tmp_path):
    operator = Laptop(tmp_path / "operator")
    done = operator.run("relay", "status", "--db", str(tmp_path / "absent.db"), "--json")
    assert (done.code, done.error["code"]) == (3, "relay-file-missing")
    assert "absent.db" in done.error["message"]
    assert not (tmp_path / "absent.db").exists()
    (tmp_path / "none.db").write_text("no database")
    done = operator.run("relay", "status", "--db", str(tmp_path / "none.db"), "--json")
    assert (done.code, done.error["code"]) == (3, "relay-store-damaged")


def test_a_port_in_use_is_said_plainly(relay, tmp_path):
    operator = Laptop(tmp_path / "operator")
    port = relay.url.rsplit(":", 1)[1]
    done = operator.run_process(
        "relay", "serve", "--db", str(tmp_path / "relay.db"), "--port", port, "--json"
    )
    assert (done.code, done.error["code"]) == (4, "relay-address")


def test_a_relay_without_a_folder_for_its_database_says_so(offices, tmp_path):
    """It is not the port's fault."""
    wanted = tmp_path / "nowhere" / "relay.db"
    done = offices.shelter.run("relay", "serve", "--db", str(wanted), "--port", "0", "--json")
    assert (done.code, done.error["code"]) == (2, "relay-folder-missing")
    assert not wanted.parent.exists()
