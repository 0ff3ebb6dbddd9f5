"""SQLite's error codes turned into the project's errors (storage floor, DESIGN.md 9).

Both libraries (``sqlite3`` and ``sqlcipher3``) have an exception tree of their own; nothing of
either leaves this floor. Codes that only a mistake of ours can cause (constraint, misuse) are not
converted: they are bugs and shall look like bugs.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import sqlcipher3

from casesync.foundation.errors import LocalStateError
from casesync.storage.space import has_no_room

DATABASE_ERRORS: Final[tuple[type[Exception], ...]] = (sqlite3.Error, sqlcipher3.Error)
"""What to catch where SQLite is called."""

_NOT_A_DATABASE: Final = 26
_CODES: Final = {
    3: "disk-error",  # PERM
    5: "database-locked",  # BUSY
    6: "database-locked",  # LOCKED
    8: "disk-error",  # READONLY
    10: "disk-error",  # IOERR
    11: "database-corrupt",  # CORRUPT, which is also a page whose HMAC fails
    13: "disk-full",  # FULL
    14: "database-does-not-open",  # CANTOPEN
    _NOT_A_DATABASE: "database-corrupt",  # the first page was readable when the file was opened
}
_MESSAGES: Final = {
    "database is locked": 5,
    "disk I/O error": 10,
    "database disk image is malformed": 11,
    "database or disk is full": 13,
    "file is not a database": _NOT_A_DATABASE,
}
"""SQLite's own words for the codes above: ``backup`` raises errors without a code."""


def converted(error: Exception, *, opening: bool = False, folder: Path | None = None) -> Exception:
    """The project's error for ``error``, or ``error`` itself where it is a bug of ours.

    Args:
        error: one of ``DATABASE_ERRORS``.
        opening: the file has not been read yet, so that an unreadable first page means a wrong key
            or a file that is no database; SQLCipher cannot tell the two apart.
        folder: where the file lies, if on a disk. SQLite calls a full disk so only where it writes
            pages: its index and its flushes fail as any other access does.
    """
    primary = getattr(error, "sqlite_errorcode", _MESSAGES.get(str(error), 0)) & 0xFF
    code = _CODES.get(primary)
    if code is None:
        return error
    if opening and primary == _NOT_A_DATABASE:
        code = "database-does-not-open"
    if code in ("disk-error", "database-does-not-open") and primary != _NOT_A_DATABASE:
        code = "disk-full" if folder is not None and has_no_room(folder) else code
    return LocalStateError(code)
