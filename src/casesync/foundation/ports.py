"""The doors to time and randomness (foundation).

The core never asks the operating system: both are parameters, so that the seeded simulation runs
the same code. The real ones live in ``client/system_ports.py`` and ``relay/system_ports.py``.
"""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """A wall clock; it may be wrong and may jump. It never decides authority."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        ...


class Entropy(Protocol):
    """A source of uniformly random bytes."""

    def bytes(self, count: int) -> bytes:
        """Exactly ``count`` random bytes."""
        ...
