"""What is still to be done or decided: outbox, owed back-fills, quarantine, conflicts (storage)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final

from casesync.foundation.ids import ChangeNumber, DeviceNumber, StreamId
from casesync.storage.session import Session
from casesync.sync.ports import ConflictRow, OutboxRow, QuarantineRow

_CONFLICT = "conflict_id, stream, record, type_name, field, element, part, since_ms"

_PUT_OUTBOX: Final = (
    "INSERT OR REPLACE INTO outbox(number, stream, location, size_bytes, log_index, log_time_ms)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_ROWS_TOGETHER: Final = 20
"""By one statement, at a third of the time: the cipher's library locks memory for each."""


class WorkLists:
    """Short tables, read whole."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._unwritten: list[tuple[Any, ...]] = []

    def flush(self) -> None:
        """Write new rows of the outbox to the database."""
        rows = self._unwritten
        for at in range(0, len(rows), _ROWS_TOGETHER):
            part = rows[at : at + _ROWS_TOGETHER]
            marks = ", (?, ?, ?, ?, ?, ?)" * (len(part) - 1)
            self._session.execute(_PUT_OUTBOX + marks, list(chain.from_iterable(part)))
        rows.clear()

    def pending(self) -> list[tuple[Any, ...]]:
        """New rows of the outbox that are not in the database."""
        return self._unwritten

    def restore(self, pending: list[list[Any]]) -> None:
        """Take back what ``pending`` gave."""
        self._unwritten = [tuple(row) for row in pending]

    def forget(self) -> None:
        """Drop what was held back: the transaction was undone."""
        self._unwritten.clear()

    # -- outbox -------------------------------------------------------------------------------

    def put_outbox(self, row: OutboxRow) -> None:
        """Add or replace an unsent change by its number; reaches the database with ``flush``."""
        self._session.check_open()
        receipt = row.receipt or (None, None)
        self._unwritten.append((row.number, row.stream, row.location, row.size_bytes, *receipt))

    def outbox(self) -> list[OutboxRow]:
        """Ascending by number."""
        self.flush()
        rows = self._session.execute(
            "SELECT number, stream, location, size_bytes, log_index, log_time_ms"
            " FROM outbox ORDER BY number"
        )
        return [
            OutboxRow(
                ChangeNumber(number),
                StreamId(stream),
                location,
                size_bytes,
                None if index is None else (index, log_time_ms),
            )
            for number, stream, location, size_bytes, index, log_time_ms in rows
        ]

    def drop_outbox(self, numbers: Iterable[ChangeNumber]) -> None:
        """Remove changes that are done."""
        self.flush()
        self._session.executemany("DELETE FROM outbox WHERE number = ?", ((n,) for n in numbers))

    # -- owed back-fills ----------------------------------------------------------------------

    def put_owed(self, stream: StreamId, position: int, end: int) -> None:
        """Owe the leaves of [position, end) of a stream."""
        self._session.execute(
            "INSERT OR REPLACE INTO owed(stream, position, end) VALUES (?, ?, ?)",
            (stream, position, end),
        )

    def owed(self) -> list[tuple[StreamId, int, int]]:
        """(stream, position, end), oldest debt first."""
        rows = self._session.execute("SELECT stream, position, end FROM owed ORDER BY end, stream")
        return [(StreamId(stream), position, end) for stream, position, end in rows]

    def drop_owed(self, stream: StreamId) -> None:
        """The stream is complete."""
        self._session.execute("DELETE FROM owed WHERE stream = ?", (stream,))

    # -- quarantine ---------------------------------------------------------------------------

    def put_quarantine(self, row: QuarantineRow) -> None:
        """Add or replace a change that does not count; when it was noticed first stays."""
        self._session.execute(
            "INSERT INTO quarantine(stream, device, number, log_index, state, reason, noticed_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT(device, number) DO UPDATE SET"
            " stream=excluded.stream, log_index=excluded.log_index, state=excluded.state,"
            " reason=excluded.reason",
            row,
        )

    def drop_quarantine(self, device: int, number: int) -> None:
        """The change counts now, or is gone."""
        self._session.execute(
            "DELETE FROM quarantine WHERE device = ? AND number = ?", (device, number)
        )

    def quarantine(self) -> list[QuarantineRow]:
        """Oldest notice first."""
        rows = self._session.execute(
            "SELECT stream, device, number, log_index, state, reason, noticed_ms"
            " FROM quarantine ORDER BY noticed_ms, device, number"
        )
        return [
            QuarantineRow(StreamId(stream), DeviceNumber(device), ChangeNumber(number), *rest)
            for stream, device, number, *rest in rows
        ]

    # -- conflicts ----------------------------------------------------------------------------

    def put_conflicts(self, stream: StreamId, rows: Sequence[ConflictRow]) -> None:
        """Replace a stream's open conflicts."""
        self._session.execute("DELETE FROM conflict WHERE stream = ?", (stream,))
        self._session.executemany(
            f"INSERT INTO conflict({_CONFLICT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            rows,
        )

    def conflicts(self, conflict_id: str | None) -> list[ConflictRow]:
        """All, oldest first, or those with one id (40 bits may meet twice)."""
        where, parameters = (
            ("", ()) if conflict_id is None else ("WHERE conflict_id = ?", (conflict_id,))
        )
        rows = self._session.execute(
            f"SELECT {_CONFLICT} FROM conflict {where} ORDER BY since_ms, conflict_id",  # noqa: S608
            parameters,
        )
        return [ConflictRow(conflict, StreamId(stream), *rest) for conflict, stream, *rest in rows]
