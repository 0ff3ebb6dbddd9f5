"""What a relay holds, shown to the person who runs it (relay).

``status`` counts; ``what_it_sees`` lists every kind of datum in the database with an example from
it and what can be concluded from it, so that nobody has to take our word for what the relay knows.
Read-only; plain structures, rendered by the command line.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from casesync.foundation.errors import LocalStateError
from casesync.relay.sqlite_schema import SCHEMA_VERSION
from casesync.relay.sqlite_store import converted


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStatus:
    """One network in numbers."""

    network_hex: str
    control_entries: int
    changes: int
    devices: int
    streams: int
    stored_bytes: int
    last_log_time_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayStatus:
    """A relay in numbers."""

    networks: tuple[NetworkStatus, ...]
    rendezvous_open: int
    database_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDatum:
    """One column of the database: what it is, what follows from it, one value."""

    table: str
    column: str
    meaning: str
    concludes: str
    """What whoever reads it can conclude."""
    rows: int
    example: str
    """Hex of the first bytes, or a number; empty if there is none yet, or it is hidden."""
    example_bytes: int | None
    """How long the example is, where it is bytes."""
    hidden: bool
    """Whether there is one that this program does not show: the relay's secret key."""


_HANDLE: Final = "the relay's own short number of a network"
_MEANINGS: Final[dict[str, tuple[str, str]]] = {
    "meta.key": ("name of a setting", "nothing"),
    "meta.value": ("the relay's secret log key", "nothing about the network's members"),
    "networks.handle": (_HANDLE, "nothing"),
    "networks.network": ("id of a network (a hash)", "that a network uses this relay"),
    "networks.control_size": ("entries about devices and keys", "how often members change"),
    "networks.change_size": ("changes written so far", "how much work is done"),
    "networks.log_time_ms": ("time of the newest entry", "when somebody last worked"),
    "networks.stored_bytes": ("bytes stored", "how much is stored"),
    "control_leaves.place": ("network and index", "the order of entries"),
    "control_leaves.log_time_ms": ("when the entry came", "when members or keys changed"),
    "control_leaves.entry": (
        "an entry: device numbers, verification keys, feeds; names and roles are sealed",
        "which device signed it, which device it concerns, who may sign such acts",
    ),
    "streams.stream_no": ("the relay's own short number of a stream", "nothing"),
    "streams.handle": (_HANDLE, "nothing"),
    "streams.stream": ("id of a stream (a hash)", "how many cases, registers and logs there are"),
    "streams.opener": ("device that opened it", "which device began a case or a log"),
    "change_leaves.place": ("network and index", "the order of changes"),
    "change_leaves.log_time_ms": ("when the change came", "when which device synced"),
    "change_leaves.device": ("device that wrote it", "which device works how much"),
    "change_leaves.number": ("the device's running number", "how much it wrote offline"),
    "change_leaves.stream_no": ("stream it belongs to", "which devices work on one case"),
    "change_leaves.previous_link": ("chain of the device (a hash)", "nothing further"),
    "change_leaves.header": (
        "sizes, compartment numbers and key names of its sealed parts; whom it has seen",
        "which compartments were written, about how much, who wrote after whom",
    ),
    "change_leaves.signature": ("the device's signature", "that this device wrote it"),
    "change_leaves.segments": (
        "the sealed parts, and key boxes, feed links and opening randomness in clear",
        "to how many offices a case's key is boxed; of the contents nothing but padded sizes",
    ),
    "device_leaves.handle": (_HANDLE, "nothing"),
    "device_leaves.device": ("device", "as change_leaves.device"),
    "device_leaves.number": ("running number", "as change_leaves.number"),
    "device_leaves.place": ("where it stands", "nothing further"),
    "nodes.tree": ("which log", "nothing"),
    "nodes.level": ("position in the proof tree", "nothing"),
    "nodes.node": ("position in the proof tree", "nothing"),
    "nodes.hash": ("hash over entries", "nothing further"),
    "feeds.feed_no": ("the relay's own short number of a feed", "nothing"),
    "feeds.handle": (_HANDLE, "nothing"),
    "feeds.feed": ("a feed (random)", "how many offices and logs there are"),
    "feed_links.feed_no": ("feed", "which offices share a case"),
    "feed_links.stream_no": ("stream", "which offices share a case"),
    "feed_links.place": ("since when", "when sharing began or ended"),
    "feed_links.linked": ("begun or ended", "when sharing began or ended"),
    "feed_leaves.feed_no": ("feed", "how much an office is sent"),
    "feed_leaves.place": ("change", "how much an office is sent"),
    "devices.handle": (_HANDLE, "nothing"),
    "devices.device": ("device number", "how many devices there are"),
    "devices.newest_number": ("its newest change", "how much it wrote"),
    "devices.newest_link": ("its chain (a hash)", "nothing further"),
    "devices.counter": ("how many requests it sent", "how often it syncs"),
    "devices.quota_day": ("day of its quota", "when it last pushed"),
    "devices.quota_bytes": ("bytes it pushed that day", "how much it wrote that day"),
    "blobs.handle": (_HANDLE, "nothing"),
    "blobs.name": ("name of a blob (a hash)", "nothing further"),
    "blobs.body": (
        "public keys, sealed schemas and roles, key wraps only their device opens",
        "how many devices got new keys at once",
    ),
    "rendezvous.handle": (_HANDLE, "nothing"),
    "rendezvous.invitation": ("an invitation (a hash)", "that somebody is being enrolled"),
    "rendezvous.device": ("the inviting device", "who enrols"),
    "rendezvous.expires_ms": ("when it ends", "when the invitation was made"),
    "rendezvous.slot1": ("sealed message of the joiner", "how far the enrolment is"),
    "rendezvous.slot2": ("sealed message of the inviter", "how far the enrolment is"),
    "rendezvous.slot3": ("sealed message of the joiner", "how far the enrolment is"),
    "rendezvous.slot4": ("sealed message of the inviter", "how far the enrolment is"),
}
_EXAMPLE_BYTES: Final = 24


def status(db: Path) -> RelayStatus:
    """The relay in numbers; also while it runs.

    Raises:
        LocalStateError: ``relay-file-missing``, ``relay-store-failed``,
            ``relay-store-damaged``, ``relay-store-older``, ``relay-store-newer``.
    """
    with _Reading(db) as reader:
        rows = reader.connection.execute(
            "SELECT network, control_size, change_size,"
            " (SELECT count(*) FROM devices d WHERE d.handle=n.handle),"
            " (SELECT count(*) FROM streams s WHERE s.handle=n.handle),"
            " stored_bytes, log_time_ms FROM networks n ORDER BY handle"
        ).fetchall()
        open_now = reader.connection.execute("SELECT count(*) FROM rendezvous").fetchone()[0]
    networks = tuple(
        NetworkStatus(
            network_hex=row[0].hex(),
            control_entries=row[1],
            changes=row[2],
            devices=row[3],
            streams=row[4],
            stored_bytes=row[5],
            last_log_time_ms=row[6],
        )
        for row in rows
    )
    files = (db, db.with_name(f"{db.name}-wal"))
    size_bytes = sum(file.stat().st_size for file in files if file.exists())
    return RelayStatus(networks=networks, rendezvous_open=open_now, database_bytes=size_bytes)


def what_it_sees(db: Path) -> tuple[SeenDatum, ...]:
    """Every column of every table with its meaning and an example; also while the relay runs.

    Raises:
        LocalStateError: ``relay-file-missing``, ``relay-store-failed``,
            ``relay-store-damaged``, ``relay-store-older``, ``relay-store-newer``.
    """
    with _Reading(db) as reader:
        return tuple(
            reader.datum(table, column)
            for table in reader.tables()
            for column in reader.columns(table)
        )


class _Reading:
    """A read-only connection; names in SQL come from the schema itself, never from outside."""

    def __init__(self, db: Path) -> None:
        self._db = db

    def __enter__(self) -> _Reading:
        if not self._db.is_file():
            raise LocalStateError("relay-file-missing", file=self._db.name)
        try:
            uri = f"{self._db.resolve(strict=True).as_uri()}?mode=ro"
        except OSError as error:
            raise LocalStateError("relay-store-failed") from error
        with converted():
            self.connection = sqlite3.connect(uri, uri=True)
            self.connection.execute("SELECT 1 FROM networks LIMIT 1")
            (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        if version != SCHEMA_VERSION:
            self.connection.close()
            newer = version > SCHEMA_VERSION
            raise LocalStateError("relay-store-newer" if newer else "relay-store-older")
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.connection.close()
        with converted():
            if isinstance(error, sqlite3.Error):
                raise error

    def tables(self) -> list[str]:
        rows = self.connection.execute(
            "SELECT name FROM sqlite_schema WHERE type='table' ORDER BY rowid"
        )
        return [name for (name,) in rows]

    def columns(self, table: str) -> list[str]:
        return [row[1] for row in self.connection.execute(f'PRAGMA table_info("{table}")')]

    def datum(self, table: str, column: str) -> SeenDatum:
        query = f'SELECT count(*), max("{column}") FROM "{table}"'  # noqa: S608 - schema's names
        rows, example = self.connection.execute(query).fetchone()
        meaning, concludes = _MEANINGS[f"{table}.{column}"]
        hidden = (table, column) == ("meta", "value") and bool(rows)
        is_bytes = isinstance(example, bytes) and not hidden
        return SeenDatum(
            table=table,
            column=column,
            meaning=meaning,
            concludes=concludes,
            rows=rows,
            example="" if hidden else _shown(example),
            example_bytes=len(example) if is_bytes else None,
            hidden=hidden,
        )


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return value[:_EXAMPLE_BYTES].hex() + ("..." if len(value) > _EXAMPLE_BYTES else "")
    return "" if value is None else str(value)
