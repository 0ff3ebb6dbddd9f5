"""The store's side of one transaction (storage floor): each call goes to the part concerned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from typing_extensions import override

from casesync.foundation.errors import UsageError
from casesync.foundation.ids import BlobHash, ChangeNumber, StreamId
from casesync.storage.access_rows import AccessRows
from casesync.storage.case_index import CaseIndex
from casesync.storage.change_blocks import ChangeBlocks
from casesync.storage.listing import Listing
from casesync.storage.packed_rows import PackedRows
from casesync.storage.session import Session
from casesync.storage.small_values import SmallValues
from casesync.storage.space import AccessReserve
from casesync.storage.stream_directory import StreamDirectory
from casesync.storage.stream_keys import Statement, StreamKeys
from casesync.storage.stream_rows import StreamRows
from casesync.storage.tail import TAIL_BYTES_MAX, Tail
from casesync.storage.work_lists import WorkLists
from casesync.sync.ports import (
    AccessRow,
    ChangeSigner,
    ConflictRow,
    ListingEntry,
    ListingRow,
    OutboxRow,
    QuarantineRow,
    StoredChange,
    StreamFlag,
    Transaction,
    UnsignedChange,
)


class SqlTransaction(Transaction):
    """All parts over one session; the store begins and ends it."""

    def __init__(self, session: Session, reserve: AccessReserve | None) -> None:
        self._reserve = reserve
        self._small = SmallValues(session)
        self._directory = StreamDirectory(session)
        self._packed = PackedRows(session, "stream_rows")
        self._rows = StreamRows(self._directory, self._packed)
        self._keys = StreamKeys(self._directory, PackedRows(session, "stream_keys"))
        self._blocks = ChangeBlocks(session)
        self._work = WorkLists(session)
        self._index = CaseIndex(session)
        self._listing = Listing(session, self._directory, self._index)
        self._access = AccessRows(session)
        self._tail = Tail(session)
        self._wrote_own = False
        self.wrote_access = False
        self.destroyed = False
        """Keys of a stream are no more: they must not stand in a copy either."""

    def begin(self) -> None:
        """Before anything else: what earlier transactions left in the tail is known."""
        self._wrote_own = self.destroyed = False
        parts = self._tail.unread()
        if parts is not None:
            values, outbox, block, rows = parts
            self._small.restore(values)
            self._work.restore(outbox)
            self._blocks.restore(block)
            self._packed.restore(rows)

    def flush(self) -> None:
        """Before the commit: everything that was held back goes to the database."""
        if not self._left_in_tail():
            self._small.flush()
            self._blocks.flush()
            self._work.flush()
            self._packed.flush()
            self._tail.clear()
        self._keys.flush()
        self._index.flush()
        self._directory.flush()

    def _left_in_tail(self) -> bool:
        """Whether what is small is in the tail; else it must go to its places, as if alone.

        It stays there until a transaction changes it that neither saves nor notes a look.
        """
        rows = self._packed.pending(TAIL_BYTES_MAX)
        if rows is None:
            return False
        block = self._blocks.pending()
        if block is None:
            return False
        parts = [self._small.pending(), self._work.pending(), block, rows]
        if not any(parts):
            return False
        saves = self._wrote_own or (self.wrote_access and self._tail.in_use)
        return self._tail.put(parts, changed=saves)

    def end(self, *, undone: bool) -> None:
        """After the commit or roll-back: only what is small and stands is remembered."""
        self._index.forget()
        if undone:
            self._tail.forget()
            self._work.forget()
            self._small.forget()
            self._packed.forget()
            self._keys.forget()
            self._blocks.forget()
            self._directory.forget()
        else:
            self._small.settle()
            self._packed.settle()
            self._keys.settle()
            self._blocks.settle()

    # -- small values, control log, blobs, keys -----------------------------------------------

    @override
    def value(self, key: str) -> bytes | None:
        return self._small.value(key)

    @override
    def put_value(self, key: str, value: bytes | None) -> None:
        self._small.put_value(key, value)

    @override
    def append_control(self, index: int, log_time_ms: int, entry: bytes) -> None:
        self._small.append_control(index, log_time_ms, entry)

    @override
    def control_entries(self, first: int = 0) -> Iterator[tuple[int, int, bytes]]:
        return self._small.control_entries(first)

    @override
    def put_blob(self, name: BlobHash, body: bytes) -> None:
        self._small.put_blob(name, body)

    @override
    def blob(self, name: BlobHash) -> bytes | None:
        return self._small.blob(name)

    @override
    def put_seed(self, unit: bytes, compartment: int, epoch: int, seed: bytes) -> None:
        self._small.put_seed(unit, compartment, epoch, seed)

    @override
    def seeds(self) -> Iterator[tuple[bytes, int, int, bytes]]:
        return self._small.seeds()

    @override
    def put_stream_key(
        self, stream: StreamId, compartment: int, statement: Statement, key: bytes
    ) -> None:
        self._keys.put(stream, compartment, statement, key)

    @override
    def stream_keys(
        self, streams: Iterable[StreamId]
    ) -> dict[StreamId, list[tuple[int, Statement, bytes]]]:
        return self._keys.read(streams)

    @override
    def packed_keys(self, streams: Iterable[StreamId]) -> list[bytes | None]:
        return self._keys.read_packed(streams)

    @override
    def drop_stream_keys(self, stream: StreamId) -> None:
        self._keys.drop(stream)
        self.destroyed = True

    # -- sealed changes and streams -----------------------------------------------------------

    @override
    def append_changes(self, changes: Sequence[StoredChange]) -> list[int]:
        return self._blocks.append(changes)

    @override
    def append_packed(self, changes: bytes, ends: Sequence[int]) -> list[int]:
        return self._blocks.append_packed(changes, ends)

    @override
    def append_own(self, change: UnsignedChange, signer: ChangeSigner) -> int:
        self._wrote_own = True
        return self._blocks.append_own(change, signer)

    @override
    def append_own_packed(
        self, packed: bytearray, place: int, message: bytes, signer: ChangeSigner
    ) -> int:
        self._wrote_own = True
        return self._blocks.append_own_packed(packed, place, message, signer)

    @override
    def changes_at(self, locations: Sequence[int]) -> list[StoredChange]:
        return self._blocks.read(locations)

    @override
    def drop_segments(self, cuts: Mapping[int, Sequence[int]]) -> None:
        self._blocks.drop_segments(cuts)

    @override
    def stream_rows(self, streams: Iterable[StreamId]) -> dict[StreamId, list[Any]]:
        return self._rows.read(streams)

    @override
    def packed_rows(self, streams: Iterable[StreamId]) -> list[bytes | None]:
        return self._rows.read_packed(streams)

    @override
    def expect_rows(self, streams: Iterable[StreamId]) -> None:
        self._rows.expect(streams)

    @override
    def put_packed_rows(self, rows: Mapping[StreamId, bytes], kind: int) -> None:
        self._rows.write_packed(rows, kind)

    @override
    def put_stream_rows(self, rows: Mapping[StreamId, list[Any]], kind: int) -> None:
        self._rows.write(rows, kind)

    @override
    def stream_ids(self, kind: int) -> list[StreamId]:
        return self._directory.of_kind(kind)

    @override
    def mark_streams(self, streams: Iterable[StreamId], flag: StreamFlag, on: bool) -> None:
        self._directory.mark(streams, flag, on)

    @override
    def streams_marked(self, flag: StreamFlag) -> list[StreamId]:
        return self._directory.marked(flag)

    # -- what is to be done or decided ----------------------------------------------------------

    @override
    def put_outbox(self, row: OutboxRow) -> None:
        self._work.put_outbox(row)

    @override
    def outbox(self) -> list[OutboxRow]:
        return self._work.outbox()

    @override
    def drop_outbox(self, numbers: Iterable[ChangeNumber]) -> None:
        self._work.drop_outbox(numbers)

    @override
    def put_owed(self, stream: StreamId, position: int, end: int) -> None:
        self._work.put_owed(stream, position, end)

    @override
    def owed(self) -> list[tuple[StreamId, int, int]]:
        return self._work.owed()

    @override
    def drop_owed(self, stream: StreamId) -> None:
        self._work.drop_owed(stream)

    @override
    def put_quarantine(self, row: QuarantineRow) -> None:
        self._work.put_quarantine(row)

    @override
    def drop_quarantine(self, device: int, number: int) -> None:
        self._work.drop_quarantine(device, number)

    @override
    def quarantine(self) -> list[QuarantineRow]:
        return self._work.quarantine()

    @override
    def put_conflicts(self, stream: StreamId, rows: Sequence[ConflictRow]) -> None:
        self._work.put_conflicts(stream, rows)

    @override
    def conflicts(self, conflict_id: str | None = None) -> list[ConflictRow]:
        return self._work.conflicts(conflict_id)

    # -- lists and search -----------------------------------------------------------------------

    @override
    def put_listings(self, entries: Sequence[ListingEntry]) -> None:
        self._listing.put(entries)

    @override
    def drop_listing(self, stream: StreamId) -> None:
        self._listing.drop(stream)

    @override
    def list_cases(
        self, filters: Mapping[str, Any], limit: int, after: str | None
    ) -> tuple[list[ListingRow], int]:
        hits = self._listing.filtered(filters)
        place = None if after is None else self._listing.place(after)
        serials = self._listing.page(hits, limit, place)
        total = self._listing.count() if hits is None else len(hits)
        return self._listing.rows(serials), total

    @override
    def readable_cases(self) -> int:
        return self._listing.count(readable=True)

    @override
    def find_cases(self, text: str, limit: int, after: str | None) -> tuple[list[ListingRow], int]:
        ranks = self._index.find(text)
        total = sum(map(len, ranks))
        place = None
        if after is not None:
            place = self._listing.place(after)
            while ranks and place.serial not in ranks[0]:
                ranks = ranks[1:]
            if not ranks:
                raise UsageError("page-unknown", after=after)
        serials: list[int] = []
        for hits in ranks:
            serials += self._listing.page(hits, limit - len(serials), place)
            place = None  # the ranks behind that of the last row shown begin at their top
        return self._listing.rows(serials), total

    @override
    def cases_by_code(self, code_prefix: str) -> list[ListingRow]:
        return self._listing.by_code(code_prefix)

    # -- access entries -------------------------------------------------------------------------

    @override
    def append_access(self, row: AccessRow) -> None:
        if self._reserve is not None and not self.wrote_access:
            self._reserve.ensure()
        self.wrote_access = True
        self._access.append(row)

    @override
    def access_unsealed(self) -> list[AccessRow]:
        return self._access.unsealed()

    @override
    def mark_access_sealed(self, device: int, last_sequence: int, change: int) -> None:
        self._access.mark_sealed(device, last_sequence, change)

    @override
    def access_rows(self, device: int | None = None, first: int = 0) -> Iterator[AccessRow]:
        return self._access.of_device(device, first)
