"""``revoke``: any live revocation wins; a new permission must name it to replace it."""

from __future__ import annotations

from collections.abc import Sequence

from casesync.model.resolvers import every
from casesync.model.resolvers.resolution import CellWrite, Effective, FieldFacts, differ


def resolve(writes: Sequence[CellWrite], facts: FieldFacts | None) -> Effective:
    """False if any live write is ``false`` or absent, which mean the same here, else the value.

    A conflict if values differ.
    """
    values = [False if write.value is None else write.value for write in writes]
    if any(value is False for value in values):
        return Effective(value=False, conflict=differ(values))
    return every.resolve(writes, facts)
