"""How much of the log a client asks for at once (client).

A page is fetched whole before it is merged, so on a slow line it must be small: what was fetched of
an interrupted one is fetched again. On a fast line a large page is cheaper, because a stream whose
changes lie in three pages is read and written three times; memory sets its bound. The relay has one
of its own. The first page is a large one; where the line shows after a few seconds that it would
take too long, it is let go and a small one asked for (``protocol/decisions/0024``).
"""

from __future__ import annotations

from typing import Final

from casesync.foundation.limits import PAGE_BYTES_DEFAULT

LEAST_BYTES: Final = 512 * 1024
MOST_BYTES: Final = PAGE_BYTES_DEFAULT
"""Its changes take about 100 MB of memory while they are merged."""
FAST_MS: Final = 3_000
SLOW_MS: Final = 20_000
AIM_S: Final = 10
"""What a line brings meanwhile is asked for when a larger page would have taken too long."""


class PageSize:
    """The size to ask for next, learned from how long answers take."""

    def __init__(self) -> None:
        self.bytes = PAGE_BYTES_DEFAULT

    @property
    def patience_s(self) -> float | None:
        """How long a page may take; None: as long as it does, because there are none smaller."""
        return None if self.bytes <= LEAST_BYTES else SLOW_MS / 1000

    def note_slow(self, bytes_per_s: int) -> None:
        """Learn from an answer that was let go: the next one is half as large at most."""
        self.bytes = max(LEAST_BYTES, min(self.bytes // 2, AIM_S * bytes_per_s))

    def note(self, took_ms: int, answer_bytes: int) -> None:
        """Learn from an answer; a clock that jumped meanwhile teaches nothing.

        Args:
            took_ms: from the request to the whole answer.
            answer_bytes: its length; one that was not full says little about a larger one.
        """
        if took_ms > SLOW_MS:
            self.bytes = max(LEAST_BYTES, self.bytes // 2)
        elif 0 <= took_ms < FAST_MS and answer_bytes >= self.bytes // 2:
            self.bytes = min(MOST_BYTES, self.bytes * 2)
