"""Tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from casesync.testing.benchmark.steps import CIPHER
from measure import Measured
from targets import TARGETS


def show_measured(console: Console, measured: Measured) -> None:
    """Every step and every way of every peer, beside the fastest peer."""
    facts = measured.facts
    fastest = measured.fastest_peer()
    table = Table(
        "step",
        "cell writes/s",
        "of the fastest peer",
        title=f"{facts.text}: {facts.changes:,} changes, {facts.cells:,} cell writes",
        title_justify="left",
    )
    for name, rate in measured.rows().items():
        share = ""
        if fastest is not None:
            known = name in measured.series.seconds
            ratio = (
                measured.series.ratio(name, fastest) if known else rate / _rate(measured, fastest)
            )
            share = f"{ratio:.2f}"
        table.add_row(name, f"{rate:,.0f}", share)
    console.print(table)
    counts = measured.counts[CIPHER]
    disk = counts["disk_bytes"] / facts.cells
    console.print(
        f"{facts.wire_bytes / facts.cells:.1f} bytes a write on the wire, {disk:.1f} on disk;"
        f" {counts['round_trips']} round trips, {counts['transactions']} transactions,"
        f" {counts['signature_checks']} signature checks,"
        f" {counts['rejudged_streams']} streams judged again\n"
    )


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
