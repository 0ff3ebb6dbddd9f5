"""Merge throughput: casesync step by step, beside other engines on the same saves, in one run.

    python benchmarks/run.py [--workload form-saves ...] [--size 40000 ...] [--seed 2026] [--runs 5]

Nothing is precomputed: real devices write every workload first, in processes of their own, and a
real relay answers a new laptop. Then everything is measured in turns on an otherwise idle process.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from casesync.testing.benchmark.first_sync import first_sync
from casesync.testing.benchmark.local_writes import IN_MEMORY_S, LocalWrites
from casesync.testing.benchmark.machine import machine, versions
from casesync.testing.benchmark.preparing import prepare_all
from casesync.testing.benchmark.recorded import Recording
from casesync.testing.benchmark.relay_ingest import ingest
from casesync.testing.benchmark.steps import CIPHER, FLOOR, MEMORY
from casesync.testing.workloads.registry import SEED
from chart import draw
from measure import BATCHED, Measured, measure, measure_local, peers_of
from peers.all_peers import KNOWN, Found, find_peers
from peers.peer import Peer
from plan import ALL, FORM_SAVES, SLOPE_SIZES, Plan
from report import show_facts, show_measured, show_slope, show_targets
from targets import TARGETS, verdicts

HERE = Path(__file__).parent
WIDTH = 110
SIDE_RUNS = 2
"""Turns of what is not the yardstick itself."""
FASTEST_ONLY = ("pycrdt", "Loro", "Yjs")


class Run:
    """One run and what it found."""

    def __init__(self, plan: Plan, runs: int, root: Path, found: Found) -> None:
        self.plan = plan
        self.runs = runs
        self.root = root
        self.found = found
        self.console = Console(width=WIDTH)
        self.ratios: dict[str, float | None] = {}
        self.results: dict[str, Any] = {
            "when": time.strftime("%Y-%m-%d"),
            "machine": machine(),
            "versions": versions() | {peer.name: peer.version for peer in found.peers},
            "absent": found.absent,
            "seed": plan.seed,
            "workloads": {},
        }

    def all(self) -> dict[str, Any]:
        """Prepare, measure, judge."""
        jobs = self.plan.to_prepare()
        with self.console.status(f"writing {len(jobs)} workloads") as status:
            left = [job.workload + f" {job.size:,}" for job in sorted(jobs, key=lambda j: j.size)]

            def told(job: Any) -> None:
                left.remove(job.workload + f" {job.size:,}")
                status.update(f"still to be written: {', '.join(left)}")

            prepare_all(jobs, self.root, told)
        self._form_saves()
        self._slopes()
        for job in self.plan.others:
            self._side(job.recording(self.root), self._peers(FASTEST_ONLY))
        self._first_sync()
        self._relay()
        self.results["versions"] |= {peer.name: peer.version for peer in self.found.peers}
        found = {key: _rounded(value) for key, value in self.ratios.items()}
        self.results["ratios"] = {target.key: found.get(target.key) for target in TARGETS}
        self.results["verdicts"] = verdicts(self.results["ratios"])
        return self.results

    def _peers(self, names: Sequence[str]) -> list[Peer]:
        return [peer for peer in self.found.peers if peer.name in names]

    def _measured(self, recording: Recording, peers: Sequence[Peer], runs: int) -> Measured:
        with self.console.status(recording.facts.text) as status:

            def told(what: str) -> None:
                status.update(f"{recording.facts.text}: {what}")

            measured = measure(recording, peers, runs, told)
        self.found.absent.update(measured.lost)
        return measured

    def _side(self, recording: Recording, peers: Sequence[Peer]) -> None:
        measured = self._measured(recording, peers, min(SIDE_RUNS, self.runs))
        self.results["workloads"][recording.facts.name] = measured.to_json()
        show_measured(self.console, measured)

    def _form_saves(self) -> None:
        if self.plan.form_saves is None:
            return
        recording = self.plan.form_saves.recording(self.root)
        measured = self._measured(recording, self.found.peers, self.runs)
        self.results["workloads"]["form-saves"] = measured.to_json()
        show_measured(self.console, measured)
        self._local_writes(recording)
        ratio, fastest = measured.series.ratio, measured.fastest_peer()
        if fastest is not None and not measured.lost:  # the one that is gone may be the yardstick
            self.ratios["merge_memory_vs_fastest_peer"] = ratio(MEMORY, fastest)
            self.ratios["merge_durable_vs_fastest_peer"] = ratio(CIPHER, fastest)
        self.ratios["merge_durable_vs_floor"] = ratio(CIPHER, FLOOR)
        self.ratios["wire_bytes_per_write"] = measured.facts.wire_bytes / measured.facts.cells

    def _local_writes(self, recording: Recording) -> None:
        local = LocalWrites(recording)
        with self.console.status("local writes") as status:
            series = measure_local(local, self._peers(FASTEST_ONLY), self.runs, status.update)
            single = local.single()
        fastest = series.fastest(name for name in series.seconds if name != BATCHED)
        self.found.absent.update(peers_of(series.lost))
        if fastest is not None and not series.lost:
            ratio = series.ratio(BATCHED, fastest)
            self.ratios["local_write_batched_vs_fastest_peer"] = ratio
        self.ratios["local_write_vs_fsync"] = single.save / single.fsync
        facts = {
            **{f"{name}, writes/s": round(series.rate(name)) for name in series.seconds},
            "one save a durable transaction, ms": single.save * 1000,
            "one page and an fsync, ms": single.fsync * 1000,
        }
        self.results["local_writes"] = facts | {"in_turns": series.to_json()}
        show_facts(self.console, "local writes, durable in SQLCipher", facts)
        if single.fsync < IN_MEMORY_S:
            self.console.print(
                f"{self.root} is in memory, it seems: a flush takes no time there, and what is"
                " durable here is not. --folder chooses another place.\n"
            )

    def _slopes(self) -> None:
        for name, jobs in self.plan.slopes.items():
            slope = {
                job.size: self._measured(job.recording(self.root), (), min(SIDE_RUNS, self.runs))
                for job in jobs
            }
            found = {str(size): measured.to_json() for size, measured in slope.items()}
            self.results.setdefault("slopes", {})[name] = found
            show_slope(self.console, name, slope)
            if name == FORM_SAVES and tuple(slope) == SLOPE_SIZES:
                small, large = (slope[size].series.rate(CIPHER) for size in SLOPE_SIZES[::2])
                self.ratios["cost_growth_1e6_vs_1e4"] = small / large

    def _first_sync(self) -> None:
        if self.plan.first_sync is None or self.plan.month_away is None:
            return
        for job in (self.plan.first_sync, self.plan.month_away):
            self._side(job.recording(self.root), ())
        recording = self.plan.first_sync.recording(self.root)
        with self.console.status("a whole first sync, and its peak memory"):
            found = first_sync(recording)
        self.ratios["first_sync_overhead_share"] = found.overhead_share
        self.ratios["first_sync_peak_mb"] = found.end_mb
        facts = {
            "seconds": found.seconds,
            "cell writes/s": recording.facts.cells / found.seconds,
            **{f"share of {part}": share for part, share in found.shares.items()},
            "MB at start": found.start_mb,
            "MB after the first page": found.pages_mb[0],
            "MB after the last page": found.pages_mb[-1],
            "MB when lists are made": found.end_mb,
        }
        self.results["first_sync"] = facts | {"peak_mb_by_page": found.pages_mb}
        show_facts(self.console, "first sync as the command runs it, in SQLCipher", facts)

    def _relay(self) -> None:
        for size in self.plan.relay:
            with self.console.status(f"many devices push {size:,} writes to a relay process"):
                found = ingest(size, self.plan.seed, self.root)
            facts = {
                **asdict(found),
                "changes/s": found.changes / found.seconds,
                "cell writes/s": found.cells / found.seconds,
                "relay bytes a write": found.relay_bytes / found.cells,
            }
            self.results.setdefault("relay_ingest", {})[str(size)] = facts
            show_facts(self.console, f"relay ingest, over HTTP, {size:,} cell writes", facts)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _options() -> argparse.Namespace:
    """What was asked for; what cannot be done is refused in one line before anything is written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workload", action="append", choices=ALL, help="only this; repeatable")
    parser.add_argument(
        "--size", type=_positive, action="append", help="cell writes; several: slopes of casesync"
    )
    parser.add_argument("--seed", type=int, default=SEED, help=f"of every workload ({SEED})")
    parser.add_argument(
        "--runs", type=_positive, default=5, help="turns of form saves (5); others have two at most"
    )
    peers = parser.add_mutually_exclusive_group()
    peers.add_argument("--no-peers", action="store_true", help="only casesync")
    peers.add_argument("--peer", action="append", choices=KNOWN, help="only this; repeatable")
    parser.add_argument(
        "--results", type=_results, help="folder (benchmarks/results for a whole run)"
    )
    parser.add_argument(
        "--folder", type=_folder, help="where databases lie while they are measured"
    )
    options = parser.parse_args()
    options.size = list(dict.fromkeys(options.size or ()))
    if options.peer and len(options.size) > 1:
        parser.error("several sizes measure casesync alone; take one --size, or leave --peer out")
    return options


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _folder(text: str) -> Path:
    if not os.access(text, os.W_OK | os.X_OK) or not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder that can be written to")
    return Path(text)


def _results(text: str) -> Path:
    """Made when there are results, so that a refused or interrupted run leaves nothing."""
    known = Path(text)
    while not known.exists():
        known = known.absolute().parent
    _folder(str(known))
    return Path(text)


def _keep(results: Mapping[str, Any], folder: Path) -> str:
    """Write results and chart; what was done, in words."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1, ensure_ascii=False)
    (folder / "latest.json").write_text(text + "\n", "utf-8")
    drawn = draw(results, folder)
    return f"written to {folder}" + ("" if drawn else ", without a chart")


def main() -> None:
    options = _options()
    started = time.perf_counter()
    plan = Plan(options.workload or (), options.seed, options.size)
    with tempfile.TemporaryDirectory(dir=options.folder) as root:
        found = Found([], {}) if options.no_peers else find_peers(options.peer or KNOWN)
        run = Run(plan, options.runs, Path(root), found)
        results = run.all()
    results["minutes"] = round((time.perf_counter() - started) / 60, 1)
    if run.ratios:
        show_targets(run.console, results)
    for name, why in found.absent.items():
        run.console.print(f"{name} is absent: {why}")
    whole = not (options.workload or options.size or options.no_peers or options.peer)
    folder = options.results or (HERE / "results" if whole else None)
    if folder is not None:
        run.console.print(_keep(results, folder))
    run.console.print(f"{results['minutes']} minutes")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: nothing is left behind
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted: no results were written")
