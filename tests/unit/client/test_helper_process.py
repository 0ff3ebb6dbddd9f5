"""A second process takes content in, and nothing depends on it (client/helper_process.py).

The real process on recorded pages of the benchmark's workloads: whatever happens to it, the
database is the one that a single process makes, byte for byte.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest

from casesync.client import exchange, helper_process
from casesync.client.control_driver import pull
from casesync.client.core import Core
from casesync.client.exchange import pull_and_push
from casesync.client.helper_process import HelperProcess
from casesync.client.sync_driver import run_sync
from casesync.foundation.ids import StreamKind
from casesync.storage.packed_rows import PackedRows
from casesync.storage.session import Session
from casesync.storage.sql_store import SqlStore
from casesync.sync import handed_out, ingest, stream_batch
from casesync.sync.helper_port import Helper
from casesync.sync.helper_work import read_answer
from casesync.sync.plain_batch import PlainBatch
from casesync.sync.plain_path import PlainPath
from casesync.sync.session import SyncReport
from casesync.sync.stream_kernels import handing_kernel
from casesync.testing.benchmark.prepare import prepare
from casesync.testing.benchmark.recorded import Recording

pytestmark = [
    pytest.mark.skipif(handing_kernel is None, reason="not compiled here"),
    pytest.mark.skipif(os.name != "posix", reason="no helper on this system"),
]
WORKLOADS = {"form-saves": 6000, "form-saves-3-compartments": 1500, "conflict-storm": 3000}


@pytest.fixture(scope="module", params=WORKLOADS)
def recording(request, tmp_path_factory) -> Recording:
    """Pages of a workload, as a relay gave them."""
    return _recorded(request.param, tmp_path_factory)


@pytest.fixture(scope="module")
def saves(tmp_path_factory) -> Recording:
    """Pages of form saves."""
    return _recorded("form-saves", tmp_path_factory)


def _recorded(name: str, factory: pytest.TempPathFactory) -> Recording:
    folder = factory.mktemp(name)
    prepare(name, WORKLOADS[name], 7, folder)
    return Recording(folder)


@pytest.fixture(autouse=True)
def small(monkeypatch) -> None:
    """Batches of few streams, on any machine."""
    monkeypatch.setattr(helper_process, "processors", lambda: 2)
    monkeypatch.setattr(ingest, "STREAMS_PER_BATCH", 16)
    monkeypatch.setattr(handed_out, "WORTH_CHANGES", 1)


@pytest.fixture
def helper():
    """A helper that can be asked."""
    process = HelperProcess()
    process.start()
    assert process.wait_until_ready()
    yield process
    process.stop()


def opened(recording: Recording, helper: Helper | None) -> tuple[SqlStore, Core]:
    """A replica before the pages."""
    store = recording.in_memory()
    core = recording.reopened(store)
    core.engine.helper = helper
    return store, core


def dump(store: SqlStore) -> list[str]:
    connection: Any = store._connection
    return [*connection.iterdump()]


def merged(recording: Recording, helper: Helper | None) -> tuple[list[str], int]:
    """The whole database behind the pages, and how many batches a helper took."""
    store, core = opened(recording, helper)
    report = SyncReport()
    pull_and_push(core, report)
    return dump(store), report.ingest.handed_out


def test_with_and_without_it_a_replica_is_the_same(recording, helper):
    alone, none = merged(recording, None)
    assert none == 0
    together, handed = merged(recording, helper)
    assert handed > 0
    assert together == alone


def test_the_first_batch_is_taken_here_however_much_it_is(saves, helper, monkeypatch):
    """Forms that nobody has met yet are met in it; handed out, it would come back undone."""
    undone: list[int] = []
    real = PlainBatch.taken

    def taken(batch: PlainBatch, answer: Any) -> None:
        real(batch, answer)
        undone.append(len(batch.left))

    monkeypatch.setattr(ingest, "STREAMS_AHEAD", 16)
    monkeypatch.setattr(PlainBatch, "taken", taken)
    assert merged(saves, helper)[1] > 0
    assert undone[0] > 0, "nobody had met these forms"
    assert not any(undone[1:])


class Through(Helper):
    """The real one; something is done to it before an answer is taken."""

    def __init__(self, helper: HelperProcess, at: int, act: Callable[[int], None]) -> None:
        assert helper._running is not None
        self._helper, self._left, self._act = helper, at, act
        self.pid = helper._running._process.pid

    def is_ready(self) -> bool:
        return self._helper.is_ready()

    def ask(self, front: bytes, changes: bytes) -> int:
        number = self._helper.ask(front, changes)
        self._left -= 1
        if self._left == 0:
            self._act(self.pid)
        return number

    def answer(self, number: int, *, wait: bool) -> bytes | None:
        return self._helper.answer(number, wait=wait)

    def stop(self) -> None:
        self._helper.stop()


@pytest.mark.parametrize("at", [1, 2, 5])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_if_it_is_killed_or_stops_working_the_rest_is_done_here(
    saves, helper, at, number, monkeypatch
):
    monkeypatch.setattr(helper_process, "PATIENCE_S", 0.05)
    monkeypatch.setattr(handed_out, "UNANSWERED_MAX", 1000)  # it gets every batch
    monkeypatch.setattr(helper_process, "END_PATIENCE_S", 0.05)
    broken = Through(helper, at, lambda pid: os.kill(pid, number))
    assert merged(saves, broken)[0] == merged(saves, None)[0]
    assert not helper.is_ready()


@pytest.mark.parametrize(
    "garbage", [b"", b"\xc1", b"\x90", b"\x93\x90\x90\x00", b"\x93\x00\x90\x00"]
)
def test_an_answer_that_cannot_be_is_not_taken(saves, garbage):
    class Odd(Helper):
        stopped = False

        def is_ready(self) -> bool:
            return not self.stopped

        def ask(self, front: bytes, changes: bytes) -> int:
            return 1

        def answer(self, number: int, *, wait: bool) -> bytes | None:
            return None if self.stopped else garbage

        def stop(self) -> None:
            self.stopped = True

    odd = Odd()
    assert merged(saves, odd) == (merged(saves, None)[0], 0)
    assert odd.stopped


@pytest.mark.parametrize("at", [-1, 16, True, b"x", None, "not taken"])
def test_a_position_of_no_stream_that_was_taken_is_not_believed(saves, at):
    """Of each batch every stream but the first is said to be taken, and one to have a grant."""
    store, core = opened(saves, None)
    with store.transaction() as tx:
        streams = tx.stream_ids(StreamKind.CASE)[:16]
        rows = tx.packed_rows(streams)
        path = PlainPath(core.engine)
        plain = PlainBatch(path, [(stream, []) for stream in streams], rows, 0)
    made = [None, *rows[1:]]
    right = msgpack.packb((made, [1, 15], 0))
    assert read_answer(right, plain) == (made, [1, 15], 0)
    wrong = 0 if at == "not taken" else at
    assert read_answer(msgpack.packb((made, [1, wrong], 0)), plain) is None
    store.close()


def test_most_groups_of_rows_are_in_their_place_before_the_commit(saves, monkeypatch):
    """What is written at the end, a helper has to wait for."""
    left: list[int] = []
    flush = PackedRows.flush

    def noted(rows: PackedRows) -> None:
        left.append(len(rows._unplaced))
        flush(rows)

    placed: list[int] = []
    put = PackedRows._flush_group

    def put_noted(rows: PackedRows, group: int) -> None:
        placed.append(group)
        put(rows, group)

    monkeypatch.setattr(PackedRows, "flush", noted)
    monkeypatch.setattr(PackedRows, "_flush_group", put_noted)
    merged(saves, None)
    assert len(placed) > 1
    assert sum(left) < len(placed) / 2


def test_requests_larger_than_a_pipe_block_neither_side(saves, helper, monkeypatch):
    monkeypatch.setattr(helper_process, "PIPE_BYTES", 4096)
    monkeypatch.setattr(helper_process, "PATIENCE_S", 5.0)
    monkeypatch.setattr(handed_out, "UNANSWERED_MAX", 1000)
    small = HelperProcess()
    small.start()
    try:
        assert small.wait_until_ready()
        together, handed = merged(saves, small)
        assert small.is_ready(), "it was not waited for in vain"
    finally:
        small.stop()
    assert handed > 0
    assert together == merged(saves, None)[0]


def test_a_page_that_fails_leaves_no_answer_for_the_next_one(saves, helper, monkeypatch):
    """It is taken again on the same replica, with a helper again."""
    monkeypatch.setattr(handed_out, "UNANSWERED_MAX", 1000)
    store, core = opened(saves, helper)
    finish = stream_batch.StreamBatch.finish
    before = dump(store)

    def broken(_batch: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stream_batch.StreamBatch, "finish", broken)
    with pytest.raises(KeyboardInterrupt):
        pull_and_push(core, SyncReport())
    assert not helper.is_ready()
    assert dump(store) == before
    monkeypatch.setattr(stream_batch.StreamBatch, "finish", finish)
    helper.end()
    helper.start()
    assert helper.wait_until_ready()
    core.channel = saves.reopened(saves.in_memory()).channel  # the relay answers again
    report = SyncReport()
    pull_and_push(core, report)
    assert report.ingest.handed_out > 0
    assert dump(store) == merged(saves, None)[0]


def test_an_answer_to_another_request_is_not_taken(saves, helper):
    """As one that an undone page has left would be."""
    asked = helper.ask(*_request_of(saves))
    assert helper.answer(asked + 1, wait=True) is None
    assert not helper.is_ready()


def _request_of(recording: Recording) -> tuple[bytes, bytes]:
    """What the first batch of a recording asks."""
    seen: list[tuple[bytes, bytes]] = []

    class Listening(Helper):
        def is_ready(self) -> bool:
            return not seen

        def ask(self, front: bytes, changes: bytes) -> int:
            seen.append((front, changes))
            return 1

        def answer(self, number: int, *, wait: bool) -> bytes | None:
            return None

        def stop(self) -> None:
            pass

    merged(recording, Listening())
    return seen[0]


# -- the process ------------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch) -> list[Any]:
    """Every helper that was started."""
    found: list[Any] = []
    start = helper_process._Running.__init__

    def noted(self: Any) -> None:
        start(self)
        found.append(self._process)

    monkeypatch.setattr(helper_process._Running, "__init__", noted)
    return found


def test_an_exchange_of_little_starts_none(saves, started):
    core = saves.reopened(saves.in_memory())
    run_sync(core)
    assert core.engine.helper is core.helper
    assert not started


@pytest.mark.parametrize("heard", [True, False])
def test_one_that_was_dismissed_is_not_asked(started, heard):
    """Nor is another one started before ``end``."""
    helper = HelperProcess()
    helper.start()
    if heard:
        assert helper.wait_until_ready()
    helper.dismiss()
    assert started[0].wait(helper_process.END_PATIENCE_S) == 0
    helper.start()
    assert not helper.is_ready()
    assert helper.ask(b"front", b"changes") == 0
    assert helper.answer(1, wait=True) is None
    helper.end()
    helper.start()
    assert helper.wait_until_ready()
    helper.end()
    assert [process.returncode for process in started] == [0, 0]


def test_with_the_last_page_it_ends_while_that_is_made_durable(saves, started, monkeypatch):
    """So that nobody waits for it afterwards."""
    monkeypatch.setattr(exchange, "WORTH_A_HELPER", 100)
    commit = Session.commit
    ended: list[int] = []

    def committing(session: Session) -> None:
        ended.extend(process.wait(helper_process.END_PATIENCE_S) for process in started)
        commit(session)

    monkeypatch.setattr(Session, "commit", committing)
    pull_and_push(saves.reopened(saves.in_memory()), SyncReport())
    assert ended == [0]


@pytest.mark.parametrize("exchange_with", [run_sync, pull])
def test_an_exchange_of_much_starts_one_and_ends_it(saves, started, monkeypatch, exchange_with):
    monkeypatch.setattr(exchange, "WORTH_A_HELPER", 100)
    core = saves.reopened(saves.in_memory())
    exchange_with(core)
    [process] = started
    assert process.returncode == 0, "it ended when its input did"
    assert not core.helper.is_ready()


def test_an_exchange_that_is_broken_off_ends_it_too(saves, started, monkeypatch):
    monkeypatch.setattr(exchange, "WORTH_A_HELPER", 100)
    core = saves.reopened(saves.in_memory())

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sync(core, interrupted)
    [process] = started
    assert process.returncode is not None


def test_one_that_hangs_is_waited_for_once_in_an_exchange(started, monkeypatch):
    monkeypatch.setattr(helper_process, "PATIENCE_S", 0.05)
    monkeypatch.setattr(helper_process, "END_PATIENCE_S", 0.05)
    helper = HelperProcess()
    helper.start()
    os.kill(started[0].pid, signal.SIGSTOP)
    assert not helper.wait_until_ready()
    helper.start()
    assert len(started) == 1
    helper.end()
    helper.start()
    assert len(started) == 2
    helper.end()


@pytest.mark.parametrize("processors", [0, 1])
def test_one_processor_has_no_use_for_it(processors, monkeypatch):
    monkeypatch.setattr(helper_process, "processors", lambda: processors)
    alone = HelperProcess()
    alone.start()
    assert alone._running is None
    assert not alone.wait_until_ready()


def test_descriptors_may_be_many(saves):
    """A large program's pipes may have numbers that select() does not take."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit[1] != resource.RLIM_INFINITY and limit[1] < 2000:
        pytest.skip("this system does not let so many be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2000, limit[1]))
    many = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    process = HelperProcess()
    try:
        process.start()
        assert process.wait_until_ready()
        assert merged(saves, process)[1] > 0
    finally:
        process.stop()
        for descriptor in many:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def test_an_application_that_is_one_file_is_not_started_again(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    frozen = HelperProcess()
    frozen.start()
    assert frozen._running is None


@pytest.mark.parametrize("name", ["python-that-says-hello", "an-application"])
def test_a_program_that_is_not_ours_is_not_asked(name, tmp_path, monkeypatch, started):
    other = tmp_path / name
    other.write_text("#!/bin/sh\necho hello, this is more than thirty-two bytes\ncat\n")
    other.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(other))
    helper = HelperProcess()
    helper.start()
    assert len(started) == (name != "an-application"), "an application would start again"
    assert not helper.wait_until_ready()


def test_another_release_is_not_asked(monkeypatch):
    """As where an upgrade came meanwhile."""
    monkeypatch.setattr(helper_process, "PROGRAM", bytes(32))
    helper = HelperProcess()
    helper.start()
    assert not helper.wait_until_ready()


@pytest.mark.parametrize("flag", ["-I", "-E", "-s"])
def test_what_this_interpreter_leaves_out_it_leaves_out_too(flag):
    script = "from casesync.client.helper_process import _flags; print(*_flags())"
    done = subprocess.run(
        [sys.executable, flag, "-c", script], capture_output=True, text=True, check=True
    )
    assert flag in done.stdout.split()
    assert {"-P", "-I"} & set(done.stdout.split())


def test_it_shares_no_secret_of_the_command_and_no_signal_of_the_terminal(monkeypatch):
    monkeypatch.setenv("CASESYNC_PASSPHRASE", "not for anybody else")
    process = HelperProcess()
    process.start()
    try:
        assert process.wait_until_ready()
        assert process._running is not None
        pid = process._running._process.pid
        assert os.getpgid(pid) != os.getpgid(0)
        folder = Path(f"/proc/{pid}")
        if not os.access(folder / "environ", os.R_OK):
            pytest.skip("this system does not show it, as it should to a user")
        assert b"CASESYNC" not in (folder / "environ").read_bytes()
        limits = (folder / "limits").read_text("ascii").splitlines()
        [core] = [row.split() for row in limits if row.startswith("Max core file size")]
        assert core[4:6] == ["0", "0"], "a crash leaves no key on the disk"
        assert (folder / "cwd").resolve() == Path("/")
    finally:
        process.stop()


DUMPABLE = """
import ctypes, resource
from casesync.client.core_dumps import refuse_core_dumps
refuse_core_dumps()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_a_process_that_holds_keys_is_not_dumped():
    done = subprocess.run(
        [sys.executable, "-c", DUMPABLE], capture_output=True, text=True, check=True
    )
    assert done.stdout == "(0, 0) 0\n"


PARENT = """
import sys
from casesync.client import helper_process
helper_process.processors = lambda: 2
helper = helper_process.HelperProcess()
helper.start()
assert helper.wait_until_ready()
print(helper._running._process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system cannot wait for it")
def test_it_ends_with_the_process_that_started_it():
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        handle = os.pidfd_open(int(parent.stdout.readline()))
        try:
            parent.kill()
            assert select.select([handle], [], [], 60)[0], "it goes on without its parent"
        finally:
            os.close(handle)
