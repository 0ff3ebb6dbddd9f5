"""A long transaction's part of the write-ahead log is on its way to the disk before the commit.

SQLite writes pages to the log while a transaction goes on, but nothing makes the system bring them
to the disk before the commit's flush, which then waits for all of them while nothing else is left
to do (``protocol/decisions/0025-leaves-in-their-frames.md``). So the system is asked now and then
to begin. Nothing depends on it: only the flush makes a commit durable.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

STEP_BYTES: Final = 2 * 1024 * 1024
"""Between two requests: small transactions make hardly any."""
_BEGIN_TO_WRITE: Final = 2  # SYNC_FILE_RANGE_WRITE: sync_file_range(2)


class LogAhead:
    """Counts what goes into one database's log."""

    def __init__(self, database: Path) -> None:
        """Args: database: its file; the log lies beside it."""
        self._path = database.with_name(database.name + "-wal")
        self._size_bytes = 0

    def wrote(self, size_bytes: int) -> None:
        """So much more was given to SQLite, of which it keeps the last megabytes to itself."""
        self._size_bytes += size_bytes
        if self._size_bytes < STEP_BYTES:
            return
        self._size_bytes = 0
        begin_to_write = _sync_file_range()
        if begin_to_write is not None:
            with suppress(OSError):
                self._begin(begin_to_write)

    def _begin(self, begin_to_write: Any) -> None:  # noqa: ANN401, a C function
        log = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            begin_to_write(log, 0, 0, _BEGIN_TO_WRITE)
        finally:
            os.close(log)


@cache
def _sync_file_range() -> Any:  # noqa: ANN401, a C function, or None
    """The system's function, None where there is none (it is Linux's own)."""
    with suppress(ImportError, OSError, AttributeError, TypeError):
        import ctypes  # noqa: PLC0415 - a command that saves once needs none of it

        found = ctypes.CDLL(None).sync_file_range
        found.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
        return found
    return None
