"""What taking in a recorded page costs, step by step (testing).

From the least that any reader must do to the whole of what ships: decode only; the floor (page
proof, signatures, decrypt, decode, nothing kept; one thread, by the same compiled parts); merged in
memory; merged and durable with fsync in plain SQLite; the same in SQLCipher. Every step takes in
the same answers.

Where a sync would have a helper (``client/helper_process.py``) merging has one that runs already,
as behind the first page of a real line; two steps show what one process does alone.

``python -m casesync.testing.benchmark.steps FOLDER [RUNS]`` measures a folder that ``prepare``
filled once more: for whoever works on the merge.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from casesync.client.core import Core
from casesync.client.exchange import WORTH_A_HELPER, pull_and_push
from casesync.foundation.ids import CONTENT_COMPARTMENTS, StreamId
from casesync.merkle.compact_range import CompactRange
from casesync.model.segment_body import decode_content
from casesync.storage.sql_store import SqlStore
from casesync.sync.held_log import CHANGE_RANGE, load_range
from casesync.sync.page_leaves import by_stream
from casesync.sync.ports import StoredChange
from casesync.sync.run_check import check_runs
from casesync.sync.session import SyncReport
from casesync.sync.stored_segment import open_segments, stored_kernel
from casesync.testing.benchmark.recorded import Recording
from casesync.testing.benchmark.series import Series
from casesync.translog.header import parse_header
from casesync.translog.page import plain_of, read_page
from casesync.translog.served_leaf import ServedLeaf
from casesync.wire.messages import SyncAnswer

DECODE: Final = "decode only"
FLOOR: Final = "floor: verify, decrypt, decode"
MEMORY: Final = "merged in memory"
MEMORY_ALONE: Final = "merged in memory, one process"
PLAIN: Final = "merged, durable in SQLite"
CIPHER: Final = "merged, durable in SQLCipher"
CIPHER_ALONE: Final = "merged, durable in SQLCipher, one process"
STEPS: Final = (DECODE, FLOOR, MEMORY_ALONE, MEMORY, PLAIN, CIPHER_ALONE, CIPHER)
ALONE: Final = frozenset({MEMORY_ALONE, CIPHER_ALONE})
_CONTENT: Final = frozenset(map(int, CONTENT_COMPARTMENTS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a merge did; the same in every run."""

    round_trips: int
    transactions: int
    signature_checks: int
    segments: int
    rejudged_streams: int
    handed_out: int
    """Batches of streams that the helper took in."""
    disk_bytes: int
    """The database's growth; 0 in memory."""


class Steps:
    """The steps on one recording."""

    def __init__(self, recording: Recording) -> None:
        """Args: recording: prepared; it is merged once to have the keys that the floor is given."""
        self.recording = recording
        self.cells = recording.facts.cells
        self.counts: dict[str, Counts] = {}
        self._core, self._held, self._keys = self._keys_of_everything()
        self._bodies: list[bytes] = []
        self._floor(self._bodies.append)

    def run(self, step: str) -> float:
        """Seconds of one step."""
        with collector_off():
            return self._ways()[step]()

    def _ways(self) -> dict[str, Callable[[], float]]:
        return {
            DECODE: self._decode,
            FLOOR: lambda: self._floor(decode_content),
            MEMORY_ALONE: lambda: self._merge(MEMORY_ALONE, self.recording.in_memory(), None),
            MEMORY: lambda: self._merge(MEMORY, self.recording.in_memory(), None),
            PLAIN: lambda: self._on_disk(PLAIN, encrypted=False),
            CIPHER_ALONE: lambda: self._on_disk(CIPHER_ALONE, encrypted=True),
            CIPHER: lambda: self._on_disk(CIPHER, encrypted=True),
        }

    # -- steps --------------------------------------------------------------------------------

    def _decode(self) -> float:
        started = time.perf_counter()
        for body in self._bodies:
            decode_content(body)
        return time.perf_counter() - started

    def _floor(self, take: Callable[[bytes], object]) -> float:
        answers = list(self.recording.answers())[:-1]
        held, engine, stored = self._held, self._core.engine, self._keys
        ring = engine.keys
        started = time.perf_counter()
        for body in answers:
            answer = SyncAnswer.decode(body)
            size = int.from_bytes(answer.change_checkpoint[:6], "big")
            root = answer.change_checkpoint[6:38]
            leaves, held = read_page(answer.page, held, size, root, lambda _: None)
            for stream, some in by_stream(check_runs(engine, leaves).proven):
                changes = {at: stored_change(leaf) for at, leaf in enumerate(some)}
                segments = [
                    (at, kind, 0)
                    for at, change in changes.items()
                    for kind in _content_kinds(change.header)
                ]
                bodies = stored_kernel and stored_kernel.open_segments(
                    segments, changes, stored.get(stream)
                )
                for content in bodies or open_segments(ring, stream, segments, changes):
                    assert content is not None, "a colleague can read everything"
                    take(content)
        return time.perf_counter() - started

    def _on_disk(self, step: str, *, encrypted: bool) -> float:
        with tempfile.TemporaryDirectory(dir=self.recording.folder) as folder:
            path = Path(folder) / "replica.db"
            store = self.recording.on_disk(path, encrypted=encrypted)
            return self._merge(step, store, path)

    def _merge(self, step: str, store: SqlStore, path: Path | None) -> float:
        before = 0 if path is None else path.stat().st_size
        folder = None if path is None else path.parent
        core = self.recording.reopened(store, folder, in_hand=True)
        if step in ALONE:
            core.engine.helper, core.engine.second_thread = None, False
        elif self.recording.facts.changes >= WORTH_A_HELPER:
            core.helper.start()
            core.helper.wait_until_ready()
        report = SyncReport()
        started = time.perf_counter()
        pull_and_push(core, report)
        seconds = time.perf_counter() - started
        core.helper.stop()
        store.close()
        self.counts[step] = Counts(
            round_trips=report.round_trips,
            transactions=report.transactions,
            signature_checks=report.ingest.signature_checks,
            segments=report.ingest.merged_segments,
            rejudged_streams=report.ingest.rejudged_streams,
            handed_out=report.ingest.handed_out,
            disk_bytes=0 if path is None else path.stat().st_size - before,
        )
        return seconds

    def _keys_of_everything(self) -> tuple[Core, CompactRange, dict[StreamId, bytes | None]]:
        core = self.recording.reopened(self.recording.in_memory())
        with core.store.transaction() as tx:
            held = load_range(tx, CHANGE_RANGE)
        pull_and_push(core, SyncReport())
        streams = [StreamId(stream) for stream in self.recording.ids().streams.values()]
        with core.store.transaction() as tx:
            core.engine.keys.load(tx, streams)  # for what the twin leaves
            keys = dict(zip(streams, tx.packed_keys(streams), strict=True))
        return core, held, keys


def stored_change(leaf: ServedLeaf) -> StoredChange:
    """A leaf as the store has it."""
    return StoredChange(leaf.previous_link, leaf.header, leaf.signature, leaf.segments)


def _content_kinds(header: bytes) -> Sequence[int]:
    """The compartments of a change's content."""
    plain = plain_of(header)
    if plain is not None:
        return (plain[2],)
    return [entry.kind for entry in parse_header(header).segments if entry.kind in _CONTENT]


@contextmanager
def collector_off() -> Iterator[None]:
    """Python's collector stands still for whoever is measured, ours and others alike."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def main(arguments: Sequence[str]) -> None:
    """Print the rate of every step of one folder."""
    steps = Steps(Recording(Path(arguments[0])))
    series = Series(steps.cells)
    runs = int(arguments[1]) if len(arguments) > 1 else 1
    series.run({step: lambda step=step: steps.run(step) for step in STEPS}, runs)  # type: ignore[misc]
    for step in STEPS:
        sys.stdout.write(f"{step:42} {series.rate(step):12,.0f} {series.ratio(step, FLOOR):6.2f}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
