"""The relay's doors to the operating system: clock and entropy (relay)."""

from __future__ import annotations

import os
import time
from typing import final


@final
class SystemClock:
    """The machine's wall clock."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000_000


@final
class SystemEntropy:
    """The operating system's random generator."""

    def bytes(self, count: int) -> bytes:
        """Exactly ``count`` random bytes."""
        return os.urandom(count)
