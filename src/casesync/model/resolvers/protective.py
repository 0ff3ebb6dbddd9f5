"""``protective``: until a person resolves, the most protective value counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casesync.model.resolvers import every
from casesync.model.resolvers.resolution import (
    CellWrite,
    Effective,
    FieldFacts,
    canonical_bytes,
    differ,
)


def resolve(writes: Sequence[CellWrite], facts: FieldFacts | None) -> Effective:
    """The first value of the declared order; unknown codes before all, absent behind all.

    Absent counts and shows as the code that the schema declares for it, if it does. Without a
    declared order (a field of a newer version) nothing is more protective: as ``all``.
    """
    if facts is None or not facts.order:
        return every.resolve(writes, facts)
    order = facts.order

    def rank(value: Any) -> tuple[int, bytes]:  # noqa: ANN401
        if value is None:
            return len(order), b""
        if isinstance(value, str) and value in order:
            return order.index(value), b""
        return -1, canonical_bytes(value)

    values = [facts.absent_as if write.value is None else write.value for write in writes]
    if not values:
        return Effective(facts.absent_as, conflict=False)
    return Effective(min(values, key=rank), differ(values))
