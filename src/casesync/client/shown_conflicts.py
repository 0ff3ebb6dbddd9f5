"""Which values of a conflict a person has been shown (client).

A resolution settles what was *shown*, not what has arrived since (DESIGN.md 4). Showing and
resolving are two commands, so what was shown is remembered in the replica between them, for the
conflicts shown last only. It is never sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from casesync.client.core import Core
from casesync.client.views import ConflictView
from casesync.codec import canonical
from casesync.sync.ports import Transaction

SHOWN_CONFLICTS: Final = "shown-conflicts"
"""Stored value: canonical array of [conflict id, [dots]], the last shown at the end."""
REMEMBERED_MAX: Final = 1000
"""Conflicts remembered; more than anybody settles in one sitting."""


def remember(core: Core, views: Sequence[ConflictView]) -> None:
    """Keep which writes of these conflicts were shown, durably."""
    if not views:
        return
    with core.transaction(looking=True) as tx:
        held = _held(tx)
        for view in views:
            held.pop(view.id, None)
            held[view.id] = [value.dot for value in view.values]
        rows = [[key, dots] for key, dots in held.items()][-REMEMBERED_MAX:]
        tx.put_value(SHOWN_CONFLICTS, canonical.pack(rows))


def shown(tx: Transaction, conflict: str) -> list[str] | None:
    """Dots of the writes that were shown last; None = this conflict was not shown here."""
    return _held(tx).get(conflict)


def _held(tx: Transaction) -> dict[str, list[str]]:
    stored = tx.value(SHOWN_CONFLICTS)
    return {} if stored is None else dict(canonical.unpack(stored))
