"""A first sync as the command runs it: where its time goes, and its peak memory (testing).

``python -m casesync.testing.benchmark.first_sync FOLDER`` syncs once in a process of its own, so
that nothing else is counted in its memory, and prints what it saw as JSON.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from casesync.client.core import Core
from casesync.client.sync_driver import run_sync
from casesync.testing.benchmark.recorded import Recording

SAMPLE_S: Final = 0.002
STORAGE, VERIFY, MERGE, LISTS, OTHER = "sqlite", "verify, decrypt", "merge", "lists", "other"
PARTS: Final = (VERIFY, MERGE, STORAGE, LISTS, OTHER)
OVERHEAD: Final = (LISTS, OTHER)
_PAGE_WORK: Final = (
    "/sync/ingest.py",
    "/sync/backfill.py",
    "/translog/page.py",
    "/sync/page_stream.py",
)
_STATEMENTS: Final = ("/storage/session.py", "/storage/connection.py")
_SEALS: Final = ("/crypto/", "/merkle/", "/translog/")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSync:
    """One whole sync in SQLCipher, lists refreshed and all."""

    seconds: float
    shares: dict[str, float]
    """Of the time, by part: what the innermost frames of casesync were doing every two
    milliseconds. Empty where the system has no such timer."""
    start_mb: float
    """Peak memory with the replica open."""
    pages_mb: list[float]
    """Peak after each page."""
    end_mb: float
    """Peak when lists are made."""

    @property
    def overhead_share(self) -> float | None:
        """Share of the time outside verify, decrypt, merge and SQLite."""
        return sum(self.shares[part] for part in OVERHEAD) if self.shares else None


def first_sync(recording: Recording) -> FirstSync:
    """Sync once, in a process of its own."""
    command = [sys.executable, "-m", "casesync.testing.benchmark.first_sync"]
    done = subprocess.run(  # noqa: S603 - this package's own module
        [*command, str(recording.folder)], stdout=subprocess.PIPE, text=True, check=True
    )
    return FirstSync(**json.loads(done.stdout))


@contextmanager
def _sampling(seen: Counter[str]) -> Iterator[None]:
    """Add up the nanoseconds of each part.

    A sample stands for the time since the one before it: a long statement lets no signal through,
    so that the one behind it stands for all of it.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    last_ns = time.perf_counter_ns()

    def note(_: int, frame: FrameType | None) -> None:
        nonlocal last_ns
        now_ns = time.perf_counter_ns()
        seen[_part(frame)] += now_ns - last_ns
        last_ns = now_ns

    before = signal.signal(signal.SIGALRM, note)
    signal.setitimer(signal.ITIMER_REAL, SAMPLE_S, SAMPLE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _part(frame: FrameType | None) -> str:
    """What a sample was spent on, from the frames on the stack."""
    files = []
    while frame is not None:
        name = frame.f_code.co_filename.replace("\\", "/")
        if "/casesync/" in name:
            files.append(name.rsplit("/casesync/", 1)[1].join(("/", "")))
        frame = frame.f_back
    if files and files[0] in _STATEMENTS:
        return STORAGE
    if "/client/listing.py" in files:
        return LISTS
    if any(name.startswith("/storage/") for name in files):
        return STORAGE
    if not any(name in _PAGE_WORK for name in files):
        return OTHER
    return VERIFY if files[0].startswith(_SEALS) else MERGE


class _Memory:
    """At most what this program and its helper ever had at once: while it runs, both peaks."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._most_mb = 0.0
        dismiss = core.helper.dismiss  # it ends behind that

        def dismissed() -> None:
            self.peak_mb()
            dismiss()

        core.helper.dismiss = dismissed  # type: ignore[method-assign]

    def peak_mb(self) -> float:
        """Until now; to be asked while the helper still runs."""
        pid = self._core.helper.pid
        helper_mb = 0.0 if pid is None else _peak_mb(str(pid))
        self._most_mb = max(self._most_mb, _peak_mb("self") + helper_mb)
        return round(self._most_mb, 1)


def _peak_mb(process: str) -> float:
    """A program's own peak; Linux's ``ru_maxrss`` would count its parent's before ``exec``."""
    status = Path("/proc", process, "status")
    if status.exists():
        rows = status.read_text("utf-8").splitlines()
        return sum(int(row.split()[1]) * 1024 / 1e6 for row in rows if "VmHWM" in row)
    if process != "self":
        return 0.0  # this system does not tell of others
    import resource  # noqa: PLC0415 - not on every system

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main(arguments: Sequence[str]) -> None:
    """Entry point of the measured process."""
    recording = Recording(Path(arguments[0]))
    pages: list[float] = []
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=recording.folder) as folder:
        store = recording.on_disk(Path(folder) / "replica.db", encrypted=True)
        core = recording.reopened(store, Path(folder))
        memory = _Memory(core)
        start = memory.peak_mb()
        with _sampling(seen):
            started = time.perf_counter()
            run_sync(core, lambda *_: pages.append(memory.peak_mb()))
            seconds = time.perf_counter() - started
        store.close()
    total = sum(seen.values())
    found = FirstSync(
        seconds=seconds,
        shares={part: seen[part] / total for part in PARTS} if total else {},
        start_mb=start,
        pages_mb=pages,
        end_mb=memory.peak_mb(),
    )
    sys.stdout.write(json.dumps(asdict(found)))


if __name__ == "__main__":
    main(sys.argv[1:])
