"""What a page brought of some streams, from reading their rows to writing them (sync floor).

In three steps, so that the middle one, which needs no store, may be done elsewhere: what is new is
stored; content is opened and merged (``plain_batch``); the rows are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casesync.foundation.ids import StreamId, StreamKind
from casesync.sync.access_reader import take_access_segment
from casesync.sync.context import Engine
from casesync.sync.ingest_report import IngestReport, refuse
from casesync.sync.page_leaves import Batch
from casesync.sync.page_stream import PageStream
from casesync.sync.plain_batch import PlainBatch
from casesync.sync.plain_path import PlainPath
from casesync.sync.ports import StoredChange, StreamFlag, Transaction
from casesync.sync.stream_merge import rejudge, state_of
from casesync.sync.stream_row import StreamRow
from casesync.translog.served_leaf import ServedLeaf


class StreamBatch:
    """One batch; of no use after ``finish``."""

    def __init__(
        self, engine: Engine, tx: Transaction, path: PlainPath, batch: Batch, report: IngestReport
    ) -> None:
        """Read rows and keys, and store what is new.

        Args:
            engine: up to the page's control checkpoint.
            tx: the page's transaction.
            path: of the page.
            batch: streams that no other unfinished batch has.
            report: counts are added to it.
        """
        self._engine = engine
        self._tx = tx
        self._path = path
        self._report = report
        ids = [stream for stream, _ in batch]
        self.plain = PlainBatch(path, batch, tx.packed_rows(ids), int(engine.device))
        self._streams: list[PageStream] = []
        fresh: list[StoredChange] = []
        others = self.plain.others()
        rows = self._loaded([stream for stream, _ in others])
        for stream, leaves in others:
            held = PageStream(engine, tx, stream, StreamRow(rows.get(stream)), path)
            for leaf in held.place(leaves):
                refuse(engine, tx, leaf, "change-malformed", report)
            fresh += held.changes()
            report.linked += held.links
            self._streams.append(held)
        self.locations = tx.append_packed(self.plain.changes, self.plain.ends)
        self.locations += tx.append_changes(fresh)
        self.keys = tx.packed_keys(ids)

    def take(self) -> None:
        """Open and merge the content of whole streams here."""
        self.plain.take(self.locations, self.keys)

    def finish(self) -> list[ServedLeaf]:
        """Merge everything else and write the rows.

        Returns: changes whose number another one of their stream has.
        """
        plain, streams = self.plain, self._streams
        merged = len(plain.ends)
        for held in streams:
            merged += held.merge(self.locations, merged)
        rows = self._loaded([left.stream for left in plain.left])
        for left in plain.left:
            row = StreamRow(rows[left.stream])
            held = PageStream(self._engine, self._tx, left.stream, row, self._path)
            held.go_on(left.leaves, left.last_index)
            held.merge(self.locations, left.first)
            streams.append(held)
        self._report.merged_segments += plain.merged
        self._write()
        return [leaf for held in streams for leaf in held.copies]

    def _loaded(self, streams: Sequence[StreamId]) -> dict[StreamId, list[Any]]:
        """The rows of streams, and their keys in the ring."""
        self._engine.keys.load(self._tx, streams)
        return self._tx.stream_rows(streams)

    def _write(self) -> None:
        """Write the rows; what was taken in whole are cases."""
        engine, tx, plain = self._engine, self._tx, self.plain
        tx.put_packed_rows(plain.whole, int(StreamKind.CASE))
        stale = list(plain.whole)
        shared = plain.shared
        by_kind: dict[int, dict[StreamId, list[Any]]] = {}
        for held in self._streams:
            if not held.touched:
                continue
            stream = held.stream
            self._report.merged_segments += held.merged_segments
            if held.again:
                self._report.rejudged_streams += 1
                rejudge(engine, tx, stream, held.row, check_author=None)
            else:
                stale.append(stream)
                state_of(held.row)  # a row for the content to come, if none came yet
            kind = held.row.kind_number
            if kind == StreamKind.ACCESS:
                take_access_segment(engine, tx, stream, held.row)
            elif held.row.is_shared():
                shared.append(stream)
            by_kind.setdefault(kind, {})[stream] = held.row.row
        for kind, rows in by_kind.items():
            tx.put_stream_rows(rows, kind)
        tx.mark_streams(stale, StreamFlag.LISTING_STALE, on=True)
        tx.mark_streams(shared, StreamFlag.BOXES_OWED, on=True)
