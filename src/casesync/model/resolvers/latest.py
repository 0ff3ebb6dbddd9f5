"""``latest``: the largest in the order of writes counts; the others stay in the history."""

from __future__ import annotations

from collections.abc import Sequence

from casesync.model.resolvers.resolution import CellWrite, Effective, FieldFacts, by_time


def resolve(writes: Sequence[CellWrite], facts: FieldFacts | None) -> Effective:
    """The largest (min(clock, log time), device, number, position); never a conflict."""
    if not writes:
        return Effective(None, conflict=False)
    return Effective(max(writes, key=by_time).value, conflict=False)
