"""The relay's operator sees everything there is, and it is not much."""

from __future__ import annotations

import json
import re
import signal
import subprocess

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
    assert "(không hiện)" in told
    assert not {"not shown", "bytes)"} & set(re.findall(r"not shown|bytes\)", told))
    [key] = [datum for datum in seen["items"] if datum["hidden"]]
    assert (key["table"], key["column"], key["example"]) == ("meta", "value", "")
    for datum in seen["items"]:
        assert datum["meaning"]
        assert datum["example_bytes"] is None or re.fullmatch(
            r"([0-9a-f]{2})+(\.\.\.)?", datum["example"]
        )
        assert f"{datum['table']}.{datum['column']}" in told
    assert not [name for name in NAMES if name in json.dumps(seen, ensure_ascii=False)]
    assert stop_relay(relay) == 0


def test_a_relay_takes_leave_of_its_operator_in_the_operators_language(tmp_path):
    operator = Laptop(tmp_path / "operator", lang="vi")
    process = subprocess.Popen(
        operator.command("relay", "serve", "--db", str(tmp_path / "relay.db"), "--port", "0"),
        env=operator.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    assert "Đang lắng nghe" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert said == "Đã ngừng. Yêu cầu đã trả lời: 0, bị từ chối: 0.\n"


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
