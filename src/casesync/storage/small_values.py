"""Single values, the control log, blobs and unit seeds (storage floor)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from casesync.foundation.ids import BlobHash
from casesync.storage.session import Session

REMEMBERED_BYTES_MAX: Final = 1024
"""Of one value between transactions: a head, a range, a checkpoint; not a list."""
REMEMBERED_MAX: Final = 64
"""There are some 25 names, and one per access stream read here."""


class SmallValues:
    """What is read by its name or as a whole.

    Small values are remembered between transactions, which is safe, as in ``stream_directory``: the
    connection holds the database's exclusive lock. Every save asks for the same few.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._values: dict[str, bytes | None] = {}  # as they are within this transaction
        self._put: set[str] = set()

    def value(self, key: str) -> bytes | None:
        """The value stored under a key."""
        self._session.check_open()
        if key not in self._values:
            self._values[key] = self._body("SELECT body FROM value WHERE key = ?", key)
        return self._values[key]

    def put_value(self, key: str, value: bytes | None) -> None:
        """Store a value; None removes it. It reaches the database with ``flush``."""
        self._session.check_open()
        if key in self._values and self._values[key] == value:
            return
        self._values[key] = value
        self._put.add(key)

    def flush(self) -> None:
        """Write what was put to the database: a value that every save changes is written once."""
        for key in sorted(self._put):
            value = self._values[key]
            if value is None:
                self._session.execute("DELETE FROM value WHERE key = ?", (key,))
            else:
                self._session.execute(  # replacing the row would write the index, too
                    "INSERT INTO value(key, body) VALUES (?, ?)"
                    " ON CONFLICT(key) DO UPDATE SET body = excluded.body",
                    (key, value),
                )
        self._put.clear()

    def pending(self) -> dict[str, bytes | None]:
        """What was put and is not in the database."""
        return {key: self._values[key] for key in sorted(self._put)}

    def restore(self, pending: dict[str, bytes | None]) -> None:
        """Take back what ``pending`` gave."""
        self._values |= pending
        self._put |= pending.keys()

    def forget(self) -> None:
        """Drop what was read: the transaction was undone."""
        self._values.clear()
        self._put.clear()

    def settle(self) -> None:
        """Keep what is small: the transaction is committed."""
        many = len(self._values) > REMEMBERED_MAX
        for key, value in list(self._values.items()):
            large = value is not None and len(value) > REMEMBERED_BYTES_MAX
            if (many or large) and key not in self._put:
                del self._values[key]

    def append_control(self, index: int, log_time_ms: int, entry: bytes) -> None:
        """Add a control entry; an index that is taken is a bug of the caller."""
        self._session.execute(
            "INSERT INTO control_entry(position, log_time_ms, entry) VALUES (?, ?, ?)",
            (index, log_time_ms, entry),
        )

    def control_entries(self, first: int) -> Iterator[tuple[int, int, bytes]]:
        """(index, log time, entry) from ``first`` on; who stops early leaves nothing open."""
        rows = self._session.execute(
            "SELECT position, log_time_ms, entry FROM control_entry "
            "WHERE position >= ? ORDER BY position",
            (first,),
        )
        return iter(rows.fetchall())

    def put_blob(self, name: BlobHash, body: bytes) -> None:
        """Store a blob; its name fixes its bytes, so the first one stays."""
        self._session.execute(
            "INSERT INTO blob(name, body) VALUES (?, ?) ON CONFLICT(name) DO NOTHING", (name, body)
        )

    def blob(self, name: BlobHash) -> bytes | None:
        """The blob of that name."""
        return self._body("SELECT body FROM blob WHERE name = ?", name)

    def put_seed(self, unit: bytes, compartment: int, epoch: int, seed: bytes) -> None:
        """Keep the seed of a unit key."""
        self._session.execute(
            "INSERT OR REPLACE INTO unit_seed(unit, compartment, epoch, seed) VALUES (?, ?, ?, ?)",
            (unit, compartment, epoch, seed),
        )

    def seeds(self) -> Iterator[tuple[bytes, int, int, bytes]]:
        """(unit, compartment, epoch, seed), all of them."""
        yield from self._session.execute(
            "SELECT unit, compartment, epoch, seed FROM unit_seed ORDER BY unit, compartment, epoch"
        )

    def _body(self, sql: str, key: str | bytes) -> bytes | None:
        row = self._session.execute(sql, (key,)).fetchone()
        if row is None:
            return None
        body: bytes = row[0]
        return body
