"""A second process takes content in, and nothing depends on it (client/helper_process.py).

The real process on recorded pages of the benchmark's workloads: whatever happens to it, the
database is the one that a single process makes, byte for byte.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casesync.client import exchange, helper_process
from casesync.client.core import Core
from casesync.client.exchange import pull_and_push
from casesync.client.helper_process import HelperProcess
from casesync.client.sync_driver import run_sync
from casesync.storage.sql_store import SqlStore
from casesync.sync import handed_out, ingest, stream_batch
from casesync.sync.helper_port import Helper
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
    monkeypatch.setattr(helper_process, "_processors", lambda: 2)
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


class Through(Helper):
    """The real one; something is done to it before an answer is taken."""

    def __init__(self, helper: HelperProcess, at: int, act: Callable[[int], None]) -> None:
        assert helper._running is not None
        self._helper, self._left, self._act = helper, at, act
        self.pid = helper._running._process.pid

    def is_ready(self) -> bool:
        return self._helper.is_ready()

    def ask(self, front: bytes, leaves: bytes) -> None:
        self._helper.ask(front, leaves)
        self._left -= 1
        if self._left == 0:
            self._act(self.pid)

    def answer(self, *, wait: bool) -> bytes | None:
        return self._helper.answer(wait=wait)

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

        def ask(self, front: bytes, leaves: bytes) -> None:
            pass

        def answer(self, *, wait: bool) -> bytes | None:
            return None if self.stopped else garbage

        def stop(self) -> None:
            self.stopped = True

    odd = Odd()
    assert merged(saves, odd) == (merged(saves, None)[0], 0)
    assert odd.stopped


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
    store, core = opened(saves, helper)
    finish = stream_batch.StreamBatch.finish

    def broken(_batch: object) -> None:
        raise KeyboardInterrupt

    before = dump(store)
    monkeypatch.setattr(stream_batch.StreamBatch, "finish", broken)
    with pytest.raises(KeyboardInterrupt):
        pull_and_push(core, SyncReport())
    assert not helper.is_ready()
    assert dump(store) == before
    monkeypatch.setattr(stream_batch.StreamBatch, "finish", finish)
    helper.start()
    assert helper.wait_until_ready()
    assert merged(saves, helper)[0] == merged(saves, None)[0]


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


def test_a_sync_of_little_starts_none(saves, started):
    _, core = opened(saves, None)
    run_sync(core)
    assert not started


def test_a_sync_of_much_starts_one_and_ends_it(saves, started, monkeypatch):
    monkeypatch.setattr(exchange, "WORTH_A_HELPER", 100)
    store = saves.in_memory()
    core = saves.reopened(store)
    run_sync(core)
    [process] = started
    assert process.returncode == 0, "it ended when its input did"
    assert core.engine.helper is core.helper
    assert not core.helper.is_ready()


def test_a_sync_that_is_broken_off_ends_it_too(saves, started, monkeypatch):
    monkeypatch.setattr(exchange, "WORTH_A_HELPER", 100)
    core = saves.reopened(saves.in_memory())

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sync(core, interrupted)
    [process] = started
    assert process.returncode is not None


@pytest.mark.parametrize("processors", [0, 1])
def test_one_processor_has_no_use_for_it(processors, monkeypatch):
    monkeypatch.setattr(helper_process, "_processors", lambda: processors)
    alone = HelperProcess()
    alone.start()
    assert alone._running is None
    assert not alone.wait_until_ready()


def test_an_application_that_is_one_file_is_not_started_again(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    frozen = HelperProcess()
    frozen.start()
    assert frozen._running is None


def test_a_program_that_is_not_ours_is_not_asked(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/echo")  # says something else
    other = HelperProcess()
    other.start()
    assert not other.wait_until_ready()


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
        if not folder.exists():
            pytest.skip("this system has no /proc")
        assert b"CASESYNC" not in (folder / "environ").read_bytes()
        limits = (folder / "limits").read_text("ascii").splitlines()
        [core] = [row.split() for row in limits if row.startswith("Max core file size")]
        assert core[4:6] == ["0", "0"], "a crash leaves no key on the disk"
        assert (folder / "cwd").resolve() == Path("/")
    finally:
        process.stop()


PARENT = """
import sys
from casesync.client import helper_process
helper_process._processors = lambda: 2
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
