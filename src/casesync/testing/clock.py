"""A clock that tests set (testing)."""

from __future__ import annotations

from typing import Final, final

START_MS: Final = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""


@final
class FakeClock:
    """Stands still until told otherwise; may be wrong and may jump, as real ones do."""

    def __init__(self, now_ms: int = START_MS) -> None:
        """Args: now_ms: milliseconds since 1970."""
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return self._now_ms

    def advance(self, ms: int) -> None:
        """Let ``ms`` pass; negative: the clock jumps back."""
        self._now_ms += ms

    def set(self, now_ms: int) -> None:
        """Set it."""
        self._now_ms = now_ms


@final
class SkewedClock:
    """Another clock seen with a constant error: one per device of a simulated world."""

    def __init__(self, base: FakeClock, skew_ms: int) -> None:
        """Args: base: the world's; skew_ms: added to it."""
        self._base = base
        self.skew_ms = skew_ms

    def now_ms(self) -> int:
        """Milliseconds since 1970, wrong by ``skew_ms``."""
        return max(0, self._base.now_ms() + self.skew_ms)
