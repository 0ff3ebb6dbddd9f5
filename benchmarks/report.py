"""Tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from casesync.testing.benchmark.steps import CIPHER
from measure import Measured
from targets import TARGETS

ONE_BY_ONE = "pycrdt, one by one"
"""One update per save, as an application receives them: a second yardstick."""


def show_measured(console: Console, measured: Measured) -> None:
    """Every step and every way of every peer, beside the yardsticks."""
    facts = measured.facts
    yardsticks = {"the fastest peer": measured.fastest_peer()}
    if ONE_BY_ONE in measured.series.seconds:
        yardsticks[ONE_BY_ONE] = ONE_BY_ONE
    table = Table(
        "step",
        "cell writes/s",
        *[f"of {name}" for name in yardsticks],
        title=f"{facts.text}: {facts.changes:,} changes, {facts.cells:,} cell writes",
        title_justify="left",
    )
    for name, rate in measured.rows().items():
        shares = [_share(measured, name, rate, other) for other in yardsticks.values()]
        table.add_row(name, f"{rate:,.0f}", *shares)
    console.print(table)
    counts = measured.counts[CIPHER]
    disk = counts["disk_bytes"] / facts.cells
    console.print(
        f"bytes a write: {facts.wire_bytes / facts.cells:.1f} on the wire, {disk:.1f} on disk;"
        f" round trips: {counts['round_trips']}, transactions: {counts['transactions']},"
        f" signature checks: {counts['signature_checks']},"
        f" streams judged again: {counts['rejudged_streams']}\n"
    )


def _share(measured: Measured, name: str, rate: float, other: str | None) -> str:
    """How fast ``name`` is beside ``other``: turn by turn where both were measured alike."""
    if other is None:
        return ""
    if name in measured.series.seconds:
        return f"{measured.series.ratio(name, other):.2f}"
    return f"{rate / _rate(measured, other):.2f}"


def _rate(measured: Measured, name: str) -> float:
    return measured.series.rate(name)


def show_slope(console: Console, name: str, slope: Mapping[int, Measured]) -> None:
    """Cost per write by size."""
    steps = list(next(iter(slope.values())).series.seconds)
    table = Table(
        "step, microseconds a write",
        *[f"{size:,}" for size in sorted(slope)],
        title=f"{name}: cost by number of cell writes",
        title_justify="left",
    )
    for step in steps:
        known = [slope[size] for size in sorted(slope) if step in slope[size].series.seconds]
        if len(known) == len(slope):
            table.add_row(step, *[f"{1e6 / m.series.rate(step):.2f}" for m in known])
    console.print(table)


def show_facts(console: Console, title: str, facts: Mapping[str, Any]) -> None:
    """Anything else, name by name."""
    table = Table("measure", "value", title=title, title_justify="left")
    for name, value in facts.items():
        table.add_row(name, f"{value:,.3f}" if isinstance(value, float) else str(value))
    console.print(table)


def show_targets(console: Console, results: Mapping[str, Any]) -> None:
    """The table of targets with its verdicts."""
    table = Table(
        "measure", "to reach", "moonshot", "measured", "verdict", title_justify="left",
        title="ratios within this run",
    )  # fmt: skip
    for target in TARGETS:
        value = results["ratios"][target.key]
        word = "at most" if target.at_most else "at least"
        table.add_row(
            target.text,
            f"{word} {target.goal:g}",
            f"{target.moonshot:g}",
            "-" if value is None else f"{value:.3g}",
            results["verdicts"][target.key],
        )
    console.print(table)
