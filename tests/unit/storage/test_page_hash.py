"""What authenticates a database's pages is chosen by its machine, and found out by every other."""

from __future__ import annotations

import shutil

import pytest

from casesync.foundation.errors import LocalStateError
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage import connection as connections
from casesync.storage import sql_store
from casesync.storage.connection import (
    connect_encrypted,
    connect_plain,
    page_hash_of,
    page_hashes,
)
from casesync.storage.migrations.runner import STEPS, migrate
from casesync.storage.sql_store import open_encrypted

KEY = SecretBytes(b"k" * 32)
HASHES = ["HMAC_SHA512", "HMAC_SHA256"]


@pytest.fixture(params=HASHES)
def faster(request, monkeypatch):
    """The one that is faster here, by our word."""
    order = sorted(HASHES, key=lambda name: name != request.param)
    monkeypatch.setattr(connections, "page_hashes", lambda: order)
    return request.param


def test_both_are_measured():
    assert sorted(page_hashes()) == sorted(HASHES)


def test_a_new_database_takes_the_faster(tmp_path, faster):
    connection = connect_encrypted(tmp_path / "replica.db", KEY)
    assert page_hash_of(connection) == faster
    connection.close()


def test_a_plain_one_has_none():
    connection = connect_plain(None)
    assert page_hash_of(connection) is None
    connection.close()


@pytest.mark.parametrize("made_with", HASHES)
def test_a_database_keeps_its_own(tmp_path, faster, made_with):
    """It opens on a machine where the other one is faster; what a killed process left as well."""
    made = tmp_path / "replica.db"
    connection = connect_encrypted(made, KEY, made_with)
    connection.execute("CREATE TABLE word(text)")
    connection.execute("INSERT INTO word VALUES ('kept')")
    log = made.with_name(made.name + "-wal")
    assert log.stat().st_size, "nothing is folded in yet"
    left = tmp_path / "left.db"
    shutil.copyfile(made, left)
    shutil.copyfile(log, left.with_name(left.name + "-wal"))
    connection.close()
    for path in (made, left, left):
        again = connect_encrypted(path, KEY)
        assert page_hash_of(again) == made_with
        assert again.execute("SELECT text FROM word").fetchall() == [("kept",)]
        assert again.execute("PRAGMA cipher_integrity_check").fetchall() == []
        again.close()


def test_another_key_opens_it_under_neither(tmp_path, faster):
    path = tmp_path / "replica.db"
    connect_encrypted(path, KEY).close()
    before = path.read_bytes()
    with pytest.raises(LocalStateError) as caught:
        connect_encrypted(path, SecretBytes(b"j" * 32))
    assert caught.value.code == "database-does-not-open"
    assert path.read_bytes() == before


def test_only_a_page_that_does_not_open_is_tried_again(tmp_path, faster):
    path = tmp_path / "replica.db"
    holder = connect_encrypted(path, KEY)
    holder.execute("CREATE TABLE word(text)")
    tried = []
    with pytest.MonkeyPatch.context() as patch:
        real = connections._connect_encrypted
        patch.setattr(
            connections,
            "_connect_encrypted",
            lambda *given: tried.append(given[2]) or real(*given),  # type: ignore[func-returns-value]
        )
        patch.setattr(connections, "LOCK_WAIT_S", 0.0)
        with pytest.raises(LocalStateError) as caught:
            connect_encrypted(path, KEY)
    assert (caught.value.code, tried) == ("database-locked", [faster])
    holder.close()


def test_a_flush_is_a_flush_before_any_key_is_tried(tmp_path, faster):
    """Closing after a wrong one folds in what a killed process left in the log."""
    path = tmp_path / "replica.db"
    connect_encrypted(path, KEY).close()
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        real = connections._set_up

        def set_up(connection, folder):
            connection.set_trace_callback(asked.append)
            return real(connection, folder)

        patch.setattr(connections, "_set_up", set_up)
        with pytest.raises(LocalStateError):
            connect_encrypted(path, SecretBytes(b"j" * 32))
    assert asked.count("PRAGMA fullfsync = ON") == 2, "once for each try"


@pytest.mark.parametrize("made_with", HASHES)
def test_a_copy_before_a_migration_has_what_it_is_a_copy_of(tmp_path, faster, made_with):
    path = tmp_path / "replica.db"
    connect_encrypted(path, KEY, made_with).close()
    open_encrypted(path, KEY).close()
    with pytest.MonkeyPatch.context() as patch:
        steps = (*STEPS, lambda _: None)
        patch.setattr(sql_store, "migrate", lambda *given: migrate(*given, steps))
        open_encrypted(path, KEY).close()
    [copy] = [file for file in tmp_path.iterdir() if ".before-version-" in file.name]
    connection = connect_encrypted(copy, KEY)
    assert page_hash_of(connection) == made_with
    assert connection.execute("PRAGMA cipher_integrity_check").fetchall() == []
    assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
    connection.close()
