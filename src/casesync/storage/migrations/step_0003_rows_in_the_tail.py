"""Version 3: rows of streams may lie in the tail, too (``storage/tail.py``)."""

from __future__ import annotations

from sqlite_utils import Database


def apply(database: Database) -> None:
    """Nothing to do: a program that does not know such rows must not open what holds them."""
