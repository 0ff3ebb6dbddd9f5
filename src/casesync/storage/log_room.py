"""Room at the end of the write-ahead log, so that a small commit need not lengthen the file.

A flush of what stands in the middle of a file takes half the time of one behind its end, where the
file system has to note length and blocks, too. SQLite begins an empty log with every opening and
goes back to its beginning only after 40 MB; so whoever writes a little again and again has zeros
written ahead of it (``protocol/decisions/0022-saves-on-packed-rows.md``).

What stands behind the last frame with the log's salts is no part of the log; SQLite itself leaves
old frames there. A crash, at any moment, leaves zeros or nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ROOM_BYTES: Final = 1024 * 1024
"""Some fifty saves alone."""
SMALL_BYTES_MAX: Final = 128 * 1024
"""What a commit may add to be one of many small ones; bulk work would write everything twice."""
PATIENCE: Final = 8
"""Small commits in a row before room is made: a command makes two or three and ends."""


class LogRoom:
    """Watches the log of one database; nobody else writes it meanwhile."""

    def __init__(self, database: Path) -> None:
        """Args: database: its file; the log lies beside it."""
        self._path = database.with_name(database.name + "-wal")
        self._size_bytes = 0
        self._small = 0

    def follow(self) -> None:
        """After a commit: make room if that is worth it. What fails is left as it was."""
        try:
            size = self._path.stat().st_size
            grown, self._size_bytes = size - self._size_bytes, size
            if grown <= 0:
                return
            self._small = self._small + 1 if grown <= SMALL_BYTES_MAX else 0
            if self._small >= PATIENCE:
                self._size_bytes = size + _zeros_behind(self._path, size)
        except OSError:
            self._small = 0


def _zeros_behind(path: Path, size: int) -> int:
    """How many were written: all or none."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    try:
        if os.pwrite(descriptor, bytes(ROOM_BYTES), size) == ROOM_BYTES:
            return ROOM_BYTES
        os.ftruncate(descriptor, size)  # the disk is nearly full: others need that
        return 0
    finally:
        os.close(descriptor)
