"""One connection to one database file, encrypted or plain (storage floor, DESIGN.md 9).

The lock is exclusive and held until the connection closes: a replica belongs to one process at a
time. The write-ahead log holds encrypted pages, its index stays in memory (an exclusive lock needs
no shared one), and so do temporary tables: no clear byte is ever written. One thread at a time uses
a connection; which one may change (a commit has its own).
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, cast

import sqlcipher3

from casesync.foundation.errors import LocalStateError
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.database_errors import DATABASE_ERRORS, converted

PAGE_BYTES: Final = 16 * 1024
"""Larger pages cost less per byte to encrypt and authenticate than SQLite's 4 kB."""
LOCK_WAIT_S: Final = 1.0
"""How long a second process waits before it says what holds the replica."""
_KEY_BYTES: Final = 32
_PAGE_HASHES: Final[dict[str, Callable[[bytes], object]]] = {
    "HMAC_SHA512": hashlib.sha512,
    "HMAC_SHA256": hashlib.sha256,
}
_DOES_NOT_OPEN: Final = "database-does-not-open"
CACHE_KIB: Final = 8 * 1024
LONG_CACHE_KIB: Final = 1024
"""Of a transaction that writes much more than that and reads none of it again: what is left of it
in the cache is encrypted at its commit, when nothing else is left to do."""
_SETTINGS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA foreign_keys = ON",
    "PRAGMA wal_autocheckpoint = 2500",  # 40 MB: rows of a long sync are folded in less often
    f"PRAGMA cache_size = -{CACHE_KIB}",
)


class Cursor(Protocol):
    """What a statement returns."""

    def fetchone(self) -> Any:  # noqa: ANN401, rows are tuples of the statement's own shape
        """The next row or None."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """What both libraries' connections can do; no statement commits by itself."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Cursor:
        """Run one statement."""
        ...

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Cursor:
        """Run one statement for each row."""
        ...

    def backup(self, target: Any, /) -> None:  # noqa: ANN401, either library's own type
        """Copy the whole database into another connection."""
        ...

    def close(self) -> None:
        """Close; the last one folds the write-ahead log into the database."""
        ...


def connect_encrypted(path: Path, key: SecretBytes, page_hash: str | None = None) -> Connection:
    """Open or create an encrypted database under a raw 32-byte key.

    Args:
        path: the file.
        key: SQLCipher's own derivation is left out.
        page_hash: what ``page_hash_of`` says; None: the file's, or of a new one the faster here.

    Raises:
        LocalStateError: ``database-does-not-open`` (wrong key, or no database),
            ``database-locked``, ``database-corrupt``, ``disk-full``, ``disk-error``.
    """
    if len(key) != _KEY_BYTES:
        raise LocalStateError(_DOES_NOT_OPEN)
    if page_hash is not None:
        return _connect_encrypted(path, key, page_hash)
    faster, other = page_hashes()
    try:
        return _connect_encrypted(path, key, faster)
    except LocalStateError as error:
        if error.code != _DOES_NOT_OPEN:
            raise
    return _connect_encrypted(path, key, other)  # made on another machine, or before 0025


@cache
def page_hashes() -> list[str]:
    """What can authenticate pages, the faster here first (``protocol/decisions/0025``)."""
    page = bytes(PAGE_BYTES)
    best = dict.fromkeys(_PAGE_HASHES, 1.0)
    for _ in range(5):
        for name, digest in _PAGE_HASHES.items():
            started = time.perf_counter()
            digest(page)
            best[name] = min(best[name], time.perf_counter() - started)
    return sorted(best, key=best.__getitem__)


def page_hash_of(connection: Connection) -> str | None:
    """What authenticates the pages of an open database; None if nothing does."""
    row = connection.execute("PRAGMA cipher_hmac_algorithm").fetchone()
    return None if row is None else str(row[0])


def _connect_encrypted(path: Path, key: SecretBytes, page_hash: str) -> Connection:
    try:
        connection: Any = sqlcipher3.connect(
            str(path), isolation_level=None, timeout=LOCK_WAIT_S, check_same_thread=False
        )
    except DATABASE_ERRORS as error:
        raise converted(error, opening=True) from error
    # The library reports every failed page check on stderr, where only our own errors belong.
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute("PRAGMA cipher_memory_security = ON")
    connection.set_key(f"x'{key.reveal().hex()}'")
    connection.execute(f"PRAGMA cipher_page_size = {PAGE_BYTES}")
    connection.execute(f"PRAGMA cipher_hmac_algorithm = {page_hash}")
    return _set_up(connection, path.parent)


def connect_plain(path: Path | None) -> Connection:
    """Open or create an unencrypted database: tests, simulation and benchmarks only.

    Args:
        path: the file; None keeps everything in memory.

    Raises:
        LocalStateError: as ``connect_encrypted``.
    """
    name = ":memory:" if path is None else str(path)
    try:
        connection = sqlite3.connect(
            name, isolation_level=None, timeout=LOCK_WAIT_S, check_same_thread=False
        )
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    except DATABASE_ERRORS as error:
        raise converted(error, opening=True) from error
    return _set_up(connection, None if path is None else path.parent)


def set_cache(connection: Connection, kib: int) -> None:
    """How much of its pages a connection keeps in memory; of what is written, until then."""
    connection.execute(f"PRAGMA cache_size = -{kib:d}").fetchall()


def write_blob(connection: Connection, table: str, row: int, body: bytes) -> None:
    """Fill the ``body`` of a row, or the beginning of a longer one.

    Written into the page cache without a copy: a bound value is copied twice by SQLite, and the
    cipher's library scrubs each copy when it is freed, which took as long as encrypting it.
    """
    blob = _opened_blob(connection, table, row)
    try:
        blob.write(body)
    finally:
        blob.close()


def read_blob(connection: Connection, table: str, row: int) -> bytes:
    """The ``body`` of a row that is there; a column of a statement is copied, and scrubbed, too."""
    blob = _opened_blob(connection, table, row)
    try:
        body: bytes = blob.read()
    finally:
        blob.close()
    return body


def _opened_blob(connection: Connection, table: str, row: int) -> Any:  # noqa: ANN401, either's own
    handle: Any = connection
    opened = handle.blobopen if isinstance(connection, sqlite3.Connection) else handle.open_blob
    return opened(table, "body", row)


def _set_up(connection: Any, folder: Path | None) -> Connection:  # noqa: ANN401, either's own type
    try:
        # Before anything is read: otherwise the log's index is made as a file, which needs room.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        # Before the key is tried, too: closing folds a log in that a killed process left, whether
        # the key is right or not. macOS: a plain fsync does not reach the platter.
        connection.execute("PRAGMA fullfsync = ON").fetchall()
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        for setting in _SETTINGS:
            connection.execute(setting).fetchall()
        # An exclusive lock is taken with the first write transaction, not by the setting.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except DATABASE_ERRORS as error:
        connection.close()
        raise converted(error, opening=True, folder=folder) from error
    return cast("Connection", connection)
