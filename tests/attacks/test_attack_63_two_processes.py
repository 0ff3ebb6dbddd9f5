"""Attack 63: two processes open one replica (storage level).

Refused by the database's exclusive lock (storage/connection.py). The home folder's own lock stands
before it; this is what holds if somebody goes around that one.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from casesync.foundation.errors import LocalStateError
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage import connection
from casesync.storage.sql_store import open_encrypted

KEY = SecretBytes(b"k" * 32)

HOLDER = """
import sys
from pathlib import Path
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.sql_store import open_encrypted

store = open_encrypted(Path(sys.argv[1]), SecretBytes(b"k" * 32))
with store.transaction() as transaction:
    transaction.put_value("holder", b"before")
print("committed", flush=True)
sys.stdin.readline()
with store.transaction() as transaction:
    transaction.put_value("holder", b"after")
    print("writing", flush=True)
    sys.stdin.readline()
store.close()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "replica.db"


@pytest.fixture
def holder(path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "committed\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def refused(path) -> str:
    with pytest.raises(LocalStateError) as caught:
        open_encrypted(path, KEY)
    return caught.value.code


def value(path) -> bytes | None:
    store = open_encrypted(path, KEY)
    with store.transaction() as transaction:
        found = transaction.value("holder")
    store.close()
    return found


def go_on(holder) -> None:
    holder.stdin.write("\n")
    holder.stdin.flush()


def test_a_second_process_is_refused_at_rest_and_in_a_transaction(holder, path, monkeypatch):
    """Between transactions too: what the first remembers would be wrong after the second wrote."""
    monkeypatch.setattr(connection, "LOCK_WAIT_S", 0.05)
    assert refused(path) == "database-locked"
    go_on(holder)
    assert holder.stdout.readline() == "writing\n"
    assert refused(path) == "database-locked"
    go_on(holder)
    assert holder.wait() == 0
    assert value(path) == b"after"


def test_a_killed_process_holds_nothing(holder, path):
    go_on(holder)
    assert holder.stdout.readline() == "writing\n"
    holder.kill()
    holder.wait()
    assert value(path) == b"before"


def test_the_refused_process_changed_nothing(holder, path, monkeypatch):
    monkeypatch.setattr(connection, "LOCK_WAIT_S", 0.05)
    files = {p: p.read_bytes() for p in path.parent.iterdir()}
    assert refused(path) == "database-locked"
    assert {p: p.read_bytes() for p in path.parent.iterdir()} == files


def test_a_process_that_waits_gets_the_replica_when_the_first_ends(holder, path, monkeypatch):
    monkeypatch.setattr(connection, "LOCK_WAIT_S", 30.0)
    go_on(holder)
    assert holder.stdout.readline() == "writing\n"
    go_on(holder)  # it ends now, while we wait
    assert value(path) == b"after"
