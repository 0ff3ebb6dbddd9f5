"""What a sync costs, in counts: round trips, transactions, signature checks, bytes (DESIGN.md 10).

What may be spent stands in ``benchmarks/budgets.toml``. Seconds are reported by ``benchmarks`` and
asserted nowhere.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from casesync.client.control_driver import pull
from casesync.client.exchange import pull_and_push
from casesync.client.replica import Replica
from casesync.foundation.ids import Compartment, RecordId, StreamId, StreamKind
from casesync.model.cells import CellId
from casesync.model.segment_body import Write, decode_content, encode_content
from casesync.storage.connection import PAGE_BYTES
from casesync.sync.author import Draft, open_stream, write_change
from casesync.sync.session import SyncReport
from casesync.sync.stream_merge import state_of
from casesync.sync.stream_row import StreamRow
from casesync.testing.benchmark.local_writes import LocalWrites
from casesync.testing.benchmark.prepare import prepare
from casesync.testing.benchmark.recorded import Recording
from casesync.testing.benchmark.steps import CIPHER, Steps
from casesync.testing.offices import Offices

PERSON = 2
RECORD = RecordId(b"r" * 16)
BUDGETS = tomllib.loads(
    (Path(__file__).parents[3] / "benchmarks" / "budgets.toml").read_text("utf-8")
)
IDLE_BYTES_MAX = BUDGETS["sync"]["idle_bytes"]
FIELD_BYTES_MAX = BUDGETS["workload"]["form-saves"]["wire_bytes_per_write"]
"""A form save of ten fields of about 17 bytes each, everything included, per field."""
WORKLOAD_CELLS = 2_000
HOT_CELLS = 200
"""Its eight devices judge the record again at every exchange."""
KEYS = (1 << 4 | 3, 2 << 4 | 3, 3 << 4 | 3, 5 << 4 | 3, 6 << 4 | 3, 7 << 4 | 3, 10 << 4 | 3,
        11 << 4 | 3, 12 << 4 | 3, 15 << 4 | 2)  # fmt: skip


class Weighed:
    """A channel that notes how long bodies are."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self.bodies: list[tuple[int, int]] = []

    def sync(self, request: bytes, patience_s: float | None = None) -> bytes:
        answer = self._channel.sync(request, patience_s)
        self.bodies.append((len(request), len(answer)))
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)


class Cost(NamedTuple):
    """What taking in and sending cost."""

    report: SyncReport
    bodies: list[tuple[int, int]]
    commits: int


def cost_of_a_pull(replica: Replica) -> Cost:
    """One exchange with the relay, as ``sync`` makes it, until nothing is owed."""
    core = replica.core
    channel, core.channel = core.channel, Weighed(core.channel)
    statements: list[str] = []
    core.store._connection.set_trace_callback(statements.append)
    report = SyncReport()
    try:
        pull_and_push(core, report)
        return Cost(report, core.channel.bodies, statements.count("COMMIT"))
    finally:
        core.store._connection.set_trace_callback(None)
        core.channel = channel


def open_case(replica: Replica) -> StreamId:
    core = replica.core
    with core.transaction() as tx:
        feed = core.engine.control.unit(core.engine.unit).feed
        draft = open_stream(core.engine, tx, StreamKind.CASE, RECORD, feed)
        write_change(core.engine, tx, draft)
    return draft.stream


def save_forms(replica: Replica, stream: StreamId, count: int) -> None:
    """Forms of ten fields, each replacing the one before, in one transaction."""
    core = replica.core
    with core.transaction() as tx:
        for number in range(count):
            writes = [
                Write(CellId(RECORD, PERSON, key >> 4, None, 0), key & 15, f"nhà bạn {number % 10}")
                for key in KEYS
            ]
            state = state_of(StreamRow(tx.stream_rows([stream])[stream]))
            named = state.replaces_for([write.cell for write in writes], Compartment.IDENTITY)
            body = encode_content(core.clock.now_ms(), 1, named, writes)
            draft = Draft(stream=stream, bodies={int(Compartment.IDENTITY): body})
            draft.decoded[int(Compartment.IDENTITY)] = decode_content(body)
            write_change(core.engine, tx, draft)


class World:
    """Two colleagues, and another office with nothing to do with them."""

    def __init__(self) -> None:
        offices = Offices("counts")
        self.writer = offices.found()
        unit = self.writer.whoami().unit
        self.reader = offices.enrol(self.writer, unit, "caseworker", "Đồng nghiệp")
        self.writer.add_unit("OSSO Hải Dương", "osso")
        self.stranger = offices.enrol(self.writer, "OSSO Hải Dương", "counsellor", "Bạn OSSO")
        self.stream = open_case(self.writer)
        save_forms(self.writer, self.stream, 1)
        for replica in (self.writer, self.reader, self.stranger) * 2:
            replica.sync()
        for replica in (self.writer, self.reader, self.stranger) * 2:
            pull(replica.core)


def test_an_idle_sync_is_one_round_trip_of_few_bytes_and_checks_no_signature():
    world = World()
    for replica in (world.writer, world.reader, world.stranger):
        cost = cost_of_a_pull(replica)
        [(asked, answered)] = cost.bodies
        assert (asked < IDLE_BYTES_MAX, answered < IDLE_BYTES_MAX) == (True, True)
        assert cost.report.round_trips == BUDGETS["sync"]["idle_round_trips"]
        assert cost.report.transactions == 1
        assert cost.report.ingest.signature_checks == 0
        assert cost.commits == BUDGETS["sync"]["idle_transactions"]


def test_a_sync_when_strangers_wrote_costs_hashes_and_nothing_else():
    world = World()
    stream = open_case(world.stranger)
    save_forms(world.stranger, stream, 300)
    pull(world.stranger.core)
    cost = cost_of_a_pull(world.reader)
    [(asked, answered)] = cost.bodies
    assert asked < IDLE_BYTES_MAX
    assert answered < IDLE_BYTES_MAX + 32 * (301).bit_length() + 32
    assert (cost.report.ingest.leaves, cost.report.ingest.signature_checks) == (0, 0)


def test_ten_new_changes_among_many_come_in_one_page_under_one_signature():
    world = World()
    stream = open_case(world.stranger)
    save_forms(world.stranger, stream, 150)
    pull(world.stranger.core)
    save_forms(world.writer, world.stream, 10)
    pull(world.writer.core)
    save_forms(world.stranger, stream, 150)
    pull(world.stranger.core)
    cost = cost_of_a_pull(world.reader)
    [(asked, answered)] = cost.bodies
    assert asked < IDLE_BYTES_MAX
    assert answered < BUDGETS["sync"]["ten_new_bytes"]
    assert cost.report.ingest.leaves == cost.report.ingest.merged_segments == 10
    assert cost.report.ingest.signature_checks == 1
    assert cost.report.transactions == 1
    assert cost.report.ingest.rejudged_streams == 0


def test_a_form_save_is_small_on_the_wire():
    world = World()
    save_forms(world.writer, world.stream, 200)
    pull(world.writer.core)
    cost = cost_of_a_pull(world.reader)
    assert sum(answered for _, answered in cost.bodies) < 200 * len(KEYS) * FIELD_BYTES_MAX


def test_many_saves_in_one_transaction_cost_one_commit_and_few_statements():
    """What every save changes is written once, and changes go to blocks, not to rows."""
    world = World()
    statements: list[str] = []
    world.writer.core.store._connection.set_trace_callback(statements.append)
    save_forms(world.writer, world.stream, 100)
    world.writer.core.store._connection.set_trace_callback(None)
    assert statements.count("COMMIT") == BUDGETS["local"]["commits_per_100_saves"]
    assert len(statements) <= BUDGETS["local"]["statements_per_100_saves"]


def test_one_save_alone_writes_few_pages_by_few_statements(tmp_path):
    """Each page is encrypted, authenticated and written: it costs what half a save's rest does."""
    prepare("form-saves", WORKLOAD_CELLS, 2026, tmp_path / "form-saves")
    writes = LocalWrites(Recording(tmp_path / "form-saves"))
    with writes.author() as (author, folder):
        statements: list[str] = []
        log = folder / "replica.db-wal"
        author.write(writes.saves[:20], per_transaction=1)
        author.core.store._connection.set_trace_callback(statements.append)
        before = log.stat().st_size
        author.write(writes.saves[20:70], per_transaction=1)
        author.core.store._connection.set_trace_callback(None)
        frames = (log.stat().st_size - before) // PAGE_BYTES
    assert statements.count("COMMIT") == 50
    assert len(statements) <= 50 * BUDGETS["local"]["statements_per_save"]
    assert frames <= 50 * BUDGETS["local"]["pages_per_save"]


@pytest.mark.parametrize("name", BUDGETS["workload"])
def test_a_workload_is_taken_in_within_its_budget(name, tmp_path):
    """A new laptop, real pages, SQLCipher: what ``benchmarks`` measures in seconds, in counts."""
    size = HOT_CELLS if name == "hot-record" else WORKLOAD_CELLS
    prepare(name, size, 2026, tmp_path / name)
    steps = Steps(Recording(tmp_path / name))
    steps.run(CIPHER)
    counts, facts, budget = steps.counts[CIPHER], steps.recording.facts, BUDGETS["workload"][name]
    assert counts.segments >= facts.changes
    assert counts.rejudged_streams == 0
    assert counts.round_trips <= budget["round_trips"]
    assert counts.transactions <= budget["transactions"]
    assert counts.signature_checks <= budget["signature_checks"]
    assert facts.wire_bytes / facts.cells <= budget["wire_bytes_per_write"]
    room = 2 * PAGE_BYTES + facts.cells * budget["disk_bytes_per_write"]
    assert counts.disk_bytes <= room, counts.disk_bytes / facts.cells
