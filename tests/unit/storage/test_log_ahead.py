"""What a long transaction writes is on its way to the disk before the commit waits for it."""

from __future__ import annotations

import os
import sys

import pytest

from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage import log_ahead
from casesync.storage.log_ahead import STEP_BYTES, LogAhead
from casesync.storage.sql_store import open_encrypted, open_plain
from casesync.sync.ports import StoredChange

KEY = SecretBytes(b"k" * 32)


@pytest.fixture
def asked(monkeypatch):
    """What the system is asked to bring to the disk: the files."""
    files: list[os.stat_result] = []
    monkeypatch.setattr(
        log_ahead, "_sync_file_range", lambda: lambda log, *_: files.append(os.fstat(log))
    )
    return files


def change(size: int) -> StoredChange:
    return StoredChange(b"p" * 32, b"h" * 100, b"g" * 64, (os.urandom(size),))


@pytest.mark.parametrize("opener", [lambda path: open_encrypted(path, KEY), open_plain])
def test_a_long_transaction_asks_now_and_then(tmp_path, asked, opener):
    path = tmp_path / "replica.db"
    store = opener(path)
    with store.transaction() as tx:
        locations = tx.append_changes([change(32_000) for _ in range(3 * STEP_BYTES // 32_000)])
        assert len(asked) in (2, 3), "the last block is held back"
    log = path.with_name(path.name + "-wal").stat()
    assert {(file.st_dev, file.st_ino) for file in asked} == {(log.st_dev, log.st_ino)}
    with store.transaction() as tx:
        assert len(tx.changes_at(locations)) == len(locations)
    store.close()


def test_a_small_one_does_not(tmp_path, asked):
    store = open_plain(tmp_path / "replica.db")
    for _ in range(20):
        with store.transaction() as tx:
            tx.append_changes([change(500)])
    assert asked == []
    store.close()


def test_a_database_in_memory_has_no_log(asked):
    store = open_plain()
    with store.transaction() as tx:
        tx.append_changes([change(32_000) for _ in range(2 * STEP_BYTES // 32_000)])
    assert asked == []
    store.close()


@pytest.mark.parametrize("function", [None, lambda *_: -1])
def test_nothing_depends_on_it(tmp_path, monkeypatch, function):
    """No such function, no such log, and a system that refuses: all is as without it."""
    monkeypatch.setattr(log_ahead, "_sync_file_range", lambda: function)
    LogAhead(tmp_path / "nowhere.db").wrote(STEP_BYTES)
    store = open_plain(tmp_path / "replica.db")
    with store.transaction() as tx:
        tx.append_changes([change(32_000) for _ in range(2 * STEP_BYTES // 32_000)])
    store.close()


def test_an_interpreter_without_c_functions_does_without(tmp_path, monkeypatch):
    log_ahead._sync_file_range.cache_clear()
    monkeypatch.setitem(sys.modules, "ctypes", None)  # importing it fails
    assert log_ahead._sync_file_range() is None
    log_ahead._sync_file_range.cache_clear()


def test_the_systems_own_function_takes_a_file(tmp_path):
    begin_to_write = log_ahead._sync_file_range()
    if begin_to_write is None:
        pytest.skip("this system has none")
    with (tmp_path / "log").open("wb") as file:
        file.write(bytes(100_000))
        file.flush()
        assert begin_to_write(file.fileno(), 0, 0, log_ahead._BEGIN_TO_WRITE) == 0
