"""Attack 64: power loss at every write (storage level).

Refused by SQLite's write-ahead log under SQLCipher, with ``synchronous = FULL``: what a reader
finds afterwards is the state after some commit, and after the last one that was acknowledged.
"""

from __future__ import annotations

import os
import shutil
import signal
import struct
import sys

import pytest

from casesync.foundation.ids import StreamKind
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.connection import PAGE_BYTES
from casesync.storage.space import AccessReserve
from casesync.storage.sql_store import open_encrypted
from casesync.sync.ports import StreamFlag
from casesync.testing.conformance_store import access_row, stored_change, stream_id
from casesync.testing.conformance_store_lists import entries, listing_row

KEY = SecretBytes(b"k" * 32)
LOG_HEADER_BYTES = 32
FRAME_BYTES = 24 + PAGE_BYTES
STEPS = 3


@pytest.fixture(autouse=True, scope="module")
def no_reserve():
    """Hundreds of databases are opened here; four megabytes beside each would take the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AccessReserve, "prepare", lambda _: None)
        yield


def step(transaction, number: int) -> None:
    """One step that writes to every part of the store."""
    transaction.put_value("step", b"%d" % number)
    locations = transaction.append_changes([stored_change(number * 10 + n) for n in range(10)])
    streams = [stream_id(n) for n in range(30 * number, 30 * number + 60)]
    rows = {stream: [number, locations, b"x" * 900] for stream in streams}
    transaction.put_stream_rows(rows, StreamKind.CASE)
    transaction.mark_streams(streams, StreamFlag.LISTING_STALE, number % 2 == 0)
    transaction.put_stream_key(streams[0], 2, (number, 1, 0), b"k" * 32)
    transaction.put_listings(entries(listing_row(number, sort_ms=number, texts=[f"lan {number}"])))
    transaction.append_access(access_row(number))


def steps_found(path) -> int:
    """How many steps are there; fails if one is there in part."""
    store = open_encrypted(path, KEY)
    store.check()
    with store.transaction() as transaction:
        done = int(transaction.value("step") or b"0")
        expected_rows, marked = {}, {}
        locations = []
        for number in range(1, done + 1):
            for n in range(30 * number, 30 * number + 60):
                expected_rows[stream_id(n)] = number
                marked[stream_id(n)] = number % 2 == 0
        streams = [stream_id(n) for n in range(30 * (STEPS + 3))]
        rows = transaction.stream_rows(streams)
        assert {stream: row[0] for stream, row in rows.items()} == expected_rows
        assert set(transaction.streams_marked(StreamFlag.LISTING_STALE)) == {
            stream for stream, on in marked.items() if on
        }
        locations = sorted({location for row in rows.values() for location in row[1]})
        assert transaction.changes_at(locations) == [
            stored_change(number * 10 + n) for number in range(1, done + 1) for n in range(10)
        ]
        assert sum(map(len, transaction.stream_keys(streams).values())) == done
        assert transaction.find_cases("lan", 99, None)[1] == done
        assert transaction.list_cases({}, 99, None)[1] == done
        assert [row.sequence for row in transaction.access_rows()] == list(range(1, done + 1))
    store.close()
    return done


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A database before and after its log was folded in, the log, and where each commit ended."""
    path = tmp_path_factory.mktemp("recorded") / "replica.db"
    store = open_encrypted(path, KEY)
    with store.transaction() as transaction:
        step(transaction, 1)
    store.close()  # folds the log into the database
    before = path.read_bytes()
    store = open_encrypted(path, KEY)
    log = path.with_name(path.name + "-wal")
    ends = []
    for number in range(2, STEPS + 1):
        with store.transaction() as transaction:
            step(transaction, number)
        ends.append(_log_length(log))
    content = log.read_bytes()[: ends[-1]]
    store.close()
    return before, path.read_bytes(), content, ends


def _log_length(log) -> int:
    """Length of the log up to its last commit (the file is not cut when it is used again)."""
    content = log.read_bytes()
    salts = content[16:24]
    end = LOG_HEADER_BYTES
    for at in range(LOG_HEADER_BYTES, len(content), FRAME_BYTES):
        (_, commit) = struct.unpack_from(">II", content, at)
        if content[at + 8 : at + 16] == salts and commit:
            end = at + FRAME_BYTES
    return end


def restore(tmp_path, database: bytes, log: bytes):
    folder = tmp_path / "after power loss"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path = folder / "replica.db"
    path.write_bytes(database)
    path.with_name("replica.db-wal").write_bytes(log)
    return path


def test_a_log_that_ends_anywhere_holds_whole_steps_only(recorded, tmp_path):
    """Cut at every frame's end and within it (behind its header, within its page); torn, too."""
    database, _, log, ends = recorded
    assert len(log) > 20 * FRAME_BYTES
    cuts = [0, 10, LOG_HEADER_BYTES]
    for at in range(LOG_HEADER_BYTES, len(log), FRAME_BYTES):
        cuts += [at + 24 + (at // FRAME_BYTES % 3) * PAGE_BYTES // 3, at + FRAME_BYTES]
    for cut in cuts:
        whole = 1 + sum(end <= cut for end in ends)
        torn = b"" if cut in ends else b"\xa5" * 700
        assert steps_found(restore(tmp_path, database, log[:cut] + torn)) == whole, cut


def test_frames_written_out_of_order_do_not_count(recorded, tmp_path):
    """A disk may have written the last frame of a commit and not one before it."""
    database, _, log, ends = recorded
    frames = (ends[0] - LOG_HEADER_BYTES) // FRAME_BYTES
    for lost in range(frames):
        at = LOG_HEADER_BYTES + lost * FRAME_BYTES
        holed = log[:at] + bytes(FRAME_BYTES) + log[at + FRAME_BYTES : ends[0]]
        assert steps_found(restore(tmp_path, database, holed)) == 1


def test_power_loss_while_the_log_is_folded_in_loses_nothing(recorded, tmp_path):
    """The log is emptied only when the database is durable; until then pages are of either."""
    before, after, log, _ = recorded
    pages = len(after) // PAGE_BYTES
    for written in range(0, pages + 1, 2):
        cut = written * PAGE_BYTES
        others_first = before[:cut].ljust(cut, b"\0") + after[cut:]
        for database in (after[:cut] + before[cut:], others_first):
            assert steps_found(restore(tmp_path, database, log)) == STEPS
    torn = after[: PAGE_BYTES + 5000] + before[PAGE_BYTES + 5000 :]
    assert steps_found(restore(tmp_path, torn, log)) == STEPS


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_process_killed_before_any_statement_leaves_whole_steps(recorded, tmp_path):
    """A real process, killed with SIGKILL before its n-th statement, for every n."""
    kills = 0
    for number in range(1, 1000):
        path = restore(tmp_path, recorded[0], b"")
        acknowledged, killed = _run_killed(path, number)
        found = steps_found(path)
        assert 1 + acknowledged <= found <= 2 + acknowledged
        if not killed:
            assert found == STEPS
            break
        kills += 1
    assert kills > 30


def _run_killed(path, statement: int) -> tuple[int, bool]:
    """(steps acknowledged, whether it was killed)."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _work_until(path, statement, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        acknowledged = len(pipe.read())
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return acknowledged, status != 0


def _work_until(path, statement: int, writer: int) -> None:
    """In the child: never returns, and never reaches the test runner's own clean-up."""
    try:
        seen = 0

        def count(_: str) -> None:
            nonlocal seen
            seen += 1
            if seen == statement:
                os.kill(os.getpid(), signal.SIGKILL)

        store = open_encrypted(path, KEY)
        store._connection.set_trace_callback(count)
        for number in range(2, STEPS + 1):
            with store.transaction() as transaction:
                step(transaction, number)
            os.write(writer, b".")
        store.close()
        os._exit(0)
    finally:
        os._exit(1)
