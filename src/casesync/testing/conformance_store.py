"""What every replica store must do, as checks to run against one (testing, stands aside).

A store is given as a *place* that can be opened again and again; each check starts with an empty
one. ``CHECKS`` holds them all; with pytest::

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_my_store_keeps_the_contract(check, tmp_path):
        check(MyPlace(tmp_path))

Work lists, lists of cases, search and conflicts are in ``conformance_store_lists.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final, Protocol

import msgpack

from casesync.foundation.errors import CasesyncError
from casesync.foundation.ids import BlobHash, ChangeNumber, DeviceNumber, StreamId, StreamKind
from casesync.sync.ports import (
    AccessRow,
    OutboxRow,
    ReplicaStore,
    StoredChange,
    StreamFlag,
    Transaction,
)


class StorePlace(Protocol):
    """Where one store lies."""

    def open(self) -> ReplicaStore:
        """Open the store that lies here, made if there is none; one at a time."""
        ...


Check = Callable[[StorePlace], None]


def code_of(act: Callable[[], object]) -> str | None:
    """The code with which ``act`` is refused, None if it is not."""
    try:
        act()
    except CasesyncError as error:
        return error.code
    return None


def stream_id(number: int) -> StreamId:
    """A stream id for tests."""
    return StreamId(sha256(b"stream %d" % number).digest()[:16])


def stored_change(number: int, content_bytes: int = 90) -> StoredChange:
    """A change whose parts say which one it is; every third withholds a segment."""
    mark = b"%d." % number
    segments = (mark.ljust(content_bytes, b"c"), None if number % 3 == 0 else mark)
    return StoredChange(mark.ljust(32, b"p"), mark.ljust(110, b"h"), mark.ljust(64, b"s"), segments)


def access_row(sequence: int, device: int = 7, change: int | None = None) -> AccessRow:
    """An access entry."""
    entry = b"entry %d of %d" % (sequence, device)
    number = None if change is None else ChangeNumber(change)
    return AccessRow(DeviceNumber(device), sequence, entry, sha256(entry).digest(), number)


def write_something(transaction: Transaction) -> None:
    """One write of every kind but what people see."""
    stream = stream_id(1)
    transaction.put_value("cursor", b"1")
    transaction.append_control(0, 5, b"entry")
    transaction.put_blob(BlobHash(b"n" * 32), b"blob")
    transaction.put_seed(b"u" * 16, 2, 1, b"s" * 32)
    transaction.put_stream_key(stream, 2, (3, 4, 5), b"k" * 32)
    transaction.put_outbox(
        OutboxRow(
            ChangeNumber(1), stream, transaction.append_changes([stored_change(1)])[0], 9, None
        )
    )
    transaction.put_stream_rows({stream: [1]}, StreamKind.CASE)
    transaction.mark_streams([stream], StreamFlag.UNSETTLED, True)
    transaction.put_owed(stream, 0, 5)
    transaction.append_access(access_row(1))


def read_everything(transaction: Transaction) -> list[Any]:
    """What ``write_something`` wrote, in a form to compare."""
    stream = stream_id(1)
    outbox = transaction.outbox()
    return [
        transaction.value("cursor"),
        list(transaction.control_entries()),
        transaction.blob(BlobHash(b"n" * 32)),
        list(transaction.seeds()),
        transaction.stream_keys([stream]),
        outbox,
        transaction.changes_at([row.location for row in outbox]),
        transaction.stream_rows([stream]),
        transaction.stream_ids(StreamKind.CASE),
        transaction.streams_marked(StreamFlag.UNSETTLED),
        transaction.owed(),
        list(transaction.access_rows()),
    ]


# -- transactions ---------------------------------------------------------------------------------


def what_was_committed_is_there_after_reopening(place: StorePlace) -> None:
    """Committed means durable."""
    store = place.open()
    with store.transaction() as transaction:
        write_something(transaction)
        before = read_everything(transaction)
    store.close()
    store = place.open()
    with store.transaction() as transaction:
        assert read_everything(transaction) == before
        assert all(before)
    store.close()


def an_exception_undoes_the_whole_transaction(place: StorePlace) -> None:
    """Also what the store remembers beside its tables: the next transaction sees nothing of it."""
    store = place.open()
    with store.transaction() as transaction:
        empty = read_everything(transaction)
    refused = False
    try:
        with store.transaction() as transaction:
            write_something(transaction)
            transaction.append_control(0, 5, b"the index is taken")
    except Exception:  # noqa: BLE001, the store's own kind of error for a bug of ours
        refused = True
    assert refused
    with store.transaction() as transaction:
        assert read_everything(transaction) == empty
        assert not any(value for value in empty if value is not None)
        # Serial numbers that the undone transaction gave out are free for other streams.
        transaction.put_stream_rows({stream_id(2): [2]}, StreamKind.CASE)
    with store.transaction() as transaction:
        assert transaction.stream_rows([stream_id(1), stream_id(2)]) == {stream_id(2): [2]}
    store.close()


def a_transaction_inside_another_is_refused(place: StorePlace) -> None:
    """And the outer one is undone with the exception."""
    store = place.open()
    assert code_of(lambda: _nest(store)) == "transaction-nested"
    with store.transaction() as transaction:
        assert transaction.value("outer") is None
    store.close()


def what_runs_meanwhile_may_begin_what_follows(place: StorePlace) -> None:
    """It runs once, after the step; a transaction in it finds the step done; not if it failed."""
    store = place.open()
    seen: list[bytes | None] = []

    def look() -> None:
        with store.transaction() as transaction:
            seen.append(transaction.value("step"))
            transaction.put_value("next", b"2")

    with store.transaction(look) as transaction:
        transaction.put_value("step", b"1")
        assert not seen
    assert seen == [b"1"]
    assert code_of(lambda: _nest(store, look)) == "transaction-nested"
    assert seen == [b"1"]
    store.close()
    store = place.open()
    with store.transaction() as transaction:
        assert (transaction.value("step"), transaction.value("next")) == (b"1", b"2")
    store.close()


def a_transaction_kept_beyond_its_end_is_refused(place: StorePlace) -> None:
    """It would write without anybody committing."""
    store = place.open()
    with store.transaction() as transaction:
        pass
    assert code_of(lambda: transaction.put_value("late", b"1")) == "transaction-over"
    store.close()


# -- single values --------------------------------------------------------------------------------


def values_blobs_and_seeds_are_replaced_or_kept(place: StorePlace) -> None:
    """A value can be removed; a blob's name fixes its bytes, so the first one stays."""
    store = place.open()
    with store.transaction() as transaction:
        transaction.put_value("a", b"1")
        transaction.put_value("a", b"")
        assert transaction.value("a") == b""
        transaction.put_value("a", None)
        assert transaction.value("a") is None
        name = BlobHash(b"b" * 32)
        transaction.put_blob(name, b"first")
        transaction.put_blob(name, b"second")
        assert transaction.blob(name) == b"first"
        assert transaction.blob(BlobHash(b"c" * 32)) is None
        for epoch in (2, 1, 2):
            transaction.put_seed(b"u" * 16, 3, epoch, bytes([epoch]) * 32)
        assert [row[2] for row in transaction.seeds()] == [1, 2]
    store.close()


def control_entries_come_in_order_from_any_index(place: StorePlace) -> None:
    """The control log is a list."""
    store = place.open()
    with store.transaction() as transaction:
        entries = [(index, 100 + index, b"entry %d" % index) for index in range(5)]
        for entry in entries:
            transaction.append_control(*entry)
        assert list(transaction.control_entries()) == entries
        assert list(transaction.control_entries(3)) == entries[3:]
        assert list(transaction.control_entries(9)) == []
    store.close()


def stream_keys_are_found_by_stream_and_destroyed_whole(place: StorePlace) -> None:
    """Keys stay in the order they came; the same statement again replaces its key."""
    store = place.open()
    one, two = stream_id(1), stream_id(2)
    with store.transaction() as transaction:
        transaction.put_stream_key(one, 2, (3, 4, 0), b"a" * 32)
        transaction.put_stream_key(one, 1, (3, 4, 1), b"b" * 32)
        transaction.put_stream_key(two, 1, (3, 5, 0), b"c" * 32)
    with store.transaction() as transaction:
        transaction.put_stream_key(one, 2, (3, 4, 0), b"d" * 32)
        assert transaction.stream_keys([two, one, stream_id(3)]) == {
            two: [(1, (3, 5, 0), b"c" * 32)],
            one: [(2, (3, 4, 0), b"d" * 32), (1, (3, 4, 1), b"b" * 32)],
        }
        keys = {(2, (3, 4, 0)): b"d" * 32, (1, (3, 4, 1)): b"b" * 32}
        assert transaction.packed_keys([stream_id(3), one]) == [None, msgpack.packb(keys)]
        transaction.drop_stream_keys(one)
        assert one not in transaction.stream_keys([one])
        assert transaction.packed_keys([one]) == [None]
    with store.transaction() as transaction:
        assert list(transaction.stream_keys([one, two])) == [two]
    store.close()


# -- sealed changes -------------------------------------------------------------------------------


def changes_come_back_as_they_were_from_any_locations(place: StorePlace) -> None:
    """Small, large and empty ones, in one append or many; locations ascend and never return."""
    store = place.open()
    numbers = list(range(400))
    sizes = {7: 300_000, 8: 40_000, 9: 0}
    changes = [stored_change(number, sizes.get(number, 90)) for number in numbers]
    changes[10] = StoredChange(b"", b"", b"", ())
    locations: list[int] = []
    for start, end in ((0, 1), (1, 2), (2, 2), (2, 11), (11, 300), (300, 400)):
        with store.transaction() as transaction:
            locations += transaction.append_changes(changes[start:end])
    assert locations == sorted(set(locations))
    assert all(location > 0 for location in locations)
    with store.transaction() as transaction:
        mixed = [399, 0, 7, 8, 9, 10, 11, 0, 250]
        found = transaction.changes_at([locations[number] for number in mixed])
        assert found == [changes[number] for number in mixed]
        assert transaction.changes_at(locations) == changes
        assert transaction.changes_at([]) == []
    store.close()


def dropped_segments_leave_header_and_neighbours(place: StorePlace) -> None:
    """Only the segments' bytes go; more changes can follow in the same block."""
    store = place.open()
    changes = [stored_change(number) for number in range(4)]
    with store.transaction() as transaction:
        locations = transaction.append_changes(changes)
    with store.transaction() as transaction:
        transaction.drop_segments({locations[1]: [0], locations[3]: [0, 1]})
        locations += transaction.append_changes([stored_change(4)])
    with store.transaction() as transaction:
        found = transaction.changes_at(locations)
        assert found[1] == changes[1]._replace(segments=(None, changes[1].segments[1]))
        assert found[3] == changes[3]._replace(segments=(None, None))
        assert [found[0], found[2], found[4]] == [changes[0], changes[2], stored_change(4)]
    store.close()


# -- streams --------------------------------------------------------------------------------------


def stream_rows_are_the_readers_own(place: StorePlace) -> None:
    """A row that was read may be changed in place; it is stored when it is put."""
    store = place.open()
    row: list[Any] = [[1, 2], {5: [b"\x00\xff", "chữ"]}, None, True, 2**63]
    with store.transaction() as transaction:
        transaction.put_stream_rows({stream_id(1): row}, StreamKind.CASE)
        row[0] = "changed after it was put"
        read = transaction.stream_rows([stream_id(1), stream_id(9)])
        assert list(read) == [stream_id(1)]
        read[stream_id(1)][0].append(3)
        assert transaction.stream_rows([stream_id(1)])[stream_id(1)][0] == [1, 2]
    with store.transaction() as transaction:
        assert transaction.stream_rows([stream_id(1)]) == {
            stream_id(1): [[1, 2], {5: [b"\x00\xff", "chữ"]}, None, True, 2**63]
        }
    store.close()


def packed_rows_are_the_same_rows(place: StorePlace) -> None:
    """Packed as msgpack packs them, read either way; what is said to come changes nothing."""
    store = place.open()
    row: list[Any] = [[1, -2], {5: [b"\x00\xff", "chữ"]}, None, True, 2**63]
    with store.transaction() as transaction:
        transaction.put_stream_rows({stream_id(1): row}, StreamKind.CASE)
        none, packed = transaction.packed_rows([stream_id(2), stream_id(1)])
        assert none is None
        assert packed is not None
        assert packed == msgpack.packb(row)
        transaction.expect_rows([stream_id(2), stream_id(1), stream_id(7)])
        transaction.put_packed_rows({stream_id(2): packed}, StreamKind.CASE)
    with store.transaction() as transaction:
        assert transaction.stream_rows([stream_id(2)]) == {stream_id(2): row}
        assert transaction.stream_ids(StreamKind.CASE) == [stream_id(1), stream_id(2)]
    store.close()


def many_streams_of_any_size_are_kept_apart(place: StorePlace) -> None:
    """Rows from nothing to megabytes, put in pieces, growing and shrinking."""
    store = place.open()
    expected: dict[StreamId, list[Any]] = {}
    for turn in range(4):
        rows: dict[StreamId, list[Any]] = {}
        for number in range(turn, 300, turn + 1):
            length = (number * 7919 * (turn + 1)) % (4000 if number % 10 else 90_000)
            rows[stream_id(number)] = [number, turn, b"x" * length]
        with store.transaction() as transaction:
            transaction.put_stream_rows(rows, StreamKind.CASE)
            expected.update(rows)
            assert transaction.stream_rows(expected) == expected
    with store.transaction() as transaction:
        assert transaction.stream_rows(expected) == expected
        assert set(transaction.stream_ids(StreamKind.CASE)) == set(expected)
    store.close()


def streams_are_listed_by_kind_and_by_mark(place: StorePlace) -> None:
    """Oldest here first; a stream known by a mark or a key alone has no kind and no row."""
    store = place.open()
    ids = [stream_id(number) for number in range(20)]
    with store.transaction() as transaction:
        transaction.put_stream_rows({ids[3]: [], ids[1]: []}, StreamKind.CASE)
        transaction.put_stream_rows({ids[2]: []}, StreamKind.INBOX)
        transaction.mark_streams([ids[9], ids[1], ids[9]], StreamFlag.LISTING_STALE, True)
        transaction.mark_streams(ids[10:], StreamFlag.UNSETTLED | StreamFlag.RETAINED, True)
        transaction.mark_streams([ids[10], ids[0]], StreamFlag.RETAINED, False)
    with store.transaction() as transaction:
        assert transaction.stream_ids(StreamKind.CASE) == [ids[3], ids[1]]
        assert transaction.stream_ids(StreamKind.INBOX) == [ids[2]]
        assert transaction.stream_ids(StreamKind.ACCESS) == []
        stale = transaction.streams_marked(StreamFlag.LISTING_STALE)
        assert sorted(stale) == sorted([ids[9], ids[1]]), "each once, though it was named twice"
        assert transaction.stream_rows([ids[9], ids[9]]) == {}
        assert transaction.streams_marked(StreamFlag.UNSETTLED) == ids[10:]
        assert transaction.streams_marked(StreamFlag.RETAINED) == ids[11:]
        assert transaction.streams_marked(StreamFlag.BOXES_OWED) == []
        transaction.put_stream_rows({ids[3]: []}, StreamKind.INBOX)
        assert transaction.stream_ids(StreamKind.INBOX) == [ids[3], ids[2]]
    store.close()


CHECKS: Final[tuple[Check, ...]] = (
    what_was_committed_is_there_after_reopening,
    an_exception_undoes_the_whole_transaction,
    a_transaction_inside_another_is_refused,
    what_runs_meanwhile_may_begin_what_follows,
    a_transaction_kept_beyond_its_end_is_refused,
    values_blobs_and_seeds_are_replaced_or_kept,
    control_entries_come_in_order_from_any_index,
    stream_keys_are_found_by_stream_and_destroyed_whole,
    changes_come_back_as_they_were_from_any_locations,
    dropped_segments_leave_header_and_neighbours,
    stream_rows_are_the_readers_own,
    packed_rows_are_the_same_rows,
    many_streams_of_any_size_are_kept_apart,
    streams_are_listed_by_kind_and_by_mark,
)
"""Every check of this module."""


def _nest(store: ReplicaStore, meanwhile: Callable[[], None] | None = None) -> None:
    with store.transaction(meanwhile) as transaction:
        transaction.put_value("outer", b"1")
        with store.transaction():
            pass
