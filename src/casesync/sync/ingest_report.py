"""What an ingest did (sync floor)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from casesync.foundation.ids import FeedId, StreamId
from casesync.sync.context import Engine
from casesync.sync.ports import Transaction
from casesync.sync.waiting_leaves import note_leaf
from casesync.translog.served_leaf import ServedLeaf

_NO_STREAM: Final = StreamId(bytes(16))


@dataclass(slots=True)
class IngestReport:
    """What was ingested; counts only."""

    leaves: int = 0
    merged_segments: int = 0
    signature_checks: int = 0
    refused_leaves: int = 0
    """Leaves that are not kept: no member made them, or their header is malformed."""
    rejudged_streams: int = 0
    handed_out: int = 0
    """Batches of streams that a helper took in."""
    linked: list[tuple[StreamId, FeedId, int, bool]] = field(default_factory=list)
    """Feed links and unlinks met: (stream, feed, index, linked)."""


def refuse(
    engine: Engine, tx: Transaction, leaf: ServedLeaf, reason: str, report: IngestReport
) -> None:
    """Show a leaf that is not kept: its header cannot be read, or there is no room for it."""
    report.refused_leaves += 1
    note_leaf(engine, tx, _NO_STREAM, (leaf.device, leaf.index), "refused", reason)
