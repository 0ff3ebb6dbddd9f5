"""The engine's door to a store (sync floor); ``relay_port`` is the one to a relay.

The engine is sans-I/O: it calls these contracts and never a file or a socket. ``storage``
implements ``ReplicaStore`` over SQLCipher; the simulation uses the same store over plain SQLite in
memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


class UnsignedChange(NamedTuple):
    """One change of this device as it was made, but for its signature."""

    previous_link: bytes
    header: bytes
    segments: tuple[bytes, ...]
    message: bytes
    """What the signature is to cover."""


class ChangeSigner(Protocol):
    """The device's key; any thread may call it."""

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes."""
        ...


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
    """"type.field" -> effective JSON value, as filters compare it: scalars by type and value,
    lists by their members, objects by their names."""
    texts: Sequence[str] = ()
    """NFC texts that search looks into; words never join across two of them. Only their words are
    kept: none in a row that was read."""


class ListingEntry(NamedTuple):
    """A ``ListingRow`` as it is put: made without the store (``storage.listing_entry``)."""

    stream: StreamId
    record: bytes
    code: str
    sort_ms: int
    fields: str
    """JSON."""
    folded: str
    exact: str
    """Words of the texts without accents, and those that have some: each once, in any order."""
    tokens: str
    """One word for each field and value."""


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
    """All reads and writes of one atomic, durable step; of no use after it.

    Iterators are read within the transaction. Ids that are taken (a control index, an access
    sequence) and locations that were never given out are bugs of the caller and raise whatever
    the store raises; the transaction is undone like after any exception.
    """

    # -- small values -----------------------------------------------------------------------
    def value(self, key: str) -> bytes | None: ...
    def put_value(self, key: str, value: bytes | None) -> None:
        """Store a value; None removes it, b"" is a value."""
        ...

    # -- control log and blobs --------------------------------------------------------------
    def append_control(self, index: int, log_time_ms: int, entry: bytes) -> None: ...
    def control_entries(self, first: int = 0) -> Iterator[tuple[int, int, bytes]]:
        """(index, log time, entry), ascending from ``first``."""
        ...

    def put_blob(self, name: BlobHash, body: bytes) -> None:
        """Store a blob whose hash was checked; a name that is there keeps its first body."""
        ...

    def blob(self, name: BlobHash) -> bytes | None: ...

    # -- keys (the database itself is encrypted) ----------------------------------------------
    def put_seed(self, unit: bytes, compartment: int, epoch: int, seed: bytes) -> None: ...
    def seeds(self) -> Iterator[tuple[bytes, int, int, bytes]]:
        """(unit, compartment, epoch, seed), all of them."""
        ...

    def put_stream_key(
        self, stream: StreamId, compartment: int, statement: tuple[int, int, int], key: bytes
    ) -> None:
        """Keep a key; ``statement`` is (device, number, position), again = replaced."""
        ...

    def stream_keys(
        self, streams: Iterable[StreamId]
    ) -> dict[StreamId, list[tuple[int, tuple[int, int, int], bytes]]]:
        """(compartment, statement, key) in the order they came; only streams that have keys."""
        ...

    def packed_keys(self, streams: Iterable[StreamId]) -> list[bytes | None]:
        """In the order asked, still packed: msgpack maps of ``[compartment, statement]`` to key."""
        ...

    def drop_stream_keys(self, stream: StreamId) -> None:
        """Destroy the stream's keys."""
        ...

    # -- sealed changes, in blocks of about 128 kB --------------------------------------------
    def append_changes(self, changes: Sequence[StoredChange]) -> list[int]:
        """Store changes; one location (opaque positive integer) each, ascending."""
        ...

    def append_packed(self, changes: bytes, ends: Sequence[int]) -> list[int]:
        """As ``append_changes``, each packed already (msgpack of its parts) up to its end."""
        ...

    def append_own(self, change: UnsignedChange, signer: ChangeSigner) -> int:
        """Store a change of this device; its location.

        It is signed in this transaction: before it is read or committed, perhaps together with
        others and by another thread. What the signer raises then undoes the transaction.
        """
        ...

    def append_own_packed(
        self, packed: bytearray, place: int, message: bytes, signer: ChangeSigner
    ) -> int:
        """As ``append_own``, packed already; the signature of ``message`` goes to ``place``."""
        ...

    def changes_at(self, locations: Sequence[int]) -> list[StoredChange]:
        """The changes at these locations, in the order asked; cheapest when neighbours."""
        ...

    def drop_segments(self, cuts: Mapping[int, Sequence[int]]) -> None:
        """Destroy segments' bytes, by location and position; headers stay, they become None."""
        ...

    # -- streams: opaque msgpack-able rows, packed 64 to a database row -----------------------
    def stream_rows(self, streams: Iterable[StreamId]) -> dict[StreamId, list[Any]]:
        """Mutable rows of the streams that exist; put them back to store changes.

        Each call decodes anew, so nothing is shared between two callers. Tuples come back as
        lists; map keys may be of any hashable msgpack type.
        """
        ...

    def packed_rows(self, streams: Iterable[StreamId]) -> list[bytes | None]:
        """In the order asked, still packed: msgpack, all in its shortest form; None: no row."""
        ...

    def expect_rows(self, streams: Iterable[StreamId]) -> None:
        """Rows that will be put in this transaction; of no effect but on its speed."""
        ...

    def put_packed_rows(self, rows: Mapping[StreamId, bytes], kind: int) -> None:
        """As ``put_stream_rows``, of rows that are packed already."""
        ...

    def put_stream_rows(self, rows: Mapping[StreamId, list[Any]], kind: int) -> None:
        """Replace rows and give their streams this kind (``StreamKind``, 0 = not known yet)."""
        ...

    def stream_ids(self, kind: int) -> list[StreamId]:
        """Streams of one kind, in the order they came here."""
        ...

    def mark_streams(self, streams: Iterable[StreamId], flag: StreamFlag, on: bool) -> None:
        """Set or clear marks; a stream may be marked before it has a row."""
        ...

    def streams_marked(self, flag: StreamFlag) -> list[StreamId]:
        """Streams with any of these marks, in the order they came here."""
        ...

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
    def put_quarantine(self, row: QuarantineRow) -> None:
        """Add a row, or replace that of the same device and number."""
        ...

    def drop_quarantine(self, device: int, number: int) -> None: ...
    def quarantine(self) -> list[QuarantineRow]:
        """Oldest notice first."""
        ...

    def put_listings(self, entries: Sequence[ListingEntry]) -> None:
        """Add or replace rows of different cases; indexed again only where words changed."""
        ...

    def drop_listing(self, stream: StreamId) -> None:
        """Forget a case's row and its words in the index, if it has one.

        The index is rewritten once per transaction (seconds at 100,000 cases).
        """
        ...

    def list_cases(
        self, filters: Mapping[str, Any], limit: int, after: str | None
    ) -> tuple[list[ListingRow], int]:
        """Newest first, (rows, total hits); ``after`` is the code of the last row shown.

        A filter compares JSON values: "1" is not 1. A list asks for each of its members, None for
        cases without the field.

        Raises:
            UsageError: ``page-unknown``: no case has the code ``after`` any more.
        """
        ...

    def readable_cases(self) -> int:
        """How many of the listed cases have a live write that can be read here."""
        ...

    def find_cases(self, text: str, limit: int, after: str | None) -> tuple[list[ListingRow], int]:
        """Folded full-text search; ``text`` is only words, the last may be a beginning.

        Cases with all words as typed (accents) come first, then those where the last word begins
        so, then the rest; newest first in each.

        Raises:
            UsageError: ``page-unknown``: the case ``after`` is no hit any more.
        """
        ...

    def cases_by_code(self, code_prefix: str) -> list[ListingRow]:
        """At most 100 rows whose code begins so, by code."""
        ...

    def put_conflicts(self, stream: StreamId, rows: Sequence[ConflictRow]) -> None:
        """Replace the stream's open conflicts."""
        ...

    def conflicts(self, conflict_id: str | None = None) -> list[ConflictRow]:
        """All open conflicts, or those of one id (40 bits may meet twice), oldest first."""
        ...

    # -- access entries -------------------------------------------------------------------------
    def append_access(self, row: AccessRow) -> None:
        """Add an entry; on a full disk it may use room that is kept for it (DESIGN.md 9)."""
        ...

    def access_unsealed(self) -> list[AccessRow]:
        """Own entries not sealed yet (``change`` is None), ascending by sequence."""
        ...

    def mark_access_sealed(self, device: int, last_sequence: int, change: int) -> None:
        """The device's unsealed entries up to a sequence are carried by this change."""
        ...

    def access_rows(self, device: int | None = None, first: int = 0) -> Iterator[AccessRow]:
        """Entries of one device or of all, from a sequence on, by device and sequence."""
        ...


class ReplicaStore(Protocol):
    """Durable state of one replica, held by one process at a time.

    ``casesync.testing.conformance_store`` and ``conformance_store_lists`` are its contract as
    checks that any implementation can run.
    """

    def transaction(
        self, meanwhile: Callable[[], None] | None = None
    ) -> AbstractContextManager[Transaction]:
        """One atomic step: committed and durable on exit, undone on an exception.

        Args:
            meanwhile: called on exit, while what was written is made durable; a transaction that it
                begins waits for that.

        Raises:
            LocalStateError: ``disk-full``, ``disk-error``, ``database-locked``,
                ``database-corrupt``; nothing was written.
            UsageError: ``transaction-nested`` inside another one.
        """
        ...

    def close(self) -> None: ...
