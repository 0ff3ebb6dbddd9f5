"""How much room the disk of a replica has left (client, DESIGN.md 9)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from casesync.client.home import Home
from casesync.client.views import Fact
from casesync.storage.space import free_bytes, reserve_of

_SHORT_BYTES: Final = 64 * 1024 * 1024
"""Less than this and a day's work or a first sync may not fit."""


def room_facts(folder: Path | None) -> list[Fact]:
    """What to say of a disk that is nearly full; None is a replica in memory."""
    if folder is None:
        return []
    try:
        free = free_bytes(folder)
    except OSError:
        return []
    facts = []
    if free < _SHORT_BYTES:
        facts.append(Fact("disk-nearly-full", {"megabytes": free // (1024 * 1024)}))
    if not reserve_of(Home(folder).database).exists():
        facts.append(Fact("access-reserve-missing"))
    return facts
