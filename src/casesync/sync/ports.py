"""The doors of the engine: what it needs of a store and of a relay (sync floor).

The engine is sans-I/O: it calls these contracts and never a file or a socket. ``storage``
implements ``ReplicaStore`` over SQLCipher, ``transport`` implements ``RelayChannel`` over HTTP;
the simulation uses the same store over plain in-memory SQLite and a memory network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import IntFlag
from typing import Any, NamedTuple, Protocol

from casesync.foundation.ids import BlobHash, ChangeNumber, DeviceNumber, StreamId


class StoredChange(NamedTuple):
    """One sealed change as it came; ``None`` in segments is a withheld segment."""

    previous_link: bytes
    header: bytes
    signature: bytes
    segments: tuple[bytes | None, ...]


class StreamFlag(IntFlag):
    """Marks by which streams are found without opening their rows."""

    LISTING_STALE = 1
    """Merged since its listing, index and conflict rows were made."""
    UNSETTLED = 2
    """Has waiting, unreadable, quarantined or refused segments."""
    BOXES_OWED = 4
    """A unit entitled since lacks a box that this device could make."""
    RETAINED = 8
    """Revoked here; content is to be destroyed once the outbox has nothing of it."""


class OutboxRow(NamedTuple):
    """An own change the relay has not acknowledged yet, or whose leaf is not verified yet."""

    number: ChangeNumber
    stream: StreamId
    location: int
    size_bytes: int
    receipt: tuple[int, int] | None
    """(index, log time) once the relay has acknowledged it."""


class QuarantineRow(NamedTuple):
    """A change that does not count (yet)."""

    stream: StreamId
    device: DeviceNumber
    number: ChangeNumber
    log_index: int | None
    state: str
    """waiting, unreadable, quarantined or refused."""
    reason: str
    noticed_ms: int


class ListingRow(NamedTuple):
    """What lists and search need of a case, effective values only."""

    stream: StreamId
    record: bytes
    code: str
    sort_ms: int
    """Clock of the newest live write."""
    fields: Mapping[str, Any]
    """"type.field" -> effective JSON value, as filters compare it."""
    texts: Sequence[str]
    """NFC texts that search looks into."""


class ConflictRow(NamedTuple):
    """An open conflict."""

    conflict_id: str
    stream: StreamId
    record: bytes
    type_name: str
    field: str
    element: str | bytes | None
    part: int
    since_ms: int


class AccessRow(NamedTuple):
    """An access entry received by an auditor, or one's own."""

    device: DeviceNumber
    sequence: int
    entry: bytes
    entry_hash: bytes
    change: ChangeNumber | None
    """The change that carried it; None = not sealed yet."""


class Transaction(Protocol):
    """All reads and writes of one atomic, durable step."""

    # -- small values -----------------------------------------------------------------------
    def value(self, key: str) -> bytes | None: ...
    def put_value(self, key: str, value: bytes | None) -> None: ...

    # -- control log and blobs --------------------------------------------------------------
    def append_control(self, index: int, log_time_ms: int, entry: bytes) -> None: ...
    def control_entries(self, first: int = 0) -> Iterator[tuple[int, int, bytes]]: ...
    def put_blob(self, name: BlobHash, body: bytes) -> None: ...
    def blob(self, name: BlobHash) -> bytes | None: ...

    # -- keys (the database itself is encrypted) ----------------------------------------------
    def put_seed(self, unit: bytes, compartment: int, epoch: int, seed: bytes) -> None: ...
    def seeds(self) -> Iterator[tuple[bytes, int, int, bytes]]: ...
    def put_stream_key(
        self, stream: StreamId, compartment: int, statement: tuple[int, int, int], key: bytes
    ) -> None: ...
    def stream_keys(
        self, streams: Iterable[StreamId]
    ) -> dict[StreamId, list[tuple[int, tuple[int, int, int], bytes]]]: ...
    def drop_stream_keys(self, stream: StreamId) -> None: ...

    # -- sealed changes, in blocks of about 32 kB ---------------------------------------------
    def append_changes(self, changes: Sequence[StoredChange]) -> list[int]:
        """Store changes; one location (opaque positive integer) each, ascending."""
        ...

    def changes_at(self, locations: Sequence[int]) -> list[StoredChange]: ...
    def drop_segments(self, cuts: Mapping[int, Sequence[int]]) -> None:
        """Destroy segments' bytes, by location and position; headers stay, they become None."""
        ...

    # -- streams: opaque msgpack-able rows, packed 64 to a database row -----------------------
    def stream_rows(self, streams: Iterable[StreamId]) -> dict[StreamId, list[Any]]:
        """Mutable rows of the streams that exist; put them back to store changes."""
        ...

    def put_stream_rows(self, rows: Mapping[StreamId, list[Any]], kind: int) -> None: ...
    def stream_ids(self, kind: int) -> list[StreamId]: ...
    def mark_streams(self, streams: Iterable[StreamId], flag: StreamFlag, on: bool) -> None: ...
    def streams_marked(self, flag: StreamFlag) -> list[StreamId]: ...

    # -- outbox and owed back-fills -----------------------------------------------------------
    def put_outbox(self, row: OutboxRow) -> None: ...
    def outbox(self) -> list[OutboxRow]:
        """Ascending by number."""
        ...

    def drop_outbox(self, numbers: Iterable[ChangeNumber]) -> None: ...
    def put_owed(self, stream: StreamId, position: int, end: int) -> None:
        """Owe the stream's leaves in [position, end); replaces what was owed before."""
        ...

    def owed(self) -> list[tuple[StreamId, int, int]]: ...
    def drop_owed(self, stream: StreamId) -> None: ...

    # -- what is shown to people ---------------------------------------------------------------
    def put_quarantine(self, row: QuarantineRow) -> None: ...
    def drop_quarantine(self, device: int, number: int) -> None: ...
    def quarantine(self) -> list[QuarantineRow]: ...
    def put_listing(self, row: ListingRow) -> None: ...
    def drop_listing(self, stream: StreamId) -> None: ...
    def list_cases(
        self, filters: Mapping[str, Any], limit: int, after: str | None
    ) -> tuple[list[ListingRow], int]:
        """Newest first, (rows, total hits); ``after`` is the code of the last row shown."""
        ...

    def find_cases(self, text: str, limit: int, after: str | None) -> tuple[list[ListingRow], int]:
        """Folded full-text search; exact matches (accents as typed) rank first."""
        ...

    def cases_by_code(self, code_prefix: str) -> list[ListingRow]: ...
    def put_conflicts(self, stream: StreamId, rows: Sequence[ConflictRow]) -> None:
        """Replace the stream's open conflicts."""
        ...

    def conflicts(self, conflict_id: str | None = None) -> list[ConflictRow]: ...

    # -- access entries -------------------------------------------------------------------------
    def append_access(self, row: AccessRow) -> None: ...
    def access_unsealed(self) -> list[AccessRow]:
        """Own entries not sealed yet (``change`` is None), ascending by sequence."""
        ...

    def mark_access_sealed(self, device: int, last_sequence: int, change: int) -> None: ...
    def access_rows(self, device: int | None = None) -> Iterator[AccessRow]: ...


class ReplicaStore(Protocol):
    """Durable state of one replica."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One atomic step: committed and durable on exit, undone on an exception.

        Raises: LocalStateError: ``disk-full``, ``database-locked``, ``database-corrupt``.
        """
        ...

    def close(self) -> None: ...


class RelayChannel(Protocol):
    """Signed requests to one relay; implemented by ``transport`` and the memory network.

    Raises: NetworkError: ``relay-unreachable``, ``relay-refused`` (with the relay's code).
    """

    def relay_key(self) -> bytes: ...
    def create_network(
        self, entries: Sequence[bytes], blobs: Sequence[bytes]
    ) -> dict[int, Any]: ...
    def sync(self, request: bytes) -> bytes: ...
    def append_control(
        self, entries: Sequence[bytes], blobs: Sequence[bytes]
    ) -> dict[int, Any]: ...
    def blob(self, name: BlobHash) -> bytes: ...
    def rendezvous_open(self, invitation: bytes, expires_ms: int) -> None: ...
    def rendezvous_cancel(self, invitation: bytes) -> None: ...
    def rendezvous_put(self, invitation: bytes, slot: int, message: bytes) -> None: ...
    def rendezvous_get(self, invitation: bytes, slot: int) -> bytes | None: ...
    def now_offset_ms(self) -> int:
        """Relay's clock minus ours, as learned from its answers; 0 before the first."""
        ...
