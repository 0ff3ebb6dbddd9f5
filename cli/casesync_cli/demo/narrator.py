"""Tells the story and keeps the list of what was checked (cli)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from casesync_cli.labels import done_words, label
from casesync_cli.render import WIDTH_OF_FILES
from casesync_cli.safe import safe_line
from casesync_cli.settings import Settings
from casesync_cli.texts import catalogue, fact_text

CHECKS: Final = (
    "five-laptops", "codes-compared",
    "offline-unreachable", "offline-kept", "all-synced", "own-cases-only", "found-unaccented",
    "both-words", "protective-value", "no-silent-overwrite", "decided-by-name", "same-everywhere",
    "consent-limits", "two-compartments", "grant-used", "grant-limited",
    "late-quarantined", "late-not-counted", "copy-destroyed",
    "thief-refused", "thief-learns-nothing", "new-keys", "thief-writes-nothing", "disk-closed",
    "audit-verified", "who-saw", "refusal-logged", "auditor-blind",
    "search-finds", "relay-running-blind", "relay-stopped-blind",
)  # fmt: skip
"""Everything the demo checks, in the order of the story; what is not reached did not hold."""


class Check(NamedTuple):
    """One check that was made."""

    key: str
    held: bool


class Narrator:
    """Writes to standard output in one language; says nothing where JSON was asked for."""

    def __init__(self, settings: Settings) -> None:
        """Args: settings: language, and whether to be silent."""
        width = None if sys.stdout.isatty() else WIDTH_OF_FILES
        self._console = Console(
            markup=False, highlight=False, emoji=False, width=width, quiet=settings.json
        )
        self.lang = settings.lang
        self._texts = catalogue("demo", settings.lang)
        self._chapter = 0
        self.checks: list[Check] = []

    @property
    def all_held(self) -> bool:
        """Whether every check was made and held."""
        return [(key, True) for key in CHECKS] == self.checks

    def words(self, key: str, **params: object) -> str:
        """A text of the catalogue, made safe."""
        return safe_line(self._texts[key].format(**params))

    def done(self, entry: Mapping[str, Any]) -> str:
        """What an access entry says was done."""
        return done_words(self.lang, entry["action"], look=entry["look"])

    def role(self, role: str) -> str:
        """What people call a role."""
        return label(self.lang, "role", role)

    def reason(self, reason: str) -> str:
        """Why a change does not count."""
        return fact_text(self.lang, f"reason.{reason}", {})

    def chapter(self, key: str) -> None:
        """Begin a chapter."""
        self._chapter += 1
        self._console.print()
        self._console.print(Text(f"{self._chapter}. {self.words(f'chapter.{key}')}", "bold"))

    def tell(self, key: str, **params: object) -> None:
        """One piece of the story."""
        self._console.print(
            Padding(Text(self.words(f"tell.{key}", **params)), (0, 0, 0, 3), expand=False)
        )

    def check(self, key: str, held: bool) -> None:
        """Note whether a check held."""
        assert key == CHECKS[len(self.checks)], key
        self.checks.append(Check(key, held))
        mark, style = ("✓", "green") if held else ("✗", "bold red")
        line = Text(f"   {mark} ", style)
        line.append(self.words(f"check.{key}"), "" if held else style)
        self._console.print(line)

    def rows(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; ``columns`` are keys ``column.NAME``."""
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            table.add_column(self.words(f"column.{column}"), overflow="fold")
        for row in rows:
            table.add_row(*(Text(safe_line(cell)) for cell in row))
        self._console.print(Padding(table, (0, 0, 0, 3), expand=False))

    @contextmanager
    def progress(self, key: str) -> Iterator[Callable[[int, int], None]]:
        """A bar for long work; the block calls with (done, all)."""
        bar = Progress(
            TextColumn("   {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )
        with bar:
            task = bar.add_task(self.words(f"progress.{key}"), total=None)

            def told(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            yield told

    def summary(self, seconds: float) -> None:
        """The table of what was checked."""
        made = dict(self.checks)
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("", width=3)
        table.add_column(self.words("column.check"), overflow="fold")
        for key in CHECKS:
            state = "not-reached" if key not in made else "held" if made[key] else "failed"
            style = {"held": "green", "failed": "bold red", "not-reached": "yellow"}[state]
            mark = {"held": "✓", "failed": "✗", "not-reached": "-"}[state]
            table.add_row(Text(mark, style), Text(self.words(f"check.{key}")))
        self._console.print()
        self._console.print(table)
        held = sum(check.held for check in self.checks)
        line = self.words("summary", held=held, all=len(CHECKS), seconds=round(seconds))
        self._console.print(Text(line, "bold green" if self.all_held else "bold red"))
