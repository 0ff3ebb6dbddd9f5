"""What one run measures: workloads, sizes, how often."""

from __future__ import annotations

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

    def __init__(self, workloads: tuple[str, ...], seed: int, size: int | None) -> None:
        """Args: size: of every workload, instead of its own; the slope is then left out."""
        chosen = workloads or ALL
        self.seed = seed
        self.main = size or MAIN_SIZE
        self.relay = (size or RELAY_SIZE) if RELAY_INGEST in chosen else None
        self.first_sync: Job | None = None
        self.month_away: Job | None = None
        self.form_saves: Job | None = None
        self.slope: list[Job] = []
        self.others: list[Job] = []
        for name in chosen:
            if name == FORM_SAVES:
                self.form_saves = Job(name, self.main, seed)
                if size is None:
                    self.slope = [Job(name, points, seed) for points in SLOPE_SIZES]
            elif name in {FIRST_SYNC, MONTH_AWAY}:
                load = size or FIRST_SYNC_SIZE
                self.first_sync = Job(FIRST_SYNC, load, seed)
                self.month_away = Job(MONTH_AWAY, load, seed)
            elif name in OTHER_SIZES:
                self.others.append(Job(name, size or OTHER_SIZES[name], seed))

    def to_prepare(self) -> list[Job]:
        """Every recording that is needed; ``first-sync`` brings ``month-away`` along."""
        single = [job for job in (self.form_saves, self.first_sync) if job is not None]
        return [*single, *self.slope, *self.others]
