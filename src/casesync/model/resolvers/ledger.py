"""``ledger``: one voucher, one entry; equal entries count once, unequal ones count nothing.

The resolver sees one voucher's cell, where that is what ``all`` says; that two vouchers add up is
the report's work, and a conflict flags its total.
"""

from __future__ import annotations

from collections.abc import Sequence

from casesync.model.resolvers import every
from casesync.model.resolvers.resolution import CellWrite, Effective, FieldFacts


def resolve(writes: Sequence[CellWrite], facts: FieldFacts | None) -> Effective:
    """The entry if all writes of the voucher are equal, else nothing and a conflict."""
    return every.resolve(writes, facts)
