"""``set``: whether an element belongs to a set; adding wins over a concurrent removal."""

from __future__ import annotations

from collections.abc import Sequence

from casesync.model.resolvers import every, protective
from casesync.model.resolvers.resolution import CellWrite, Effective, FieldFacts


def resolve(writes: Sequence[CellWrite], facts: FieldFacts | None) -> Effective:
    """Of an element's presence (part 0): True if any live write is ``true``; never a conflict."""
    return Effective(any(write.value is True for write in writes), conflict=False)


def resolve_part(writes: Sequence[CellWrite], facts: FieldFacts | None) -> Effective:
    """Of an inner field (part 1...): ``protective`` if its schema has an order, else ``all``."""
    if facts is not None and facts.order:
        return protective.resolve(writes, facts)
    return every.resolve(writes, facts)
