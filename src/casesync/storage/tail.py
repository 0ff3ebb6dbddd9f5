"""What saves left to be written in its places, together in one row (storage floor).

A save touches a page of each table that it adds to, and each page is encrypted, authenticated and
written whole. So a transaction of few own changes puts what is small (values, rows of the outbox,
the last block of changes, rows of streams) into this one row, all of it again each time, and once
it is no longer small everything goes to its place. In memory it never left the parts it belongs to
(``protocol/decisions/0020-saves-in-bulk.md``, ``0022-saves-on-packed-rows.md``).

The row never changes its length, so that it is written in place: its content's length (u32), the
content, zeros.
"""

from __future__ import annotations

from typing import Any, Final

import msgpack

from casesync.foundation.errors import LocalStateError
from casesync.storage.packing import pack_all
from casesync.storage.session import Session

TAIL_BYTES_MAX: Final = 12 * 1024
"""With its place in the tree it stays within one page of the database."""
_LENGTH_BYTES: Final = 4
_PARTS: Final = 4
_NO_ROWS: Final = 3
"""Parts before version 3, without rows of streams."""


class Tail:
    """The one row."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._body = b""
        self._is_read = False
        self._is_made = False

    @property
    def in_use(self) -> bool:
        """Whether the row holds anything."""
        return bool(self._body)

    def forget(self) -> None:
        """The transaction was undone: what the row holds is to be read again."""
        self._is_read = False

    def unread(self) -> list[Any] | None:
        """What the row holds, the first time after opening or ``forget``; None otherwise.

        Raises:
            LocalStateError: ``database-corrupt``.
        """
        if self._is_read:
            return None
        row = self._session.execute("SELECT body FROM tail").fetchone()
        self._is_read = True
        self._is_made = row is not None
        stored: bytes = row[0] if row is not None else bytes(_LENGTH_BYTES)
        size = int.from_bytes(stored[:_LENGTH_BYTES], "big")
        self._body = stored[_LENGTH_BYTES:][:size]
        if len(stored) < _LENGTH_BYTES or len(self._body) != size:
            raise LocalStateError("database-corrupt")
        if not self._body:
            return None
        try:
            parts: list[Any] = msgpack.unpackb(self._body, strict_map_key=False)
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise LocalStateError("database-corrupt") from error
        if parts.__class__ is not list or len(parts) not in (_NO_ROWS, _PARTS):
            raise LocalStateError("database-corrupt")
        return parts if len(parts) == _PARTS else [*parts, {}]

    def put(self, parts: list[Any], *, changed: bool) -> bool:
        """Replace what the row holds; False, and nothing written, if it would be too large.

        Args:
            parts: values, rows of the outbox, block, rows of streams.
            changed: whether they may differ from what it holds; where they may not and do, False.
        """
        [body] = pack_all([parts])
        if body != self._body:
            if len(body) > TAIL_BYTES_MAX or not changed:
                return False
            self._write(body)
        return True

    def clear(self) -> None:
        """Everything is in its place."""
        if self._body:
            self._write(b"")

    def _write(self, body: bytes) -> None:
        if not self._is_made:
            self._session.execute(
                "INSERT INTO tail(id, body) VALUES (1, zeroblob(?))",
                (_LENGTH_BYTES + TAIL_BYTES_MAX,),
            )
            self._is_made = True
        # Zeros over what was longer: nothing that went to its place, or was destroyed, stays here.
        content = len(body).to_bytes(_LENGTH_BYTES, "big") + body.ljust(len(self._body), b"\0")
        self._session.overwrite_body("tail", 1, content)
        self._body = body
