"""Measuring one recording: our steps and the peers in turns; what it costs besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from casesync.testing.benchmark.local_writes import LocalWrites
from casesync.testing.benchmark.recorded import Recording
from casesync.testing.benchmark.series import Series
from casesync.testing.benchmark.steps import CIPHER, PLAIN, STEPS, Steps, collector_off
from casesync.testing.workloads.registry import WORKLOADS
from casesync.testing.workloads.saves import Workload
from peers.all_peers import CELLS_MAX
from peers.peer import Absent, Peer

Told = Callable[[str], None]
BATCHED = "500 saves a transaction"


class Measured:
    """The figures of one recording."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.facts = recording.facts
        self.series = Series(self.facts.cells)
        self.produced: dict[str, dict[str, float]] = {}
        self.apart: dict[str, dict[str, Any]] = {}
        """Peers that were measured on fewer writes."""
        self.counts: dict[str, Any] = {}
        self.lost: dict[str, str] = {}
        """Peers that failed, and how: without them the yardstick may be an easier one."""

    def peer_rows(self) -> list[str]:
        """The names of the peers' rows."""
        return [name for name in self.series.seconds if name not in STEPS]

    def fastest_peer(self) -> str | None:
        """The yardstick: the best figure of any peer in any way."""
        return self.series.fastest(self.peer_rows())

    def rows(self) -> dict[str, float]:
        """Rate of everything measured, peers on fewer writes included."""
        found = {name: self.series.rate(name) for name in self.series.seconds}
        return found | {name: row["writes_per_second"] for name, row in self.apart.items()}

    def to_json(self) -> dict[str, Any]:
        """For the results."""
        disk = {
            step: self.counts[step]["disk_bytes"] / self.facts.cells for step in (PLAIN, CIPHER)
        }
        return {
            **asdict(self.facts),
            "wire_bytes_per_write": round(self.facts.wire_bytes / self.facts.cells, 2),
            "disk_bytes_per_write": {step: round(value, 2) for step, value in disk.items()},
            "rates": self.series.to_json(),
            "on_fewer_writes": self.apart,
            "produced": self.produced,
            "counts": self.counts,
            "fastest_peer": self.fastest_peer(),
        }


def measure(recording: Recording, peers: Sequence[Peer], runs: int, told: Told) -> Measured:
    """Run our steps and every way of every peer in turns."""
    found = Measured(recording)
    steps = Steps(recording)
    ways: dict[str, Callable[[], float]] = {}
    try:
        for peer in peers:
            told(f"{peer.name}: producing the same saves")
            try:
                ways |= _ways_of(peer, found, told)
            except Absent as absent:
                found.lost[peer.name] = str(absent)
        ways |= {step: lambda step=step: steps.run(step) for step in STEPS}  # type: ignore[misc]
        found.series.run(ways, runs, told)
        found.lost |= peers_of(found.series.lost)
    finally:  # an interruption leaves no process of theirs
        for peer in peers:
            peer.close()
    found.counts = {step: asdict(counts) for step, counts in steps.counts.items()}
    return found


def measure_local(local: LocalWrites, peers: Sequence[Peer], runs: int, told: Told) -> Series:
    """Our saves, 500 to a durable transaction, in turns with others' updates, one per save."""
    series = Series(local.cells)
    ways: dict[str, Callable[[], float]] = {BATCHED: local.batched}
    workload = local.as_many_saves()
    for peer in peers:
        ways[f"{peer.name}, an update per save"] = _producing(peer, workload, local.cells)
    try:
        series.run(ways, runs, told)
    finally:
        for peer in peers:
            peer.close()
    return series


def _producing(peer: Peer, workload: Workload, cells: int) -> Callable[[], float]:
    """Seconds for so many cell writes."""
    share = cells / workload.cells()

    def once() -> float:
        return peer.produce(workload).seconds * share

    return once


def _ways_of(peer: Peer, found: Measured, told: Told) -> dict[str, Callable[[], float]]:
    """The ways of a peer on the recording's own workload; a slow peer is measured at once."""
    facts = found.facts
    size = min(facts.size, CELLS_MAX.get(peer.name, facts.size))
    workload = WORKLOADS[facts.name](size, facts.seed)
    with collector_off():
        produced = peer.produce(workload)
    cells = workload.cells()
    found.produced[peer.name] = {
        "writes_per_second": round(cells / produced.seconds),
        "bytes_per_write": round(produced.update_bytes / cells, 2),
        "cells": cells,
    }
    ways = {f"{peer.name}, {way}": _way(peer, way) for way in peer.ways}
    if cells == facts.cells:
        return ways
    series = Series(cells)
    series.run(ways, 1, told)
    found.lost |= peers_of(series.lost)
    for name, row in series.to_json().items():
        found.apart[name] = row | {"cells": cells}
    return {}


def peers_of(lost: Mapping[str, str]) -> dict[str, str]:
    """Peers by whose ways were lost: what stands before the comma is the peer's name."""
    return {way.partition(", ")[0]: why for way, why in lost.items()}


def _way(peer: Peer, way: str) -> Callable[[], float]:
    def once() -> float:
        with collector_off():
            return peer.merge(way)

    return once
