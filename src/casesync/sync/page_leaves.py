"""The leaves of a page by author and by stream (sync floor)."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TypeAlias

from casesync.foundation.compiled import compiled
from casesync.foundation.ids import StreamId
from casesync.translog.header import STREAM_PART
from casesync.translog.served_leaf import ServedLeaf, leaf_kernel

leaves_kernel = leaf_kernel and compiled("casesync.sync._page_leaves", 5)
"""Sorts them; without it Python does."""

Batch = list[tuple[StreamId, list[ServedLeaf]]]
"""Streams, each with what a page brought of it in log order."""


Run: TypeAlias = "array[int]"
"""Positions of leaves in their page: of tens of thousands, none is an object."""


def runs_of(leaves: Sequence[ServedLeaf]) -> dict[int, list[Run]]:
    """By device, the positions of each of its unbroken runs; own leaves are in none."""
    if leaves_kernel is not None:
        sorted_out: dict[int, list[Run]] = leaves_kernel.runs_of(list(leaves))
        return sorted_out
    runs: dict[int, list[Run]] = {}
    newest: dict[int, bytes] = {}
    for position, leaf in enumerate(leaves):
        if leaf.own is not None:
            continue
        device = leaf.device
        if leaf.previous_link == newest.get(device):
            runs[device][-1].append(position)
        else:
            runs.setdefault(device, []).append(array("q", [position]))
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
