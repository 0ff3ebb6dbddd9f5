"""The leaves of a page by author and by stream (sync floor)."""

from __future__ import annotations

from collections.abc import Sequence

from casesync.foundation.compiled import compiled
from casesync.foundation.ids import StreamId
from casesync.translog.header import STREAM_PART
from casesync.translog.served_leaf import ServedLeaf, leaf_kernel

leaves_kernel = leaf_kernel and compiled("casesync.sync._page_leaves", 4)
"""Sorts them; without it Python does."""

Batch = list[tuple[StreamId, list[ServedLeaf]]]
"""Streams, each with what a page brought of it in log order."""


def runs_of(leaves: Sequence[ServedLeaf]) -> dict[int, list[list[int]]]:
    """By device, the positions of each of its unbroken runs; own leaves are in none."""
    if leaves_kernel is not None:
        sorted_out: dict[int, list[list[int]]] = leaves_kernel.runs_of(list(leaves))
        return sorted_out
    runs: dict[int, list[list[int]]] = {}
    newest: dict[int, bytes] = {}
    for position, leaf in enumerate(leaves):
        if leaf.own is not None:
            continue
        device = leaf.device
        if leaf.previous_link == newest.get(device):
            runs[device][-1].append(position)
        else:
            runs.setdefault(device, []).append([position])
        newest[device] = leaf.link
    return runs


def by_stream(leaves: Sequence[ServedLeaf]) -> Batch:
    """Streams in the order in which the leaves name them first."""
    if leaves_kernel is not None:
        sorted_out: Batch = leaves_kernel.by_stream(list(leaves))
        return sorted_out
    streams: dict[StreamId, list[ServedLeaf]] = {}
    for leaf in leaves:
        streams.setdefault(StreamId(leaf.header[STREAM_PART]), []).append(leaf)
    return list(streams.items())
