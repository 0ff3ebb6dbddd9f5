"""Lists that grow at their end: people see the newest, programs all unless they ask for less (cli).

A program that knows nothing of pages must not lose what it always got, so only for people is there
a limit that nobody gave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from casesync_cli.command import option
from casesync_cli.render import Columns, Output, deliver
from casesync_cli.settings import Settings

if TYPE_CHECKING:
    from casesync.client.views import Page

LIMIT: Final = click.IntRange(1, 1000)
NEWEST_FOR_PEOPLE: Final = 50


def page_options() -> tuple[click.Parameter, click.Parameter]:
    """``--limit`` and ``--after`` of such a list."""
    return option("--limit", type=LIMIT, metavar="COUNT"), option("--after", metavar="TOKEN")


def limit_of(settings: Settings, given: int | None) -> int | None:
    """How many are shown; None = all."""
    return given if given is not None or settings.json else NEWEST_FOR_PEOPLE


def deliver_newest(
    settings: Settings,
    page: Page[Any],
    columns: Columns,
    row: Callable[[Output, Any], Sequence[str]],
) -> None:
    """A page as table for people, who are told if there is more; its shape for programs."""

    def people(out: Output) -> None:
        out.table(columns, [row(out, item) for item in page])
        if len(page) < page.count:
            out.say("case.page", shown=len(page), count=page.count)
        if page.after is not None:
            out.say("page.older", after=page.after)

    deliver(settings, page, people)
