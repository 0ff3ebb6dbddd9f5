"""Many cases read at once, for lists: their rows and the sealed changes that are live (client).

Cases of an office are written side by side, so their changes lie in the same blocks: read together
each block is opened once. Who looks at one case uses ``case_reader``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from casesync.client.case_reader import CaseReader
from casesync.client.core import Core
from casesync.foundation.ids import StreamId
from casesync.model.listed import ListedRecord, ListedRecords
from casesync.model.merge import StreamState
from casesync.model.projection import RecordProjection
from casesync.sync.ports import StoredChange, Transaction
from casesync.sync.stored_segment import open_segments, stored_kernel
from casesync.sync.stream_row import StreamRow


class CaseBatch:
    """Cases of one transaction."""

    def __init__(self, core: Core, tx: Transaction, streams: Sequence[StreamId]) -> None:
        """Args: streams: what is no case, or not opened here, is left out."""
        self._core = core
        self._tx = tx
        self._stored_keys: dict[StreamId, bytes | None] = {}
        if stored_kernel is None:
            core.engine.keys.load(tx, streams)
        else:  # none is kept ready behind its case: they are large, and asked for once
            self._stored_keys = dict(zip(streams, tx.packed_keys(streams), strict=True))
        self.cases: dict[StreamId, bytes] = {}
        """The record id of each case."""
        self._segments: dict[StreamId, list[tuple[int, int, int]] | None] = {}
        for stream, raw in tx.stream_rows(streams).items():
            row = StreamRow(raw)
            record = row.case_record()
            if record is not None and not row.given_up:
                self.cases[stream] = record
                self._segments[stream] = StreamState(row.merge_row or None).plain_segments()
        live = {
            location for segments in self._segments.values() for location, _, _ in segments or ()
        }
        locations = sorted(live)
        self._changes: dict[int, StoredChange] = dict(
            zip(locations, tx.changes_at(locations), strict=True)
        )

    def simple(self, stream: StreamId, records: ListedRecords) -> list[ListedRecord] | None:
        """What lists show of one case, read without the store; None where it has to be asked."""
        segments = self._segments[stream]
        if segments is None:
            return None
        bodies: list[bytes | None] | None
        if stored_kernel is None:
            bodies = open_segments(self._core.engine.keys, stream, segments, self._changes)
        else:
            keys = self._stored_keys.get(stream)
            bodies = stored_kernel.open_segments(segments, self._changes, keys)
        return None if bodies is None else records.simple(segments, bodies)

    def records(self, stream: StreamId, records: ListedRecords) -> list[ListedRecord]:
        """What lists show of one case."""
        segments, keys = self._segments[stream], self._core.engine.keys
        keys.load(self._tx, (stream,))
        bodies = open_segments(keys, stream, segments or [], self._changes)
        return records.read(segments, bodies, partial(self._projected, stream))

    def _projected(
        self, stream: StreamId, names: Collection[tuple[int, bytes]] | None
    ) -> list[RecordProjection]:
        return CaseReader(self._core, self._tx, stream).projections(records=names)
