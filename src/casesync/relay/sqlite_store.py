"""The relay's store in one SQLite file (relay; contract in ``relay_store``).

WAL and ``synchronous=FULL``: a committed transaction survives ``kill -9`` and power loss. One
connection and one lock, so transactions never overlap within the process; ``BEGIN IMMEDIATE`` keeps
a second process out while one writes.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, final

from casesync.foundation.errors import LocalStateError
from casesync.relay.relay_store import RelayTransaction
from casesync.relay.sqlite_schema import FROM_VERSION_1, SCHEMA_VERSION, TABLES
from casesync.relay.sqlite_transaction import SqliteTransaction

_LOCK_WAIT_S: Final = 10
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@final
class SqliteStore:
    """``RelayStore`` over one file, or in memory for tests (``":memory:"``)."""

    def __init__(self, path: Path | str) -> None:
        """Open or create.

        Args:
            path: The file, or ":memory:".

        Raises:
            LocalStateError: ``relay-store-failed``, ``relay-store-damaged``; ``relay-store-newer``
                if a later version of the relay wrote it.
        """
        self._lock = threading.Lock()
        with converted():
            self._connection = _connect(str(path))
            self._prepare()

    @contextmanager
    def transaction(self) -> Iterator[RelayTransaction]:
        """See the contract."""
        with self._lock, converted():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """See the contract."""
        with self._lock:
            self._connection.close()

    def copy(self, path: Path | str = ":memory:") -> SqliteStore:
        """A second store with everything that is committed here; for backups and tests."""
        with self._lock, converted():
            twin = SqliteStore.__new__(SqliteStore)
            twin._lock = threading.Lock()
            twin._connection = _connect(str(path))
            self._connection.backup(twin._connection)
        return twin

    def _prepare(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise LocalStateError("relay-store-newer")
        if version < SCHEMA_VERSION:
            steps = TABLES if version == 0 else FROM_VERSION_1
            self._connection.executescript(
                f"BEGIN IMMEDIATE;{steps}PRAGMA user_version={SCHEMA_VERSION};COMMIT;"
            )


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=_LOCK_WAIT_S
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA cache_size=-65536")
    return connection


@contextmanager
def converted() -> Iterator[None]:
    """SQLite's errors as the relay's own.

    Raises: LocalStateError: ``relay-store-damaged``, else ``relay-store-failed``.
    """
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            raise LocalStateError("relay-store-damaged") from error
        raise LocalStateError("relay-store-failed") from error
