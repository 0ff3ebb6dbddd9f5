"""Compact range: the right edge of a growing tree (merkle; RFC 9162, section 2.1.1).

Holds the hashes of the complete subtrees of [0, size), largest first: all that is needed to append
and to know the root. It appends whole subtrees too, which is how a span that is not served still
proves itself (``protocol/transparency-log.md``, *Span proof*).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, Self, final

from casesync.foundation.compiled import compiled
from casesync.foundation.errors import RemoteProtocolError
from casesync.merkle.hashing import EMPTY_ROOT, HASH_BYTES, NODE_PREFIX, node_hash

SIZE_MAX: Final = (1 << 48) - 1
_SIZE_BYTES: Final = 6
hash_kernel = compiled("casesync.merkle._hashes", 3)
"""Hashes a whole level of a tree; without it ``node_hashes`` does."""


def node_hashes(row: list[bytes]) -> list[bytes]:
    """The hash of each pair of neighbours; one without a neighbour is left out."""
    if hash_kernel is not None:
        parents: list[bytes] = hash_kernel.node_hashes(row)
        return parents
    pairs = iter(row)
    return [
        sha256(NODE_PREFIX + left + right).digest()
        for left, right in zip(pairs, pairs, strict=False)
    ]


@final
class CompactRange:
    """The complete subtrees of the leaves [0, size)."""

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Args: size: number of leaves; hashes: one per set bit of it, largest subtree first."""
        self.size = size
        self.hashes = list(hashes)
        if not 0 <= size <= SIZE_MAX or len(self.hashes) != size.bit_count():
            raise ValueError("one hash per set bit of the size")

    def append(self, leaf_hash: bytes) -> None:
        """One more leaf."""
        self.append_subtree(0, leaf_hash)

    def append_subtree(self, level: int, subtree_hash: bytes) -> None:
        """A complete subtree of 2^level leaves, which must begin at a multiple of 2^level.

        Raises: ValueError: it does not, or the log would outgrow 48 bits.
        """
        size = self.size
        step = 1 << level
        if size & (step - 1) or size + step > SIZE_MAX:
            raise ValueError("a subtree begins at a multiple of its length")
        hashes = self.hashes
        carry = size >> level
        while carry & 1:
            subtree_hash = sha256(NODE_PREFIX + hashes.pop() + subtree_hash).digest()
            carry >>= 1
        hashes.append(subtree_hash)
        self.size = size + step

    def extend(self, leaf_hashes: list[bytes]) -> None:
        """Many leaves in order; the same as ``append`` for each, level by level."""
        count = len(leaf_hashes)
        if self.size + count > SIZE_MAX:
            raise ValueError("the log would outgrow 48 bits")
        old = self.hashes
        edge: list[bytes] = []  # what stays at each level, smallest first
        row = leaf_hashes
        position = self.size
        while row:
            if position & 1:
                row = [old.pop(), *row]
            if len(row) & 1:
                edge.append(row[-1])
            row = node_hashes(row)
            position >>= 1
        self.hashes = old + edge[::-1]
        self.size += count

    def root(self) -> bytes:
        """The RFC 9162 root of the leaves [0, size)."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for subtree_hash in self.hashes[-2::-1]:
            root = node_hash(subtree_hash, root)
        return root

    def copy(self) -> CompactRange:
        """An independent copy."""
        return CompactRange(self.size, self.hashes)

    def to_bytes(self) -> bytes:
        """Size u48, then the hashes."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What ``to_bytes`` gave.

        Raises:
            RemoteProtocolError: ``malformed``: anything else.
        """
        size = int.from_bytes(data[:_SIZE_BYTES], "big")
        if len(data) != _SIZE_BYTES + HASH_BYTES * size.bit_count():
            raise RemoteProtocolError("malformed", what="compact range")
        starts = range(_SIZE_BYTES, len(data), HASH_BYTES)
        return cls(size, [data[at : at + HASH_BYTES] for at in starts])
