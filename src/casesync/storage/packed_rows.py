"""Small opaque rows packed 64 to a database row (storage floor, DESIGN.md 9).

A row of its own for every stream costs more in SQLite's tree and in the cipher's page checks than
in its content; 64 neighbours in one row are read and written at the price of one. A group that
grows beyond ``GROUP_BYTES`` puts its largest rows into a table of their own, so that one long
history does not make 63 neighbours slow.

A save that changes one row would write its whole group, two or three pages: it may leave the row to
the tail (``storage/tail.py``), and the group is written once for many saves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgpack

from casesync.foundation.compiled import compiled
from casesync.storage.packing import pack_all
from casesync.storage.session import Session

_SHIFT: Final = 6
_ROWS: Final = 1 << _SHIFT
_SLOT: Final = _ROWS - 1
GROUP_BYTES: Final = 64 * 1024
_CACHED_GROUPS_MAX: Final = 2048
"""100,000 streams; bounds the memory of a pass over everything."""
KEPT_GROUPS_MAX: Final = 256
"""Between transactions: 16,384 streams, some megabytes, 16 at most. A page reads most of what the
one before it had in hand."""
_ELSEWHERE: Final = True
"""In the slot of a row that lies in the table of large rows; None = no row."""

_Slots = list[Any]
_Load = Callable[[int], _Slots]
rows_kernel = compiled("casesync.storage._rows", 3)
"""Takes all three loops; without it Python does."""


def read_rows(groups: dict[int, _Slots], serials: Sequence[int | None], load: _Load) -> list[Any]:
    """What stands in the slot of each serial number; None of none."""
    if rows_kernel is not None:
        bodies: list[Any] = rows_kernel.read(groups, serials, load)
        return bodies
    return [
        None
        if serial is None
        else (groups.get(serial >> _SHIFT) or load(serial >> _SHIFT))[serial & _SLOT]
        for serial in serials
    ]


def count_rows(serials: list[int | None]) -> dict[int, int]:
    """By group, how many of the serial numbers are its own."""
    if rows_kernel is not None:
        counts: dict[int, int] = rows_kernel.count(serials)
        return counts
    return dict(Counter(serial >> _SHIFT for serial in serials if serial is not None))


def write_rows(
    groups: dict[int, _Slots],
    unplaced: dict[int, dict[int, bytes | None]],
    rows: dict[int, bytes],
    load: _Load,
) -> list[int]:
    """Put rows into their slots; those that lie elsewhere are left alone and returned."""
    if rows_kernel is not None:
        elsewhere: list[int] = rows_kernel.write(groups, unplaced, rows, load)
        return elsewhere
    elsewhere = []
    for serial, body in rows.items():
        group, slot = serial >> _SHIFT, serial & _SLOT
        slots = groups.get(group) or load(group)
        if slots[slot] is _ELSEWHERE:
            elsewhere.append(serial)
            continue
        slots[slot] = body
        unplaced.setdefault(group, {})[slot] = body
    return elsewhere


class PackedRows:
    """Rows by serial number, cached for the length of a transaction, a few of them longer."""

    def __init__(self, session: Session, table: str) -> None:
        """Args: table: name of the groups' table; the large rows' table ends in ``_large``."""
        self._session = session
        self._groups: dict[int, _Slots] = {}
        self._unplaced: dict[int, dict[int, bytes | None]] = {}
        """By group and slot: rows that differ from those in the database, None = destroyed."""
        self._expected: dict[int, int] = {}
        """By group, how many of its rows this transaction was said to write."""
        self._table = table
        self._large = large = f"{table}_large"
        # S608: the names are constants of ours, the values are parameters.
        self._read_large = f"SELECT body FROM {large} WHERE serial = ?"  # noqa: S608
        self._drop_large = f"DELETE FROM {large} WHERE serial = ?"  # noqa: S608

    def read(self, serials: Sequence[int | None]) -> list[bytes | None]:
        """One body for each serial number, None where there is no row, or no number."""
        bodies = read_rows(self._groups, serials, self._loaded)
        if _ELSEWHERE in bodies:
            for at, serial in enumerate(serials):
                if bodies[at] is _ELSEWHERE:
                    row = self._session.execute(self._read_large, (serial,)).fetchone()
                    bodies[at] = row[0]
        return bodies

    def write(self, rows: dict[int, bytes]) -> None:
        """Replace rows; they reach the database with ``flush``."""
        for serial in write_rows(self._groups, self._unplaced, rows, self._loaded):
            self._session.put_body(self._large, {"serial": serial}, rows[serial])
        if self._expected:
            self._place({serial >> _SHIFT for serial in rows})

    def expect(self, serials: list[int | None]) -> None:
        """These rows, and most likely no others, will be written in this transaction.

        A group is then put in its place as soon as so many of its rows are, not at the end; with
        rows that were not expected it is too early, and written again.
        """
        self._expected = count_rows(serials)

    def _place(self, groups: Iterable[int]) -> None:
        """Those of ``groups`` of which nothing more is expected."""
        for group in sorted(groups):
            if len(self._unplaced.get(group, ())) >= self._expected.get(group, _ROWS + 1):
                self._flush_group(group)

    def drop(self, serial: int) -> None:
        """Destroy one row."""
        group, slot = serial >> _SHIFT, serial & _SLOT
        slots = self._groups.get(group) or self._loaded(group)
        if slots[slot] is _ELSEWHERE:
            self._session.execute(self._drop_large, (serial,))
        slots[slot] = None
        self._unplaced.setdefault(group, {})[slot] = None

    def flush(self) -> None:
        """Write changed groups to the database."""
        for group in sorted(self._unplaced):
            self._flush_group(group)

    def _flush_group(self, group: int) -> None:
        slots = self._groups.get(group) or self._load(group)
        [body] = pack_all([slots])
        if len(body) > GROUP_BYTES:
            self._move_out(group)
            [body] = pack_all([slots])
        self._session.put_body(self._table, {"id": group}, body)
        del self._unplaced[group]

    def pending(self, size_max: int) -> dict[int, bytes] | None:
        """Rows by serial number that are not in the database.

        Args:
            size_max: of all of them, in bytes.

        Returns: None if they are more, or if one was destroyed: then they belong in their place.
        """
        rows: dict[int, bytes] = {}
        for group in sorted(self._unplaced):
            for slot, body in sorted(self._unplaced[group].items()):
                size_max -= len(body or b"")
                if body is None or size_max < 0:
                    return None
                rows[(group << _SHIFT) + slot] = body
        return rows

    def restore(self, pending: Mapping[int, bytes]) -> None:
        """Take back what ``pending`` gave."""
        for serial, body in pending.items():
            self._unplaced.setdefault(serial >> _SHIFT, {})[serial & _SLOT] = body

    def forget(self) -> None:
        """Drop the cache: the transaction was undone."""
        self._groups.clear()
        self._unplaced.clear()
        self._expected.clear()

    def settle(self) -> None:
        """Keep a few groups: the transaction is committed. An edit reads in one and saves in one.

        Safe, as in ``stream_directory``: the connection holds the database's exclusive lock.
        """
        self._expected.clear()
        if len(self._groups) > KEPT_GROUPS_MAX:
            self._groups.clear()

    def _loaded(self, group: int) -> _Slots:
        if len(self._groups) >= _CACHED_GROUPS_MAX:
            self.flush()
            self._groups.clear()
        return self._load(group)

    def _load(self, group: int) -> _Slots:
        body = self._session.body_if_any(self._table, group)
        slots: _Slots = [None] * _ROWS if body is None else msgpack.unpackb(body)
        for slot, row in self._unplaced.get(group, {}).items():
            slots[slot] = row
        self._groups[group] = slots
        return slots

    def _move_out(self, group: int) -> None:
        slots = self._groups[group]
        here = [(len(body), at) for at, body in enumerate(slots) if isinstance(body, bytes)]
        total = sum(size for size, _ in here)
        for size, at in sorted(here, reverse=True):
            if total <= GROUP_BYTES // 2:  # half: not again with the next small write
                break
            self._session.put_body(self._large, {"serial": (group << _SHIFT) + at}, slots[at])
            slots[at] = _ELSEWHERE
            total -= size
