"""Sealed changes in blocks (DESIGN.md 9)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.foundation.errors import LocalStateError
from casesync.storage import session
from casesync.storage.change_blocks import BLOCK_BYTES, SLOTS_MAX, SMALL_BLOCK_BYTES
from casesync.storage.connection import read_blob
from casesync.storage.sql_store import open_plain
from casesync.sync.ports import StoredChange
from casesync.testing.conformance_store import stored_change

SEGMENTS = st.lists(st.one_of(st.none(), st.binary(max_size=40)), max_size=3).map(tuple)
CHANGES = st.builds(
    StoredChange, st.binary(max_size=32), st.binary(max_size=60), st.binary(max_size=64), SEGMENTS
)
PADDED = st.tuples(CHANGES, st.sampled_from([0, 0, 0, 5_000, BLOCK_BYTES, 100_000])).map(
    lambda drawn: drawn[0]._replace(header=drawn[0].header + b"h" * drawn[1])
)


def blocks(store) -> list[tuple[int, int]]:
    """(changes, bytes) of each block."""
    return store._connection.execute(
        "SELECT count, length(body) FROM change_block ORDER BY id"
    ).fetchall()


@given(st.lists(st.lists(PADDED, max_size=30), max_size=6))
@settings(max_examples=60)
def test_changes_come_back_and_blocks_are_bounded(batches):
    store = open_plain()
    locations: list[int] = []
    with store.transaction() as transaction:
        for batch in batches:
            locations += transaction.append_changes(batch)
        changes = [change for batch in batches for change in batch]
        assert transaction.changes_at(locations) == changes
        assert transaction.changes_at(locations[::-1]) == changes[::-1]
    assert sum(count for count, _ in blocks(store)) == len(changes)
    assert all(size <= BLOCK_BYTES + 3 or count == 1 for count, size in blocks(store))


def save_one_by_one(store, count) -> list[int]:
    """A change to each transaction; their locations."""
    locations: list[int] = []
    for number in range(count):
        with store.transaction() as transaction:
            locations += transaction.append_changes([stored_change(number)])
    return locations


def test_a_small_last_block_keeps_no_more_than_itself_in_memory():
    store = open_plain()
    with store.transaction() as transaction:
        transaction.append_changes([stored_change(number) for number in range(2000)])
        while store._transaction._blocks._last.size_bytes >= SMALL_BLOCK_BYTES:
            transaction.append_changes([stored_change(0)])
    last = store._transaction._blocks._last
    assert [type(part) for part in last.parts] == [bytes]
    assert sum(map(len, last.parts)) == last.size_bytes < SMALL_BLOCK_BYTES


def test_saves_share_blocks_that_stay_small():
    """A save writes its block again: it may not grow into pages of its own."""
    store = open_plain()
    locations = save_one_by_one(store, 300)
    largest = SMALL_BLOCK_BYTES + max(len(repr(stored_change(n))) for n in range(300))
    assert all(size < largest for _, size in blocks(store))
    whole = sum(size for _, size in blocks(store))
    assert len(blocks(store)) <= whole // SMALL_BLOCK_BYTES + 1
    with store.transaction() as transaction:
        assert transaction.changes_at(locations) == [stored_change(n) for n in range(300)]


def test_a_save_reads_nothing_of_its_block_again(tmp_path):
    store = open_plain(tmp_path / "replica.db")
    save_one_by_one(store, 3)
    store.close()
    store = open_plain(tmp_path / "replica.db")
    reads = []
    store._connection.set_trace_callback(
        lambda sql: reads.append(sql) if sql.startswith("SELECT") else None
    )
    save_one_by_one(store, 3)
    store._connection.set_trace_callback(None)
    assert len(reads) == 2, "the tail and the last block, once, after it was opened"
    assert [count for count, _ in blocks(store)] == [6]


def test_after_an_undone_save_the_next_takes_its_place():
    store = open_plain()
    save_one_by_one(store, 2)
    with suppress(KeyboardInterrupt), store.transaction() as transaction:
        undone = transaction.append_changes([stored_change(7)])
        raise KeyboardInterrupt
    with store.transaction() as transaction:
        assert transaction.append_changes([stored_change(2)]) == undone
    with store.transaction() as transaction:
        assert transaction.changes_at(undone) == [stored_change(2)]
    assert [count for count, _ in blocks(store)] == [3]


def test_a_page_and_single_saves_fill_the_same_blocks():
    store = open_plain()
    with store.transaction() as transaction:
        transaction.append_changes([stored_change(number) for number in range(400)])
        transaction.append_changes([stored_change(number) for number in range(400, 800)])
    (full, _), *rest = blocks(store)
    assert full > 320
    assert len(rest) == 1 + (sum(size for _, size in blocks(store)) > 2 * BLOCK_BYTES)


def test_empty_changes_do_not_overflow_a_block():
    store = open_plain()
    with store.transaction() as transaction:
        empty = [StoredChange(b"", b"", b"", ())] * (2 * SLOTS_MAX + 1)
        locations = transaction.append_changes(empty)
        assert len(set(locations)) == len(empty)
        assert transaction.changes_at(locations) == empty
        more = transaction.append_changes(empty[: SLOTS_MAX + 5])
        assert not set(more) & set(locations)
    assert [count for count, _ in blocks(store)] == [SLOTS_MAX, SLOTS_MAX, SLOTS_MAX, 6]


def test_dropped_segments_are_gone_from_the_block():
    store = open_plain()
    with store.transaction() as transaction:
        change = StoredChange(b"p", b"h", b"s", (b"secret words", None, b"more secret words"))
        (location,) = transaction.append_changes([change])
        transaction.drop_segments({location: [0, 2]})
        (body,) = store._connection.execute("SELECT body FROM change_block").fetchone()
        assert b"secret" not in body
        assert transaction.changes_at([location]) == [change._replace(segments=(None,) * 3)]


def test_an_unknown_location_is_damage_and_not_somebody_elses_change():
    store = open_plain()
    with store.transaction() as transaction:
        (location,) = transaction.append_changes([stored_change(1)])
        with pytest.raises(LocalStateError):
            transaction.changes_at([location + 1])


def test_reading_one_by_one_decodes_each_block_once(monkeypatch):
    store = open_plain()
    changes = [stored_change(number) for number in range(400)]
    with store.transaction() as transaction:
        locations = transaction.append_changes(changes)
    reads = []

    def noted(*arguments):
        reads.append(arguments)
        return read_blob(*arguments)

    monkeypatch.setattr(session, "read_blob", noted)
    with store.transaction() as transaction:
        assert [transaction.changes_at([place])[0] for place in locations] == changes
    assert len(reads) == len(blocks(store))


def test_what_was_decoded_follows_what_is_written():
    store = open_plain()
    with store.transaction() as transaction:
        first = transaction.append_changes([stored_change(1)])
        transaction.changes_at(first)
        second = transaction.append_changes([stored_change(2)])
        assert transaction.changes_at(second) == [stored_change(2)]
        transaction.drop_segments({first[0]: [0]})
        assert transaction.changes_at(first)[0].segments[0] is None
        assert transaction.changes_at(second) == [stored_change(2)]
    with suppress(KeyboardInterrupt), store.transaction() as transaction:
        transaction.drop_segments({second[0]: [0]})
        transaction.changes_at(second)
        raise KeyboardInterrupt
    with store.transaction() as transaction:
        assert transaction.changes_at(second) == [stored_change(2)]
