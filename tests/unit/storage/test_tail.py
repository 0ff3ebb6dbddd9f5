"""What saves left to be written in its places is there all the same (storage/tail.py)."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.foundation.errors import LocalStateError
from casesync.foundation.ids import ChangeNumber, StreamId
from casesync.storage.connection import connect_plain
from casesync.storage.migrations.runner import STEPS, migrate
from casesync.storage.sql_store import SqlStore, open_plain
from casesync.storage.tail import TAIL_BYTES_MAX
from casesync.sync.ports import OutboxRow, StoredChange, UnsignedChange
from casesync.testing.conformance_store import access_row, stream_id
from casesync.testing.conformance_store_own import Marking

KIND = 1
STREAMS = 7
KEYS = ["own-chain", "pushed-checkpoint", "range"]


def rows_of(store: SqlStore, table: str) -> int:
    (count,) = store._connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return count


def tail_of(store: SqlStore) -> bytes:
    """What the row holds."""
    rows = store._connection.execute("SELECT body FROM tail").fetchall()
    (body,) = rows[0] if rows else (bytes(4),)
    size = int.from_bytes(body[:4], "big")
    assert not body[4 + size :].strip(b"\0"), "nothing stands behind it"
    return body[4 : 4 + size]


class Written:
    """What a store should hold, in plain containers."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.outbox: dict[int, OutboxRow] = {}
        self.changes: dict[int, StoredChange] = {}
        self.rows: dict[StreamId, list[int]] = {}
        self.number = 0

    def save(self, transaction: Any, signer: Marking, size: int) -> None:
        """An own change with its row of the outbox and the chain's value."""
        self.number += 1
        number = ChangeNumber(self.number)
        message = b"%d" % number
        change = UnsignedChange(message.ljust(32, b"p"), b"h" * 90, (message * size,), message)
        location = transaction.append_own(change, signer)
        self.changes[location] = StoredChange(*change[:2], signer.sign(message), change.segments)
        self.outbox[number] = OutboxRow(number, stream_id(1), location, size, None)
        transaction.put_outbox(self.outbox[number])
        self.put(transaction, "own-chain", message)
        self.put_row(transaction, self.number % STREAMS, size)

    def put_row(self, transaction: Any, stream: int, size: int) -> None:
        name = stream_id(stream)
        self.rows[name] = [self.number] * (size // 10)
        transaction.put_stream_rows({name: self.rows[name]}, KIND)

    def put(self, transaction: Any, key: str, value: bytes | None) -> None:
        transaction.put_value(key, value)
        self.values.pop(key, None)
        if value is not None:
            self.values[key] = value

    def check(self, store: SqlStore, *, by_outbox: bool = True) -> None:
        with store.transaction() as transaction:
            assert {key: transaction.value(key) for key in KEYS} == {
                key: self.values.get(key) for key in KEYS
            }
            assert transaction.stream_rows(list(self.rows)) == self.rows
            assert transaction.changes_at(list(self.changes)) == list(self.changes.values())
            if by_outbox:
                assert transaction.outbox() == [self.outbox[n] for n in sorted(self.outbox)]


def crashed(path: Path, to: Path) -> Path:
    """The files as they are on the disk now, as after kill -9."""
    to.mkdir()
    for file in path.parent.iterdir():
        if file.is_file():
            shutil.copyfile(file, to / file.name)
    return to / path.name


steps = st.one_of(
    st.tuples(st.just("save"), st.integers(1, 3), st.sampled_from([1, 60, 700, 5_000])),
    st.tuples(st.just("save"), st.just(1), st.just(60)),
    st.tuples(st.just("bulk"), st.integers(20, 60), st.sampled_from([1, 200])),
    st.tuples(st.just("row"), st.integers(0, STREAMS), st.sampled_from([1, 60, 5_000])),
    st.tuples(st.sampled_from(["value", "look", "undone", "acknowledged", "read", "again"])),
)


def play(step: tuple[Any, ...], store: SqlStore, written: Written, at: int) -> None:
    signer = Marking()
    match step:
        case ("save" | "bulk", count, size):
            with store.transaction() as transaction:
                for _ in range(count):
                    written.save(transaction, signer, size)
        case ("value",):
            with store.transaction() as transaction:
                written.put(transaction, "range", b"%d" % at if at % 3 else None)
        case ("row", stream, size):
            with store.transaction() as transaction:
                written.put_row(transaction, stream, size)
        case ("look",):
            with store.transaction() as transaction:
                transaction.append_access(access_row(at))
                written.put(transaction, "range", b"look %d" % at)
        case ("undone",):
            with suppress(ZeroDivisionError), store.transaction() as transaction:
                Written.save(trial := Written(), transaction, signer, 60)
                trial.put(transaction, "range", b"undone")
                trial.put_row(transaction, at % STREAMS, 60)
                raise ZeroDivisionError
        case ("acknowledged",):
            with store.transaction() as transaction:
                done = sorted(written.outbox)[: len(written.outbox) // 2]
                transaction.drop_outbox([ChangeNumber(number) for number in done])
                for number in done:
                    del written.outbox[number]
        case ("read",):
            written.check(store, by_outbox=bool(at % 2))


@given(st.lists(steps, max_size=14))
@settings(max_examples=60)
def test_whatever_follows_what_was_written_is_there(tmp_path_factory, story):
    """Also on the disk alone: each step is followed by a crash that only a copy suffers."""
    folder = tmp_path_factory.mktemp("tail")
    path = folder / "store" / "replica.db"
    path.parent.mkdir()
    store = open_plain(path)
    written = Written()
    for at, step in enumerate(story):
        if step == ("again",):
            store.close()
            store = open_plain(path)
        play(step, store, written, at)
        copy = open_plain(crashed(path, folder / f"{at}"))
        written.check(copy)
        copy.close()
    written.check(store)
    store.close()


def test_saves_add_to_one_row_until_it_is_large(tmp_path):
    """And then everything goes to its place at once."""
    store = open_plain(tmp_path / "replica.db")
    written = Written()
    sizes = []
    for _ in range(60):
        play(("save", 1, 300), store, written, 0)
        sizes.append(rows_of(store, "outbox"))
        assert len(tail_of(store)) <= TAIL_BYTES_MAX
    assert 2 < len(set(sizes)) < 10
    store.close()


def test_a_saved_row_is_not_written_to_its_group_each_time(tmp_path):
    """A group is two or three pages of the database, and a save changes one row of it."""
    store = open_plain(tmp_path / "replica.db")
    written = Written()
    play(("save", 1, 60), store, written, 0)
    assert rows_of(store, "stream_rows") == 0
    seen: list[str] = []
    store._connection.set_trace_callback(seen.append)
    for _ in range(60):
        play(("save", 1, 300), store, written, 0)
    store._connection.set_trace_callback(None)
    assert 0 < len([sql for sql in seen if "INTO stream_rows" in sql]) < 10
    store.close()


def test_a_row_too_large_for_the_tail_goes_to_its_place(tmp_path):
    store = open_plain(tmp_path / "replica.db")
    written = Written()
    with store.transaction() as transaction:
        written.save(transaction, Marking(), 60)
        written.put_row(transaction, 3, 10 * TAIL_BYTES_MAX)
    assert (tail_of(store), rows_of(store, "stream_rows")) == (b"", 1)
    written.check(store)
    store.close()


def test_many_saves_go_to_their_places_at_once(tmp_path):
    store = open_plain(tmp_path / "replica.db")
    written = Written()
    play(("save", 1, 60), store, written, 0)
    assert (bool(tail_of(store)), rows_of(store, "outbox")) == (True, 0)
    play(("bulk", 200, 60), store, written, 0)
    assert (bool(tail_of(store)), rows_of(store, "outbox")) == (False, 201)
    store.close()


def test_what_is_read_leaves_the_tail_as_it_is(tmp_path):
    store = open_plain(tmp_path / "replica.db")
    written = Written()
    play(("save", 1, 60), store, written, 0)
    seen: list[str] = []
    store._connection.set_trace_callback(seen.append)
    written.check(store, by_outbox=False)
    store._connection.set_trace_callback(None)
    assert seen == ["BEGIN IMMEDIATE", "SELECT body FROM value WHERE key = 'pushed-checkpoint'",
                    "SELECT body FROM value WHERE key = 'range'", "COMMIT"]  # fmt: skip
    store.close()


@pytest.mark.parametrize(
    "body", [b"", b"\0\0\0\x09short", b"\0\0\0\1\xc1", b"\0\0\0\2\x91\x01", b"\0\0\0\1\x01"]
)
def test_a_row_that_is_none_is_a_damaged_database(tmp_path, body):
    store = open_plain(tmp_path / "replica.db")
    store._connection.execute("INSERT INTO tail(id, body) VALUES (1, ?)", (body,))
    with pytest.raises(LocalStateError) as caught, store.transaction():
        pass
    assert caught.value.code == "database-corrupt"
    store.close()


def test_a_database_of_the_version_before_goes_on(tmp_path):
    path = tmp_path / "replica.db"
    connection = connect_plain(path)
    migrate(connection, lambda _: None, STEPS[:1])
    connection.execute("INSERT INTO value(key, body) VALUES ('range', x'07')")
    connection.close()
    written = Written()
    written.values["range"] = b"\x07"
    store = open_plain(path)
    play(("save", 1, 60), store, written, 0)
    store.close()
    store = open_plain(path)
    written.check(store)
    store.close()


def test_a_tail_without_rows_of_streams_is_read(tmp_path):
    """As the version before left it."""
    path = tmp_path / "replica.db"
    connection = connect_plain(path)
    migrate(connection, lambda _: None, STEPS[:2])
    body = msgpack.packb([{"range": b"\x07"}, [], []])
    stored = (len(body).to_bytes(4, "big") + body).ljust(4 + TAIL_BYTES_MAX, b"\0")
    connection.execute("INSERT INTO tail(id, body) VALUES (1, ?)", (stored,))
    connection.close()
    written = Written()
    written.values["range"] = b"\x07"
    for _ in range(2):
        store = open_plain(path)
        written.check(store)
        play(("save", 1, 60), store, written, 0)
        store.close()
