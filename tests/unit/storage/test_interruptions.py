"""Ctrl-C at any moment of a transaction: done or undone, and the next one works (sql_store.py)."""

from __future__ import annotations

import pytest

from casesync.foundation.ids import StreamId, StreamKind
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.session import Session
from casesync.storage.sql_store import open_encrypted

KEY = SecretBytes(b"k" * 32)
STREAM = StreamId(b"s" * 16)


@pytest.fixture
def store(tmp_path):
    store = open_encrypted(tmp_path / "replica.db", KEY)
    with store.transaction() as transaction:
        transaction.put_value("chain", b"1")
    yield store
    store.close()


def write_and_stop(store, meanwhile) -> None:
    with store.transaction(meanwhile) as transaction:
        transaction.put_value("chain", b"2")
        transaction.put_stream_rows({STREAM: ["undone"]}, StreamKind.CASE)
        raise KeyboardInterrupt


def held(store, tmp_path) -> tuple[object, object]:
    """What a transaction sees, after another one wrote and the database was opened again."""
    with store.transaction() as transaction:
        transaction.put_value("other", b"x")
        seen = transaction.value("chain"), transaction.stream_rows([STREAM])
    store.close()
    again = open_encrypted(tmp_path / "replica.db", KEY)
    with again.transaction() as transaction:
        assert (transaction.value("chain"), transaction.stream_rows([STREAM])) == seen
    again.close()
    return seen


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("meanwhile", [None, lambda: None])
def test_a_second_interruption_while_undoing_leaves_nothing_behind(
    store, tmp_path, monkeypatch, meanwhile, before
):
    """What was undone must not be written by the step after it."""
    roll_back = Session.roll_back

    def once_more(session: Session) -> None:
        monkeypatch.setattr(Session, "roll_back", roll_back)
        if not before:
            roll_back(session)
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "roll_back", once_more)
    with pytest.raises(KeyboardInterrupt):
        write_and_stop(store, meanwhile)
    assert held(store, tmp_path) == (b"1", {})


@pytest.mark.parametrize("meanwhile", [None, lambda: None])
def test_an_interruption_behind_the_beginning_is_no_step(store, tmp_path, monkeypatch, meanwhile):
    """The database has begun, and nobody has noted it."""
    begin = Session.begin

    def interrupted_behind(session: Session) -> None:
        monkeypatch.setattr(Session, "begin", begin)
        begin(session)
        session.is_open = False
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "begin", interrupted_behind)
    with pytest.raises(KeyboardInterrupt), store.transaction(meanwhile):
        pass
    assert held(store, tmp_path) == (b"1", {})


def test_an_interruption_of_what_runs_meanwhile_lets_the_step_stand(store, tmp_path):
    def meanwhile() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), store.transaction(meanwhile) as transaction:
        transaction.put_value("chain", b"2")
    assert held(store, tmp_path) == (b"2", {})
