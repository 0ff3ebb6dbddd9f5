"""Whole streams of a page that bring content alone, taken in by the compiled twin (sync floor).

Most streams that a page brings something of are like that. They are not worth an object each, nor
is their row: the twin reads and writes it as it is packed. What it does not take, and all where it
was not compiled, ``page_stream`` takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from casesync.foundation.ids import StreamId
from casesync.sync.page_leaves import Batch
from casesync.sync.plain_path import Device, PlainPath
from casesync.sync.stream_kernels import packed_kernel
from casesync.translog.served_leaf import ServedLeaf


def in_two(batch: Batch) -> tuple[Batch, Batch]:
    """(what has an unsealed segment, and what came before it; the sealed segments behind it).

    A case that is opened in a page has most of its content there, too: behind its opening and its
    keys that is as plain as any other.
    """
    if packed_kernel is None:
        return batch, []
    parts: tuple[Batch, Batch] = packed_kernel.in_two(batch)
    return parts


class Work(NamedTuple):
    """The arguments of ``_packed_run.take``, by stream, and the changes."""

    batch: Batch
    placed: list[int | None]
    changes: bytes
    rows: list[bytes | None]
    keys: list[bytes | None]
    locations: list[int]
    own_device: int


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
        rows: list[bytes | None],
        own_device: int,
    ) -> None:
        """Args: rows: by stream, packed; a stream without one is not plain."""
        self._path = path
        self._batch = batch
        self._rows = rows
        self._own_device = own_device
        self._placed: list[int | None] = [None] * len(batch)
        self._authors: set[int] = set()
        self.changes = b""
        """To be stored, packed: every leaf of the streams that are plain, in the order of the
        batch."""
        self.ends: list[int] = []
        """Where in ``changes`` each of them ends."""
        self.whole: dict[StreamId, bytes] = {}
        """Packed rows of the streams that ``take`` took in."""
        self.shared: list[StreamId] = []
        """Those of them that ever had a grant."""
        self.left: list[Left] = []
        """Those that it did not take in."""
        self.merged = 0
        """Segments of what it took in."""
        if packed_kernel is not None:
            self.changes, self.ends, self._placed, self._authors = packed_kernel.place(
                batch, rows, own_device
            )

    def others(self) -> Batch:
        """The streams that are not plain: of some leaf it is not sure that it simply comes next."""
        placed = zip(self._batch, self._placed, strict=True)
        return [pair for pair, last_index in placed if last_index is None]

    @property
    def placed(self) -> Sequence[int | None]:
        """By stream, the largest index held of others' changes; None where it is not plain."""
        return self._placed

    def authors(self) -> dict[int, Device]:
        """What ``PlainPath.device`` says of every author of ``changes``, and perhaps of others."""
        return {number: self._path.device(number) for number in self._authors}

    def work(self, locations: list[int], keys: list[bytes | None]) -> Work:
        """What ``take`` would do, for somebody else."""
        return Work(
            self._batch,
            self._placed,
            self.changes,
            self._rows,
            keys,
            locations,
            self._own_device,
        )

    def take(self, locations: list[int], keys: list[bytes | None]) -> None:
        """Merge; ``changes`` stand at the first of ``locations``; ``keys`` are packed, too."""
        if not self.ends:
            return
        self.taken(
            packed_kernel.take(
                self._batch, self._placed, self._rows, keys, locations, self._path, self._own_device
            )
        )

    def taken(self, answer: tuple[list[bytes | None], list[int], int]) -> None:
        """What the twin made: by stream its packed row or None; which have a grant; segments."""
        rows, shared, self.merged = answer
        self.shared = [self._batch[at][0] for at in shared]
        if None not in rows:  # nearly always
            pairs = zip(self._batch, rows, strict=True)
            self.whole = {stream: row for (stream, _), row in pairs if row is not None}
            return
        first = 0
        for (stream, leaves), last, row in zip(self._batch, self._placed, rows, strict=True):
            if last is None:
                continue
            if row is None:
                self.left.append(Left(stream, leaves, last, first))
            else:
                self.whole[stream] = row
            first += len(leaves)
