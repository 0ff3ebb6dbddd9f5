"""A transaction that writes much leaves little of it for its commit (storage/session.py)."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest

from casesync.storage.connection import CACHE_KIB, LONG_CACHE_KIB
from casesync.storage.session import LONG_BYTES
from casesync.storage.sql_store import SqlStore, open_plain
from casesync.sync.ports import StoredChange


def cache_kib(store: SqlStore) -> int:
    """What the connection may keep of its pages."""
    return -store._connection.execute("PRAGMA cache_size").fetchone()[0]


def changes(size: int) -> list[StoredChange]:
    """So many bytes of them."""
    segment = os.urandom(30_000)
    return [StoredChange(b"p" * 32, b"h" * 100, b"g" * 64, (segment,))] * (size // 30_000)


@pytest.fixture
def store(tmp_path):
    """On a disk, where the log grows while a transaction goes on."""
    found = open_plain(tmp_path / "replica.db")
    yield found
    found.close()


def log_bytes(store: SqlStore) -> int:
    """What is in the log by now."""
    assert store._path is not None
    return store._path.with_name(store._path.name + "-wal").stat().st_size


def test_it_has_a_small_cache_until_the_next_one_begins(store):
    with store.transaction() as tx:
        tx.append_changes(changes(LONG_BYTES // 2))
        assert cache_kib(store) == CACHE_KIB
        tx.append_changes(changes(2 * LONG_BYTES))
        assert cache_kib(store) == LONG_CACHE_KIB
    with store.transaction() as tx:
        assert cache_kib(store) == CACHE_KIB


def test_an_undone_one_leaves_no_small_cache_either(store):
    with suppress(KeyboardInterrupt), store.transaction() as tx:
        tx.append_changes(changes(2 * LONG_BYTES))
        raise KeyboardInterrupt
    with store.transaction():
        assert cache_kib(store) == CACHE_KIB


def test_what_is_left_for_the_commit_is_bounded(store):
    """Whatever the transaction wrote before: the block in hand, and what the cache may keep."""
    with store.transaction() as tx:
        tx.append_changes(changes(8 * LONG_BYTES))
        before = log_bytes(store)
        assert before > 6 * LONG_BYTES
    assert log_bytes(store) - before < (LONG_CACHE_KIB + 512) * 1024


def test_many_short_ones_keep_the_cache(store):
    for _ in range(4):
        with store.transaction() as tx:
            tx.append_changes(changes(LONG_BYTES // 2))
            assert cache_kib(store) == CACHE_KIB


def test_a_database_in_memory_keeps_it_too():
    store = open_plain()
    with store.transaction() as tx:
        tx.append_changes(changes(2 * LONG_BYTES))
        assert cache_kib(store) == CACHE_KIB
