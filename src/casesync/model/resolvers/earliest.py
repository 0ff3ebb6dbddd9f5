"""``earliest``: the smallest value counts, because for due dates and expiries sooner is safer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casesync.model.resolvers.resolution import (
    CellWrite,
    Effective,
    FieldFacts,
    canonical_bytes,
)


def resolve(writes: Sequence[CellWrite], facts: FieldFacts | None) -> Effective:
    """The smallest value; absent is ignored; never a conflict.

    Integers by size before dates by text (an estimated one as if it were not) before the rest.
    """
    values = [write.value for write in writes if write.value is not None]
    return Effective(min(values, key=_rank) if values else None, conflict=False)


def _rank(value: Any) -> tuple[int, int, str, bytes]:  # noqa: ANN401
    if isinstance(value, int) and not isinstance(value, bool):
        return 0, value, "", b""
    if isinstance(value, str):
        return 1, 0, value.removeprefix("~"), canonical_bytes(value)
    return 2, 0, "", canonical_bytes(value)
