"""Randomness that a seed determines (testing): the same run again, byte for byte."""

from __future__ import annotations

from hashlib import shake_256
from typing import final


@final
class SeededEntropy:
    """Looks random, is not; every call continues where the last one ended."""

    def __init__(self, seed: int | str) -> None:
        """Args: seed: what the whole sequence follows from."""
        self._seed = str(seed)
        self._calls = 0

    def bytes(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        self._calls += 1
        return shake_256(f"{self._seed}/{self._calls}".encode()).digest(count)

    def fork(self, name: str) -> SeededEntropy:
        """An independent sequence, for one part of a simulated world."""
        return SeededEntropy(f"{self._seed}/{name}")


@final
class ConstantEntropy:
    """A broken generator (attack 38)."""

    def bytes(self, count: int) -> bytes:
        """``count`` times the same byte."""
        return b"\x42" * count
