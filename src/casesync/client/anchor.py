"""How far the database had come, kept outside of it (client).

SQLCipher opens a rolled-back file without complaint. A device that goes on from an older state
would give numbers twice and fork its own chain, so the anchor is compared at every opening
(attack 60; DESIGN.md 6, *Restored and cloned devices*). It does not show a whole disk rolled back:
that shows at the relay's first answer.

The file holds the newest two moments, each in a block of its own with a checksum, and the older one
is overwritten in place: a save pays one flush for it, and a torn write leaves the other
(``protocol/decisions/0014-local-writes.md``).
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple

from casesync.client.durable_file import overwrite_durably, read_small, replace_durably
from casesync.client.home import Home
from casesync.codec.canonical import unpack
from casesync.foundation.errors import LocalStateError, RemoteProtocolError

SLOT_BYTES: Final = 4096
"""A slot's distance from the other: no disk tears one when the other is written."""
_FILE_BYTES: Final = 2 * SLOT_BYTES
_RECORD: Final = Struct(">4sQQ32sQQ")
"""Mark, sequence, number, link, control size, cursor."""
_MARK: Final = b"anc2"
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


class Slot(NamedTuple):
    """One of the file's two places with its moment; the larger sequence is the newer."""

    sequence: int
    offset: int
    anchor: Anchor


def write(folder: Path, anchor: Anchor, newest: Slot | None = None) -> Slot:
    """Store the anchor durably: after each commit, and ``EMPTY`` before the first.

    It goes over the older of the two moments that the file holds. A file that was emptied,
    shortened or deleted since is replaced whole.

    Args:
        folder: the replica's.
        anchor: the moment.
        newest: what this process wrote there last, so that nothing is read.

    Returns: Where it stands now.

    Raises:
        LocalStateError: ``disk-full`` or ``disk-error``; the commit stands, and the older anchor
            still holds for it.
    """
    path = Home(folder).anchor
    newest = newest or _newest(read_small(path, _FILE_BYTES) or b"")
    if newest is not None:
        slot = Slot(newest.sequence + 1, SLOT_BYTES - newest.offset, anchor)
        if overwrite_durably(path, _FILE_BYTES, slot.offset, _record(slot)):
            return slot
    slot = Slot(1, 0, anchor)  # no file yet, one of the older form, or not the file it was
    replace_durably(path, _record(slot).ljust(_FILE_BYTES, b"\0"))
    return slot


def read(folder: Path) -> Anchor | None:
    """The anchor, or None if there is none.

    Where a crash tore the newer of the two moments it is the older one, as if the crash had come
    between commit and anchor.

    Raises:
        LocalStateError: ``anchor-damaged``.
    """
    data = read_small(Home(folder).anchor, _FILE_BYTES)
    if data is None:
        return None
    newest = _newest(data)
    return _single(data) if newest is None else newest.anchor


def _record(slot: Slot) -> bytes:
    body = _RECORD.pack(_MARK, slot.sequence, *slot.anchor)
    return body + sha256(body).digest()[:_CHECKSUM_BYTES]


def _newest(data: bytes) -> Slot | None:
    """The newer whole moment of a file with two places, None if there is none."""
    if len(data) != _FILE_BYTES:
        return None
    slots = []
    for offset in (0, SLOT_BYTES):
        body = data[offset : offset + _RECORD.size]
        checksum = data[offset + _RECORD.size : offset + _RECORD.size + _CHECKSUM_BYTES]
        mark, sequence, *moment = _RECORD.unpack(body)
        if mark == _MARK and sha256(body).digest()[:_CHECKSUM_BYTES] == checksum:
            slots.append(Slot(sequence, offset, Anchor(*moment)))
    return max(slots, default=None)


def _single(data: bytes) -> Anchor:
    """The moment of a file of the older form, which held one and was replaced each time."""
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
