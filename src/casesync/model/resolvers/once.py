"""``once``: written once; the earliest write counts, further values are an integrity conflict."""

from __future__ import annotations

from collections.abc import Sequence

from casesync.model.resolvers.resolution import CellWrite, Effective, FieldFacts, by_clock, differ


def resolve(writes: Sequence[CellWrite], facts: FieldFacts | None) -> Effective:
    """The smallest (clock, device, number, position); conflict if values differ."""
    if not writes:
        return Effective(None, conflict=False)
    return Effective(min(writes, key=by_clock).value, differ(write.value for write in writes))
