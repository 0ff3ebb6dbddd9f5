"""Version 2: one row for what saves left to be written in its places (``storage/tail.py``)."""

from __future__ import annotations

from sqlite_utils import Database


def apply(database: Database) -> None:
    """Make its table, empty; a program that does not know it must not open what it fills."""
    database.create_table("tail", {"id": int, "body": bytes}, pk="id", strict=True)
