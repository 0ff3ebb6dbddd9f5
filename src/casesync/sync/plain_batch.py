"""Whole streams of a page that bring content alone, taken in by the compiled twin (sync floor).

Most streams that a page brings something of are like that. They are not worth an object each, nor
is their row: the twin reads and writes it as it is packed. What it does not take, and all where it
was not compiled, ``page_stream`` takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from casesync.foundation.ids import StreamId
from casesync.sync.plain_path import PlainPath, packed_kernel
from casesync.translog.served_leaf import ServedLeaf

Batch = list[tuple[StreamId, list[ServedLeaf]]]
"""Streams, each with what a page brought of it in log order."""


def in_two(batch: Batch) -> tuple[Batch, Batch]:
    """(what has an unsealed segment, and what came before it; the sealed segments behind it).

    A case that is opened in a page has most of its content there, too: behind its opening and its
    keys that is as plain as any other.
    """
    if packed_kernel is None:
        return batch, []
    front: Batch = []
    content: Batch = []
    for stream, leaves in batch:
        at = packed_kernel.content_from(leaves)
        if at:
            front.append((stream, leaves[:at]))
        if at < len(leaves):
            content.append((stream, leaves[at:]))
    return front, content


class Left(NamedTuple):
    """A stream in which the twin met something that is not so plain; its row is as it was."""

    stream: StreamId
    leaves: list[ServedLeaf]
    """Content alone, all of it newer than what the row holds of its devices."""
    last_index: int
    """Largest index held of others' changes; -1 = none."""
    first: int
    """Where the location of ``leaves[0]`` stands."""


class PlainBatch:
    """What a page brought of some streams."""

    def __init__(
        self,
        path: PlainPath,
        batch: Batch,
        rows: Mapping[StreamId, bytes],
        own_device: int,
    ) -> None:
        """Args: rows: of these streams, packed; a stream without one is not plain."""
        self._path = path
        self._batch = batch
        self._rows = rows
        self._own_device = own_device
        self._placed: list[int | None] = [None] * len(batch)
        self.changes: list[bytes] = []
        """To be stored, packed: every leaf of the streams that are plain, in the order of the
        batch."""
        self.whole: dict[StreamId, bytes] = {}
        """Packed rows of the streams that ``take`` took in."""
        self.shared: list[StreamId] = []
        """Those of them that ever had a grant."""
        self.left: list[Left] = []
        """Those that it did not take in."""
        self.merged = 0
        """Segments of what it took in."""
        if packed_kernel is not None:
            self.changes, self._placed = packed_kernel.place(batch, rows, own_device)

    def others(self) -> Batch:
        """The streams that are not plain: of some leaf it is not sure that it simply comes next."""
        placed = zip(self._batch, self._placed, strict=True)
        return [pair for pair, last_index in placed if last_index is None]

    def take(self, locations: list[int], keys: Mapping[StreamId, bytes]) -> None:
        """Merge; ``changes`` stand at the first of ``locations``; ``keys`` are packed, too."""
        if not self.changes:
            return
        taken, self.shared, self.merged = packed_kernel.take(
            self._batch, self._placed, self._rows, keys, locations, self._path, self._own_device
        )
        first = 0
        for (stream, leaves), last, row in zip(self._batch, self._placed, taken, strict=True):
            if last is None:
                continue
            if row is None:
                self.left.append(Left(stream, leaves, last, first))
            else:
                self.whole[stream] = row
            first += len(leaves)
