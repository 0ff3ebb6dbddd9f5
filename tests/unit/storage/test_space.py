"""Room that only access entries may use (DESIGN.md 9)."""

from __future__ import annotations

import sqlite3
import zlib

import pytest

from casesync.foundation.errors import LocalStateError
from casesync.storage.connection import connect_plain
from casesync.storage.migrations.runner import migrate
from casesync.storage.space import RESERVE_BYTES, AccessReserve
from casesync.storage.sql_store import SqlStore
from casesync.testing.conformance_store import access_row

PLENTY = 100 * RESERVE_BYTES


@pytest.fixture
def path(tmp_path):
    return tmp_path / "reserve"


def test_the_reserve_is_made_once_and_keeps_its_room_on_a_compressing_disk(path):
    reserve = AccessReserve(path, free=lambda _: PLENTY)
    reserve.prepare()
    content = path.read_bytes()
    assert len(content) == RESERVE_BYTES
    assert len(zlib.compress(content[: 256 * 1024])) > 256 * 1024
    made = path.stat().st_ino
    reserve.prepare()
    assert path.stat().st_ino == made
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_the_reserve_is_not_made_from_the_last_room(path):
    AccessReserve(path, free=lambda _: 2 * RESERVE_BYTES).prepare()
    assert not path.exists()


@pytest.mark.parametrize(("free", "kept"), [(0, False), (100_000, False), (PLENTY, True)])
def test_the_reserve_is_given_up_when_little_else_is_left(path, free, kept):
    path.write_bytes(b"r")
    AccessReserve(path, free=lambda _: free).ensure()
    assert path.exists() is kept


def test_a_disk_that_cannot_be_asked_keeps_nobody_from_working(path):
    def broken(_):
        raise OSError("no such device")

    reserve = AccessReserve(path, free=broken)
    reserve.prepare()
    reserve.ensure()
    reserve.release()
    assert not path.exists()


def test_half_a_reserve_is_none(path, monkeypatch):
    monkeypatch.setattr("casesync.storage.space.os.fsync", lambda _: (_ for _ in ()).throw(OSError))
    AccessReserve(path, free=lambda _: PLENTY).prepare()
    assert list(path.parent.iterdir()) == []


def store_with(reserve, tmp_path):
    connection = connect_plain(tmp_path / "replica.db")
    migrate(connection, back_up=lambda _: None)
    return SqlStore(connection, reserve)


def test_only_access_entries_get_the_reserve(path, tmp_path):
    path.write_bytes(b"r")
    store = store_with(AccessReserve(path, free=lambda _: 0), tmp_path)
    with store.transaction() as transaction:
        transaction.put_value("note", b"long" * 1000)
    assert path.exists()
    with store.transaction() as transaction:
        transaction.append_access(access_row(1))
    assert not path.exists()


@pytest.mark.parametrize("meanwhile", [None, lambda: None])
@pytest.mark.parametrize("with_access", [True, False])
def test_where_a_quota_ends_first_the_second_attempt_has_the_room(
    path, tmp_path, with_access, meanwhile, monkeypatch
):
    """The disk says there is room, but the write fails: the reserve is given up for the next."""
    path.write_bytes(b"r")
    store = store_with(AccessReserve(path, free=lambda _: PLENTY), tmp_path)

    def commit_to_a_full_disk() -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = 13
        raise error

    def write() -> None:
        with store.transaction(meanwhile) as transaction:
            transaction.put_value("a", b"1")
            if with_access:
                transaction.append_access(access_row(1))

    monkeypatch.setattr(store._session, "commit", commit_to_a_full_disk)
    with pytest.raises(LocalStateError) as caught:
        write()
    assert caught.value.code == "disk-full"
    assert path.exists() is not with_access
    monkeypatch.undo()
    write()
