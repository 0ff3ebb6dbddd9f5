"""Room on the disk that only access entries may use (storage floor, DESIGN.md 9).

No content is shown before its access entry is durable, so a full disk would hide the safe-contact
rule from somebody who stands at a telephone. A file keeps room; it is given up when little else
is left and made again when there is plenty. It lies beside the database, not inside: in WAL mode
even a write into free pages first needs room for the log.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from hashlib import shake_256
from pathlib import Path
from typing import Final

RESERVE_BYTES: Final = 4 * 1024 * 1024
"""At least 80 access entries: each costs a few pages in the write-ahead log."""
_MARGIN_BYTES: Final = 1024 * 1024
"""Less than this and an ordinary small transaction may fail."""
_NO_ROOM_BYTES: Final = 128 * 1024
"""Less than this and SQLite may not even find room for its index or for one page."""
_PLENTY: Final = 4
"""The reserve is made again when this many times its size is free."""


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write on the folder's disk."""
    return shutil.disk_usage(folder).free


def reserve_of(database: Path) -> Path:
    """Where the reserve of a database lies."""
    return database.with_name(database.name + ".reserve")


def has_no_room(folder: Path) -> bool:
    """Whether what went wrong on the folder's disk is explained by its being full."""
    try:
        return free_bytes(folder) < _NO_ROOM_BYTES
    except OSError:
        return False


class AccessReserve:
    """The file that keeps room for access entries."""

    def __init__(self, path: Path, free: Callable[[Path], int] = free_bytes) -> None:
        self._path = path
        self._free = free

    @property
    def folder(self) -> Path:
        """Where the reserve and the database lie."""
        return self._path.parent

    def prepare(self) -> None:
        """On opening: make the file if there is plenty of room, give it up if there is none.

        Never raises: a reserve that cannot be made must not keep anybody from working.
        """
        with suppress(OSError):
            self.ensure()
            if not self._path.exists() and self._free(self._path.parent) > _PLENTY * RESERVE_BYTES:
                self._make()

    def ensure(self) -> None:
        """Before an access entry is written: see that there is room."""
        with suppress(OSError):
            if self._free(self._path.parent) < _MARGIN_BYTES:
                self.release()

    def release(self) -> None:
        """Give the room to whoever writes next."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _make(self) -> None:
        # A file system that compresses would keep no room for zeros. The file gets its name when it
        # is whole: half of it would keep half the room.
        unfinished = self._path.with_name(self._path.name + ".new")
        try:
            with unfinished.open("wb") as file:
                file.write(shake_256(b"casesync reserve").digest(RESERVE_BYTES))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
