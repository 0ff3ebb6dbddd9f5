"""What a device is served of the change log (relay; ``protocol/sync.md``, *Page*).

Leaves are found by index: those that stand in the device's feeds, those of streams linked to a
feed since the cursor, and the device's own. Everything between travels as subtree hashes. A page
ends at the bytes that were asked for; at least one leaf is served, so every request gets further.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from hashlib import sha256
from heapq import merge
from typing import Any, Final, NamedTuple

from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.ids import AUDITED_KINDS
from casesync.relay.merkle_log import StoredNodes
from casesync.relay.relay_store import ChangeRow, Log, is_stamp
from casesync.relay.session import Session
from casesync.translog.header import parse_header
from casesync.translog.page_builder import PageBuilder
from casesync.wire.messages import Owed
from casesync.wire.refusals import Refusal, RequestRefused

WITHHELD_FROM_AUDIT: Final = frozenset(range(256)) - AUDITED_KINDS
_NOTHING: Final[frozenset[int]] = frozenset()


class Served(NamedTuple):
    """A page and where it ended."""

    end: int
    page: list[Any]
    size_bytes: int


def change_page(session: Session, first: int, target: int, bytes_max: int) -> Served:
    """The page over [first, t) against ``target``; the device's own changes by number only."""
    own = session.tx.own_indexes(session.handle, session.device, first, target)
    shown = merge(own, _shown(session, first, target))
    return _build(session, shown, first, target, bytes_max, own_by_number=True)


def empty_page(session: Session, first: int, target: int) -> Served:
    """No leaves yet, but what ties the cursor to ``target``."""
    return Served(first, _builder(session, first, target).finish(first), 0)


def backfill_page(session: Session, owed: Owed, end: int, linked_at: int, bytes_max: int) -> Served:
    """The page over [position, t) against ``end``, the cursor; own changes whole.

    A device that gets a stream back may have destroyed what it once wrote there.

    Args:
        session: The asking device's.
        owed: Position and streams; streams the device's feeds do not show are not served.
        end: The cursor of the request: size and root the device holds.
        linked_at: The target of the request: what is linked there is served.
        bytes_max: Room.
    """
    first = owed.position
    if owed.streams is None:
        return _build(session, _shown(session, first, end), first, end, bytes_max)
    indexes = sorted(
        index
        for stream in set(owed.streams)
        if _may_see(session, stream, linked_at)
        for index in session.tx.stream_indexes(session.handle, stream, first, end)
    )
    return _build(session, indexes, first, end, bytes_max)


def _shown(session: Session, first: int, target: int) -> Iterator[int]:
    """Indexes in [first, target) that the device's feeds show, ascending, perhaps repeated."""
    if session.sees_all:
        return session.tx.change_indexes(session.handle, first, target)
    return merge(*(feed_leaves(session, feed, first, target) for feed in session.feeds))


def feed_leaves(session: Session, feed: bytes, first: int, target: int) -> Iterator[int]:
    """Indexes in [first, target) that a feed shows at ``target``, ascending, perhaps repeated.

    A leaf stands in the feed if its stream was linked when it came. Of a stream that was linked
    later, in [first, target), the leaves from ``first`` to the link are served too.
    """
    tx, handle = session.tx, session.handle
    return merge(
        tx.feed_indexes(handle, feed, first, target),
        tx.late_linked_indexes(handle, feed, first, target),
    )


def _may_see(session: Session, stream: bytes, size: int) -> bool:
    if session.sees_all:
        return True
    return any(session.tx.linked_at(session.handle, feed, stream, size) for feed in session.feeds)


def _build(
    session: Session,
    indexes: Iterable[int],
    first: int,
    target: int,
    bytes_max: int,
    *,
    own_by_number: bool = False,
) -> Served:
    """Serve the leaves at ``indexes`` (ascending, perhaps repeated) as far as there is room.

    Raises: RequestRefused: ``log-damaged``.
    """
    builder = _builder(session, first, target)
    withheld = WITHHELD_FROM_AUDIT if session.sees_all else _NOTHING
    end, last, stamp_ms = target, -1, 0
    for log_index in indexes:
        if log_index == last:
            continue
        row = session.tx.change(session.handle, log_index)
        served_bytes = builder.size_bytes + len(row.header) + len(row.segments)
        if builder.full or (last >= 0 and served_bytes > bytes_max):
            end = log_index
            break
        if not _is_whole(row) or row.log_time_ms < stamp_ms:
            raise RequestRefused(Refusal.LOG_DAMAGED)
        last, stamp_ms = log_index, row.log_time_ms
        if own_by_number and row.device == session.device:
            builder.add_own(log_index, row.log_time_ms, row.number)
        else:
            _add(builder, row, withheld)
    return Served(end, builder.finish(end), builder.size_bytes)


def _is_whole(row: ChangeRow) -> bool:
    """Whether a leaf is still what was taken.

    A frame leaves out of a header what it says elsewhere, so damage there would not reach those who
    prove the page.
    """
    parts = (row.stream, row.previous_link, row.header, row.signature, row.segments)
    if not is_stamp(row.log_time_ms) or any(type(part) is not bytes for part in parts):
        return False
    try:
        header = parse_header(row.header)
    except RemoteProtocolError:
        return False
    if (header.device, header.number, header.stream) != (row.device, row.number, row.stream):
        return False
    start = 0
    for segment in header.segments:
        end = start + segment.length
        if sha256(row.segments[start:end]).digest() != segment.digest:
            return False
        start = end
    return start == len(row.segments)


def _builder(session: Session, first: int, target: int) -> PageBuilder:
    nodes = StoredNodes(session.tx, session.handle, Log.CHANGE)
    return PageBuilder(first, target, nodes, partial(session.tx.header, session.handle))


def _add(builder: PageBuilder, row: ChangeRow, withheld: frozenset[int]) -> None:
    builder.add_change(
        row.log_index,
        row.log_time_ms,
        device=row.device,
        number=row.number,
        stream=row.stream,
        previous_link=row.previous_link,
        link=row.link,
        header=row.header,
        signature=row.signature,
        segments=row.segments,
        withheld_kinds=withheld,
    )
