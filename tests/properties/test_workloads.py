"""Every workload of the benchmark merges to what its definition says (``testing/workloads``).

A small piece of each, of any size and seed, is played by devices of one office. What pages led to
on every replica is what judging again from the sealed changes gives, and the live writes are those
of the slow, obvious twin (``reference_merge``), which sees the opened segments and nothing else.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.client import helper_process
from casesync.client.control_driver import pull
from casesync.client.exchange import pull_and_push
from casesync.client.helper_process import HelperProcess
from casesync.client.replica import Replica
from casesync.foundation.ids import StreamId
from casesync.model.merge import StreamState
from casesync.model.schema import Schema
from casesync.model.segment_body import cells_of
from casesync.model.values import Fit, fit
from casesync.sync import handed_out, ingest
from casesync.sync.change_reader import content_of
from casesync.sync.page_stream import PageStream
from casesync.sync.session import SyncReport
from casesync.sync.stream_kernels import handing_kernel
from casesync.sync.stream_merge import load_changes
from casesync.sync.stream_row import StreamRow
from casesync.testing.workloads.office import Office
from casesync.testing.workloads.registry import WORKLOADS
from casesync.testing.workloads.saves import Rounds, Save, Workload, nothing
from casesync.translog import page as page_reader
from casesync.translog.header import plain_header
from casesync.translog.served_leaf import ServedLeaf
from properties import reference_merge
from properties.reference_merge import Seg
from properties.test_page_paths import both_ways

DEVICES_MAX = 8
FRESH = itertools.count()


@functools.cache
def office() -> Office:
    """One for all examples, each with cases of its own."""
    everybody = Workload(
        name="", text="", devices=DEVICES_MAX, seed=7, before=nothing, rounds=nothing
    )
    return Office(everybody)


def play(workload: Workload, report: SyncReport | None = None) -> list[StreamId]:
    """Play it on cases that nobody has seen; the reader and all writers hold it afterwards."""
    place = office()
    report = report or SyncReport()
    first = next(FRESH) << 32
    known = set(place.ids.streams)

    def moved(rounds: Rounds) -> Iterator[Sequence[Save]]:
        for chosen in rounds():
            yield [save._replace(case=first + save.case) for save in chosen]

    place.play(moved(workload.before))
    pull(place.reader.core)
    place.play(moved(workload.rounds))
    pull_and_push(place.reader.core, report)
    return [stream for case, stream in place.ids.streams.items() if case not in known]


def live_by_definition(replica: Replica, stream: StreamId) -> set[object]:
    """What is live among the stream's sealed changes, as the twin has it."""
    engine = replica.core.engine
    segments = []
    with replica.core.store.transaction() as tx:
        row = StreamRow(tx.stream_rows([stream])[stream])
        engine.keys.load(tx, [stream])
        for change in load_changes(tx, row.in_log_order()):
            opened, faults, unreadable = content_of(engine, stream, change, row.rights)
            assert not faults
            assert not unreadable
            for part in opened:
                named = tuple(tuple(entry) for entry in part.body[2])
                header, link8 = change.header, change.link[:8]
                cells = tuple(cells_of(part.body))
                segments.append(
                    Seg(header.device, header.number, part.compartment, link8, cells, named)
                )
    return set(reference_merge.live(segments, lambda *_: True))


def live_as_merged(replica: Replica, stream: StreamId) -> set[object]:
    with replica.core.store.transaction() as tx:
        row = StreamRow(tx.stream_rows([stream])[stream])
    state = StreamState.from_row(row.merge_row)
    return {(*write[:6], write.copy) for write in state.live_writes()}


@pytest.mark.parametrize("name", WORKLOADS)
@settings(max_examples=4)
@given(size=st.integers(1, 400), seed=st.integers(0, 1 << 32))
def test_a_workload_merges_to_what_its_definition_says(name, size, seed):
    merged_by_definition(play(WORKLOADS[name](size, seed)))


def merged_by_definition(streams: Sequence[StreamId]) -> None:
    replicas = [office().reader, office().writers[0], office().writers[-1]]
    for stream in streams:
        live = live_by_definition(office().reader, stream)
        for replica in replicas:
            stored, again = both_ways(replica, stream)
            assert stored == again
            assert live_as_merged(replica, stream) == live


@pytest.fixture(scope="module")
def helper() -> Iterator[HelperProcess]:
    """A second process that can be asked."""
    process = HelperProcess()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(helper_process, "processors", lambda: 2)
        process.start()
        assert process.wait_until_ready()
        yield process
    process.stop()


@contextmanager
def as_in_a_large_page(process: HelperProcess) -> Iterator[None]:
    """The reader uses the process, a second thread and early groups on the smallest of pages."""
    small = {"STREAMS_AHEAD": 1, "STREAMS_PER_BATCH": 3, "STREAMS_LAST": 2, "BATCHES_BEFORE": 2}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in small.items():
            patch.setattr(ingest, name, value)
        patch.setattr(handed_out, "WORTH_CHANGES", 1)
        patch.setattr(page_reader, "AT_ONCE", 8)
        patch.setattr(page_reader, "WORTH_A_THREAD", 0)
        patch.setattr(office().reader.core.engine, "helper", process)
        yield
    assert process.is_ready(), "it was not lost"


helped = pytest.mark.skipif(
    handing_kernel is None or os.name != "posix", reason="no second process here"
)


@helped
@pytest.mark.parametrize("name", WORKLOADS)
@settings(max_examples=4)
@given(size=st.integers(1, 600), seed=st.integers(0, 1 << 32))
def test_with_every_fast_path_a_workload_merges_to_the_same(helper, name, size, seed):
    with as_in_a_large_page(helper):
        streams = play(WORKLOADS[name](size, seed))
    merged_by_definition(streams)


@helped
@pytest.mark.parametrize("name", sorted(set(WORKLOADS) - {"hot-record", "month-away"}))
def test_a_second_process_takes_its_part_of_each_workload_of_many_cases(helper, name):
    report = SyncReport()
    with as_in_a_large_page(helper):
        play(WORKLOADS[name](600, 1), report)
    assert report.ingest.handed_out > 0


def test_form_saves_of_a_workload_take_the_fast_path(monkeypatch):
    """Else the property above would hold without saying anything about it."""
    plain_in_general: list[ServedLeaf] = []
    take = PageStream._take

    def counted(held: PageStream, leaf: ServedLeaf, *rest: Any) -> None:
        if plain_header(leaf.header) is not None:
            plain_in_general.append(leaf)
        take(held, leaf, *rest)

    monkeypatch.setattr(PageStream, "_take", counted)
    play(WORKLOADS["form-saves"](400, 1))
    assert len(plain_in_general) < 4


def test_a_conflict_storm_leaves_conflicts_and_form_saves_none():
    """Else the workloads would all be one."""
    place = office()

    def conflicting(name: str) -> int:
        count = 0
        for stream in play(WORKLOADS[name](840, 1)):
            cells = [write[0] for write in live_as_merged(place.reader, stream)]  # type: ignore[index]
            count += len(cells) - len(set(cells))
        return count

    assert conflicting("form-saves") == 0
    assert conflicting("conflict-storm") > 0
    assert conflicting("hot-record") > 0


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_is_the_same_from_the_same_seed_and_holds_valid_values(name):
    schema = office().reader.schema()
    workload, twin, other = (WORKLOADS[name](2_000, seed) for seed in (1, 1, 2))
    saves = list(workload.saves())
    assert saves == list(twin.saves())
    assert saves != list(other.saves())
    assert 0.7 * 2_000 <= workload.cells() <= 1.3 * 2_000 or name == "month-away"
    for save in saves:
        assert save.device < workload.devices
        for field, value in zip(save.fields, save.values, strict=True):
            assert fits(schema, save.type, field, value), (save.type, field, value)


def fits(schema: Schema, type_name: str, name: str, value: object) -> bool:
    field_name, _, element = name.partition("[")
    field = schema.type_by_name(type_name).field_by_name(field_name)
    return value is True if element else fit(schema, field, value) is Fit.FITS
