"""What is to be reached, as ratios within one run, and the verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Target(NamedTuple):
    """One row of the table of targets."""

    key: str
    text: str
    goal: float
    moonshot: float
    at_most: bool = False

    def verdict(self, value: float | None) -> str:
        """In a word."""
        if value is None:
            return "not measured"
        for limit, word in ((self.moonshot, "moonshot"), (self.goal, "reached")):
            if (value <= limit) if self.at_most else (value >= limit):
                return word
        return "missed"


TARGETS = (
    Target(
        "merge_memory_vs_fastest_peer",
        "verified + decrypted + merged in memory, against the fastest peer's plaintext merge",
        1.4,
        3,
    ),
    Target(
        "merge_durable_vs_fastest_peer",
        "the same and durable in SQLCipher, against the same",
        1.0,
        2,
    ),
    Target(
        "merge_durable_vs_floor",
        "durable in SQLCipher, against verify + decrypt + decode",
        0.5,
        0.8,
    ),
    Target(
        "cost_growth_1e6_vs_1e4",
        "cost per cell write at 10^6 against 10^4, durable in SQLCipher",
        1.25,
        1.0,
        at_most=True,
    ),
    Target(
        "local_write_batched_vs_fastest_peer",
        "local writes, 500 saves a transaction, against the fastest peer's update per save",
        0.5,
        1,
    ),
    Target(
        "local_write_vs_fsync",
        "one save a durable transaction, times a bare fsync of one page",
        4,
        2,
        at_most=True,
    ),
    Target(
        "first_sync_overhead_share",
        "first sync of 10,000 cases: share outside verify, decrypt, merge and SQLite",
        0.15,
        0.05,
        at_most=True,
    ),
    Target(
        "wire_bytes_per_write",
        "bytes on the wire per cell write, everything included",
        40,
        30,
        at_most=True,
    ),
    Target(
        "first_sync_peak_mb",
        "peak memory of a first sync of about 10^6 writes, in MB",
        300,
        100,
        at_most=True,
    ),
)


def verdicts(ratios: Mapping[str, float | None]) -> dict[str, str]:
    """The verdict of every target."""
    return {target.key: target.verdict(ratios.get(target.key)) for target in TARGETS}
