"""Steps from version to version, and the copy before each (DESIGN.md 9)."""

from __future__ import annotations

import stat

import msgpack
import pytest

from casesync.foundation.errors import LocalStateError
from casesync.foundation.ids import StreamId
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage import sql_store
from casesync.storage.connection import connect_encrypted, connect_plain
from casesync.storage.migrations.runner import STEPS, migrate
from casesync.storage.sql_store import open_encrypted, open_plain, remove_backups
from casesync.sync.ports import StreamFlag

KEY = SecretBytes(b"k" * 32)


def add_table(database) -> None:
    database.create_table("later", {"id": int}, pk="id")


def fail_half_way(database) -> None:
    add_table(database)
    raise RuntimeError("power")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "replica.db"


@pytest.fixture
def next_version(monkeypatch):
    """The program knows one more step than the databases made before."""

    def know(*steps) -> None:
        def migrate_more(connection, back_up):
            migrate(connection, back_up, (*STEPS, *steps))

        monkeypatch.setattr(sql_store, "migrate", migrate_more)

    return know


def filled(path, opener=lambda path: open_encrypted(path, KEY)) -> None:
    store = opener(path)
    with store.transaction() as transaction:
        transaction.put_value("cursor", b"42")
    store.close()


def files(path) -> set[str]:
    return {p.name for p in path.parent.iterdir()} - {path.name, path.name + ".reserve"}


def version_of(connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return version


def test_a_new_database_gets_the_newest_version_and_no_copy(path, next_version):
    next_version(add_table)
    open_encrypted(path, KEY).close()
    assert files(path) == set()
    connection = connect_encrypted(path, KEY)
    assert version_of(connection) == len(STEPS) + 1
    connection.close()


def test_a_database_of_version_1_keeps_what_it_holds(path):
    """Values, outbox and changes lie in their places there; a save finds and follows them."""
    connection = connect_plain(path)
    migrate(connection, lambda _: None, STEPS[:1])
    change = [b"link", b"header", b"signature", [b"segment"]]
    connection.execute("INSERT INTO value(key, body) VALUES ('chain', x'07')")
    connection.execute(
        "INSERT INTO change_block(id, count, body) VALUES (1, 1, ?)",
        (b"\xdc\x00\x01" + msgpack.packb(change),),
    )
    connection.execute(
        "INSERT INTO outbox(number, stream, location, size_bytes) VALUES (7, ?, 1024, 9)",
        (b"s" * 16,),
    )
    connection.close()
    store = open_plain(path)
    for _ in range(2):
        with store.transaction() as transaction:
            assert transaction.value("chain") == b"\x07"
            assert next(row.number for row in transaction.outbox()) == 7
            [stored] = transaction.changes_at([1024])
            assert stored.header == b"header"
            transaction.append_changes([stored])
            row = transaction.outbox()[0]
            transaction.put_outbox(row._replace(number=row.number + 1))
        store.close()
        store = open_plain(path)
    store.close()
    assert files(path) == {f"{path.name}.before-version-{len(STEPS)}"}


def test_lists_of_version_2_are_made_again(path):
    """Their search index holds the words of notices."""
    connection = connect_plain(path)
    migrate(connection, lambda _: None, STEPS[:2])
    connection.execute(
        "INSERT INTO stream_directory(id, streams, kinds) VALUES (0, ?, ?)",
        (b"".join(bytes((at,)) * 16 for at in range(12)), b"\x01" * 12),
    )
    connection.execute("INSERT INTO stream_mark(flag, bits) VALUES (1, x'04')")
    for serial in (0, 9):
        connection.execute(
            "INSERT INTO listing(serial, record, code, sort_ms, fields, texts)"
            " VALUES (?, x'00', '', 0, '{}', '[]')",
            (serial,),
        )
    connection.close()
    store = open_plain(path)
    with store.transaction() as transaction:
        stale = transaction.streams_marked(StreamFlag.LISTING_STALE)
    store.close()
    assert stale == [bytes((at,)) * 16 for at in (0, 2, 9)]


def test_a_current_database_is_neither_changed_nor_copied(path):
    filled(path)
    before = path.read_bytes()
    open_encrypted(path, KEY).close()
    assert path.read_bytes() == before
    assert files(path) == set()


def test_what_is_destroyed_leaves_no_copy_behind(path):
    """A copy under the same key would hold the keys and words of a case that is given up."""
    connection = connect_encrypted(path, KEY)
    migrate(connection, lambda _: None, STEPS[:2])
    connection.close()
    store = open_encrypted(path, KEY)
    with store.transaction() as transaction:
        transaction.put_value("cursor", b"42")
    copy = path.with_name(f"{path.name}.before-version-{len(STEPS)}")
    assert copy.exists()
    with store.transaction() as transaction:
        transaction.drop_stream_keys(StreamId(b"s" * 16))
    assert not copy.exists()
    store.close()


@pytest.mark.parametrize("opener", [lambda path: open_encrypted(path, KEY), open_plain])
def test_a_copy_from_before_the_migration_opens_with_the_same_key(path, next_version, opener):
    filled(path, opener)
    next_version(add_table)
    store = opener(path)
    with store.transaction() as transaction:
        assert transaction.value("cursor") == b"42"
        transaction.put_value("cursor", b"43")
    store.close()
    (name,) = files(path)
    copy = path.with_name(name)
    connection = connect_plain(copy) if opener is open_plain else connect_encrypted(copy, KEY)
    assert version_of(connection) == len(STEPS)
    assert connection.execute("SELECT body FROM value").fetchall() == [(b"42",)]
    connection.close()


def test_the_copy_is_encrypted(path, next_version):
    store = open_encrypted(path, KEY)
    with store.transaction() as transaction:
        transaction.put_value("planted", b"planted value")
    store.close()
    next_version(add_table)
    open_encrypted(path, KEY).close()
    (name,) = files(path)
    assert b"planted" not in path.with_name(name).read_bytes()
    with pytest.raises(LocalStateError):
        connect_encrypted(path.with_name(name), SecretBytes(b"j" * 32))


def test_a_copy_that_cannot_be_made_stops_the_migration(path, next_version, monkeypatch):
    filled(path)
    before = path.read_bytes()
    next_version(add_table)
    real = sql_store.connect_encrypted

    def connect_to_a_small_disk(file, key, page_hash):
        connection = real(file, key, page_hash)
        if file != path:
            connection.execute("PRAGMA max_page_count = 3").fetchall()
        return connection

    monkeypatch.setattr(sql_store, "connect_encrypted", connect_to_a_small_disk)
    with pytest.raises(LocalStateError) as caught:
        open_encrypted(path, KEY)
    assert caught.value.code == "disk-full"
    assert path.read_bytes() == before
    assert files(path) == set()


def test_only_the_owner_may_read_the_copy(path, next_version):
    filled(path)
    next_version(add_table)
    open_encrypted(path, KEY).close()
    (name,) = files(path)
    assert stat.S_IMODE(path.with_name(name).stat().st_mode) == 0o600


def test_only_the_newest_copy_is_kept_and_it_can_be_removed(path, next_version):
    """What was erased meanwhile must not live on in old copies."""
    filled(path)
    next_version(add_table)
    open_encrypted(path, KEY).close()
    next_version(add_table, lambda database: database.table("later").drop())
    open_encrypted(path, KEY).close()
    assert files(path) == {f"{path.name}.before-version-{len(STEPS) + 2}"}
    remove_backups(path)
    assert files(path) == set()


def test_a_step_that_fails_leaves_the_database_as_it_was(path, next_version):
    filled(path)
    next_version(fail_half_way)
    with pytest.raises(RuntimeError, match="power"):
        open_encrypted(path, KEY)
    connection = connect_encrypted(path, KEY)
    assert version_of(connection) == len(STEPS)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'later'").fetchall()
    assert tables == []
    connection.close()
    next_version(add_table)
    open_encrypted(path, KEY).close()  # and the next attempt succeeds


def test_a_database_of_a_newer_program_is_left_alone(path):
    filled(path)
    connection = connect_encrypted(path, KEY)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LocalStateError) as caught:
        open_encrypted(path, KEY)
    assert caught.value.code == "database-newer"
    assert caught.value.params == {"found": 99, "known": len(STEPS)}
    assert path.read_bytes() == before
    assert files(path) == set()


def test_plugins_of_other_programs_do_not_touch_the_connection(path, monkeypatch):
    """sqlite-utils runs installed plugins on every connection unless told not to."""
    import sqlite_utils.db  # noqa: PLC0415, as late as the store imports it

    def refuse(**_):
        raise AssertionError("a plugin was called")

    monkeypatch.setattr(sqlite_utils.db.pm.hook, "prepare_connection", refuse)
    open_encrypted(path, KEY).close()
