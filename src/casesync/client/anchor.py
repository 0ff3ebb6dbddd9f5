"""How far the database had come, kept outside of it (client).

SQLCipher opens a rolled-back file without complaint. A device that goes on from an older state
would give numbers twice and fork its own chain, so the anchor is compared at every opening
(attack 60; DESIGN.md 6, *Restored and cloned devices*). It does not show a whole disk rolled back:
that shows at the relay's first answer.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from casesync.client.durable_file import read_small, replace_durably
from casesync.client.home import Home
from casesync.codec.canonical import pack, unpack
from casesync.foundation.errors import LocalStateError, RemoteProtocolError

ANCHOR_VERSION: Final = 1
_LINK_BYTES: Final = 32
_CHECKSUM_BYTES: Final = 8


class Anchor(NamedTuple):
    """A moment in the life of a database; every number only grows."""

    number: int = 0
    """Newest own change; 0 before the first."""
    link: bytes = bytes(_LINK_BYTES)
    """Chain link of that change; zeros before the enrolment."""
    control_size: int = 0
    """Entries of the control log held."""
    cursor: int = 0
    """Leaves of the change log verified."""


EMPTY: Final = Anchor()
"""Before the first commit."""


def write(folder: Path, anchor: Anchor) -> None:
    """Store the anchor durably: after each commit, and ``EMPTY`` before the first.

    Raises:
        LocalStateError: ``disk-full`` or ``disk-error``; the commit stands, and the older anchor
            still holds for it.
    """
    body = pack([ANCHOR_VERSION, *anchor])
    replace_durably(Home(folder).anchor, body + sha256(body).digest()[:_CHECKSUM_BYTES])


def read(folder: Path) -> Anchor | None:
    """The anchor, or None if there is none.

    Raises:
        LocalStateError: ``anchor-damaged``.
    """
    data = read_small(Home(folder).anchor)
    if data is None:
        return None
    body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if sha256(body).digest()[:_CHECKSUM_BYTES] != checksum:
        raise LocalStateError("anchor-damaged")
    try:
        value: object = unpack(body)
    except RemoteProtocolError as error:
        raise LocalStateError("anchor-damaged") from error
    match value:
        case [1, int(number), bytes(link), int(control_size), int(cursor)]:
            return Anchor(number, link, control_size, cursor)
        case _:
            raise LocalStateError("anchor-damaged")


def check(anchor: Anchor | None, database: Anchor) -> None:
    """Refuse a database that is behind its anchor.

    A database ahead of it is a crash between commit and anchor. One without an anchor, though it
    holds something, was copied here without its folder.

    Args:
        anchor: ``read(...)``.
        database: the same values, out of the database just opened.

    Raises:
        LocalStateError: ``database-rolled-back``.
    """
    if anchor is None:
        anchor_holds = database == EMPTY
    else:
        same_chain = anchor.number != database.number or anchor.link in (
            database.link,
            EMPTY.link,
        )
        anchor_holds = (
            same_chain
            and database.number >= anchor.number
            and database.control_size >= anchor.control_size
            and database.cursor >= anchor.cursor
        )
    if not anchor_holds:
        raise LocalStateError("database-rolled-back")
