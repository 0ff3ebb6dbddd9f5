"""Figures of interleaved runs: medians, and ratios pair by pair (testing)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Any

Way = Callable[[], float]
"""Runs something once and says how many seconds it took."""
SLOW_S = 8.0
"""What takes longer is run once: it is nobody's yardstick."""


class WayLost(Exception):
    """A way that cannot be run any more; its message says why."""


class Series:
    """Seconds of several ways to do the same number of cell writes, run in turns."""

    def __init__(self, cells: int) -> None:
        """Args: cells: what every run does."""
        self.cells = cells
        self.seconds: dict[str, list[float]] = {}
        self.lost: dict[str, str] = {}
        """Ways that failed, and how; no figure of theirs is kept."""

    def run(
        self, ways: Mapping[str, Way], runs: int, told: Callable[[str], None] | None = None
    ) -> None:
        """Run every way once, then again from the first, ``runs`` times; slow ones only once.

        A way that raises ``WayLost`` is left out from then on; the others go on.
        """
        for number in range(runs):
            for name, way in ways.items():
                if name in self.lost or any(
                    seconds > SLOW_S for seconds in self.seconds.get(name, ())[:1]
                ):
                    continue
                if told is not None:
                    told(f"{name}, {number + 1} of {runs}")
                try:
                    self.seconds.setdefault(name, []).append(way())
                except WayLost as lost:
                    self.lost[name] = str(lost)
                    del self.seconds[name]

    def rate(self, name: str) -> float:
        """Cell writes per second, the median."""
        return self.cells / median(self.seconds[name])

    def ratio(self, name: str, other: str) -> float:
        """How many times as fast ``name`` is: the median over pairs of one turn."""
        pairs = zip(self.seconds[name], self.seconds[other], strict=False)
        return median(theirs / ours for ours, theirs in pairs)

    def fastest(self, names: Iterable[str]) -> str | None:
        """The name with the highest rate; None if there are none."""
        known = [name for name in names if name in self.seconds]
        return max(known, key=self.rate) if known else None

    def to_json(self) -> dict[str, Any]:
        """Seconds and rates by name."""
        return {
            name: {
                "seconds": [round(value, 6) for value in seconds],
                "writes_per_second": round(self.rate(name)),
            }
            for name, seconds in self.seconds.items()
        }
