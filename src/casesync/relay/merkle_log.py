"""A Merkle log over the store's nodes (relay; ``protocol/transparency-log.md``).

Only complete subtrees are stored; everything else follows from at most 2 log2(n) of them. An
append reads the right edge and writes about two nodes per leaf, whatever the log's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import final

from typing_extensions import override

from casesync.merkle.hashing import LEAF_PREFIX, NODE_PREFIX
from casesync.merkle.proofs import NodeReader, span_root
from casesync.relay.relay_store import Log, RelayTransaction


@final
class StoredNodes(NodeReader):
    """Reads the complete subtrees of one log within a transaction."""

    __slots__ = ("_handle", "_log", "_tx")

    def __init__(self, tx: RelayTransaction, handle: int, log: Log) -> None:
        self._tx = tx
        self._handle = handle
        self._log = log

    @override
    def node(self, level: int, index: int) -> bytes:
        return self._tx.node(self._handle, self._log, level, index)

    def root(self, size: int) -> bytes:
        """The root over the first ``size`` leaves, which exist."""
        return span_root(self, 0, size)

    def append(self, size: int, leaves: Sequence[bytes]) -> None:
        """Store the subtrees that become complete when ``leaves`` follow the first ``size``."""
        fresh: list[tuple[int, int, bytes]] = []
        edge: dict[int, bytes] = {}
        for index, leaf in enumerate(leaves, start=size):
            digest = sha256(LEAF_PREFIX + leaf).digest()
            level, position = 0, index
            fresh.append((0, index, digest))
            while position & 1:
                left = edge.pop(level, None) or self.node(level, position - 1)
                digest = sha256(NODE_PREFIX + left + digest).digest()
                level, position = level + 1, position >> 1
                fresh.append((level, position, digest))
            edge[level] = digest
        self._tx.put_nodes(self._handle, self._log, fresh)
