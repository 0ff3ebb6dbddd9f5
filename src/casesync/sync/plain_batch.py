"""Whole streams of a page in which all is plain, taken in by the compiled twin (sync floor).

Most streams that a page brings something of are like that. They are not worth an object each: the
twin looks at the rows themselves. Where it stops, and where it was not compiled, ``page_stream``
takes over from the leaf at which it stopped.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from casesync.foundation.ids import StreamId
from casesync.sync.plain_path import PlainPath, plain_kernel
from casesync.sync.ports import StoredChange
from casesync.translog.served_leaf import ServedLeaf


class Stopped(NamedTuple):
    """A stream in which the twin met something that is not so plain."""

    stream: StreamId
    leaves: list[ServedLeaf]
    """What it left."""
    last_index: int
    """Largest index held of others' changes, what it took included; -1 = none."""
    first: int
    """Where the location of ``leaves[0]`` stands."""


class PlainBatch:
    """What a page brought of some streams."""

    def __init__(
        self,
        path: PlainPath,
        batch: list[tuple[StreamId, list[ServedLeaf]]],
        rows: dict[StreamId, list[Any]],
        own_device: int,
    ) -> None:
        """Args: rows: of these streams, changed in place; a stream without one is not plain."""
        self._path = path
        self._batch = batch
        self._rows = rows
        self._placed: list[int | None] = [None] * len(batch)
        self.changes: list[StoredChange] = []
        """To be stored: every leaf of the streams that are plain, in the order of the batch."""
        self.whole: dict[StreamId, list[Any]] = {}
        """Rows of the streams that ``take`` took in as a whole."""
        self.stopped: list[Stopped] = []
        """Those of which it did not."""
        self.merged = 0
        """Changes it took."""
        if plain_kernel is not None:
            self.changes, self._placed = plain_kernel.place_runs(
                batch, rows, StoredChange, own_device
            )

    def others(self) -> list[tuple[StreamId, list[ServedLeaf]]]:
        """The streams that are not plain: of some leaf it is not sure that it simply comes next."""
        placed = zip(self._batch, self._placed, strict=True)
        return [pair for pair, last_index in placed if last_index is None]

    def take(self, locations: list[int]) -> None:
        """Merge into the rows; ``changes`` stand at the first of ``locations``."""
        if not self.changes:
            return
        taken = plain_kernel.take_runs(self._batch, self._placed, self._rows, locations, self._path)
        first = 0
        for (stream, leaves), last, count in zip(self._batch, self._placed, taken, strict=True):
            if last is None:
                continue
            self.merged += count
            if count == len(leaves):
                self.whole[stream] = self._rows[stream]
            else:
                held = leaves[count - 1].index if count else last
                self.stopped.append(Stopped(stream, leaves[count:], held, first + count))
            first += len(leaves)
