"""Single values, the control log, blobs and unit seeds (storage floor)."""

from __future__ import annotations

from collections.abc import Iterator

from casesync.foundation.ids import BlobHash
from casesync.storage.session import Session


class SmallValues:
    """What is read by its name or as a whole."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._values: dict[str, bytes | None] = {}  # read or put in this transaction
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
        self._values[key] = value
        self._put.add(key)

    def flush(self) -> None:
        """Write what was put to the database: a value that every save changes is written once."""
        for key in sorted(self._put):
            value = self._values[key]
            if value is None:
                self._session.execute("DELETE FROM value WHERE key = ?", (key,))
            else:
                self._session.execute(
                    "INSERT OR REPLACE INTO value(key, body) VALUES (?, ?)", (key, value)
                )
        self._put.clear()

    def forget(self) -> None:
        """Drop what was read: the transaction is over."""
        self._values.clear()
        self._put.clear()

    def append_control(self, index: int, log_time_ms: int, entry: bytes) -> None:
        """Add a control entry; an index that is taken is a bug of the caller."""
        self._session.execute(
            "INSERT INTO control_entry(position, log_time_ms, entry) VALUES (?, ?, ?)",
            (index, log_time_ms, entry),
        )

    def control_entries(self, first: int) -> Iterator[tuple[int, int, bytes]]:
        """(index, log time, entry) from ``first`` on."""
        yield from self._session.execute(
            "SELECT position, log_time_ms, entry FROM control_entry "
            "WHERE position >= ? ORDER BY position",
            (first,),
        )

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
