"""Recordings made by processes of their own, as many at once as there are cores (testing)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from casesync.testing.benchmark.recorded import Recording

_AT_ONCE_MAX: Final = 2
"""More would need more memory than a laptop has for the largest workloads."""


class Job(NamedTuple):
    """One workload of one size."""

    workload: str
    size: int
    seed: int

    def recording(self, root: Path) -> Recording:
        """Where it lies."""
        return Recording(root / f"{self.workload}-{self.size}")


def prepare_all(
    jobs: Sequence[Job], root: Path, told: Callable[[Job], None] = lambda _: None
) -> None:
    """Prepare every job, the largest first.

    Args:
        jobs: each once; ``first-sync`` brings the ``month-away`` of its size along.
        root: folder for all recordings.
        told: called when one is done.

    Raises:
        CalledProcessError: a process failed; what it wrote to standard error was shown.
    """
    running: list[subprocess.Popen[bytes]] = []

    def one(job: Job) -> None:
        folder = job.recording(root).folder
        command = [sys.executable, "-m", "casesync.testing.benchmark.prepare"]
        arguments = [job.workload, str(job.size), str(job.seed), str(folder)]
        # a session of its own: Ctrl-C is for this process, which ends those it started
        with subprocess.Popen([*command, *arguments], start_new_session=True) as process:  # noqa: S603 - this package's own module
            running.append(process)
            if process.wait() != 0:
                raise subprocess.CalledProcessError(process.returncode, command)
        told(job)

    ordered = sorted(jobs, key=lambda job: -job.size)
    with ThreadPoolExecutor(min(_AT_ONCE_MAX, os.cpu_count() or 1)) as pool:
        try:
            list(pool.map(one, ordered))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.terminate()
            raise
