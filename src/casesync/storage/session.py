"""Statements of one open transaction (storage floor).

The parts of the store speak to SQLite through this alone, so that a transaction kept beyond its
end fails instead of writing on its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from casesync.foundation.errors import UsageError
from casesync.storage.connection import (
    CACHE_KIB,
    LONG_CACHE_KIB,
    Connection,
    Cursor,
    read_blob,
    set_cache,
    write_blob,
)
from casesync.storage.database_errors import DATABASE_ERRORS
from casesync.storage.log_ahead import LogAhead

_BLOB_BYTES_MIN: Final = 4096
"""Smaller bodies are bound: opening a blob would cost more than the copies it saves."""
LONG_BYTES: Final = 1024 * 1024
"""Of large bodies: a transaction that writes more is a long one, most often a page of the log."""


class Session:
    """A connection that refuses to work outside a transaction."""

    def __init__(self, connection: Connection, log: LogAhead | None = None) -> None:
        """Args: log: of the connection, if it is on a disk."""
        self._connection = connection
        self._log = log
        self._large_bytes = 0
        """Of bodies that this transaction wrote."""
        self._is_long = False
        self.is_open = False

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Run one statement.

        Raises:
            UsageError: ``transaction-over`` outside a transaction.
        """
        self.check_open()
        return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row.

        Raises:
            UsageError: ``transaction-over`` outside a transaction.
        """
        self.check_open()
        self._connection.executemany(sql, rows)

    def put_body(self, table: str, columns: Mapping[str, int], body: bytes) -> None:
        """Insert or replace a row of integers, its row id first, and ``body``, which may be large.

        Raises:
            UsageError: ``transaction-over`` outside a transaction.
        """
        large = len(body) >= _BLOB_BYTES_MIN
        names = ", ".join((*columns, "body"))
        marks = "?, " * len(columns) + ("zeroblob(?)" if large else "?")
        self.execute(
            f"INSERT OR REPLACE INTO {table}({names}) VALUES ({marks})",  # noqa: S608, our names
            (*columns.values(), len(body) if large else body),
        )
        if large:
            write_blob(self._connection, table, next(iter(columns.values())), body)
            if self._log is not None:
                self._wrote(self._log, len(body))

    def _wrote(self, log: LogAhead, size_bytes: int) -> None:
        """So much more of a large body is on its way to the disk."""
        log.wrote(size_bytes)
        self._large_bytes += size_bytes
        if self._large_bytes > LONG_BYTES and not self._is_long:
            self._is_long = True
            set_cache(self._connection, LONG_CACHE_KIB)

    def body(self, table: str, row: int) -> bytes:
        """The ``body`` of a row that is there, read in place.

        Raises:
            UsageError: ``transaction-over`` outside a transaction.
        """
        self.check_open()
        return read_blob(self._connection, table, row)

    def body_if_any(self, table: str, row: int) -> bytes | None:
        """The ``body`` of a row, read in place; None if there is no such row.

        A column of a statement is copied, locked in memory and scrubbed: half as long again.

        Raises:
            UsageError: ``transaction-over`` outside a transaction.
        """
        self.check_open()
        try:
            return read_blob(self._connection, table, row)
        except DATABASE_ERRORS:  # no such row, most likely; else the statement says what it is
            found = self.execute(f"SELECT body FROM {table} WHERE rowid = ?", (row,))  # noqa: S608
            one = found.fetchone()
            return None if one is None else one[0]

    def overwrite_body(self, table: str, row: int, body: bytes) -> None:
        """Write over the beginning of the ``body`` of a row that is at least as long.

        Raises:
            UsageError: ``transaction-over`` outside a transaction.
        """
        self.check_open()
        write_blob(self._connection, table, row, body)

    def check_open(self) -> None:
        """For what is answered without a statement.

        Raises:
            UsageError: ``transaction-over`` outside a transaction.
        """
        if not self.is_open:
            raise UsageError("transaction-over")

    def begin(self) -> None:
        """Start; the database is locked for writing from here.

        Raises:
            UsageError: ``transaction-nested``.
        """
        if self.is_open:
            raise UsageError("transaction-nested")
        if self._connection.in_transaction:  # begun, and interrupted before that was noted
            self._connection.execute("ROLLBACK")
        if self._is_long:
            set_cache(self._connection, CACHE_KIB)
        self._large_bytes, self._is_long = 0, False
        self._connection.execute("BEGIN IMMEDIATE")
        self.is_open = True

    def commit(self) -> None:
        """End with everything durable."""
        self._connection.execute("COMMIT")
        self.is_open = False

    def roll_back(self) -> None:
        """End with nothing written; SQLite may have ended the transaction itself already."""
        self.is_open = False
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
