"""Any number of worlds: ``make soak START=0 SEEDS=5000``; one of them, with its story, likewise.

Prints a line for each seed that fails, at the end what was done and how fast. One process per
core; every failure prints the one command that replays it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from multiprocessing import get_context
from typing import NamedTuple

from simulation.play import play
from simulation.world import SimulationFailure


class Outcome(NamedTuple):
    """What became of one seed."""

    seed: int
    problem: str
    """Empty if all held."""
    acts: Counter[str]


def outcome_of(seed: int) -> Outcome:
    """Play one seed."""
    try:
        return Outcome(seed, "", play(seed).outcomes)
    except SimulationFailure as failure:
        return Outcome(seed, str(failure), Counter())
    except Exception:  # noqa: BLE001 - whatever it is, the seed is to be told
        again = f"replay: make soak START={seed} SEEDS=1"
        return Outcome(seed, f"{traceback.format_exc()}\n{again}", Counter())


def played(seeds: range, jobs: int) -> Iterator[Outcome]:
    """Outcomes as they come."""
    if jobs == 1 or len(seeds) == 1:
        yield from map(outcome_of, seeds)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(outcome_of, seeds, chunksize=5)


def main() -> int:
    """Exit code 1 if a world failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    began = time.monotonic()
    acts: Counter[str] = Counter()
    failed: list[int] = []
    for done, outcome in enumerate(
        played(range(options.start, options.start + options.seeds), options.jobs), 1
    ):
        acts.update(outcome.acts)
        if outcome.problem:
            failed.append(outcome.seed)
            print(f"seed {outcome.seed}: {outcome.problem}", flush=True)
        if done % 100 == 0:
            rate = done / (time.monotonic() - began)
            print(f"{done} worlds, {len(failed)} failed, {rate:.1f}/s", flush=True)
    for act, count in sorted(acts.items()):
        print(f"{count:8} {act}")
    print(f"{options.seeds} worlds, {sum(acts.values())} commands, {len(failed)} failed {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
