"""How much of the log a client asks for at once (client).

A page is fetched whole before it is merged, so on a slow line it must be small: what was fetched of
an interrupted one is fetched again. On a fast line a large page is cheaper, because a stream whose
changes lie in three pages is read and written three times; memory sets its bound. The relay has one
of its own.
"""

from __future__ import annotations

from typing import Final

from casesync.foundation.limits import PAGE_BYTES_DEFAULT

LEAST_BYTES: Final = 512 * 1024
MOST_BYTES: Final = PAGE_BYTES_DEFAULT
"""Its changes take about 50 MB of memory while they are merged (``protocol/decisions/0023``)."""
FAST_MS: Final = 3_000
SLOW_MS: Final = 20_000


class PageSize:
    """The size to ask for next, learned from how long answers take."""

    def __init__(self) -> None:
        self.bytes = PAGE_BYTES_DEFAULT

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
