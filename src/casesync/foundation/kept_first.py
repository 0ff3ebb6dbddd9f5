"""The first of many things, and how many there were (foundation): a list that nobody fills up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class KeptFirst(Generic[T]):
    """Keeps the ``most`` first by an order, of equals those that came first."""

    def __init__(self, most: int, order: Callable[[T], int]) -> None:
        """Args: most: how many are kept; order: what they are sorted by."""
        self._most = most
        self._order = order
        self._kept: list[T] = []
        self.count = 0
        """Of all, kept or not."""

    def add(self, one: T) -> None:
        """Take one more."""
        self.count += 1
        self._kept.append(one)
        if len(self._kept) >= 2 * self._most:
            self._kept = self.first()

    def first(self) -> list[T]:
        """Those that are kept, in their order."""
        return sorted(self._kept, key=self._order)[: self._most]
