"""Maximal aligned subtrees of a span (merkle; ``protocol/transparency-log.md``, *Span proof*).

A subtree of level k and index i covers the leaves [i 2^k, (i + 1) 2^k).
"""

from __future__ import annotations


def aligned_subtrees(low: int, high: int) -> list[tuple[int, int]]:
    """(level, index) of the subtrees that cover the leaves [low, high), in order, greedily.

    Args:
        low: first leaf, 0 or more.
        high: behind the last leaf, at least ``low``.

    Returns:
        At most 2 log2(high) pairs; none for an empty span.
    """
    subtrees = []
    while low < high:
        level = (high - low).bit_length() - 1
        if low:
            level = min(level, (low & -low).bit_length() - 1)
        subtrees.append((level, low >> level))
        low += 1 << level
    return subtrees
