"""``demo``: three offices share a case, as a short story with real processes (cli)."""

from __future__ import annotations

from pathlib import Path

import click

from casesync_cli.command import command, option
from casesync_cli.settings import Settings


@command(
    "demo",
    option("--keep", type=click.Path(file_okay=False, path_type=Path), metavar="DIR"),
)
def demo(settings: Settings, *, keep: Path | None) -> None:
    """Run the story; exit 0 only if every check held."""
    from casesync_cli.demo.story import run_demo  # noqa: PLC0415 - only for this command

    code = run_demo(settings, keep)
    if code:
        raise click.exceptions.Exit(code)
