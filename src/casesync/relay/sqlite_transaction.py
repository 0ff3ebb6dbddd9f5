"""One open transaction of the relay's SQLite store (relay; contract in ``relay_store``).

Plain SQL, no mapper; every query runs on a primary key or an index of ``sqlite_schema``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, final

from typing_extensions import override

from casesync.foundation.errors import LocalStateError
from casesync.relay.relay_store import (
    ChangeRow,
    DeviceRow,
    LinkRow,
    Log,
    NetworkRow,
    RelayTransaction,
    RendezvousRow,
)
from casesync.relay.sqlite_schema import PLACE_BITS
from casesync.translog.chain import link

_INDEX_MASK: Final = (1 << PLACE_BITS) - 1


@final
class SqliteTransaction(RelayTransaction):
    """``RelayTransaction`` on an open transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute
        self._run_many = connection.executemany

    def _row(self, sql: str, *args: Any) -> Any:  # noqa: ANN401 - a row is what SQL says
        return self._run(sql, args).fetchone()

    def _held(self, sql: str, *args: Any) -> Any:  # noqa: ANN401 - likewise
        """A row that must be there."""
        row = self._row(sql, *args)
        if row is None:
            raise LocalStateError("relay-store-damaged")
        return row

    # -- the relay itself ---------------------------------------------------------------------
    @override
    def value(self, key: str) -> bytes | None:
        row = self._row("SELECT value FROM meta WHERE key=?", key)
        return None if row is None else row[0]

    @override
    def put_value(self, key: str, value: bytes) -> None:
        self._run("INSERT OR REPLACE INTO meta VALUES (?,?)", (key, value))

    # -- networks -----------------------------------------------------------------------------
    @override
    def network(self, network: bytes) -> NetworkRow | None:
        row = self._row(
            "SELECT handle, control_size, change_size, log_time_ms, stored_bytes"
            " FROM networks WHERE network=?",
            network,
        )
        return None if row is None else NetworkRow._make(row)

    @override
    def networks(self) -> list[tuple[bytes, NetworkRow]]:
        rows = self._run(
            "SELECT network, handle, control_size, change_size, log_time_ms, stored_bytes"
            " FROM networks"
        )
        return [(row[0], NetworkRow._make(row[1:])) for row in rows]

    @override
    def network_count(self) -> int:
        return int(self._row("SELECT count(*) FROM networks")[0])

    @override
    def add_network(self, network: bytes) -> NetworkRow:
        cursor = self._run(
            "INSERT INTO networks (network, control_size, change_size, log_time_ms, stored_bytes)"
            " VALUES (?,0,0,0,0)",
            (network,),
        )
        assert cursor.lastrowid is not None
        return NetworkRow(cursor.lastrowid, 0, 0, 0, 0)

    @override
    def put_network(self, row: NetworkRow) -> None:
        self._run(
            "UPDATE networks SET control_size=?, change_size=?, log_time_ms=?, stored_bytes=?"
            " WHERE handle=?",
            (*row[1:], row.handle),
        )

    # -- logs ---------------------------------------------------------------------------------
    @override
    def append_control(self, handle: int, first: int, leaves: Sequence[tuple[int, bytes]]) -> None:
        place = _place(handle, first)
        self._run_many(
            "INSERT INTO control_leaves VALUES (?,?,?)",
            [(place + i, time, entry) for i, (time, entry) in enumerate(leaves)],
        )

    @override
    def control_leaves(self, handle: int, first: int, end: int) -> Iterator[tuple[int, bytes]]:
        return iter(
            self._run(
                "SELECT log_time_ms, entry FROM control_leaves WHERE place>=? AND place<?"
                " ORDER BY place",
                (_place(handle, first), _place(handle, end)),
            )
        )

    @override
    def append_changes(
        self, handle: int, rows: Sequence[tuple[ChangeRow, Iterable[bytes]]]
    ) -> None:
        feed_nos: dict[bytes, int] = {}
        stream_nos: dict[bytes, int] = {}
        leaves, by_device, by_feed = [], [], []
        for row, feeds in rows:
            place = _place(handle, row.log_index)
            stream_no = stream_nos.get(row.stream)
            if stream_no is None:
                stream_no = stream_nos[row.stream] = self._stream_no(handle, row.stream)
            leaves.append((place, row.log_time_ms, row.device, row.number, stream_no, *row[5:]))
            by_device.append((handle, row.device, row.number, place))
            for feed in feeds:
                if feed not in feed_nos:
                    feed_nos[feed] = self._feed_no(handle, feed)
                by_feed.append((feed_nos[feed], place))
        self._run_many("INSERT INTO change_leaves VALUES (?,?,?,?,?,?,?,?,?)", leaves)
        self._run_many("INSERT INTO device_leaves VALUES (?,?,?,?)", by_device)
        self._run_many("INSERT INTO feed_leaves VALUES (?,?)", by_feed)

    @override
    def change(self, handle: int, index: int) -> ChangeRow:
        row = self._held(
            "SELECT c.log_time_ms, c.device, c.number, s.stream, c.previous_link,"
            " c.header, c.signature, c.segments FROM change_leaves c"
            " JOIN streams s ON s.stream_no=c.stream_no WHERE c.place=?",
            _place(handle, index),
        )
        return ChangeRow(index, *row)

    @override
    def receipt(self, handle: int, device: int, number: int) -> tuple[int, int, bytes] | None:
        row = self._row(
            "SELECT c.place, c.log_time_ms, c.previous_link, c.header FROM device_leaves d"
            " JOIN change_leaves c ON c.place=d.place"
            " WHERE d.handle=? AND d.device=? AND d.number=?",
            handle,
            device,
            number,
        )
        return None if row is None else (row[0] & _INDEX_MASK, row[1], link(row[2], row[3]))

    @override
    def header(self, handle: int, device: int, number: int) -> bytes:
        row = self._held(
            "SELECT c.header FROM device_leaves d JOIN change_leaves c ON c.place=d.place"
            " WHERE d.handle=? AND d.device=? AND d.number=?",
            handle,
            device,
            number,
        )
        return bytes(row[0])

    @override
    def put_nodes(self, handle: int, log: Log, nodes: Iterable[tuple[int, int, bytes]]) -> None:
        tree = handle * 2 + log
        self._run_many("INSERT INTO nodes VALUES (?,?,?,?)", [(tree, *node) for node in nodes])

    @override
    def node(self, handle: int, log: Log, level: int, index: int) -> bytes:
        row = self._held(
            "SELECT hash FROM nodes WHERE tree=? AND level=? AND node=?",
            handle * 2 + log,
            level,
            index,
        )
        return bytes(row[0])

    # -- streams and feeds ----------------------------------------------------------------------
    @override
    def opener(self, handle: int, stream: bytes) -> int | None:
        row = self._row("SELECT opener FROM streams WHERE handle=? AND stream=?", handle, stream)
        return None if row is None else row[0]

    @override
    def open_stream(self, handle: int, stream: bytes, device: int) -> None:
        self._run(
            "INSERT INTO streams (handle, stream, opener) VALUES (?,?,?)", (handle, stream, device)
        )

    @override
    def linked_feeds(self, handle: int, stream: bytes) -> list[bytes]:
        rows = self._run(
            "SELECT f.feed, l.linked, max(l.place) FROM feed_links l"
            " JOIN feeds f ON f.feed_no=l.feed_no"
            " WHERE l.stream_no=(SELECT stream_no FROM streams WHERE handle=? AND stream=?)"
            " GROUP BY l.feed_no",
            (handle, stream),
        )
        return [feed for feed, linked, _place_max in rows if linked]

    @override
    def ever_linked(self, handle: int, stream: bytes, feeds: Sequence[bytes]) -> bool:
        return any(
            self._row(
                "SELECT 1 FROM feed_links"
                " WHERE stream_no=(SELECT stream_no FROM streams WHERE handle=? AND stream=?)"
                " AND feed_no=(SELECT feed_no FROM feeds WHERE handle=? AND feed=?)"
                " AND linked=1 LIMIT 1",
                handle,
                stream,
                handle,
                feed,
            )
            for feed in feeds
        )

    @override
    def put_link(self, handle: int, feed: bytes, row: LinkRow) -> None:
        self._run(
            "INSERT OR REPLACE INTO feed_links VALUES (?,?,?,?)",
            (
                self._feed_no(handle, feed),
                self._stream_no(handle, row.stream),
                _place(handle, row.log_index),
                row.linked,
            ),
        )

    @override
    def late_linked_indexes(self, handle: int, feed: bytes, first: int, end: int) -> Iterator[int]:
        low, high = _place(handle, first), _place(handle, end)
        rows = self._run(
            "SELECT c.place FROM"
            " (SELECT stream_no, max(place) AS link FROM feed_links"
            "  WHERE feed_no=(SELECT feed_no FROM feeds WHERE handle=? AND feed=?)"
            "  AND place>=? AND place<? AND linked=1 GROUP BY stream_no) l"
            " CROSS JOIN change_leaves c INDEXED BY change_leaves_stream"
            " ON c.stream_no=l.stream_no AND c.place>=? AND c.place<l.link ORDER BY c.place",
            (handle, feed, low, high, low),
        )
        return (row[0] & _INDEX_MASK for row in rows)

    @override
    def linked_at(self, handle: int, feed: bytes, stream: bytes, size: int) -> bool:
        row = self._row(
            "SELECT linked FROM feed_links"
            " WHERE stream_no=(SELECT stream_no FROM streams WHERE handle=? AND stream=?)"
            " AND feed_no=(SELECT feed_no FROM feeds WHERE handle=? AND feed=?)"
            " AND place<? ORDER BY place DESC LIMIT 1",
            handle,
            stream,
            handle,
            feed,
            _place(handle, size),
        )
        return row is not None and bool(row[0])

    @override
    def change_indexes(self, handle: int, first: int, end: int) -> Iterator[int]:
        rows = self._run(
            "SELECT place FROM change_leaves WHERE place>=? AND place<? ORDER BY place",
            (_place(handle, first), _place(handle, end)),
        )
        return (row[0] & _INDEX_MASK for row in rows)

    @override
    def feed_indexes(self, handle: int, feed: bytes, first: int, end: int) -> Iterator[int]:
        rows = self._run(
            "SELECT place FROM feed_leaves"
            " WHERE feed_no=(SELECT feed_no FROM feeds WHERE handle=? AND feed=?)"
            " AND place>=? AND place<? ORDER BY place",
            (handle, feed, _place(handle, first), _place(handle, end)),
        )
        return (row[0] & _INDEX_MASK for row in rows)

    @override
    def stream_indexes(self, handle: int, stream: bytes, first: int, end: int) -> Iterator[int]:
        rows = self._run(
            "SELECT place FROM change_leaves"
            " WHERE stream_no=(SELECT stream_no FROM streams WHERE handle=? AND stream=?)"
            " AND place>=? AND place<? ORDER BY place",
            (handle, stream, _place(handle, first), _place(handle, end)),
        )
        return (row[0] & _INDEX_MASK for row in rows)

    @override
    def own_indexes(self, handle: int, device: int, first: int, end: int) -> Iterator[int]:
        rows = self._run(
            "SELECT place FROM device_leaves"
            " WHERE handle=? AND device=? AND place>=? AND place<? ORDER BY place",
            (handle, device, _place(handle, first), _place(handle, end)),
        )
        return (row[0] & _INDEX_MASK for row in rows)

    # -- devices --------------------------------------------------------------------------------
    @override
    def device(self, handle: int, number: int) -> DeviceRow | None:
        row = self._row(
            "SELECT newest_number, newest_link, counter, quota_day, quota_bytes"
            " FROM devices WHERE handle=? AND device=?",
            handle,
            number,
        )
        return None if row is None else DeviceRow._make(row)

    @override
    def devices(self, handle: int) -> list[tuple[int, DeviceRow]]:
        rows = self._run(
            "SELECT device, newest_number, newest_link, counter, quota_day, quota_bytes"
            " FROM devices WHERE handle=?",
            (handle,),
        )
        return [(row[0], DeviceRow._make(row[1:])) for row in rows]

    @override
    def put_device(self, handle: int, number: int, row: DeviceRow) -> None:
        self._run("INSERT OR REPLACE INTO devices VALUES (?,?,?,?,?,?,?)", (handle, number, *row))

    # -- blobs ------------------------------------------------------------------------------------
    @override
    def blob(self, handle: int, name: bytes) -> bytes | None:
        row = self._row("SELECT body FROM blobs WHERE handle=? AND name=?", handle, name)
        return None if row is None else row[0]

    @override
    def put_blob(self, handle: int, name: bytes, body: bytes) -> None:
        self._run("INSERT OR IGNORE INTO blobs VALUES (?,?,?)", (handle, name, body))

    # -- rendezvous -------------------------------------------------------------------------------
    @override
    def rendezvous(self, handle: int, invitation: bytes) -> RendezvousRow | None:
        row = self._row(
            "SELECT device, expires_ms, slot1, slot2, slot3, slot4 FROM rendezvous"
            " WHERE handle=? AND invitation=?",
            handle,
            invitation,
        )
        return None if row is None else RendezvousRow(row[0], row[1], tuple(row[2:]))

    @override
    def rendezvous_count(self, handle: int, device: int) -> int:
        return int(
            self._row(
                "SELECT count(*) FROM rendezvous WHERE handle=? AND device=?", handle, device
            )[0]
        )

    @override
    def put_rendezvous(self, handle: int, invitation: bytes, row: RendezvousRow) -> None:
        self._run(
            "INSERT OR REPLACE INTO rendezvous VALUES (?,?,?,?,?,?,?,?)",
            (handle, invitation, row.device, row.expires_ms, *row.slots),
        )

    @override
    def drop_rendezvous(self, handle: int, invitation: bytes) -> None:
        self._run("DELETE FROM rendezvous WHERE handle=? AND invitation=?", (handle, invitation))

    @override
    def drop_expired(self, now_ms: int) -> None:
        self._run("DELETE FROM rendezvous WHERE expires_ms<=?", (now_ms,))

    # -- local numbers ----------------------------------------------------------------------
    def _stream_no(self, handle: int, stream: bytes) -> int:
        sql = "SELECT stream_no FROM streams WHERE handle=? AND stream=?"
        return int(self._held(sql, handle, stream)[0])

    def _feed_no(self, handle: int, feed: bytes) -> int:
        row = self._row("SELECT feed_no FROM feeds WHERE handle=? AND feed=?", handle, feed)
        if row is not None:
            return int(row[0])
        cursor = self._run("INSERT INTO feeds (handle, feed) VALUES (?,?)", (handle, feed))
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def _place(handle: int, index: int) -> int:
    return (handle << PLACE_BITS) + index
