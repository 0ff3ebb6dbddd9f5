"""``bench``: how fast this machine merges, seals and stores, on invented data (cli).

The measuring is the library's own (``casesync.testing.benchmark``); beside other engines it runs
with ``make bench`` in a checkout. The one command that uses what otherwise only tests use.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from casesync.testing.workloads.registry import SEED, WORKLOADS
from casesync_cli.command import command, option
from casesync_cli.render import Output, deliver
from casesync_cli.settings import Settings
from casesync_cli.stopping import ended_like_ctrl_c
from casesync_cli.texts import tr

if TYPE_CHECKING:
    from casesync.testing.benchmark.recorded import Recording

SIZE_DEFAULT: Final = 20_000
SIZE_MAX: Final = 10_000_000
RUNS_DEFAULT: Final = 3
RUNS_MAX: Final = 100
NAMES: Final = (
    "decode",
    "floor",
    "memory-alone",
    "memory",
    "sqlite",
    "sqlcipher-alone",
    "sqlcipher",
)
"""The steps of ``casesync.testing.benchmark.steps``, in order, as JSON and the catalogue have them.
"""
_FORMS: Final = "form-saves"
_RELAY: Final = "relay-ingest"

Told = Callable[[str], None]


@command(
    "bench",
    option("--workload", type=click.Choice(sorted([*WORKLOADS, _RELAY])), default=_FORMS),
    option("--size", type=click.IntRange(1, SIZE_MAX), default=SIZE_DEFAULT, metavar="WRITES"),
    option("--seed", type=int, default=SEED, metavar="NUMBER"),
    option("--runs", type=click.IntRange(1, RUNS_MAX), default=RUNS_DEFAULT, metavar="COUNT"),
    option(
        "--folder", type=click.Path(file_okay=False, exists=True, path_type=Path), metavar="DIR"
    ),
)
def bench(
    settings: Settings, *, workload: str, size: int, seed: int, runs: int, folder: Path | None
) -> None:
    """Write a workload, then take it in step by step."""
    made = tempfile.TemporaryDirectory(dir=folder)
    with ended_like_ctrl_c(), made as name, _told(settings) as told:
        if workload == _RELAY:
            found = _ingest(size, seed, Path(name), told)
        else:
            found = _measure(workload, size, seed, runs, Path(name), told)
    deliver(settings, found, lambda out: _tell(out, found))


def _ingest(size: int, seed: int, root: Path, told: Told) -> dict[str, Any]:
    """What a relay process takes in from many devices, once."""
    from casesync.testing.benchmark.relay_ingest import ingest  # noqa: PLC0415 - slow

    told("bench.pushing")
    found = ingest(size, seed, root)
    return {
        "workload": _RELAY,
        "seed": seed,
        "changes": found.changes,
        "cells": found.cells,
        "devices": found.devices,
        "changes_per_second": round(found.changes / found.seconds),
        "writes_per_second": round(found.cells / found.seconds),
        "relay_bytes_per_write": round(found.relay_bytes / found.cells, 1),
    }


def _measure(
    workload: str, size: int, seed: int, runs: int, root: Path, told: Told
) -> dict[str, Any]:
    from casesync.testing.benchmark.preparing import Job, prepare_all  # noqa: PLC0415 - slow
    from casesync.testing.benchmark.series import Series  # noqa: PLC0415
    from casesync.testing.benchmark.steps import CIPHER, FLOOR, STEPS, Steps  # noqa: PLC0415

    job = Job("first-sync" if workload == "month-away" else workload, size, seed)
    told("bench.writing")
    prepare_all([job], root)
    recording = job._replace(workload=workload).recording(root)
    facts = recording.facts
    told("bench.measuring")
    steps, series = Steps(recording), Series(facts.cells)
    series.run({step: lambda step=step: steps.run(step) for step in STEPS}, runs)  # type: ignore[misc]
    counts = steps.counts[CIPHER]
    return {
        "workload": workload,
        "seed": seed,
        "changes": facts.changes,
        "cells": facts.cells,
        "wire_bytes_per_write": round(facts.wire_bytes / facts.cells, 1),
        "disk_bytes_per_write": round(counts.disk_bytes / facts.cells, 1),
        "steps": [
            {
                "step": name,
                "writes_per_second": round(series.rate(step)),
                "of_floor": round(series.ratio(step, FLOOR), 3),
            }
            for name, step in zip(NAMES, STEPS, strict=True)
        ],
        "local": _local(recording, runs, told) if workload.startswith(_FORMS) else None,
    }


def _local(recording: Recording, runs: int, told: Told) -> dict[str, Any]:
    from statistics import median  # noqa: PLC0415

    from casesync.testing.benchmark.local_writes import LocalWrites  # noqa: PLC0415

    told("bench.saving")
    local = LocalWrites(recording)
    batched = median([local.batched() for _ in range(runs)])
    single = local.single()
    return {
        "writes_per_second": round(local.cells / batched),
        "one_save_ms": round(single.save * 1000, 2),
        "fsync_ms": round(single.fsync * 1000, 2),
    }


def _tell(out: Output, found: dict[str, Any]) -> None:
    if found["workload"] == _RELAY:
        out.say("bench.relay", **found)
        return
    out.table(
        ("step", "writes", "of-floor"),
        [
            (
                out.words(f"bench.step-{row['step']}"),
                f"{row['writes_per_second']:,}",
                f"{row['of_floor']:.2f}",
            )
            for row in found["steps"]
        ],
    )
    out.say(
        "bench.sizes",
        changes=found["changes"],
        cells=found["cells"],
        wire=found["wire_bytes_per_write"],
        disk=found["disk_bytes_per_write"],
    )
    if found["local"] is not None:
        out.say("bench.local", **found["local"])


@contextmanager
def _told(settings: Settings) -> Iterator[Told]:
    """Says on stderr what is being done, to people who look."""
    if settings.json or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - slow to load

    with Console(stderr=True).status("") as status:
        yield lambda key: status.update(tr(settings.lang, key))
