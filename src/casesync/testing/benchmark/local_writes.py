"""Saving on one device, sealed, signed, merged, durable in SQLCipher; a bare fsync (testing).

The network plays no part. Randomness is the system's, and the anchor is written after each
transaction, as in the product.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from casesync.client.system_ports import SystemEntropy
from casesync.storage.connection import PAGE_BYTES
from casesync.testing.benchmark.recorded import Recording
from casesync.testing.benchmark.steps import collector_off
from casesync.testing.workloads.office import Author
from casesync.testing.workloads.registry import WORKLOADS
from casesync.testing.workloads.saves import Save, Workload

SAVES_MAX: Final = 10_000
IN_MEMORY_S: Final = 20e-6
"""No disk brings a page and a flush to safety in so little time."""
SINGLE_SAVES: Final = 200


class Single(NamedTuple):
    """Seconds, each the median of ``SINGLE_SAVES``, measured in turns."""

    save: float
    fsync: float


class LocalWrites:
    """Saves of a recording's workload by the recording's reader."""

    def __init__(self, recording: Recording) -> None:
        """Args: recording: a prepared one of form saves."""
        self._recording = recording
        facts = recording.facts
        saves = WORKLOADS[facts.name](facts.size, facts.seed).saves()
        self.saves: list[Save] = list(islice(saves, SAVES_MAX))
        self.cells = sum(len(save.fields) for save in self.saves)

    def batched(self) -> float:
        """Seconds for all saves, 500 to a durable transaction."""
        with self.author() as (author, _), collector_off():
            started = time.perf_counter()
            author.write(self.saves)
            return time.perf_counter() - started

    def single(self) -> Single:
        """One save to a durable transaction, in turns with one page and an fsync."""
        saves: list[float] = []
        fsyncs: list[float] = []
        with self.author() as (author, folder), collector_off():
            descriptor = os.open(folder / "bare", os.O_CREAT | os.O_WRONLY)
            for save in self.saves[:SINGLE_SAVES]:
                started = time.perf_counter()
                author.write([save])
                saves.append(time.perf_counter() - started)
                started = time.perf_counter()
                os.write(descriptor, bytes(PAGE_BYTES))
                os.fsync(descriptor)
                fsyncs.append(time.perf_counter() - started)
            os.close(descriptor)
        return Single(median(saves), median(fsyncs))

    def as_many_saves(self) -> Workload:
        """A workload of as many saves, for other engines."""
        facts = self._recording.facts
        return WORKLOADS[facts.name](self.cells, facts.seed)

    @contextmanager
    def author(self) -> Iterator[tuple[Author, Path]]:
        """The recording's reader, with its folder, on a store of its own."""
        with tempfile.TemporaryDirectory(dir=self._recording.folder) as name:
            folder = Path(name)
            store = self._recording.on_disk(folder / "replica.db", encrypted=True)
            try:
                core = self._recording.reopened(store, folder, SystemEntropy())
                yield Author(core, self._recording.ids()), folder
            finally:
                store.close()
