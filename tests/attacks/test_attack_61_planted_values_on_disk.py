"""Attack 61: database, log and temporary files hold no planted value in clear (storage level).

A thief reads the disk while the program works, after it was killed, and after it ended. Refused by
SQLCipher's pages (storage/connection.py): nothing else of a replica's content reaches a file.
"""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys

import pytest

from casesync.foundation.ids import BlobHash, ChangeNumber, StreamKind
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.sql_store import open_encrypted, open_plain
from casesync.sync.ports import ConflictRow, OutboxRow, StoredChange, StreamFlag
from casesync.testing.conformance_store import access_row, stream_id
from casesync.testing.conformance_store_lists import entries, listing_row

KEY = SecretBytes(bytes(range(32)))
PLANTED = ("Kwyjibo Zyzzyva", "0912000777", "person.quuxfield", "nơi trú ẩn Xyzzy")
PLANTED_KEY = b"planted stream key, 32 bytes 123"


def spellings() -> list[bytes]:
    """Every planted value as bytes, folded, in UTF-16, in hex and in base64."""
    found = []
    for text in PLANTED:
        for form in (text, text.lower(), *text.lower().split()):
            if len(form) >= 5:
                plain = form.encode()
                found += [plain, form.encode("utf-16-le"), plain.hex().encode()]
                found.append(base64.b64encode(plain)[:-4])
    key = KEY.reveal()
    return [*found, PLANTED_KEY, key, key.hex().encode(), key.hex().upper().encode()]


def found_in(folder) -> set[tuple[str, bytes]]:
    """(file, value) of everything planted in any file of the folder."""
    hits = set()
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            hits |= {(path.name, value) for value in spellings() if value in content}
    return hits


def write_planted(transaction, turn: int = 0) -> None:
    text = " / ".join(PLANTED)
    stream = stream_id(turn)
    transaction.put_value("settings", text.encode())
    transaction.append_control(turn, 5, text.encode())
    transaction.put_blob(BlobHash(bytes([turn]) * 32), text.encode() * 50)
    transaction.put_seed(b"u" * 16, 2, turn, PLANTED_KEY)
    transaction.put_stream_key(stream, 2, (1, 2, 3), PLANTED_KEY)
    change = StoredChange(b"p" * 32, b"h" * 90, b"s" * 64, (text.encode() * 20, None))
    locations = transaction.append_changes([change] * 300)
    transaction.put_stream_rows({stream: [text] * 200}, StreamKind.CASE)
    transaction.mark_streams([stream], StreamFlag.UNSETTLED, True)
    transaction.put_outbox(OutboxRow(ChangeNumber(turn + 1), stream, locations[0], 10, None))
    for number in range(40):
        fields = {"person.quuxfield": PLANTED[0], "case.phone": PLANTED[1]}
        row = listing_row(turn * 40 + number, sort_ms=number, fields=fields, texts=[text])
        transaction.put_listings(entries(row))
    transaction.put_conflicts(
        stream, [ConflictRow("00000001", stream, b"r" * 16, "person", "quuxfield", text, 0, 1)]
    )
    transaction.append_access(access_row(turn)._replace(entry=text.encode()))


def work(folder, *, stop_at: int | None = None) -> None:
    """Several transactions, one of them undone, and questions that sort and search."""
    store = open_encrypted(folder / "replica.db", KEY)
    # A tiny cache, so that pages reach the log before the commit too.
    store._connection.execute("PRAGMA cache_size = 4").fetchall()
    for turn in range(4):
        with store.transaction() as transaction:
            write_planted(transaction, turn)
            transaction.list_cases({"person.quuxfield": PLANTED[0]}, 50, None)
            transaction.find_cases("kwyjibo xyz", 50, None)
            if turn == stop_at:
                os.kill(os.getpid(), signal.SIGKILL)
    with store.transaction() as transaction:
        transaction.drop_listing(stream_id(0))
    store.check()
    store.close()


def test_nothing_is_in_clear_while_a_transaction_is_open(tmp_path):
    store = open_encrypted(tmp_path / "replica.db", KEY)
    store._connection.execute("PRAGMA cache_size = 4").fetchall()
    with store.transaction() as transaction:
        write_planted(transaction)
        transaction.list_cases({}, 50, None)
        assert (tmp_path / "replica.db-wal").stat().st_size > 100_000
        assert not found_in(tmp_path)
    assert not found_in(tmp_path)
    store.close()


def test_nothing_is_in_clear_after_the_program_ended(tmp_path):
    work(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"replica.db", "replica.db.reserve"}
    assert not found_in(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_nothing_is_in_clear_after_the_program_was_killed(tmp_path):
    child = os.fork()
    if child == 0:
        work(tmp_path, stop_at=3)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert (tmp_path / "replica.db-wal").stat().st_size > 100_000
    assert not found_in(tmp_path)


SPILLS = """
import sys
from pathlib import Path
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.sql_store import open_encrypted

store = open_encrypted(Path(sys.argv[1]) / "replica.db", SecretBytes(bytes(range(32))))
run = store._connection.execute
run("PRAGMA cache_size = 4").fetchall()
run("PRAGMA temp.cache_size = 4").fetchall()
run("BEGIN")
# A temporary table, a sort and a statement journal, each far too large for the cache.
numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
run("CREATE TEMP TABLE t AS " + numbers + " SELECT i, hex(randomblob(500)) AS x FROM n")
run("SELECT * FROM t ORDER BY x || random()").fetchall()
run("CREATE TABLE u AS SELECT * FROM t")
run("UPDATE u SET x = x || x")
store.close()
"""


def test_no_temporary_file_is_made(tmp_path):
    """A temporary file is deleted while it is open; the folder's time still tells of it."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    os.utime(scratch, ns=(1, 1))
    names = ("SQLITE_TMPDIR", "TMPDIR", "TMP", "TEMP")
    environment = {**os.environ, **dict.fromkeys(names, str(scratch))}
    command = [sys.executable, "-c", SPILLS, str(tmp_path)]
    subprocess.run(command, env=environment, check=True, timeout=60)
    assert scratch.stat().st_mtime_ns == 1


def test_the_search_would_find_planted_values_in_an_unencrypted_store(tmp_path):
    """The canary: without the cipher the same work leaves every value on the disk."""
    store = open_plain(tmp_path / "replica.db")
    with store.transaction() as transaction:
        write_planted(transaction)
    found = {value for _, value in found_in(tmp_path)}
    assert PLANTED_KEY in found
    assert {text.encode() for text in PLANTED if " " not in text} <= found
    assert b"kwyjibo" in found  # from the folded index
    store.close()
