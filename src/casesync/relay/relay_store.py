"""What the relay needs of a store (relay): the contract, with its words on durability.

A store is dumb: it keeps rows and finds them by index. Which rows may be written is decided by the
mailbox. Every request is one ``transaction``: on return everything in it is durable (it survives
``kill -9`` and power loss), on an exception nothing of it ever happened. Transactions of one store
do not overlap, so that leaf numbers are assigned and become visible under one lock; a store that
several processes share MUST serialise them per network. The suite every store must pass is
``casesync.testing.conformance.relay_store``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from enum import IntEnum
from typing import NamedTuple, Protocol

from casesync.translog.chain import link


class Log(IntEnum):
    """The two logs of a network."""

    CONTROL = 0
    CHANGE = 1


class NetworkRow(NamedTuple):
    """Where a network's logs stand."""

    handle: int
    """The store's own number of the network; valid in later transactions too."""
    control_size: int
    change_size: int
    log_time_ms: int
    """The newest leaf's stamp in either log."""
    stored_bytes: int
    """Leaves, segments and blobs, as far as they count for the quota."""


class DeviceRow(NamedTuple):
    """What the relay remembers of a device beside the control log."""

    newest_number: int
    newest_link: bytes
    """Link of that change; before the first, the hash of the enrolment entry."""
    counter: int
    """Largest request counter accepted."""
    quota_day: int
    """Days since 1970 to which ``quota_bytes`` belongs."""
    quota_bytes: int


class ChangeRow(NamedTuple):
    """One leaf of the change log and its segments."""

    log_index: int
    log_time_ms: int
    device: int
    number: int
    stream: bytes
    previous_link: bytes
    header: bytes
    signature: bytes
    segments: bytes
    """All segments' bytes, one after the other."""

    @property
    def link(self) -> bytes:
        """The link that the change made; it follows from the two fields that the log proves."""
        return link(self.previous_link, self.header)


def is_stamp(log_time_ms: object) -> bool:
    """Whether a stored log time can be one: a column may hold anything once a file is damaged."""
    return type(log_time_ms) is int and 0 <= log_time_ms < 1 << 48


class LinkRow(NamedTuple):
    """One entry of a feed's history."""

    stream: bytes
    log_index: int
    linked: bool


class RendezvousRow(NamedTuple):
    """One enrolment under way."""

    device: int
    """The inviter's."""
    expires_ms: int
    slots: tuple[bytes | None, ...]
    """Four."""


class RelayTransaction(Protocol):
    """All reads and writes of one request."""

    # -- the relay itself ---------------------------------------------------------------------
    def value(self, key: str) -> bytes | None:
        """A small value, such as the log key's seed."""
        ...

    def put_value(self, key: str, value: bytes) -> None:
        """Store a small value."""
        ...

    # -- networks -----------------------------------------------------------------------------
    def network(self, network: bytes) -> NetworkRow | None:
        """The network with this id (32 bytes)."""
        ...

    def networks(self) -> list[tuple[bytes, NetworkRow]]:
        """Every network with its id."""
        ...

    def network_count(self) -> int:
        """How many networks there are."""
        ...

    def add_network(self, network: bytes) -> NetworkRow:
        """Make an empty network."""
        ...

    def put_network(self, row: NetworkRow) -> None:
        """Store where its logs stand now."""
        ...

    # -- logs ---------------------------------------------------------------------------------
    def append_control(self, handle: int, first: int, leaves: Sequence[tuple[int, bytes]]) -> None:
        """Store (log time, entry) from index ``first`` on."""
        ...

    def control_leaves(self, handle: int, first: int, end: int) -> Iterator[tuple[int, bytes]]:
        """(log time, entry) of the indexes in [first, end), ascending."""
        ...

    def append_changes(
        self, handle: int, rows: Sequence[tuple[ChangeRow, Iterable[bytes]]]
    ) -> None:
        """Store leaves, each with the feeds (16 bytes each) it stands in."""
        ...

    def change(self, handle: int, index: int) -> ChangeRow:
        """The leaf at ``index``, which exists."""
        ...

    def receipt(self, handle: int, device: int, number: int) -> tuple[int, int, bytes] | None:
        """(index, log time, link) of a device's change."""
        ...

    def header(self, handle: int, device: int, number: int) -> bytes:
        """The header of a device's change, which exists."""
        ...

    def put_nodes(self, handle: int, log: Log, nodes: Iterable[tuple[int, int, bytes]]) -> None:
        """Store (level, index, hash) of complete subtrees."""
        ...

    def node(self, handle: int, log: Log, level: int, index: int) -> bytes:
        """The hash of a complete subtree, which exists."""
        ...

    # -- streams and feeds ----------------------------------------------------------------------
    def opener(self, handle: int, stream: bytes) -> int | None:
        """The device that opened ``stream``, None if it is not open."""
        ...

    def open_stream(self, handle: int, stream: bytes, device: int) -> None:
        """Remember who opened a stream."""
        ...

    def linked_feeds(self, handle: int, stream: bytes) -> list[bytes]:
        """The feeds the stream is linked to now."""
        ...

    def ever_linked(self, handle: int, stream: bytes, feeds: Sequence[bytes]) -> bool:
        """Whether the stream was ever linked to one of ``feeds``."""
        ...

    def put_link(self, handle: int, feed: bytes, row: LinkRow) -> None:
        """Link or unlink from index ``row.log_index`` on."""
        ...

    def late_linked_indexes(self, handle: int, feed: bytes, first: int, end: int) -> Iterator[int]:
        """Leaves from ``first`` on that came before their stream's newest link in [first, end).

        Ascending; they may stand in the feed as well, from an earlier link.
        """
        ...

    def linked_at(self, handle: int, feed: bytes, stream: bytes, size: int) -> bool:
        """Whether the newest link or unlink below ``size`` is a link."""
        ...

    def change_indexes(self, handle: int, first: int, end: int) -> Iterator[int]:
        """Leaves in [first, end) of the change log, ascending: all that are stored."""
        ...

    def feed_indexes(self, handle: int, feed: bytes, first: int, end: int) -> Iterator[int]:
        """Leaves in [first, end) that stand in the feed, ascending."""
        ...

    def stream_indexes(self, handle: int, stream: bytes, first: int, end: int) -> Iterator[int]:
        """Leaves in [first, end) of the stream, ascending."""
        ...

    def own_indexes(self, handle: int, device: int, first: int, end: int) -> Iterator[int]:
        """Leaves in [first, end) by the device, ascending."""
        ...

    # -- devices --------------------------------------------------------------------------------
    def device(self, handle: int, number: int) -> DeviceRow | None:
        """What is remembered of a device."""
        ...

    def devices(self, handle: int) -> list[tuple[int, DeviceRow]]:
        """(number, what is remembered) of every device of a network."""
        ...

    def put_device(self, handle: int, number: int, row: DeviceRow) -> None:
        """Remember it."""
        ...

    # -- blobs ------------------------------------------------------------------------------------
    def blob(self, handle: int, name: bytes) -> bytes | None:
        """The blob with this SHA-256."""
        ...

    def put_blob(self, handle: int, name: bytes, body: bytes) -> None:
        """Store a blob; storing it again changes nothing."""
        ...

    # -- rendezvous -------------------------------------------------------------------------------
    def rendezvous(self, handle: int, invitation: bytes) -> RendezvousRow | None:
        """The rendezvous of an invitation (16 bytes)."""
        ...

    def rendezvous_count(self, handle: int, device: int) -> int:
        """How many the device has open."""
        ...

    def put_rendezvous(self, handle: int, invitation: bytes, row: RendezvousRow) -> None:
        """Open it or store its slots."""
        ...

    def drop_rendezvous(self, handle: int, invitation: bytes) -> None:
        """Remove it with what lies in it."""
        ...

    def drop_expired(self, now_ms: int) -> None:
        """Remove every rendezvous whose time is over."""
        ...


class RelayStore(Protocol):
    """Durable state of one relay."""

    def transaction(self) -> AbstractContextManager[RelayTransaction]:
        """One atomic step: durable on exit, undone on an exception.

        Raises: LocalStateError: ``relay-store-failed``: disk full or locked;
            ``relay-store-damaged``: what must be there is not, or does not read.
        """
        ...

    def close(self) -> None:
        """Release the store; nothing committed is lost."""
        ...
