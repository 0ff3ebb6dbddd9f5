"""What a person waits for: whole commands, each started anew, on replicas of many cases.

    make felt                                     # 10,000 and 100,000 cases, five runs of each
    make felt FELT="--cases 2000 --runs 3"

A relay process, a network, an office with as many cases as asked, each with a person and a form of
ten fields, all of it synced. Then every command runs as a user runs it, on an
unlocked replica; medians of what was waited and of processor time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from casesync.client.opening import open_core
from casesync.testing.workloads.forms import form_saves
from casesync.testing.workloads.office import Author, CaseIds
from casesync.testing.workloads.registry import SEED
from casesync_cli.demo.processes import RelayProcess

CASES: Final = (10_000, 100_000)
RUNS: Final = 5
PASSPHRASE: Final = "only for measuring, no secret"
CELLS_PER_CASE: Final = 40
"""Of ``form_saves``, whose rounds save the form of every case once."""
MANY: Final = "tự lực"
"""Words of ``workloads.values`` that stand in many cases."""
CHANGED: Final = 10
"""Cases that are changed before a sync of a few changes."""


@dataclass(frozen=True, slots=True)
class Took:
    """One run of a command, in seconds."""

    waited: float
    processor: float


class Office:
    """A replica on this machine, and the command line on it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self._secret = folder / "passphrase"
        self._secret.write_text(PASSPHRASE, "utf-8")
        self.codes: list[str] = []
        self.words = ""
        """Those of one field of a case; few have them all."""

    def run(self, *words: str, passphrase: bool = False) -> tuple[Took, str]:
        """Run a command to its end. Raises: subprocess.CalledProcessError: it failed."""
        given = ("--passphrase-file", str(self._secret)) if passphrase else ()
        command = [sys.executable, "-m", "casesync_cli", "--lang", "en", "--home", str(self.home)]
        with tempfile.TemporaryFile() as out:
            started = time.perf_counter()
            child = subprocess.Popen(
                [*command, *given, *words], stdout=out, stdin=subprocess.DEVNULL
            )
            _, status, used = os.wait4(child.pid, 0)
            took = Took(time.perf_counter() - started, used.ru_utime + used.ru_stime)
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode:
                raise subprocess.CalledProcessError(child.returncode, words)
            out.seek(0)
            return took, out.read().decode()

    def fill(self, cases: int) -> None:
        """Open cases and save the form of each, as bulk work of the library does."""
        workload = form_saves(cases * CELLS_PER_CASE, SEED)
        core, stack = open_core(self.home, PASSPHRASE)
        with stack:
            author = Author(core, CaseIds())
            # Of all rounds the first: a relay takes no more from one device in a day.
            for saves in (*workload.before(), next(iter(workload.rounds()))):
                author.write(saves)

    def choose(self) -> None:
        """Find out the codes of some cases."""
        _, listed = self.run("--json", "case", "list", "--limit", str(CHANGED))
        rows = json.loads(listed)["items"]
        self.codes = [row["case"] for row in rows]
        self.words = rows[0]["fields"]["person.address"]
        for words in (MANY, self.words):
            _, found = self.run("--json", "case", "find", words)
            assert json.loads(found)["items"], f"{words}: to find nothing says nothing"

    def change(self) -> None:
        """Change a few cases."""
        for code in self.codes:
            self.run("case", "set", code, "person.religion=none")


@contextmanager
def office(cases: int, told: Callable[[str], None]) -> Iterator[Office]:
    """An unlocked replica of so many cases, beside its relay."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        relay = RelayProcess(folder / "relay.db", folder / "relay.log")
        place = Office(folder)
        try:
            address = ("--relay", relay.url, "--relay-key", relay.key_hex)
            place.run("network", "create", "Felt speed", *address, passphrase=True)
            told(f"{cases:,} cases: writing them")
            place.fill(cases)
            place.run("unlock", "--for", "4h", passphrase=True)
            told(f"{cases:,} cases: the first sync sends them and makes lists")
            first, _ = place.run("sync")
            told(f"{cases:,} cases: that took {first.waited:.0f} s; measuring")
            place.choose()
            yield place
        finally:
            place.run("lock")
            relay.stop()


def commands(place: Office) -> dict[str, Callable[[], Took]]:
    """What is measured, by the words a table shows."""

    def one(*words: str, passphrase: bool = False) -> Callable[[], Took]:
        return lambda: place.run(*words, passphrase=passphrase)[0]

    def after_changes() -> Took:
        place.change()
        return place.run("sync")[0]

    code = place.codes[0]
    return {
        "casesync --help": one("--help"),
        "unlock (Argon2id)": one("unlock", "--for", "4h", passphrase=True),
        "case show": one("case", "show", code),
        "case set": one("case", "set", code, "person.religion=none"),
        "case list": one("case", "list"),
        "case list, filtered": one("case", "list", "--filter", "person.religion=none"),
        "case find, words of many cases": one("case", "find", MANY),
        "case find, words of few": one("case", "find", place.words),
        "status": one("status"),
        "outbox": one("outbox"),
        "audit mine": one("audit", "mine"),
        "sync of nothing": one("sync"),
        f"sync of {CHANGED} changes": after_changes,
    }


def measure(cases: int, runs: int, told: Callable[[str], None]) -> dict[str, Took]:
    """Medians of every command, in turns."""
    with office(cases, told) as place:
        ways = commands(place)
        seen: dict[str, list[Took]] = {name: [] for name in ways}
        for _ in range(runs):
            for name, way in ways.items():
                seen[name].append(way())
    return {
        name: Took(median(t.waited for t in took), median(t.processor for t in took))
        for name, took in seen.items()
    }


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Time whole commands on replicas of many cases.")
    parser.add_argument("--cases", type=int, action="append", help="default 10,000 and 100,000")
    parser.add_argument("--runs", type=int, default=RUNS)
    chosen = parser.parse_args()
    console = Console()
    found: dict[int, dict[str, Any]] = {}
    for cases in chosen.cases or CASES:
        found[cases] = measure(cases, chosen.runs, lambda text: console.print(text, style="dim"))
    table = Table(title=f"medians of {chosen.runs}, in seconds: processor, waited")
    table.add_column("command")
    for cases in found:
        table.add_column(f"{cases:,} cases", justify="right")
    for name in next(iter(found.values())):
        rows = [took[name] for took in found.values()]
        table.add_row(name, *(f"{row.processor:.2f}  {row.waited:.2f}" for row in rows))
    console.print(table)


if __name__ == "__main__":
    main()
