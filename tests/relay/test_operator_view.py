"""``relay status`` and ``relay what-it-sees`` (``casesync.relay.operator_view``)."""

from __future__ import annotations

from pathlib import Path

import pytest

from casesync.foundation.errors import LocalStateError
from casesync.relay.mailbox import Mailbox
from casesync.relay.operator_view import status, what_it_sees
from casesync.relay.sqlite_store import SqliteStore
from casesync.testing.clock import FakeClock
from casesync.testing.entropy import SeededEntropy
from relay.blind_worlds import make_world


@pytest.fixture
def db(tmp_path: Path) -> Path:
    clock = FakeClock()
    store = SqliteStore(tmp_path / "relay.db")
    world = make_world(Mailbox(store, clock, SeededEntropy("relay")), clock)
    stream = world.first.open_stream(world.other.feed)
    world.first.write(stream)
    world.sync(world.first)
    world.channels[1].rendezvous_open(b"i" * 16, clock.now_ms() + 1000)
    return tmp_path / "relay.db"


def test_status_counts_what_is_there(db: Path):
    found = status(db)
    [network] = found.networks
    assert (network.control_entries, network.changes, network.devices, network.streams) == (
        4,
        2,
        4,
        1,
    )
    assert network.stored_bytes > 20_000
    assert found.rendezvous_open == 1


def test_every_column_has_a_meaning_and_most_an_example(db: Path):
    """A column nobody explained would be one nobody owned up to."""
    seen = what_it_sees(db)
    assert all(datum.meaning and datum.concludes for datum in seen)
    assert {datum.table for datum in seen} >= {"change_leaves", "feed_links", "blobs", "rendezvous"}
    without = {f"{d.table}.{d.column}" for d in seen if not d.example and not d.hidden}
    assert without == {f"rendezvous.slot{slot}" for slot in (1, 2, 3, 4)}


def test_the_log_keys_seed_is_not_shown(db: Path):
    [secret] = [
        datum for datum in what_it_sees(db) if (datum.table, datum.column) == ("meta", "value")
    ]
    assert (secret.hidden, secret.example, secret.example_bytes) == (True, "", None)


def test_looking_changes_nothing(db: Path):
    before = status(db)
    what_it_sees(db)
    assert status(db) == before


def test_a_file_that_is_no_relays_is_an_error_of_the_local_state(tmp_path: Path):
    (tmp_path / "text").write_text("not a database" * 1000)
    for name, code in (("text", "relay-store-damaged"), ("missing", "relay-file-missing")):
        with pytest.raises(LocalStateError) as caught:
            status(tmp_path / name)
        assert caught.value.code == code
