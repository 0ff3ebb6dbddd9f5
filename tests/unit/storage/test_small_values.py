"""Values that every save changes are written once a transaction (storage/small_values.py)."""

from __future__ import annotations

from contextlib import suppress

import pytest

from casesync.foundation.errors import UsageError
from casesync.storage.small_values import REMEMBERED_BYTES_MAX, REMEMBERED_MAX
from casesync.storage.sql_store import open_plain


def statements(store, block) -> list[str]:
    """The statements about values that ``block`` (given the transaction) costs."""
    seen: list[str] = []
    store._connection.set_trace_callback(lambda sql: seen.append(sql) if "value" in sql else None)
    with store.transaction() as tx:
        block(tx)
    store._connection.set_trace_callback(None)
    return seen


def test_a_value_put_a_hundred_times_is_written_once_and_read_from_memory():
    store = open_plain()

    def save(tx):
        for number in range(100):
            assert tx.value("own") == (b"%d" % (number - 1) if number else None)
            tx.put_value("own", b"%d" % number)

    assert len(statements(store, save)) == 2
    with store.transaction() as tx:
        assert tx.value("own") == b"99"


def test_a_small_value_is_read_once_and_a_large_one_in_each_transaction():
    store = open_plain()
    with store.transaction() as tx:
        tx.put_value("small", bytes(REMEMBERED_BYTES_MAX))
        tx.put_value("large", bytes(REMEMBERED_BYTES_MAX + 1))
    assert statements(store, lambda tx: tx.value("small")) == []
    assert len(statements(store, lambda tx: tx.value("large"))) == 1
    assert len(statements(store, lambda tx: tx.value("absent"))) == 1
    assert statements(store, lambda tx: tx.value("absent")) == []


def test_many_values_are_not_remembered():
    store = open_plain()
    with store.transaction() as tx:
        for number in range(REMEMBERED_MAX + 1):
            tx.put_value(f"name {number}", b"v")
    assert len(statements(store, lambda tx: tx.value("name 0"))) == 1


def test_a_value_put_again_as_it_was_is_not_written():
    store = open_plain()
    with store.transaction() as tx:
        tx.put_value("own", b"1")
        assert tx.value("absent") is None
    assert statements(store, lambda tx: tx.put_value("own", b"1")) == []
    assert statements(store, lambda tx: tx.put_value("absent", None)) == []
    with store.transaction() as tx:
        tx.put_value("own", b"2")
        tx.put_value("own", b"1")
        tx.put_value("own", b"3")
    with store.transaction() as tx:
        assert tx.value("own") == b"3"


def test_a_value_put_and_removed_is_not_there():
    store = open_plain()
    with store.transaction() as tx:
        tx.put_value("kept", b"k")
        tx.put_value("gone", b"g")
        tx.put_value("gone", None)
    with store.transaction() as tx:
        assert (tx.value("kept"), tx.value("gone")) == (b"k", None)
        tx.put_value("kept", None)
    with store.transaction() as tx:
        assert tx.value("kept") is None


def test_an_undone_transaction_leaves_no_value_behind():
    store = open_plain()
    with suppress(KeyboardInterrupt), store.transaction() as tx:
        tx.put_value("own", b"1")
        raise KeyboardInterrupt
    with store.transaction() as tx:
        assert tx.value("own") is None


def test_a_transaction_that_is_over_neither_gives_nor_takes_values():
    store = open_plain()
    with store.transaction() as tx:
        tx.put_value("own", b"1")
        tx.value("own")
    for ask in (lambda: tx.value("own"), lambda: tx.put_value("own", b"2")):
        with pytest.raises(UsageError):
            ask()
