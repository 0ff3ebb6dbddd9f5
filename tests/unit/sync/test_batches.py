"""How a page's streams are shared out (sync/ingest.py)."""

from __future__ import annotations

import pytest

from casesync.sync.ingest import (
    BATCHES_LEFT,
    STREAMS_AHEAD,
    STREAMS_LAST,
    STREAMS_PER_BATCH,
    _batches,
)
from casesync.translog.served_leaf import ServedLeaf


@pytest.mark.parametrize("count", [0, 1, 4, 5, 28, 29, 132, 133, 767, 772, 773, 10_000])
def test_each_stream_is_in_one_batch_and_the_last_ones_are_small(count):
    streams: list[tuple[bytes, list[ServedLeaf]]] = [
        (at.to_bytes(16, "big"), []) for at in range(count)
    ]
    first, *others = map(len, batches := list(_batches(streams)))  # type: ignore[arg-type]
    assert [stream for batch in batches for stream in batch] == streams
    assert first == min(count, STREAMS_AHEAD)
    assert all(0 < size <= STREAMS_PER_BATCH for size in others)
    assert sorted(others, reverse=True) == others, "none is larger than the one before"
    if count > BATCHES_LEFT * STREAMS_PER_BATCH:
        assert others[0] == STREAMS_PER_BATCH
        assert others[-2] == STREAMS_LAST >= others[-1]
