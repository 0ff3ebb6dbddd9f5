"""What one run measures: workloads, sizes, how often."""

from __future__ import annotations

from collections.abc import Sequence

from casesync.testing.benchmark.preparing import Job

FORM_SAVES = "form-saves"
FIRST_SYNC = "first-sync"
MONTH_AWAY = "month-away"
RELAY_INGEST = "relay-ingest"
MAIN_SIZE = 400_000
SLOPE_SIZES = (10_000, 100_000, 1_000_000)
FIRST_SYNC_SIZE = 900_000
OTHER_SIZES = {
    "form-saves-5": 50_000,
    "form-saves-2": 20_000,
    "form-saves-3-compartments": 50_000,
    "entries": 50_000,
    "conflict-storm": 50_000,
    "hot-record": 2_000,
}
"""The hot record is small: its eight devices judge all of it again at every exchange."""
RELAY_SIZE = 50_000
ALL = (FORM_SAVES, *OTHER_SIZES, FIRST_SYNC, MONTH_AWAY, RELAY_INGEST)


class Plan:
    """Jobs of one run."""

    def __init__(self, workloads: Sequence[str], seed: int, sizes: Sequence[int] = ()) -> None:
        """Plan a run.

        Args:
            workloads: default all.
            seed: of every workload.
            sizes: one is for every workload, instead of its own; several give a slope of each
                workload and nothing else.
        """
        chosen = workloads or ALL
        self.seed = seed
        self.relay: list[int] = []
        self.first_sync: Job | None = None
        self.month_away: Job | None = None
        self.form_saves: Job | None = None
        self.slopes: dict[str, list[Job]] = {}
        self.others: list[Job] = []
        if len(sizes) > 1:
            for name in chosen:
                if name == RELAY_INGEST:
                    self.relay = sorted(sizes)
                else:
                    self.slopes[name] = [Job(name, size, seed) for size in sorted(sizes)]
            return
        for name in chosen:
            self._add(name, sizes[0] if sizes else None)

    def _add(self, name: str, size: int | None) -> None:
        if name == RELAY_INGEST:
            self.relay = [size or RELAY_SIZE]
        elif name == FORM_SAVES:
            self.form_saves = Job(name, size or MAIN_SIZE, self.seed)
            if size is None:
                self.slopes[name] = [Job(name, points, self.seed) for points in SLOPE_SIZES]
        elif name in {FIRST_SYNC, MONTH_AWAY}:
            self.first_sync = Job(FIRST_SYNC, size or FIRST_SYNC_SIZE, self.seed)
            self.month_away = self.first_sync._replace(workload=MONTH_AWAY)
        else:
            self.others.append(Job(name, size or OTHER_SIZES[name], self.seed))

    def to_prepare(self) -> list[Job]:
        """Every recording that is needed; ``first-sync`` brings ``month-away`` along."""
        single = [job for job in (self.form_saves, self.first_sync) if job is not None]
        points = [job for jobs in self.slopes.values() for job in jobs]
        wanted = [
            job._replace(workload=FIRST_SYNC) if job.workload == MONTH_AWAY else job
            for job in [*single, *points, *self.others]
        ]
        return list(dict.fromkeys(wanted))
