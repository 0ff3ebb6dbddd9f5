"""Version 3: rows of streams may lie in the tail, too (``storage/tail.py``).

Nothing moves for that: a program that does not know such rows must not open what holds them. Lists
are made again, because the search index still holds the words of consents' notices.
"""

from __future__ import annotations

from typing import Final

from sqlite_utils import Database

_LISTING_STALE: Final = 1
"""``StreamFlag.LISTING_STALE`` as this version numbers it."""


def apply(database: Database) -> None:
    """Mark every listed case as one whose lists are out of date."""
    flag = {"flag": _LISTING_STALE}
    row = database.execute("SELECT bits FROM stream_mark WHERE flag = :flag", flag).fetchone()
    bits = bytearray() if row is None else bytearray(row[0])
    for (serial,) in database.execute("SELECT serial FROM listing ORDER BY serial").fetchall():
        bits.extend(bytes(max(0, (serial >> 3) + 1 - len(bits))))
        bits[serial >> 3] |= 1 << (serial & 7)
    if bits:
        database.table("stream_mark").upsert({**flag, "bits": bytes(bits)}, pk="flag")
