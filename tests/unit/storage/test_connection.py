"""Opening a database: settings, and what is said when it does not open (DESIGN.md 9)."""

from __future__ import annotations

import stat

import pytest

from casesync.foundation.errors import LocalStateError
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage import connection
from casesync.storage.connection import PAGE_BYTES, connect_encrypted, connect_plain
from casesync.storage.sql_store import open_encrypted, open_plain

KEY = SecretBytes(b"k" * 32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "replica.db"


def code(act) -> str:
    with pytest.raises(LocalStateError) as caught:
        act()
    return caught.value.code


def filled(path) -> None:
    store = open_encrypted(path, KEY)
    with store.transaction() as transaction:
        for number in range(20):
            transaction.put_value(f"key {number}", bytes([number]) * 20_000)
    store.close()


@pytest.mark.parametrize("encrypted", [True, False])
def test_every_setting_that_safety_rests_on_is_in_force(path, encrypted):
    opened = connect_encrypted(path, KEY) if encrypted else connect_plain(path)
    expected = {
        "locking_mode": "exclusive",
        "journal_mode": "wal",
        "synchronous": 2,
        "fullfsync": 1,
        "secure_delete": 1,
        "temp_store": 2,
        "foreign_keys": 1,
        "page_size": PAGE_BYTES,
    }
    if encrypted:
        expected |= {"cipher_memory_security": "1", "cipher_page_size": str(PAGE_BYTES)}
        expected |= {"cipher_use_hmac": "1", "cipher_log_level": "NONE"}
    found = {name: opened.execute(f"PRAGMA {name}").fetchone()[0] for name in expected}
    opened.close()
    assert {name: str(value) for name, value in found.items()} == {
        name: str(value) for name, value in expected.items()
    }


def test_a_wrong_key_does_not_open_and_nothing_is_said_on_the_terminal(path, capfd):
    filled(path)
    before = path.read_bytes()
    wrong = SecretBytes(b"j" * 32)
    assert code(lambda: open_encrypted(path, wrong)) == "database-does-not-open"
    assert path.read_bytes() == before
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_of_another_length_is_refused_before_the_file_is_touched(path, length):
    """SQLCipher would take it for a passphrase."""
    key = SecretBytes(b"k" * length)
    assert code(lambda: connect_encrypted(path, key)) == "database-does-not-open"
    assert not path.exists()


@pytest.mark.parametrize("content", [b"SQLite format 3\0" + bytes(5000), b"text\n" * 9000])
def test_a_file_that_is_no_database_does_not_open(path, content):
    path.write_bytes(content)
    assert code(lambda: open_encrypted(path, KEY)) == "database-does-not-open"
    assert path.read_bytes() == content


def test_an_unencrypted_database_does_not_open_as_an_encrypted_one(path):
    open_plain(path).close()
    assert code(lambda: open_encrypted(path, KEY)) == "database-does-not-open"


def test_a_missing_database_is_not_made_where_one_must_be(path):
    assert code(lambda: open_encrypted(path, KEY, create=False)) == "database-does-not-open"
    assert not path.exists()
    elsewhere = path.parent / "no such folder" / "replica.db"
    assert code(lambda: open_encrypted(elsewhere, KEY)) == "database-does-not-open"


def test_only_the_owner_may_read_the_file_and_its_log(path):
    store = open_encrypted(path, KEY)
    log = path.with_name(path.name + "-wal")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    store.close()


def test_one_flipped_bit_in_a_page_is_noticed_when_the_page_is_read(path):
    """Layer: SQLCipher's page HMAC."""
    filled(path)
    damaged = bytearray(path.read_bytes())
    for page in range(2, len(damaged) // PAGE_BYTES):
        damaged[page * PAGE_BYTES + 100] ^= 1
    path.write_bytes(damaged)

    def read() -> None:
        store = open_encrypted(path, KEY)
        try:
            with store.transaction() as transaction:
                for number in range(20):
                    transaction.value(f"key {number}")
        finally:
            store.close()

    assert code(read) == "database-corrupt"


@pytest.mark.parametrize("opener", [lambda path: open_encrypted(path, KEY), open_plain])
def test_the_check_for_doctor_reads_every_page(path, opener):
    store = opener(path)
    with store.transaction() as transaction:
        transaction.put_value("a", b"x" * 200_000)
    store.check()
    store.close()
    content = bytearray(path.read_bytes())
    content[-PAGE_BYTES:] = bytes(PAGE_BYTES)  # the end of the large value: nothing else reads it
    path.write_bytes(content)
    store = opener(path)
    if opener is not open_plain:  # plain SQLite has no page check to fail
        assert code(store.check) == "database-corrupt"
    store.close()


def test_pages_of_another_database_under_the_same_key_are_refused(path, tmp_path):
    """Layer: SQLCipher's page HMAC, keyed with the file's own salt."""
    other = tmp_path / "other.db"
    filled(path)
    filled(other)
    mixed = path.read_bytes()[: 3 * PAGE_BYTES] + other.read_bytes()[3 * PAGE_BYTES :]
    path.write_bytes(mixed)
    store = open_encrypted(path, KEY)
    assert code(store.check) == "database-corrupt"
    store.close()


def test_a_second_connection_is_told_that_the_database_is_in_use(path, monkeypatch):
    monkeypatch.setattr(connection, "LOCK_WAIT_S", 0.05)
    store = open_encrypted(path, KEY)
    assert code(lambda: open_encrypted(path, KEY)) == "database-locked"
    store.close()
    open_encrypted(path, KEY).close()
