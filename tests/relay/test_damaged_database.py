"""A relay whose database is damaged says so: to its operator, and to each device in one line."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from casesync.foundation.errors import CasesyncError
from casesync.relay.sqlite_store import SqliteStore
from casesync.testing.blind_device import BlindNetwork
from relay.relay_processes import RelayProcess

PAGE_BYTES = 4096


@pytest.fixture
def network(tmp_path: Path) -> BlindNetwork:
    """A network with a few changes, whose relay was stopped."""
    with RelayProcess(tmp_path) as relay:
        with relay.channel() as channel:
            made = BlindNetwork(channel, seed=str(tmp_path))
        with relay.channel(made.id, made.founder) as channel:
            stream = made.founder.open_stream()
            made.founder.write(stream)
            made.founder.sync(channel)
        relay.terminate()
    return made


def changed(db: Path, sql: str, *values: object) -> None:
    connection = sqlite3.connect(db)
    connection.execute(sql, values)
    connection.commit()
    connection.close()


def torn(db: Path, table: str) -> None:
    """Spoil the first page of a table."""
    connection = sqlite3.connect(db)
    sql = "SELECT rootpage FROM sqlite_schema WHERE name=?"
    [page] = connection.execute(sql, (table,)).fetchone()
    assert connection.execute("PRAGMA page_size").fetchone() == (PAGE_BYTES,)
    connection.close()
    data = bytearray(db.read_bytes())
    start = (page - 1) * PAGE_BYTES
    data[start : start + PAGE_BYTES] = b"\xff" * PAGE_BYTES
    db.write_bytes(data)


def told(folder: Path, network: BlindNetwork) -> tuple[str, int, str]:
    """What a device is told by a relay on this file: code, exit code; and the relay's log."""
    with RelayProcess(folder) as relay:
        with (
            relay.channel(network.id, network.founder) as channel,
            pytest.raises(CasesyncError) as caught,
        ):
            network.founder.sync(channel)
        relay.terminate()
    return caught.value.code, caught.value.exit_code, (folder / "relay.log").read_text()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE networks SET network=x'00'",
        "UPDATE networks SET control_size=control_size+1",
        "UPDATE networks SET control_size=0",
        "UPDATE networks SET change_size=change_size+1",
        "UPDATE networks SET change_size=change_size-1",
        "UPDATE devices SET newest_link=randomblob(32) WHERE newest_number>0",
        "UPDATE devices SET newest_number=newest_number-1 WHERE newest_number>0",
        "UPDATE devices SET newest_number=newest_number+1",
        "DELETE FROM control_leaves WHERE place=(SELECT max(place) FROM control_leaves)",
    ],
)
def test_a_network_that_contradicts_its_logs_is_misbehaviour(tmp_path, network, sql):
    changed(tmp_path / "relay.db", sql)
    code, exit_code, log = told(tmp_path, network)
    assert (code, exit_code) == ("relay-log-damaged", 6)
    assert "damaged: what it says of a network contradicts its logs" in log
    assert network.id.hex() not in log


@pytest.mark.parametrize("table", ["devices", "nodes"])
def test_a_relay_that_cannot_read_its_pages_is_out_of_order(tmp_path, network, table):
    torn(tmp_path / "relay.db", table)
    code, exit_code, log = told(tmp_path, network)
    assert (code, exit_code) == ("relay-damaged", 4)
    assert "the database is damaged" in log
    assert "Traceback" not in log


def test_a_hash_that_is_gone_is_damage_too(tmp_path, network):
    changed(tmp_path / "relay.db", "DELETE FROM nodes")
    assert told(tmp_path, network)[:2] == ("relay-damaged", 4)


def test_a_file_whose_beginning_is_torn_is_not_served_at_all(tmp_path, network):
    db = tmp_path / "relay.db"
    db.write_bytes(b"\xff" * 100 + db.read_bytes()[100:])
    command = [sys.executable, "-m", "casesync.relay", "--db", str(db), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    message, advice = done.stderr.splitlines()
    assert "damaged" in message
    assert "keep the file" in advice


def test_a_sound_file_is_served(tmp_path, network):
    SqliteStore(tmp_path / "relay.db").close()
    with RelayProcess(tmp_path) as relay, relay.channel(network.id, network.founder) as channel:
        network.founder.sync(channel)
