"""The store as a whole: errors, undoing, what a page costs (DESIGN.md 9, 10)."""

from __future__ import annotations

import resource
import signal
import threading
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.foundation.errors import LocalStateError
from casesync.foundation.ids import ChangeNumber, StreamKind
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.sql_store import open_encrypted, open_plain
from casesync.sync.ports import OutboxRow, StreamFlag
from casesync.testing.conformance_store import (
    code_of,
    read_everything,
    stored_change,
    stream_id,
    write_something,
)

KEY = SecretBytes(b"k" * 32)


class Stop(Exception):
    pass


def test_many_rows_of_the_outbox_are_written_together_and_none_is_lost():
    store = open_plain()
    rows = [OutboxRow(ChangeNumber(n), stream_id(n), n, 100 + n, None) for n in range(1, 46)]
    seen: list[str] = []
    store._connection.set_trace_callback(seen.append)
    with store.transaction() as transaction:
        for row in rows:
            transaction.put_outbox(row)
    store._connection.set_trace_callback(None)
    assert len([sql for sql in seen if "outbox" in sql]) == 3
    with store.transaction() as transaction:
        assert transaction.outbox() == rows
    with suppress(Stop), store.transaction() as transaction:
        transaction.put_outbox(rows[0]._replace(receipt=(5, 6)))
        raise Stop
    with store.transaction() as transaction:
        assert transaction.outbox() == rows


def put_large(store, name: str, size: int) -> None:
    with store.transaction() as transaction:
        transaction.put_value(name, b"v" * size)


@pytest.mark.parametrize("opener", [lambda path: open_encrypted(path, KEY), open_plain])
def test_a_full_database_undoes_the_step_and_the_next_one_works(tmp_path, opener):
    store = opener(tmp_path / "replica.db")
    put_large(store, "kept", 1000)
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}").fetchall()
    with pytest.raises(LocalStateError) as caught:
        put_large(store, "too large", 500_000)
    assert caught.value.code == "disk-full"
    put_large(store, "small", 10)
    with store.transaction() as transaction:
        assert transaction.value("kept") == b"v" * 1000
        assert transaction.value("small") == b"v" * 10
        assert transaction.value("too large") is None
    store.close()


def test_a_commit_that_fails_beside_other_work_undoes_the_step(tmp_path):
    """Everybody who waits for it is told; the next step works."""
    store = open_encrypted(tmp_path / "replica.db", KEY)
    put_large(store, "kept", 1000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    told: list[str | None] = []

    def meanwhile() -> None:
        told.append(code_of(lambda: put_large(store, "next", 1)))

    def put_too_much() -> None:
        with store.transaction(meanwhile) as transaction:
            transaction.put_value("too large", b"v" * 500_000)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))

    try:
        told.append(code_of(put_too_much))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert told[0] == told[1]
    assert told[0] in {"disk-full", "disk-error"}
    put_large(store, "small", 10)
    with store.transaction() as transaction:
        names = ("kept", "small", "too large", "next")
        values = [transaction.value(name) for name in names]
    assert values == [b"v" * 1000, b"v" * 10, None, None]
    store.close()


def test_an_interruption_waits_for_the_commit_beside(tmp_path):
    """Ctrl-C while another thread writes: the step stands, and the next one works at once."""
    store = open_encrypted(tmp_path / "replica.db", KEY)
    main = threading.main_thread().ident
    assert main is not None

    def interrupt(statement: str) -> None:
        if statement == "COMMIT":
            store._connection.set_trace_callback(None)
            signal.pthread_kill(main, signal.SIGINT)

    store._connection.set_trace_callback(interrupt)
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), store.transaction(lambda: None) as transaction:
            transaction.put_value("large", b"v" * 5_000_000)
    finally:
        signal.signal(signal.SIGINT, usual)
    put_large(store, "next", 10)
    with store.transaction() as transaction:
        assert len(transaction.value("large") or b"") == 5_000_000
        assert transaction.value("next") == b"v" * 10
    store.close()


def write_much(store) -> None:
    with store.transaction() as transaction:
        write_something(transaction)
        rows = {stream_id(number): [b"x" * 3000] for number in range(60)}
        transaction.put_stream_rows(rows, StreamKind.CASE)


def test_everything_fits_into_a_page_count_or_nothing_of_it(tmp_path):
    """A step that fails at any page leaves what was there, and succeeds once there is room."""
    store = open_encrypted(tmp_path / "replica.db", KEY)
    with store.transaction() as transaction:
        before = read_everything(transaction)
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    failures = 0
    for extra in range(40):
        store._connection.execute(f"PRAGMA max_page_count = {pages + extra}").fetchall()
        if code_of(lambda: write_much(store)) is None:
            break
        failures += 1
        assert code_of(lambda: write_much(store)) == "disk-full"
        with store.transaction() as transaction:
            assert read_everything(transaction) == before
    assert failures > 5
    with store.transaction() as transaction:
        assert transaction.value("cursor") == b"1"
    store.close()


def test_an_interrupt_undoes_like_any_exception():
    store = open_plain()
    with suppress(KeyboardInterrupt), store.transaction() as transaction:
        transaction.put_value("a", b"1")
        raise KeyboardInterrupt
    with store.transaction() as transaction:
        assert transaction.value("a") is None


STREAMS = st.lists(st.integers(0, 90), max_size=8).map(lambda ns: [stream_id(n) for n in ns])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), STREAMS, st.sampled_from(StreamKind)),
        st.tuples(st.just("mark"), STREAMS, st.sampled_from(StreamFlag)),
        st.tuples(st.just("unmark"), STREAMS, st.sampled_from(StreamFlag)),
        st.tuples(st.just("key"), STREAMS, st.integers(1, 8)),
    ),
    max_size=6,
)


@given(st.lists(st.tuples(STEPS, st.booleans()), max_size=5))
@settings(max_examples=40)
def test_what_is_remembered_between_transactions_is_what_is_stored(transactions):
    """The model: dictionaries, thrown away with an undone transaction."""
    store = open_plain()
    state: dict[str, dict] = {"rows": {}, "kinds": {}, "marks": {}, "keys": {}}
    for steps, commits in transactions:
        tried = {name: dict(part) for name, part in state.items()}
        with suppress(Stop), store.transaction() as transaction:
            for act, streams, argument in steps:
                _step(transaction, tried, act, streams, argument)
            _compare(transaction, tried)
            if not commits:
                raise Stop
            state = tried
        with store.transaction() as transaction:
            _compare(transaction, state)


def _step(transaction, state, act, streams, argument) -> None:
    if act == "put":
        rows = {stream: [len(state["rows"]), argument.name] for stream in streams}
        transaction.put_stream_rows(rows, argument)
        state["rows"].update(rows)
        state["kinds"].update(dict.fromkeys(streams, argument))
    elif act == "key":
        for stream in streams:
            transaction.put_stream_key(stream, argument, (1, 2, 3), bytes([argument]) * 32)
            held = dict(state["keys"].get(stream, {}))
            state["keys"][stream] = held | {argument: bytes([argument]) * 32}
    else:
        transaction.mark_streams(streams, argument, act == "mark")
        for stream in streams:
            for flag in argument:
                state["marks"][stream, flag] = act == "mark"


def _compare(transaction, state) -> None:
    everything = [stream_id(n) for n in range(91)]
    assert transaction.stream_rows(everything) == state["rows"]
    for kind in StreamKind:
        expected = {stream for stream, held in state["kinds"].items() if held == kind}
        assert set(transaction.stream_ids(kind)) == expected
    for flag in StreamFlag:
        marked = {stream for (stream, held), on in state["marks"].items() if held == flag and on}
        assert set(transaction.streams_marked(flag)) == marked
    found = transaction.stream_keys(everything)
    assert {s: {c: key for c, _, key in keys} for s, keys in found.items()} == state["keys"]


def test_a_page_of_a_first_sync_costs_few_statements_and_one_commit():
    """The budget of DESIGN.md 10 is kept by writing little, so the writes are counted."""
    store = open_plain()
    streams = [stream_id(number) for number in range(2_000)]
    changes = [stored_change(number) for number in range(4_000)]
    with store.transaction() as transaction:
        transaction.value("warm")
    statements = Counter()
    store._connection.set_trace_callback(lambda sql: statements.update([sql.split()[0]]))
    with store.transaction() as transaction:
        assert transaction.stream_rows(streams) == {}
        transaction.append_changes(changes)
        transaction.put_stream_rows({stream: [0] * 40 for stream in streams}, StreamKind.CASE)
        transaction.mark_streams(streams, StreamFlag.LISTING_STALE, True)
    store._connection.set_trace_callback(None)
    groups = len(streams) // 64 + 1
    blocks = 1_400_000 // (32 * 1024) + 2
    chunks = len(streams) // 512 + 1
    assert statements["INSERT"] <= groups + blocks + chunks + 2
    assert statements["SELECT"] <= groups + 5
    assert statements["COMMIT"] == statements["BEGIN"] == 1


def test_one_save_touches_one_group_and_one_block():
    store = open_plain()
    streams = [stream_id(number) for number in range(2_000)]
    with store.transaction() as transaction:
        transaction.put_stream_rows({stream: [0] * 40 for stream in streams}, StreamKind.CASE)
        transaction.append_changes([stored_change(number) for number in range(500)])
    statements = []
    store._connection.set_trace_callback(statements.append)
    with store.transaction() as transaction:
        rows = transaction.stream_rows([streams[700]])
        transaction.append_changes([stored_change(1)])
        transaction.put_stream_rows(rows, StreamKind.CASE)
    written = [sql for sql in statements if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert len(written) == 2
