"""Forms saved by the compiled twin leave the database that ``write_change`` leaves, byte for byte.

``sync/_form_saves.pyx`` beside the Python of ``form_saves``: the same saves on two copies of one
replica, whatever its colleagues wrote before, and in simulated worlds the twin's view of keys and
rights beside that of ``usual_keys``. Where it was not compiled there is nothing to compare.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.client import opening
from casesync.client.control_driver import pull
from casesync.client.core import Core
from casesync.client.replica import Replica
from casesync.foundation.ids import CONTENT_COMPARTMENTS, RecordId, StreamId, StreamKind
from casesync.model.cells import Form, intern_form
from casesync.model.merge import StreamState
from casesync.storage.connection import connect_plain
from casesync.storage.packing import pack_all
from casesync.storage.sql_store import SqlStore
from casesync.sync import author, form_saves
from casesync.sync.author import Draft, open_stream, write_change
from casesync.sync.form_saves import FormSave, write_forms
from casesync.sync.relay_port import RelayChannel
from casesync.sync.stream_row import StreamRow
from casesync.sync.usual_keys import authorship, usual_keys
from casesync.testing.entropy import ConstantEntropy
from casesync.testing.offices import Offices
from simulation.play import play

pytestmark = pytest.mark.skipif(form_saves.form_saver is None, reason="not compiled here")

PERSON = 2
RECORDS = (b"a" * 16, b"b" * 16)
STREAMS = 3
ROW_BYTES = 45
"""Of the segment table: kind, key name, length, hash."""


class Batch(NamedTuple):
    """Forms that a writer saves in one transaction."""

    writer: int
    saves: tuple[tuple[int, bytes, int, tuple[int, ...], Any], ...]
    """(stream, record, compartment, fields by their place, value)."""


class Sync(NamedTuple):
    """One replica exchanges with the relay."""

    who: int


class World:
    """Three replicas of one office; every example has streams of its own."""

    def __init__(self) -> None:
        self.offices = Offices("form saves")
        first = self.offices.found()
        unit = first.whoami().unit
        others = [self.offices.enrol(first, unit, "caseworker", f"Máy {n}") for n in (2, 3)]
        self.replicas: list[Replica] = [first, *others]
        self.fields: dict[int, list[int]] = {}
        for field in first.schema().type_by_name("person").fields.values():
            if first.core.engine.writes(int(field.compartment)):
                keys = self.fields.setdefault(int(field.compartment), [])
                keys.append(field.number << 4 | int(field.resolver))

    def open_streams(self) -> list[StreamId]:
        """Fresh cases with their keys, known to everybody."""
        core = self.replicas[0].core
        streams = []
        with core.transaction() as tx:
            unit = core.engine.control.unit(core.engine.unit)
            assert unit is not None
            for _ in range(STREAMS):
                record = RecordId(core.entropy.bytes(16))
                draft = open_stream(core.engine, tx, StreamKind.CASE, record, unit.feed)
                write_change(core.engine, tx, draft)
                streams.append(draft.stream)
            places = [(at, c) for at in range(STREAMS) for c in COMPARTMENTS]
            forms = tuple((at, RECORDS[0], c, (0,), "x") for at, c in places)
            write_forms(core.engine, tx, self.saves(Batch(0, forms), streams))
        self.sync_all()
        return streams

    def sync_all(self) -> None:
        for replica in self.replicas * 2:
            pull(replica.core)

    def saves(self, batch: Batch, streams: list[StreamId]) -> list[FormSave]:
        found = []
        for stream, record, compartment, places, value in batch.saves:
            keys = self.fields[compartment]
            form = form_of(tuple(sorted({keys[place % len(keys)] for place in places})))
            values = [value] * form.size
            found.append(FormSave(streams[stream], record, compartment, form, values))
        return found

    def state(self, replica: Replica, stream: StreamId) -> Any:
        """What the stream's row means there, and what of it does not count."""
        with replica.core.store.transaction() as tx:
            row = StreamRow(tx.stream_rows([stream])[stream])
            return StreamState.from_row(row.merge_row).normalised(), row.has_uncounted()

    def copy(self, writer: int) -> Core:
        """A second replica on the same database, with the same time and randomness."""
        core = self.replicas[writer].core
        store = self.offices.stores[int(core.engine.device)]
        connection = connect_plain(None)
        cast("sqlite3.Connection", store._connection).backup(cast("Any", connection))
        channel = cast("RelayChannel", None)
        copy = opening.core_on(
            SqlStore(connection), core.clock, ConstantEntropy(), lambda *_: channel
        )
        copy.engine.standings |= core.engine.standings  # as in a replica that is open for a while
        return copy


def form_of(keys: tuple[int, ...]) -> Form:
    return intern_form(PERSON, keys)


def everything(core: Core) -> dict[str, list[Any]]:
    """All rows of all tables."""
    execute = cast("SqlStore", core.store)._connection.execute
    names = execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name: execute(f"SELECT * FROM {name}").fetchall() for (name,) in names}


def written(core: Core, saves: list[FormSave], *, compiled: bool) -> tuple[Any, list[int], int]:
    """(database, numbers, changes that ``write_change`` made) after the saves."""
    made: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        general = form_saves.write_change
        patch.setattr(form_saves, "write_change", lambda *args: made.append(1) or general(*args))
        if not compiled:
            patch.setattr(form_saves, "form_saver", None)
        with core.transaction() as tx:
            numbers = write_forms(core.engine, tx, saves)
    return everything(core), numbers, len(made)


WORLD = World()
COMPARTMENTS = sorted(WORLD.fields)[:2]
SAVES = st.tuples(
    st.integers(0, STREAMS - 1),
    st.sampled_from(RECORDS),
    st.sampled_from(COMPARTMENTS),
    st.lists(st.integers(0, 40), min_size=1, max_size=5).map(tuple),
    st.one_of(
        st.sampled_from([None, True, 7, -40_000, b"x" * 20, "ă" * 40, ["a", "b"], "l" * 450]),
        st.text(max_size=8),
    ),
)
BATCHES = st.builds(Batch, st.integers(0, 1), st.lists(SAVES, min_size=1, max_size=6).map(tuple))
STEPS = st.lists(BATCHES | BATCHES | st.builds(Sync, st.integers(0, 2)), min_size=1, max_size=10)


@given(STEPS)
@settings(max_examples=40)
def test_the_twin_leaves_the_same_database(steps):
    """Every batch on two copies, twice; and those who get the saves hold the same."""
    streams = WORLD.open_streams()
    for step in steps:
        if isinstance(step, Sync):
            pull(WORLD.replicas[step.who].core)
            continue
        saves = WORLD.saves(step, streams)
        fast, slow = WORLD.copy(step.writer), WORLD.copy(step.writer)
        for _ in range(2):
            assert (
                written(fast, saves, compiled=True)[:2] == written(slow, saves, compiled=False)[:2]
            )
        core = WORLD.replicas[step.writer].core
        with core.transaction() as tx:
            write_forms(core.engine, tx, saves)
    WORLD.sync_all()
    for stream in streams:
        first, *others = (WORLD.state(replica, stream) for replica in WORLD.replicas)
        assert others == [first] * len(others)


def test_saves_are_the_twins_once_their_keys_are_known():
    """Else the property above would hold without saying anything about it."""
    streams = WORLD.open_streams()
    forms = tuple((at % STREAMS, RECORDS[0], COMPARTMENTS[0], (0, 1), "x") for at in range(9))
    saves = WORLD.saves(Batch(0, forms), streams)
    core = WORLD.copy(0)
    assert written(core, saves, compiled=True)[2] == 1  # it tells the relay its checkpoint
    assert written(core, saves, compiled=True)[2] == 0
    assert written(core, saves, compiled=False)[2] == len(saves)
    core.engine.standings.clear()
    assert written(core, saves, compiled=True)[2] == 1  # it finds that the keys are usable


class Compared:
    """Stands in for ``author._planned``: asks the twin what it makes of the same row."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.planned = author._planned
        self.found: Counter[tuple[bool, bool]] = Counter()
        """Whether the twin made it, and whether its keys are usual."""
        patch.setattr(author, "_planned", self)

    def __call__(self, engine: Any, draft: Draft, row: StreamRow, number: int) -> Any:
        known = authorship(engine)
        if known is not None and row.row[2]:
            for compartment in CONTENT_COMPARTMENTS:
                self.compare(engine, known, draft.stream, row, int(compartment), number)
        return self.planned(engine, draft, row, number)

    def compare(
        self,
        engine: Any,
        known: Any,
        stream: StreamId,
        row: StreamRow,
        compartment: int,
        number: int,
    ) -> None:
        held = {
            (key.compartment, key.statement): key.key + key.sealing + key.commitment
            for key in engine.keys.stream(stream).values()
        }
        nothing_merged = [row.row[0], [], *row.row[2:]]  # keys and rights alone are to decide
        [packed, keys] = pack_all([nothing_merged, held])
        save = FormSave(stream, RECORDS[0], compartment, form_of((17,)), ["x"])
        saver = form_saves.form_saver.FormSaver(engine, known)
        made = saver.made(save, packed, keys, 1, 1, number, bytes(32), bytes(8))
        usual = usual_keys(engine, stream, row, [compartment])
        self.found[made is not None, usual is not None] += 1
        if made is None:
            return
        assert usual is not None
        row_at = made[1] - 2 - ROW_BYTES  # the header ends where the signature's length stands
        assert made[0][row_at] == compartment
        assert made[0][row_at + 1 : row_at + 9] == usual[compartment].commitment[:8]


def test_in_simulated_worlds_the_twin_takes_only_what_is_usual(monkeypatch):
    compared = Compared(monkeypatch)
    for seed in range(100, 108):
        play(seed)
    assert min(compared.found[True, True], compared.found[False, False]) > 10
    assert compared.found[True, False] == 0
