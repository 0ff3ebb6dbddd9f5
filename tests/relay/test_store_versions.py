"""A relay's file written by another version of the program (``casesync.relay.sqlite_store``)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from casesync.foundation.errors import LocalStateError
from casesync.relay.operator_view import status, what_it_sees
from casesync.relay.sqlite_schema import SCHEMA_VERSION
from casesync.relay.sqlite_store import SqliteStore
from casesync.testing.conformance.relay_store import change

STREAM = b"s" * 16
VERSION_1 = """
ALTER TABLE change_leaves RENAME TO now;
DROP INDEX change_leaves_stream;
CREATE TABLE change_leaves (
  place INTEGER PRIMARY KEY, log_time_ms INTEGER NOT NULL, device INTEGER NOT NULL,
  number INTEGER NOT NULL, stream_no INTEGER NOT NULL, previous_link BLOB NOT NULL,
  link BLOB NOT NULL, header BLOB NOT NULL, signature BLOB NOT NULL, segments BLOB NOT NULL);
INSERT INTO change_leaves SELECT place, log_time_ms, device, number, stream_no, previous_link,
  zeroblob(32), header, signature, segments FROM now;
DROP TABLE now;
CREATE INDEX change_leaves_stream ON change_leaves (stream_no, place);
PRAGMA user_version=1;
"""


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, int]:
    """A file with three changes, and the handle of their network."""
    path = tmp_path / "relay.db"
    store = SqliteStore(path)
    with store.transaction() as tx:
        handle = tx.add_network(b"N" * 32).handle
        tx.open_stream(handle, STREAM, 1)
        tx.append_changes(handle, [(change(index, stream=STREAM), []) for index in range(3)])
    store.close()
    return path, handle


def test_a_file_of_version_1_is_taken_over_whole(written: tuple[Path, int]):
    path, handle = written
    with sqlite3.connect(path) as connection:
        connection.executescript(VERSION_1)
    connection.close()
    for _ in range(2):  # carried over once, and then opened as it is
        store = SqliteStore(path)
        with store.transaction() as tx:
            assert [tx.change(handle, i) for i in range(3)] == [
                change(i, stream=STREAM) for i in range(3)
            ]
            assert tx.receipt(handle, 1, 2) == (1, 1001, change(1, stream=STREAM).link)
            assert list(tx.stream_indexes(handle, STREAM, 0, 9)) == [0, 1, 2]
        store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        columns = {row[1] for row in connection.execute("PRAGMA table_info(change_leaves)")}
        indexes = {row[1] for row in connection.execute("PRAGMA index_list(change_leaves)")}
    connection.close()
    assert "link" not in columns
    assert indexes == {"change_leaves_stream"}


@pytest.mark.parametrize(("step", "code"), [(-1, "relay-store-older"), (1, "relay-store-newer")])
@pytest.mark.parametrize("look", [status, what_it_sees])
def test_looking_at_a_file_of_another_version_says_so(
    written: tuple[Path, int], look: Callable[[Path], object], step: int, code: str
):
    path, _ = written
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + step}")
    connection.close()
    with pytest.raises(LocalStateError) as refused:
        look(path)
    assert refused.value.code == code


def test_a_file_of_a_later_version_is_left_as_it_is(written: tuple[Path, int]):
    path, _ = written
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LocalStateError) as refused:
        SqliteStore(path)
    assert refused.value.code == "relay-store-newer"
    assert path.read_bytes() == before
