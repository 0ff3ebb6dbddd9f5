"""The real clock and the real randomness of a client (client).

The one place of the library that asks the operating system for either; everything else takes
``foundation/ports.py`` as a parameter, so that the seeded simulation runs the same code.
"""

from __future__ import annotations

import os
import time
from typing import final

from typing_extensions import override

from casesync.foundation.ports import Clock, Entropy


@final
class SystemClock(Clock):
    """The wall clock of this machine; it may be wrong and may jump."""

    __slots__ = ()

    @override
    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000_000


@final
class SystemEntropy(Entropy):
    """The operating system's random generator."""

    __slots__ = ()

    @override
    def bytes(self, count: int) -> bytes:
        """Exactly ``count`` random bytes."""
        return os.urandom(count)
