"""The page path and judging a stream again from its stored changes agree (sync/stream_merge.py).

Two writers and a reader of one office. Whatever the writers save, in whatever order they sync, the
row that pages led to is the row that ``rejudge`` makes of the sealed changes: the fast path of
``plain_path``, the general one of ``page_stream`` and the rebuild are three ways to one state.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from casesync.client.control_driver import pull
from casesync.client.exchange import pull_and_push
from casesync.client.replica import Replica
from casesync.foundation.ids import CONTENT_COMPARTMENTS, RecordId, StreamId, StreamKind
from casesync.model.cells import CellId
from casesync.model.merge import StreamState
from casesync.model.segment_body import Write, decode_content, encode_content
from casesync.sync.author import Draft, open_stream, write_change
from casesync.sync.ingest import check_author
from casesync.sync.page_stream import PageStream
from casesync.sync.session import SyncReport
from casesync.sync.stream_merge import rejudge, state_of
from casesync.sync.stream_row import StreamRow
from casesync.testing.hostile_member import HostileMember
from casesync.testing.offices import Offices

PERSON = 2
RECORDS = (b"a" * 16, b"b" * 16)
ELEMENTS = ("an", "bình")


class Save(NamedTuple):
    """One change: its cells, and whether it replaces what its author holds."""

    writer: int
    stream: int
    cells: tuple[tuple[int, CellId, int], ...]
    """(compartment, cell, resolver code)."""
    replaces: bool

    @property
    def wrong(self) -> bool:
        """Whether a cell has a resolver that is not its field's."""
        return any((c, cell.field, code) not in WORLD.fields for c, cell, code in self.cells)


class Sync(NamedTuple):
    """One replica exchanges with the relay; the reader is number 2."""

    who: int


class World:
    """Three replicas of one office; every example has streams of its own."""

    def __init__(self) -> None:
        offices = Offices("page paths")
        first = offices.found()
        unit = first.whoami().unit
        others = [offices.enrol(first, unit, "caseworker", f"Máy {n}") for n in (2, 3)]
        self.replicas: list[Replica] = [first, *others]
        self.fields = [
            (int(field.compartment), field.number, int(field.resolver))
            for field in first.schema().type_by_name("person").fields.values()
            if field.compartment in CONTENT_COMPARTMENTS
            and first.core.engine.writes(int(field.compartment))
        ]

    def open_streams(self, count: int) -> list[StreamId]:
        """Fresh cases, known to everybody."""
        core = self.replicas[0].core
        streams = []
        with core.transaction() as tx:
            for _ in range(count):
                feed = core.engine.control.unit(core.engine.unit).feed
                record = RecordId(core.entropy.bytes(16))
                draft = open_stream(core.engine, tx, StreamKind.CASE, record, feed)
                write_change(core.engine, tx, draft)
                streams.append(draft.stream)
        self.sync_all()
        return streams

    def sync_all(self) -> None:
        for replica in self.replicas * 2:
            pull(replica.core)

    def save(self, save: Save, stream: StreamId) -> None:
        core = self.replicas[save.writer].core
        with core.transaction() as tx:
            draft = Draft(stream=stream)
            state = state_of(StreamRow(tx.stream_rows([stream])[stream]))
            for compartment in {row[0] for row in save.cells}:
                writes = [
                    Write(cell, code, f"{cell.field}")
                    for owner, cell, code in save.cells
                    if owner == compartment
                ]
                cells = [write.cell for write in writes]
                named = state.replaces_for(cells, compartment) if save.replaces else []
                body = encode_content(core.clock.now_ms(), 1, named, writes)
                draft.bodies[compartment] = body
                draft.decoded[compartment] = decode_content(body)
            write_change(core.engine, tx, draft)


def outcome(row: StreamRow) -> tuple[Any, ...]:
    """What a row means."""
    return (
        StreamState.from_row(row.merge_row).normalised(),
        sorted(row.history()),
        row.newest(),
        [list(map(tuple, part)) for part in row.rights.to_row()[1:3]],
    )


def both_ways(replica: Replica, stream: StreamId) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """What the stored row means, and what it means when judged again; nothing is kept."""
    engine = replica.core.engine
    with replica.core.store.transaction() as tx:
        row = StreamRow(tx.stream_rows([stream])[stream])
        stored = outcome(row)
        rejudge(engine, tx, stream, row, lambda change: check_author(engine, change))
        return stored, outcome(row)


WORLD = World()


@st.composite
def cells(draw: st.DrawFn) -> tuple[tuple[int, CellId, int], ...]:
    """Some cells of some records; now and then one with a resolver its field does not have."""
    found: dict[CellId, tuple[int, CellId, int]] = {}
    for compartment, field, code in draw(
        st.lists(st.sampled_from(WORLD.fields), min_size=1, max_size=5, unique=True)
    ):
        element = draw(st.sampled_from((None, None, None, *ELEMENTS)))
        cell = CellId(draw(st.sampled_from(RECORDS)), PERSON, field, element, 0)
        wrong = draw(st.integers(0, 30)) == 0
        found[cell] = (compartment, cell, code % 9 + 1 if wrong else code)
    return tuple(found.values())


SAVES = st.builds(
    Save, st.integers(0, 1), st.integers(0, 2), cells(), st.sampled_from([True, True, False])
)
STEPS = st.lists(SAVES | SAVES | st.builds(Sync, st.integers(0, 2)), min_size=1, max_size=14)


@given(STEPS)
def test_rows_that_pages_led_to_are_the_rows_that_stored_changes_give(steps):
    streams = WORLD.open_streams(3)
    for step in steps:
        if isinstance(step, Sync):
            pull(WORLD.replicas[step.who].core)
        else:
            WORLD.save(step, streams[step.stream])
    WORLD.sync_all()
    for number, stream in enumerate(streams):
        meanings = []
        for who, replica in enumerate(WORLD.replicas):
            if any(wrong_of(step, who, number) for step in steps):
                continue  # no honest client writes such a change: its author's row is no measure
            stored, again = both_ways(replica, stream)
            assert stored == again
            meanings.append(stored[0])
        assert meanings.count(meanings[0]) == len(meanings)


def wrong_of(step: Save | Sync, who: int, stream: int) -> bool:
    """Whether ``step`` is a save by ``who`` in ``stream`` that no honest client makes."""
    return isinstance(step, Save) and (step.writer, step.stream) == (who, stream) and step.wrong


def test_form_saves_take_the_fast_path_and_others_do_not(monkeypatch):
    """Else the property above would hold without saying anything about it."""
    in_general: list[bool] = []
    take = PageStream._take
    monkeypatch.setattr(PageStream, "_take", lambda *args: in_general.append(True) or take(*args))
    [stream] = WORLD.open_streams(1)
    compartment, field, code = WORLD.fields[0]
    cell = CellId(RECORDS[0], PERSON, field, None, 0)
    WORLD.save(Save(0, 0, ((compartment, cell, code),), True), stream)  # brings its key along
    WORLD.sync_all()
    in_general.clear()
    WORLD.save(Save(0, 0, ((compartment, cell, code),), True), stream)
    WORLD.sync_all()
    assert len(in_general) == 0
    WORLD.save(Save(0, 0, ((compartment, cell, code % 9 + 1),), True), stream)
    WORLD.sync_all()
    assert len(in_general) == 2


def test_words_of_both_sides_between_two_syncs_have_no_stream_judged_again():
    """Eight devices on one record would else pay for its whole history at every exchange."""
    [stream] = WORLD.open_streams(1)
    compartment, field, code = WORLD.fields[0]
    cell = CellId(RECORDS[0], PERSON, field, None, 0)
    save = Save(0, 0, ((compartment, cell, code),), True)
    WORLD.save(save, stream)  # brings its key along
    WORLD.sync_all()
    for _ in range(3):
        for writer in (0, 1, 0, 1):
            WORLD.save(save._replace(writer=writer), stream)
        reports = [SyncReport() for _ in WORLD.replicas * 2]
        for replica, report in zip(WORLD.replicas * 2, reports, strict=True):
            pull_and_push(replica.core, report)
        assert sum(report.ingest.merged_segments for report in reports) > 0
        assert [report.ingest.rejudged_streams for report in reports] == [0] * 6
    for replica in WORLD.replicas:
        stored, again = both_ways(replica, stream)
        assert stored == again


def test_a_key_that_is_introduced_behind_a_change_is_none_to_its_author_either():
    """A colleague who has a key from elsewhere (a relay that shows what was pushed) and whose
    change is logged before the statement: nobody's replica may count it, the author's neither."""
    [stream] = WORLD.open_streams(1)
    compartment, field, code = WORLD.fields[0]
    cell = CellId(RECORDS[0], PERSON, field, None, 0)
    WORLD.save(Save(0, 0, ((compartment, cell, code),), True), stream)  # states a key, unsent
    author, colleague, _ = WORLD.replicas
    held = author.core.engine.keys.stream(stream)
    [key] = [key for (kind, _), key in held.items() if kind == compartment]
    early = HostileMember(colleague)
    body = encode_content(5, 1, [], [Write(cell, code, "early")])
    early.write(stream, bodies={compartment: body}, keys={compartment: key})
    pull(colleague.core)  # is logged before what the author has not sent
    WORLD.sync_all()
    meanings = [both_ways(replica, stream) for replica in WORLD.replicas]
    assert [stored for stored, _ in meanings] == [again for _, again in meanings]
    assert len({len(stored[0]["live"]) for stored, _ in meanings}) == 1
    verdicts = [[entry.counts for entry in stored[1]] for stored, _ in meanings]
    assert verdicts == [[True, False, True]] * 3
