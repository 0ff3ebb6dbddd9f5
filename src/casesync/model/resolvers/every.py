"""``all``: every concurrent value is shown until a person resolves (``all`` is Python's word)."""

from __future__ import annotations

from collections.abc import Sequence

from casesync.model.resolvers.resolution import CellWrite, Effective, FieldFacts, differ


def resolve(writes: Sequence[CellWrite], facts: FieldFacts | None) -> Effective:
    """The value if all writes agree, else none and a conflict."""
    if not writes:
        return Effective(None, conflict=False)
    if differ(write.value for write in writes):
        return Effective(None, conflict=True)
    return Effective(writes[0].value, conflict=False)
