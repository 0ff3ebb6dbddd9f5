"""The table behind lists: one row per case, effective values only (storage floor, DESIGN.md 9).

Hits of filters and searches are sets of serial numbers; a page of them is found by walking the
order "newest first", so that many hits cost no sort and few no walk.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from casesync.foundation.errors import UsageError
from casesync.foundation.ids import StreamId
from casesync.storage.case_index import CaseIndex, put_together
from casesync.storage.session import Session
from casesync.storage.stream_directory import StreamDirectory
from casesync.sync.ports import ListingEntry, ListingRow

_COLUMNS: Final = "l.serial, l.record, l.code, l.sort_ms, l.fields"
_FROM: Final = "FROM listing l"
_ORDER: Final = "ORDER BY l.sort_ms DESC, l.code"
_PUT: Final = (
    "INSERT OR REPLACE INTO listing(serial, record, code, sort_ms, fields, texts)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_NO_TEXTS: Final = "[]"
"""Of every row: what is searched stands in the index alone; earlier programs kept it here, too."""
_FEW: Final = 256
"""So many rows are looked up and sorted; more are found by walking the order."""
_CODES_MAX: Final = 100
"""Candidates shown for an ambiguous code."""


class Place(NamedTuple):
    """Where a row stands in the order "newest first"."""

    sort_ms: int
    code: str
    serial: int

    @property
    def order(self) -> tuple[int, str, int]:
        """Sort key: newest first, then code."""
        return (-self.sort_ms, self.code, self.serial)


class Listing:
    """Rows, filters, pages."""

    def __init__(self, session: Session, directory: StreamDirectory, index: CaseIndex) -> None:
        self._session = session
        self._directory = directory
        self._index = index

    # -- rows ---------------------------------------------------------------------------------

    def put(self, entries: Sequence[ListingEntry]) -> None:
        """Add or replace rows, of different streams."""
        serials = self._directory.enrolled([entry.stream for entry in entries])
        by_serial = list(zip(serials, entries, strict=True))
        held = self._held(serials)
        rows = [(serial, *entry[1:5], _NO_TEXTS) for serial, entry in by_serial]
        put_together(self._session, _PUT, rows)
        self._index.put([(serial, entry) for serial, entry in by_serial if serial not in held])
        for serial, entry in by_serial:
            if serial in held:
                self._index.replace(serial, entry)

    def _held(self, serials: Collection[int]) -> set[int]:
        marks = ", ".join("?" * len(serials))
        rows = self._session.execute(
            f"SELECT serial FROM listing WHERE serial IN ({marks})",  # noqa: S608 - only marks
            tuple(serials),
        )
        return {serial for (serial,) in rows}

    def drop(self, stream: StreamId) -> None:
        """Forget a row and its words; costs nothing where there is none."""
        [serial] = self._directory.known((stream,))
        if serial is None:
            return
        held = self._session.execute("SELECT 1 FROM listing WHERE serial = ?", (serial,))
        if held.fetchone() is not None:
            self._session.execute("DELETE FROM listing WHERE serial = ?", (serial,))
            self._index.drop(serial)

    def by_code(self, prefix: str) -> list[ListingRow]:
        """Rows whose code begins so, by code; at most ``_CODES_MAX``."""
        rows = self._session.execute(
            f"SELECT {_COLUMNS} {_FROM} WHERE l.code >= ? AND l.code < ? ORDER BY l.code LIMIT ?",
            (prefix, prefix + "\U0010ffff", _CODES_MAX),
        )
        return [self._row(row) for row in rows]

    # -- pages --------------------------------------------------------------------------------

    def filtered(self, filters: Mapping[str, Any]) -> set[int] | None:
        """Cases whose fields have these values; None = all, there is no filter.

        A list matches a filter by any of its members, an object by any of its names; a list as
        filter asks for each of its members; None asks for cases without the field.
        """
        hits: set[int] | None = None
        for name, value in filters.items():
            if value is None:
                found = self._without(name)
                hits = found if hits is None else hits & found
            for item in value if isinstance(value, (list, tuple)) else (value,):
                if item is not None:
                    found = self._index.having(name, item)
                    hits = found if hits is None else hits & found
        return hits

    def count(self, *, readable: bool = False) -> int:
        """How many cases there are, or how many of which something can be read here."""
        newest_min = 1 if readable else 0
        (total,) = self._session.execute(
            "SELECT count(*) FROM listing WHERE sort_ms >= ?", (newest_min,)
        ).fetchone()
        return int(total)

    def place(self, code: str) -> Place:
        """Where the row with this code stands.

        Raises:
            UsageError: ``page-unknown``: the row is gone since it was shown.
        """
        row = None
        if code.isascii():  # anything else is no code, and perhaps no text that SQLite takes
            row = self._session.execute(
                "SELECT sort_ms, code, serial FROM listing WHERE code = ?", (code,)
            ).fetchone()
        if row is None:
            raise UsageError("page-unknown", after=code)
        return Place(*row)

    def page(self, hits: set[int] | None, limit: int, after: Place | None) -> list[int]:
        """Serial numbers of the next ``limit`` hits behind ``after``, newest first."""
        if limit <= 0:
            return []
        if hits is not None and len(hits) <= _FEW:
            places = sorted(self._places(hits), key=lambda place: place.order)
            if after is not None:
                places = [place for place in places if place.order > after.order]
            return [place.serial for place in places[:limit]]
        found = []
        for serial in self._newest_first(after):
            if hits is None or serial in hits:
                found.append(serial)
                if len(found) == limit:
                    break
        return found

    def rows(self, serials: Sequence[int]) -> list[ListingRow]:
        """The rows of these cases, in the order asked."""
        rows = []
        for serial in serials:
            row = self._session.execute(
                f"SELECT {_COLUMNS} {_FROM} WHERE l.serial = ?",
                (serial,),
            ).fetchone()
            rows.append(self._row(row))
        return rows

    # -- inside -------------------------------------------------------------------------------

    def _places(self, serials: set[int]) -> Iterator[Place]:
        for serial in serials:
            row = self._session.execute(
                "SELECT sort_ms, code, serial FROM listing WHERE serial = ?", (serial,)
            ).fetchone()
            if row is not None:
                yield Place(*row)

    def _newest_first(self, after: Place | None) -> Iterator[int]:
        # Both statements read the index alone (sort_ms, code, and the serial number as row id).
        if after is None:
            rows = self._session.execute(f"SELECT l.serial FROM listing l {_ORDER}")  # noqa: S608
        else:
            rows = self._session.execute(
                "SELECT l.serial FROM listing l WHERE l.sort_ms <= ?"  # noqa: S608
                f" AND (l.sort_ms < ? OR l.code > ?) {_ORDER}",
                (after.sort_ms, after.sort_ms, after.code),
            )
        for (serial,) in rows:
            yield serial

    def _without(self, name: str) -> set[int]:
        # A rare question, answered by reading every row.
        rows = self._session.execute(
            "SELECT serial FROM listing WHERE json_extract(fields, ?) IS NULL", (f'$."{name}"',)
        ).fetchall()
        return {row[0] for row in rows}

    def _row(self, row: tuple[Any, ...]) -> ListingRow:
        serial, record, code, sort_ms, fields = row
        return ListingRow(
            self._directory.stream(serial),
            record,
            code,
            sort_ms,
            json.loads(fields),
        )
