"""Which streams a device may write to, and which feeds a stream stands in (relay).

``protocol/sync.md``, *Push rules*. Within a push the state runs ahead of the store: a stream that
one change opens is there for the next. Feeds decide what is served, never who can read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from casesync.foundation.ids import FEED_ALL
from casesync.foundation.limits import FEEDS_PER_STREAM_MAX
from casesync.relay.session import Session
from casesync.translog.header import Header
from casesync.translog.unsealed import FeedLink, UnsealedItems, stream_id
from casesync.wire.refusals import Refusal, RequestRefused


@dataclass(slots=True)
class _Stream:
    """A stream as of the change that is being judged."""

    opener: int
    feeds: frozenset[bytes]
    """Linked now."""
    writable: bool
    """The asking device opened it or was ever served it."""
    served: bool
    """The asking device is served it now, so that its links count."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a change that may be taken stands."""

    feeds: frozenset[bytes]
    """Feeds its leaf stands in: linked before it or by it, the unlinked ones included."""
    links: tuple[FeedLink, ...]
    """Links and unlinks that change something."""
    opens: bool


@final
class StreamFeeds:
    """The streams one push touches."""

    __slots__ = ("_session", "_streams")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._streams: dict[bytes, _Stream] = {}

    def place(self, header: Header, unsealed: UnsealedItems | None) -> Placed:
        """Judge the stream side of one change, in the order of the log.

        Raises:
            RequestRefused: ``stream-unknown``, ``feeds-exceeded``.
        """
        stream = self._known(header.stream)
        opens = stream is None
        if stream is None:
            stream = self._opened(header, unsealed)
        elif not stream.writable:
            raise RequestRefused(Refusal.STREAM_UNKNOWN)
        before = stream.feeds
        links = self._counting(stream, unsealed)
        if len(stream.feeds) > FEEDS_PER_STREAM_MAX:
            raise RequestRefused(Refusal.FEEDS_EXCEEDED)
        self._streams[header.stream] = stream
        return Placed(before | stream.feeds, links, opens)

    def _known(self, stream: bytes) -> _Stream | None:
        known = self._streams.get(stream)
        return known if known is not None else self._load(stream)

    def _load(self, stream: bytes) -> _Stream | None:
        session = self._session
        opener = session.tx.opener(session.handle, stream)
        if opener is None:
            return None
        feeds = frozenset(session.tx.linked_feeds(session.handle, stream))
        served_by_feed = session.sees_all or not feeds.isdisjoint(session.feeds)
        ever = served_by_feed or session.tx.ever_linked(session.handle, stream, session.feeds)
        own = opener == session.device
        return _Stream(
            opener, feeds, writable=own or ever, served=served_by_feed or (own and not ever)
        )

    def _opened(self, header: Header, unsealed: UnsealedItems | None) -> _Stream:
        random16 = None if unsealed is None else unsealed.random16
        if random16 is None or header.stream != stream_id(
            self._session.network, header.device, header.number, random16
        ):
            raise RequestRefused(Refusal.STREAM_UNKNOWN)
        return _Stream(header.device, frozenset(), writable=True, served=True)

    def _counting(self, stream: _Stream, unsealed: UnsealedItems | None) -> tuple[FeedLink, ...]:
        """Apply the links that count; a device that is not served the stream changes nothing."""
        if unsealed is None or not unsealed.feed_links or not stream.served:
            return ()
        asked = {item.feed: item for item in unsealed.feed_links if item.feed != FEED_ALL}
        counting = tuple(
            item for item in asked.values() if item.linked != (item.feed in stream.feeds)
        )
        stream.feeds = stream.feeds.symmetric_difference(item.feed for item in counting)
        own = self._session.feeds
        if any(item.feed in own for item in counting):
            stream.served = self._session.sees_all or not stream.feeds.isdisjoint(own)
        return counting
