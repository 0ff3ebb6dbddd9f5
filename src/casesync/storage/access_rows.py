"""Access entries: one's own, and at an audit device everybody's (storage floor, DESIGN.md 8)."""

from __future__ import annotations

from collections.abc import Iterator

from casesync.foundation.ids import ChangeNumber, DeviceNumber
from casesync.storage.session import Session
from casesync.sync.ports import AccessRow

_COLUMNS = "device, sequence, entry, entry_hash, change_number"


class AccessRows:
    """Entries by device and sequence; they are added and sealed, never rewritten."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def append(self, row: AccessRow) -> None:
        """Add an entry; a sequence that is taken is a bug of the caller."""
        self._session.execute(
            f"INSERT INTO access_entry({_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
            row,
        )

    def unsealed(self) -> list[AccessRow]:
        """Entries no change carries yet, ascending by sequence."""
        return list(self._rows("WHERE change_number IS NULL", ()))

    def mark_sealed(self, device: int, last_sequence: int, change: int) -> None:
        """Entries up to a sequence are carried by a change; a mark once set stays."""
        self._session.execute(
            "UPDATE access_entry SET change_number = ?"
            " WHERE device = ? AND sequence <= ? AND change_number IS NULL",
            (change, device, last_sequence),
        )

    def of_device(self, device: int | None, first: int = 0) -> Iterator[AccessRow]:
        """Entries of one device or of all, from a sequence on, by device and sequence."""
        if device is None:
            return self._rows("WHERE sequence >= ?", (first,))
        return self._rows("WHERE device = ? AND sequence >= ?", (device, first))

    def _rows(self, where: str, parameters: tuple[int, ...]) -> Iterator[AccessRow]:
        rows = self._session.execute(
            f"SELECT {_COLUMNS} FROM access_entry {where} ORDER BY device, sequence",  # noqa: S608
            parameters,
        )
        for owner, sequence, entry, entry_hash, change in rows:
            yield AccessRow(
                DeviceNumber(owner),
                sequence,
                entry,
                entry_hash,
                None if change is None else ChangeNumber(change),
            )
