"""The resolvers by their codes: one line each (model).

A code this version does not know resolves as ``all``: every value is shown, none is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from casesync.model.resolvers import (
    earliest,
    every,
    latest,
    ledger,
    once,
    presence,
    progress,
    protective,
    revoke,
)
from casesync.model.resolvers.resolution import CellWrite, Effective, FieldFacts, Resolve


class Resolver(NamedTuple):
    """One resolver: its code in cells (permanent), its word in schemas, what it does."""

    code: int
    word: str
    resolve: Resolve


RESOLVERS: Final[dict[int, Resolver]] = {
    resolver.code: resolver
    for resolver in (
        Resolver(1, "once", once.resolve),
        Resolver(2, "latest", latest.resolve),
        Resolver(3, "all", every.resolve),
        Resolver(4, "protective", protective.resolve),
        Resolver(5, "set", presence.resolve),
        Resolver(6, "revoke", revoke.resolve),
        Resolver(7, "ledger", ledger.resolve),
        Resolver(8, "state", progress.resolve),
        Resolver(9, "earliest", earliest.resolve),
    )
}
SET_CODE: Final = 5
"""The one resolver whose fields have elements and parts (see ``projection``)."""


def resolve(code: int, writes: Sequence[CellWrite], facts: FieldFacts | None) -> Effective:
    """What a cell with these live writes means.

    Args:
        code: the resolver's code.
        writes: the live writes, in any order; none = the cell was never written.
        facts: what the schema says about the field; None = it does not know it.
    """
    known = RESOLVERS.get(code)
    return every.resolve(writes, facts) if known is None else known.resolve(writes, facts)
