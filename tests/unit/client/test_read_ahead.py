"""The next page is fetched while one is made durable, and changes nothing else (read_ahead.py)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casesync.client import page_size
from casesync.client.core import Core
from casesync.client.exchange import pull_and_push
from casesync.client.replica import Replica
from casesync.foundation.errors import (
    AnswerTooSlow,
    CasesyncError,
    NetworkError,
    RelayMisbehaviour,
)
from casesync.relay import sync_answer
from casesync.sync.held_log import CHANGE_RANGE, load_range
from casesync.sync.session import SyncReport
from casesync.testing.offices import Offices
from casesync.wire.messages import SyncAnswer, SyncRequest

SMALL = 2_000


@pytest.fixture
def reader(monkeypatch) -> Replica:
    """A device that is many small pages behind."""
    monkeypatch.setattr(sync_answer, "_ROOM_MIN", SMALL)
    offices = Offices("read ahead")
    writer = offices.found()
    reader = offices.enrol(writer, writer.whoami().unit, "caseworker", "Máy 2")
    for number in range(12):
        case = writer.resolve_case(writer.new_case(["trafficking"]).case)
        with writer.edit(case) as edit:
            edit.set("person.given_name", f"Chị {number}")
    writer.sync()
    return reader


class Between:
    """Between a replica and the relay: sees every request and may change what happens to it."""

    def __init__(self, core: Core) -> None:
        self._channel = core.channel
        self._core = core
        self.cursors: list[int] = []
        self.cursors_held: list[int] = []
        self.fails_at: int | None = None
        self.lies_at: int | None = None
        core.channel = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> object:
        return getattr(self._channel, name)

    def sync(self, body: bytes, patience_s: float | None = None) -> bytes:
        request = replace(SyncRequest.decode(body), answer_bytes_max=SMALL)
        self.cursors.append(request.cursor)
        with self._core.store.transaction() as tx:
            self.cursors_held.append(load_range(tx, CHANGE_RANGE).size)
        if len(self.cursors) == self.fails_at:
            raise NetworkError("relay-unreachable")
        answer = self._channel.sync(request.encode())
        if len(self.cursors) == self.lies_at:
            return without_its_last_item(answer)
        return answer


class SlowLine:
    """A line that brings so many bytes a second; an answer is let go as ``HttpLoop`` does."""

    def __init__(self, core: Core, bytes_per_s: int) -> None:
        self._channel = core.channel
        self._bytes_per_s = bytes_per_s
        self.asked: list[int] = []
        self.waited_for: list[int] = []
        core.channel = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> object:
        return getattr(self._channel, name)

    def sync(self, body: bytes, patience_s: float | None = None) -> bytes:
        self.asked.append(SyncRequest.decode(body).answer_bytes_max)
        answer = self._channel.sync(body)
        if patience_s is not None and len(answer) > patience_s * self._bytes_per_s:
            raise AnswerTooSlow(self._bytes_per_s)
        self.waited_for.append(len(answer))
        return answer


def without_its_last_item(body: bytes) -> bytes:
    answer = SyncAnswer.decode(body)
    page = [*answer.page]
    page[3] = page[3][:-1]
    return replace(answer, page=page).encode()


def held(core: Core) -> int:
    with core.store.transaction() as tx:
        return load_range(tx, CHANGE_RANGE).size


def test_every_page_is_asked_for_once_and_from_where_the_last_one_ended(reader):
    between = Between(reader.core)
    report = SyncReport()
    pull_and_push(reader.core, report)
    assert len(between.cursors) > 5
    assert between.cursors == sorted(set(between.cursors))
    assert between.cursors == between.cursors_held  # what it rests on was durable before
    assert report.round_trips == report.transactions == len(between.cursors)
    assert reader.cases().count == 12


@pytest.mark.parametrize("trouble", ["fails_at", "lies_at"])
def test_what_goes_wrong_with_the_next_page_leaves_this_one(reader, trouble):
    between = Between(reader.core)
    setattr(between, trouble, 3)
    with pytest.raises(CasesyncError) as caught:
        pull_and_push(reader.core, SyncReport())
    assert type(caught.value) is (NetworkError if trouble == "fails_at" else RelayMisbehaviour)
    assert held(reader.core) == between.cursors[2] > between.cursors[1]
    setattr(between, trouble, None)
    pull_and_push(reader.core, SyncReport())
    assert reader.cases().count == 12


def test_a_page_fetched_for_nothing_is_not_taken_in(reader):
    """Between two pages this device wrote: the request is another one, and its answer too."""
    between = Between(reader.core)
    written: list[str] = []

    def write_once(cursor: int, _target: int) -> None:
        if not written:
            written.append(reader.new_case(["trafficking"]).case)

    pull_and_push(reader.core, SyncReport(), write_once)
    again = [cursor for cursor in between.cursors if between.cursors.count(cursor) > 1]
    assert again == [again[0]] * 2
    assert reader.cases().count == 13


def test_on_a_slow_line_small_pages_are_asked_for_behind_the_first(reader, monkeypatch):
    monkeypatch.setattr(page_size, "LEAST_BYTES", 1)
    line = SlowLine(reader.core, SMALL // page_size.AIM_S)
    report = SyncReport()
    pull_and_push(reader.core, report)
    assert line.asked[:2] == [page_size.MOST_BYTES, SMALL]
    assert len(line.waited_for) > 3, "else nothing was behind the first"
    assert max(line.asked[1:]) <= 2 * SMALL
    assert max(line.waited_for) <= page_size.SLOW_MS / 1000 * SMALL // page_size.AIM_S
    assert report.round_trips == len(line.asked)
    assert reader.cases().count == 12


def test_on_the_slowest_line_the_smallest_page_is_waited_for(reader):
    """Of those there are none smaller: to let one go would be to end without it."""
    line = SlowLine(reader.core, 1)
    pull_and_push(reader.core, SyncReport())
    assert line.asked[:2] == [page_size.MOST_BYTES, page_size.LEAST_BYTES]
    assert reader.cases().count == 12
