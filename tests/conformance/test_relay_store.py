"""The relay's stores keep the contract (``casesync.relay.relay_store``)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from casesync.foundation.errors import LocalStateError
from casesync.relay.relay_store import Log, RelayStore
from casesync.relay.sqlite_store import SqliteStore
from casesync.testing.conformance.relay_store import RelayStoreConformance


class TestSqliteFile(RelayStoreConformance):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path):
        self._path = tmp_path / "relay.db"

    def open_store(self) -> RelayStore:
        return SqliteStore(self._path)


class TestSqliteMemory(RelayStoreConformance):
    def open_store(self) -> RelayStore:
        return SqliteStore(":memory:")

    test_everything_survives_closing = None  # nothing does in memory: not a claim of this store


def test_a_commit_is_synced_to_the_disk(tmp_path: Path):
    """WAL with synchronous=FULL: the only setting under which a commit survives power loss."""
    store = SqliteStore(tmp_path / "relay.db")
    pragma = store._connection.execute
    assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
    assert pragma("PRAGMA synchronous").fetchone() == (2,)


def test_a_newer_database_is_refused_untouched(tmp_path: Path):
    SqliteStore(tmp_path / "relay.db").close()
    connection = sqlite3.connect(tmp_path / "relay.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(LocalStateError, match="newer"):
        SqliteStore(tmp_path / "relay.db")


def test_a_copy_holds_what_was_committed_and_nothing_after(tmp_path: Path):
    store = SqliteStore(":memory:")
    with store.transaction() as tx:
        tx.put_value("a", b"1")
    twin = store.copy()
    with store.transaction() as tx:
        tx.put_value("a", b"2")
    with twin.transaction() as tx:
        assert tx.value("a") == b"1"


def test_what_must_be_there_and_is_not_is_damage_not_a_bug(tmp_path: Path):
    store = SqliteStore(tmp_path / "relay.db")
    with store.transaction() as tx:
        handle = tx.add_network(b"N" * 32).handle
    for act in (
        lambda tx: tx.change(handle, 0),
        lambda tx: tx.header(handle, 1, 1),
        lambda tx: tx.node(handle, Log.CHANGE, 0, 0),
    ):
        with pytest.raises(LocalStateError) as caught, store.transaction() as tx:
            act(tx)
        assert caught.value.code == "relay-store-damaged"


def test_a_full_disk_is_a_failed_store_and_undoes_the_transaction(tmp_path: Path):
    store = SqliteStore(tmp_path / "relay.db")
    store._connection.execute("PRAGMA max_page_count=60")

    def write_too_much():
        with store.transaction() as tx:
            tx.put_value("small", b"1")
            tx.put_value("large", bytes(10_000_000))

    with pytest.raises(LocalStateError) as caught:
        write_too_much()
    assert caught.value.code == "relay-store-failed"
    with store.transaction() as tx:
        assert tx.value("small") is None
