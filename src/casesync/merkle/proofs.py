"""Inclusion and consistency proofs (merkle; RFC 9162, sections 2.1.3 and 2.1.4).

Verification raises and never returns a boolean. A consistency proof from size 0 is refused, as
the RFC has it: whoever holds nothing yet has nothing to be consistent with, and says so itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from casesync.foundation.errors import RelayMisbehaviour
from casesync.merkle.hashing import EMPTY_ROOT, node_hash
from casesync.merkle.subtrees import aligned_subtrees


class NodeReader(Protocol):
    """Hashes of complete subtrees."""

    def node(self, level: int, index: int) -> bytes:
        """The hash of the subtree over leaves [index 2^level, (index + 1) 2^level)."""
        ...


def verify_inclusion(
    index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """The leaf stands at ``index`` of the tree with ``size`` leaves and ``root``.

    Raises:
        RelayMisbehaviour: ``proof-invalid``.
    """
    if not 0 <= index < size or not _are_hashes(leaf_hash, root, *proof):
        raise RelayMisbehaviour("proof-invalid")
    computed = leaf_hash
    for sibling, on_left in zip(proof, _sides(index, size - 1, len(proof)), strict=True):
        computed = node_hash(sibling, computed) if on_left else node_hash(computed, sibling)
    if computed != root:
        raise RelayMisbehaviour("proof-invalid")


def verify_consistency(
    old_size: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """The tree of ``old_size`` leaves is a prefix of the one with ``size`` leaves.

    Raises:
        RelayMisbehaviour: ``proof-invalid``, also for an old size of 0.
    """
    if not 0 < old_size <= size or not _are_hashes(old_root, root, *proof):
        raise RelayMisbehaviour("proof-invalid")
    if old_size == size:
        if proof or old_root != root:
            raise RelayMisbehaviour("proof-invalid")
        return
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path:
        raise RelayMisbehaviour("proof-invalid")
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    computed_old = computed = path[0]
    for sibling, on_left in zip(path[1:], _sides(node, last, len(path) - 1), strict=True):
        if on_left:
            computed_old = node_hash(sibling, computed_old)
            computed = node_hash(sibling, computed)
        else:
            computed = node_hash(computed, sibling)
    if computed_old != old_root or computed != root:
        raise RelayMisbehaviour("proof-invalid")


def span_root(nodes: NodeReader, low: int, high: int) -> bytes:
    """The hash over the leaves [low, high), ``low`` a multiple of a power of two >= high - low."""
    hashes = [nodes.node(level, index) for level, index in aligned_subtrees(low, high)]
    if not hashes:
        return EMPTY_ROOT
    root = hashes.pop()
    while hashes:
        root = node_hash(hashes.pop(), root)
    return root


def prove_inclusion(nodes: NodeReader, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]): the siblings from the leaf up."""
    if not 0 <= index < size:
        raise ValueError("the tree has no such leaf")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        split = low + _split(high - low)
        if index < split:
            path.append(span_root(nodes, split, high))
            high = split
        else:
            path.append(span_root(nodes, low, split))
            low = split
    return path[::-1]


def prove_consistency(nodes: NodeReader, old_size: int, size: int) -> list[bytes]:
    """PROOF(old_size, D[size]); ``old_size`` is at least 1."""
    if not 0 < old_size <= size:
        raise ValueError("consistency is proven from a smaller tree with leaves")
    path: list[bytes] = []
    low, high = 0, size
    while old_size != high:
        split = low + _split(high - low)
        if old_size <= split:
            path.append(span_root(nodes, split, high))
            high = split
        else:
            path.append(span_root(nodes, low, split))
            low = split
    if low:
        path.append(span_root(nodes, low, high))
    return path[::-1]


def _split(count: int) -> int:
    """The largest power of two below ``count`` (count > 1)."""
    return 1 << (count - 1).bit_length() - 1


def _sides(node: int, last: int, count: int) -> list[bool]:
    """Whether each of ``count`` siblings on the way up stands left; the way must end at the root.

    Args:
        node: index of the node at its level.
        last: index of the last node at that level.
        count: siblings given.
    """
    sides = []
    for _ in range(count):
        if last == 0:
            raise RelayMisbehaviour("proof-invalid")
        on_left = bool(node & 1) or node == last
        if on_left:
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        sides.append(on_left)
        node, last = node >> 1, last >> 1
    if last:
        raise RelayMisbehaviour("proof-invalid")
    return sides


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == 32 for value in values)
