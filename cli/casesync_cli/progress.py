"""How far long work has come, on stderr for people who look at it (cli)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from casesync_cli.settings import Settings
from casesync_cli.texts import tr

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bars:
    """One line per kind of work, with an estimate; gone when the work is done.

    Nothing is drawn with ``--json`` and where stderr is no terminal; ``show`` draws no work that
    was done in one step.
    """

    def __init__(self, settings: Settings) -> None:
        self._lang = settings.lang
        self._wanted = not settings.json and sys.stderr.isatty()
        self._drawn: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._waiting: TaskID | None = None

    def wait(self, key: str) -> None:
        """Nobody knows how long what the catalogue calls ``key`` takes; ``show`` ends it."""
        if self._wanted:
            self._drawn = self._drawn or _drawing()
            self._waiting = self._drawn.add_task(tr(self._lang, key), total=None)

    def show(self, key: str, done: int, whole: int) -> None:
        """So much of the work that the catalogue calls ``key`` is done."""
        if self._drawn is not None and self._waiting is not None:
            self._drawn.remove_task(self._waiting)
            self._waiting = None
        if not self._wanted or (key not in self._tasks and done >= whole):
            return
        if self._drawn is None:
            self._drawn = _drawing()
        if key not in self._tasks:
            self._tasks[key] = self._drawn.add_task(tr(self._lang, key), total=None)
        self._drawn.update(self._tasks[key], completed=done, total=whole)

    def close(self) -> None:
        """Leave nothing on the screen."""
        if self._drawn is not None:
            self._drawn.stop()
            self._drawn = self._waiting = None
            self._tasks = {}


def say_that_waiting_may_end(settings: Settings, command: str) -> None:
    """Before waiting for somebody else: who looks on may leave, and how ``command`` goes on."""
    if not settings.json and sys.stderr.isatty():
        click.echo(tr(settings.lang, "wait.may-end", command=command), err=True)


def _drawing() -> Progress:
    from rich.console import Console  # noqa: PLC0415 - slow to load
    from rich.progress import Progress  # noqa: PLC0415

    drawing = Progress(console=Console(stderr=True), transient=True)
    drawing.start()
    return drawing
