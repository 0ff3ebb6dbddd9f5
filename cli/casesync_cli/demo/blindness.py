"""Chapter 8: everything the relay keeps is searched for everything that was planted (cli)."""

from __future__ import annotations

import sqlite3

from casesync_cli.demo.planted import Hit, Search
from casesync_cli.demo.world import World


def tell(world: World) -> None:
    """Search database, write-ahead log and log: while the relay runs, and after it stopped."""
    narrator = world.narrator
    narrator.chapter("blindness")
    search = Search(world.planted, world.empty_relay)
    narrator.tell("planted", texts=search.texts, spellings=search.spellings)
    narrator.check("search-finds", _finds(world, search))
    for key in ("relay-running-blind", "relay-stopped-blind"):
        if key == "relay-stopped-blind":
            world.relay.stop()
        files = world.relay_files()
        hits, size = search.files(files)
        narrator.tell("searched", files=", ".join(p.name for p in files), bytes=size)
        _show(world, hits)
        narrator.check(key, not hits and size > 0)


def _finds(world: World, search: Search) -> bool:
    """The canary: every text is found in a database that stores it, as a relay would, per case.

    Texts that differ in case alone share spellings and are found under one of them.
    """
    file = world.folder / "canary.db"
    texts = [text for text, _ in world.planted.items()]
    connection = sqlite3.connect(file)
    try:
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [(t,) for t in texts * _TIMES])
        connection.commit()
    finally:
        connection.close()
    hits, _ = search.files([file])
    file.unlink()
    found = {hit.text.casefold() for hit in hits}
    # "open" and "form" stand in the tables of an empty relay: only longer spellings are looked for.
    own = [t for t in texts if len(t.encode()) > _TOO_SHORT and t.encode() not in world.empty_relay]
    return all(text.casefold() in found for text in own)


_TOO_SHORT = 2
"""Bytes of words that occur in anything."""
_TIMES = 10
"""Times the canary holds each text: words of three to five bytes are counted."""
_SHOWN = 20


def _show(world: World, hits: list[Hit]) -> None:
    for kind, text, file in sorted({(hit.kind, hit.text, hit.file) for hit in hits})[:_SHOWN]:
        world.narrator.tell("hit", kind=kind, text=text, file=file)
