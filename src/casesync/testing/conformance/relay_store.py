"""The suite every ``RelayStore`` must pass (testing).

A test module subclasses ``RelayStoreConformance``, gives ``open_store`` and is done. Each claim is
a sentence of ``relay.relay_store``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import pytest

from casesync.relay.relay_store import (
    ChangeRow,
    DeviceRow,
    LinkRow,
    Log,
    NetworkRow,
    RelayStore,
    RendezvousRow,
)

_NETWORK = b"N" * 32
_FEED, _OTHER_FEED = b"f" * 16, b"g" * 16


class _Stop(Exception):
    """Ends a transaction on purpose."""


def change(index: int, *, device: int = 1, number: int | None = None, stream: bytes) -> ChangeRow:
    """A leaf of no meaning."""
    return ChangeRow(
        index,
        1000 + index,
        device,
        index + 1 if number is None else number,
        stream,
        bytes((index,)) * 32,
        b"header %d" % index,
        b"s" * 64,
        b"segments %d" % index,
    )


class RelayStoreConformance(ABC):
    """Contract tests; ``reopen`` matters for stores that outlive a process."""

    @abstractmethod
    def open_store(self) -> RelayStore:
        """A store over the same, at first empty, place at every call."""

    @pytest.fixture
    def store(self) -> RelayStore:
        """An empty store."""
        return self.open_store()

    def _network(self, store: RelayStore) -> NetworkRow:
        with store.transaction() as tx:
            return tx.add_network(_NETWORK)

    def _with_streams(self, store: RelayStore, *streams: bytes) -> NetworkRow:
        row = self._network(store)
        with store.transaction() as tx:
            for stream in streams:
                tx.open_stream(row.handle, stream, 1)
        return row

    def test_what_a_transaction_wrote_is_there_for_the_next(self, store: RelayStore) -> None:
        """Durability as far as one process can see it."""
        row = self._network(store)
        with store.transaction() as tx:
            tx.put_value("a", b"1")
            tx.put_network(row._replace(control_size=3, log_time_ms=7))
        with store.transaction() as tx:
            assert tx.value("a") == b"1"
            assert tx.network(_NETWORK) == NetworkRow(row.handle, 3, 0, 7, 0)
            assert tx.network_count() == 1
            assert tx.networks() == [(_NETWORK, tx.network(_NETWORK))]

    def test_an_exception_undoes_everything(self, store: RelayStore) -> None:
        """Nothing of it ever happened."""
        row = self._with_streams(store, b"s" * 16)

        def write_and_stop() -> None:
            with store.transaction() as tx:
                tx.put_value("a", b"1")
                tx.append_control(row.handle, 0, [(1, b"entry")])
                tx.append_changes(row.handle, [(change(0, stream=b"s" * 16), [_FEED])])
                tx.put_link(row.handle, _FEED, LinkRow(b"s" * 16, 0, True))
                tx.put_device(row.handle, 1, DeviceRow(1, b"l" * 32, 1, 1, 1))
                raise _Stop

        with pytest.raises(_Stop):
            write_and_stop()
        with store.transaction() as tx:
            assert tx.value("a") is None
            assert list(tx.control_leaves(row.handle, 0, 9)) == []
            assert list(tx.change_indexes(row.handle, 0, 9)) == []
            assert list(tx.feed_indexes(row.handle, _FEED, 0, 9)) == []
            assert tx.linked_feeds(row.handle, b"s" * 16) == []
            assert tx.device(row.handle, 1) is None
            assert tx.devices(row.handle) == []

    def test_networks_do_not_see_each_other(self, store: RelayStore) -> None:
        """The same indexes, names and ids in two networks are two things."""
        one = self._with_streams(store, b"s" * 16)
        with store.transaction() as tx:
            two = tx.add_network(b"M" * 32)
            tx.open_stream(two.handle, b"s" * 16, 2)
            tx.append_changes(one.handle, [(change(0, stream=b"s" * 16), [_FEED])])
            tx.put_blob(one.handle, b"b" * 32, b"body")
            tx.put_nodes(one.handle, Log.CHANGE, [(0, 0, b"h" * 32)])
            tx.put_nodes(two.handle, Log.CHANGE, [(0, 0, b"i" * 32)])
        with store.transaction() as tx:
            assert list(tx.change_indexes(two.handle, 0, 9)) == []
            assert list(tx.feed_indexes(two.handle, _FEED, 0, 9)) == []
            assert list(tx.stream_indexes(two.handle, b"s" * 16, 0, 9)) == []
            assert list(tx.own_indexes(two.handle, 1, 0, 9)) == []
            assert tx.blob(two.handle, b"b" * 32) is None
            assert tx.opener(one.handle, b"s" * 16) == 1
            assert tx.opener(two.handle, b"s" * 16) == 2
            assert tx.node(one.handle, Log.CHANGE, 0, 0) != tx.node(two.handle, Log.CHANGE, 0, 0)

    def test_leaves_come_back_as_they_went_in(self, store: RelayStore) -> None:
        """Signed bytes are the bytes received."""
        row = self._with_streams(store, b"s" * 16)
        leaf = change(0, device=3, number=9, stream=b"s" * 16)
        with store.transaction() as tx:
            tx.append_changes(row.handle, [(leaf, [])])
            tx.append_control(row.handle, 0, [(5, b"first"), (6, b"second")])
        with store.transaction() as tx:
            assert tx.change(row.handle, 0) == leaf
            assert tx.receipt(row.handle, 3, 9) == (0, leaf.log_time_ms, leaf.link)
            assert tx.receipt(row.handle, 3, 8) is None
            assert tx.header(row.handle, 3, 9) == leaf.header
            assert list(tx.control_leaves(row.handle, 1, 2)) == [(6, b"second")]

    def test_spans_are_half_open_and_ascending(self, store: RelayStore) -> None:
        """Every index query alike."""
        first, second = b"s" * 16, b"t" * 16
        row = self._with_streams(store, first, second)
        leaves = [change(i, stream=(first, second)[i % 2]) for i in range(6)]
        with store.transaction() as tx:
            tx.append_changes(row.handle, [(leaf, [_FEED]) for leaf in leaves])
        with store.transaction() as tx:
            assert list(tx.change_indexes(row.handle, 1, 4)) == [1, 2, 3]
            assert list(tx.feed_indexes(row.handle, _FEED, 2, 5)) == [2, 3, 4]
            assert list(tx.stream_indexes(row.handle, first, 1, 5)) == [2, 4]
            assert list(tx.own_indexes(row.handle, 1, 4, 6)) == [4, 5]
            assert list(tx.feed_indexes(row.handle, _OTHER_FEED, 0, 6)) == []
            assert list(tx.stream_indexes(row.handle, b"u" * 16, 0, 6)) == []

    def test_links_have_a_history(self, store: RelayStore) -> None:
        """Linked at an index means: the newest link or unlink below it is a link."""
        stream = b"s" * 16
        row = self._with_streams(store, stream)
        with store.transaction() as tx:
            for index, linked in ((2, True), (5, False), (7, True)):
                tx.put_link(row.handle, _FEED, LinkRow(stream, index, linked))
            tx.put_link(row.handle, _OTHER_FEED, LinkRow(stream, 3, True))
            tx.put_link(row.handle, _OTHER_FEED, LinkRow(stream, 4, False))
        with store.transaction() as tx:
            handle = row.handle
            answers = [tx.linked_at(handle, _FEED, stream, size) for size in range(9)]
            assert answers == [False, False, False, True, True, True, False, False, True]
            assert tx.linked_feeds(handle, stream) == [_FEED]
            assert tx.ever_linked(handle, stream, [_OTHER_FEED])
            assert not tx.ever_linked(handle, stream, [b"h" * 16])

    def test_what_came_before_a_late_link_is_found(self, store: RelayStore) -> None:
        """The newest link within the span counts, and only the stream's own leaves."""
        late, other = b"s" * 16, b"t" * 16
        row = self._with_streams(store, late, other)
        with store.transaction() as tx:
            leaves = [change(i, stream=other if i == 2 else late) for i in range(8)]
            tx.append_changes(row.handle, [(leaf, []) for leaf in leaves])
            tx.put_link(row.handle, _FEED, LinkRow(late, 3, True))
            tx.put_link(row.handle, _FEED, LinkRow(late, 4, False))
            tx.put_link(row.handle, _FEED, LinkRow(late, 6, True))
            tx.put_link(row.handle, _OTHER_FEED, LinkRow(other, 2, True))
        with store.transaction() as tx:
            for first, end, expected in (
                (0, 8, [0, 1, 3, 4, 5]),
                (1, 4, [1]),
                (4, 6, []),
                (4, 7, [4, 5]),
                (7, 8, []),
            ):
                assert list(tx.late_linked_indexes(row.handle, _FEED, first, end)) == expected

    def test_a_blob_is_stored_once(self, store: RelayStore) -> None:
        """Storing it again changes nothing."""
        row = self._network(store)
        with store.transaction() as tx:
            tx.put_blob(row.handle, b"b" * 32, b"body")
            tx.put_blob(row.handle, b"b" * 32, b"body")
            assert tx.blob(row.handle, b"b" * 32) == b"body"

    def test_a_rendezvous_is_gone_when_dropped_or_expired(self, store: RelayStore) -> None:
        """With what lies in it."""
        row = self._network(store)
        open_row = RendezvousRow(1, 100, (b"one", None, None, None))
        with store.transaction() as tx:
            tx.put_rendezvous(row.handle, b"i" * 16, open_row)
            tx.put_rendezvous(row.handle, b"j" * 16, open_row._replace(expires_ms=200))
            assert tx.rendezvous(row.handle, b"i" * 16) == open_row
            assert tx.rendezvous_count(row.handle, 1) == 2
            tx.drop_expired(100)
            assert tx.rendezvous(row.handle, b"i" * 16) is None
            tx.drop_rendezvous(row.handle, b"j" * 16)
            assert tx.rendezvous_count(row.handle, 1) == 0

    def test_everything_survives_closing(self, store: RelayStore) -> None:
        """A store over a file; one in memory skips this."""
        row = self._with_streams(store, b"s" * 16)
        with store.transaction() as tx:
            tx.append_changes(row.handle, [(change(0, stream=b"s" * 16), [_FEED])])
        store.close()
        again = self.open_store()
        with again.transaction() as tx:
            assert tx.network(_NETWORK) is not None
            assert list(tx.feed_indexes(row.handle, _FEED, 0, 9)) == [0]
        again.close()
