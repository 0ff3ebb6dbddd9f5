"""``demo``: three offices share a case, as a short story with real processes (cli)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from casesync_cli.command import command, option
from casesync_cli.settings import Settings

CASES_DEFAULT: Final = 200
CASES_MAX: Final = 900
"""Telephone numbers of invented people have three digits for the case."""


@command(
    "demo",
    option("--keep", type=click.Path(file_okay=False, path_type=Path), metavar="DIR"),
    option("--cases", default=CASES_DEFAULT, type=click.IntRange(1, CASES_MAX), metavar="COUNT"),
)
def demo(settings: Settings, *, keep: Path | None, cases: int) -> None:
    """Run the story; exit 0 only if every check held."""
    from casesync_cli.demo.story import run_demo  # noqa: PLC0415 - only for this command

    code = run_demo(settings, keep, cases)
    if code:
        raise click.exceptions.Exit(code)
