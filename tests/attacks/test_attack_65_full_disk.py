"""Attack 65: the disk is full (storage level).

Refused by undoing the whole step with ``disk-full`` (storage/sql_store.py); access entries have
room of their own (storage/space.py), so that looking up the safe-contact rule still works. A real
file system of a few megabytes is mounted for it where the machine allows that.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.sql_store import open_encrypted
from casesync.testing.conformance_store import access_row, code_of

KEY = SecretBytes(b"k" * 32)

WITHIN = """
import errno, json, os, sys
from pathlib import Path
from casesync.foundation.errors import LocalStateError
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.sql_store import open_encrypted
from casesync.testing.conformance_store import access_row, code_of, write_something

folder = Path(sys.argv[1])
path = folder / "replica.db"


def open_store():
    return open_encrypted(path, SecretBytes(b"k" * 32))


def put(store, name, size):
    with store.transaction() as transaction:
        transaction.put_value(name, os.urandom(size))


def look(store, sequence):
    with store.transaction() as transaction:
        transaction.append_access(access_row(sequence))
    with store.transaction() as transaction:
        return transaction.value("safe contact").decode()


def fill(leave):
    filler = os.open(folder / "filler", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        while True:
            os.write(filler, bytes(4096))
    except OSError as error:
        assert error.errno == errno.ENOSPC
    os.ftruncate(filler, max(0, os.fstat(filler).st_size - leave))
    os.close(filler)


def report(**found):
    print(json.dumps(found), flush=True)
"""

MANY_AMOUNTS = """
store = open_store()
with store.transaction() as transaction:
    transaction.put_value("safe contact", b"never ring before noon")
outcomes = []
for leave in range(0, 1_600_000, 100_000):
    fill(leave)
    outcomes.append(code_of(lambda: put(store, "large", 600_000)))
    with store.transaction() as transaction:
        large = transaction.value("large")
        assert (large is None) == (None not in outcomes), outcomes
store.close()
report(outcomes=outcomes)
"""

LOOKING = """
store = open_store()
with store.transaction() as transaction:
    transaction.put_value("safe contact", b"never ring before noon")
assert (folder / "replica.db.reserve").exists()
if sys.argv[2] == "reopened":
    store.close()
    fill(0)
    store = open_store()
else:
    fill(0)
    assert code_of(lambda: put(store, "large", 900_000)) == "disk-full"
looked = [look(store, sequence) for sequence in range(1, 61)]
fill(0)
refused = 0
for sequence in range(61, 2000):
    refused = sequence if code_of(lambda: look(store, sequence)) == "disk-full" else 0
    if refused:
        break
with store.transaction() as transaction:
    kept = [row.sequence for row in transaction.access_rows()]
assert kept == list(range(1, refused)), (kept, refused)
store.close()
report(looked=len(looked), text=looked[-1])
"""


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory):
    """Runs a program in a mounted file system of some megabytes; skips where none can be made."""
    folder = tmp_path_factory.mktemp("disk")

    def run(program: str, megabytes: int, *arguments: str) -> dict:
        mount = f'mount -t tmpfs -o size={megabytes}m none "$0" && exec "$@"'
        inside = ["sh", "-c", mount, str(folder), sys.executable, "-c", WITHIN + program]
        done = subprocess.run(
            ["unshare", "--user", "--map-root-user", "--mount", *inside, str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    try:
        run("report(ok=True)", 1)
    except (AssertionError, FileNotFoundError):
        pytest.skip("no file system can be mounted here")
    return run


def test_a_step_is_done_or_refused_at_every_amount_of_room(small_disk):
    outcomes = small_disk(MANY_AMOUNTS, 6)["outcomes"]
    assert set(outcomes) == {None, "disk-full"}
    assert outcomes[0] == "disk-full"


@pytest.mark.parametrize("when", ["open", "reopened"])
def test_a_full_disk_does_not_hide_the_safe_contact_rule(small_disk, when):
    """Sixty looks, then the truth: without an entry nothing is shown any more."""
    found = small_disk(LOOKING, 24, when)
    assert found == {"looked": 60, "text": "never ring before noon"}


def test_a_database_that_may_not_grow_refuses_whole_steps_and_serves_reads(tmp_path):
    """The same without a mount: SQLite's own limit."""
    store = open_encrypted(tmp_path / "replica.db", KEY)
    with store.transaction() as transaction:
        transaction.append_access(access_row(1))
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()

    def much() -> None:
        with store.transaction() as transaction:
            transaction.append_access(access_row(2))
            transaction.put_value("large", b"v" * 300_000)

    assert code_of(much) == "disk-full"
    with store.transaction() as transaction:
        assert [row.sequence for row in transaction.access_rows()] == [1]
        assert transaction.value("large") is None
        transaction.append_access(access_row(2))  # fits into the page that is there
    store.close()


FULL_WITHOUT_RESERVE = """
import sqlite3
from casesync.storage.database_errors import converted


def named(code):
    error = sqlite3.OperationalError("text")
    error.sqlite_errorcode = code
    return converted(error, folder=folder).code


store = open_store()
with store.transaction() as transaction:
    transaction.put_value("safe contact", b"never ring before noon")
store.close()
assert not (folder / "replica.db.reserve").exists()
before = named(10)
fill(0)
store = open_store()
with store.transaction() as transaction:
    read = transaction.value("safe contact").decode()
written = code_of(lambda: put(store, "large", 50_000))
store.close()
report(read=read, written=written, files=os.listdir(folder), before=before, flush=named(10))
"""


def test_a_disk_without_any_room_is_opened_and_read_and_named_when_it_is_written(small_disk):
    """Not even the index of the write-ahead log has room, and no reserve was kept."""
    found = small_disk(FULL_WITHOUT_RESERVE, 6)
    assert (found["read"], found["written"]) == ("never ring before noon", "disk-full")
    assert "replica.db-shm" not in found["files"]
    assert (found["before"], found["flush"]) == ("disk-error", "disk-full")


WARNING = """
from casesync.client.disk_room import room_facts

store = open_store()
kept = [fact.code for fact in room_facts(folder)]
store.close()
fill(0)
store = open_store()
store.close()
report(kept=kept, given=[(fact.code, dict(fact.params)) for fact in room_facts(folder)])
"""


def test_a_disk_with_little_room_is_warned_of_and_so_is_a_reserve_that_was_given_up(small_disk):
    found = small_disk(WARNING, 24)
    assert found["kept"] == ["disk-nearly-full"]
    assert [code for code, _ in found["given"]] == ["disk-nearly-full", "access-reserve-missing"]
    assert found["given"][0][1]["megabytes"] < 5
