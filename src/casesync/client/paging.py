"""A part of a list that grows at its end: the newest first, older pages behind it (client)."""

from __future__ import annotations

from collections.abc import Sequence

from casesync.client.views import Item, Page
from casesync.foundation.errors import UsageError


def newest(
    rows: Sequence[Item], keys: Sequence[str], *, limit: int | None, after: str | None
) -> Page[Item]:
    """The newest of a list, or what is older than an earlier page; in the list's own order.

    Args:
        rows: the whole list, oldest first.
        keys: what names each of them, in the same order.
        limit: at most so many; None = all.
        after: the ``after`` of an earlier page.

    Raises:
        UsageError: ``page-unknown``: no row has that key (any more).
    """
    end = len(rows)
    if after is not None:
        if after not in keys:
            raise UsageError("page-unknown", after=after)
        end = keys.index(after)
    start = 0 if limit is None else max(0, end - limit)
    return Page(tuple(rows[start:end]), len(rows), keys[start] if start else None)
