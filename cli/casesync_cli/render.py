"""What people see: lines and tables on the terminal (cli).

One function decides between people and programs: ``deliver``. Text of records passes
``safe_line`` here, on its last step, and rich never reads markup in it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from casesync.client.views import CopierView, Fact
from casesync_cli.labels import labelled
from casesync_cli.render_json import dumps, plain
from casesync_cli.safe import safe_line
from casesync_cli.settings import Settings
from casesync_cli.texts import fact_text, tr
from casesync_cli.times import day_ended_by, people_time

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WHOLE_COLUMNS: Final = frozenset({"case", "id", "number", "device", "until", "time", "changed"})
"""Codes and times are not broken on a narrow screen: they are typed, copied or compared."""
FITTED_ROWS_MAX: Final = 500
"""A table of more rows is written as it comes: fitting 10,000 to the screen takes ten seconds."""
WIDTH_OF_FILES: Final = 160
"""Columns of a table that goes into a file or a pipe."""
Columns = Sequence[str | tuple[str, ...]]
"""Columns of a table by name; those in a tuple stand below each other on a narrower screen."""


class Output:
    """Writes to stdout in the user's language."""

    def __init__(self, settings: Settings) -> None:
        self.lang = settings.lang
        self._console: Console | None = None

    def say(self, key: str, /, **params: object) -> None:
        """One sentence of the catalogue."""
        click.echo(safe_line(tr(self.lang, key, **params)))

    def words(self, key: str) -> str:
        """A word or two of the catalogue, as part of a line."""
        return tr(self.lang, key)

    def text(self, text: str) -> None:
        """Text as it is, made safe."""
        click.echo(safe_line(text))

    def facts(self, facts: Sequence[Fact], *, indent: str = "") -> None:
        """One line per fact."""
        for fact in facts:
            self.text(
                f"{indent}! " + fact_text(self.lang, fact.code, fact_params(self.lang, fact.params))
            )

    def table(self, columns: Columns, rows: Sequence[Sequence[str]]) -> None:
        """A table; ``columns`` are keys ``col.NAME`` of the catalogue. Says so if it is empty.

        A row has a cell for each name, whether or not it stands below another.
        """
        if not rows:
            self.say("nothing")
            return
        stacks = [(column,) if isinstance(column, str) else column for column in columns]
        flat = [(name,) for stack in stacks for name in stack]
        if len(rows) > FITTED_ROWS_MAX:
            self._long_table([tr(self.lang, f"col.{name}") for (name,) in flat], rows)
            return
        from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - slow to load, only for tables
        from rich.table import Table  # noqa: PLC0415

        is_narrow = self._rich().width < WIDTH_OF_FILES and len(flat) > len(stacks)
        table = Table(box=SIMPLE_HEAD, pad_edge=False, leading=int(is_narrow))
        self._fill(table, stacks if is_narrow else flat, rows)
        self._rich().print(table)

    def _fill(
        self, table: Table, stacks: Sequence[tuple[str, ...]], rows: Sequence[Sequence[str]]
    ) -> None:
        """Give a table its columns and rows; nothing in a stack can look like two of its lines."""
        from rich.text import Text  # noqa: PLC0415 - slow to load, only for tables

        texts: list[list[Text]] = [[] for _ in rows]
        start = 0
        for stack in stacks:
            end = start + len(stack)
            head = "\n".join(tr(self.lang, f"col.{name}") for name in stack)
            whole = [at for at in range(start, end) if stack[at - start] in WHOLE_COLUMNS]
            is_whole = len(whole) == len(stack)
            least = None if is_whole else max((len(r[at]) for r in rows for at in whole), default=0)
            table.add_column(head, overflow="fold", no_wrap=is_whole, min_width=least)
            for row, cells in zip(rows, texts, strict=True):
                parts = list(row[start:end])
                if len(parts) > 1:
                    parts = [" ".join(part.split("\n")) for part in parts]
                while len(parts) > 1 and parts[-1] == "-":
                    parts.pop()
                cells.append(Text(safe_line("\n".join(parts))))
            start = end
        for cells in texts:
            table.add_row(*cells)

    def _long_table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table that is paged or searched rather than read: not fitted to the screen."""
        lines = [[" ".join(safe_line(cell).split()) for cell in row] for row in (heads, *rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
            click.echo(" " + "   ".join(cells).rstrip())

    def pairs(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names (keys ``col.NAME``) and values, a line each."""
        names = [tr(self.lang, f"col.{name}") for name, _ in rows]
        width = max(map(len, names))
        for name, (_, value) in zip(names, rows, strict=True):
            self.text(f"{name:<{width}}  {value}")

    def _rich(self) -> Console:
        from rich.console import Console  # noqa: PLC0415

        if self._console is None:
            width = None if sys.stdout.isatty() else WIDTH_OF_FILES
            self._console = Console(markup=False, highlight=False, emoji=False, width=width)
        return self._console


def fact_params(lang: str, params: Mapping[str, object]) -> dict[str, object]:
    """A fact's parameters as parts of a sentence."""
    return labelled(lang, {key: _fact_param(lang, value) for key, value in params.items()})


def _fact_param(lang: str, value: object) -> object:
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return tr(lang, "unknown") if value is None else value


def deliver(settings: Settings, value: object, people: Callable[[Output], None]) -> None:
    """Write ``value`` as the one JSON document, or let ``people`` write it for people."""
    if settings.json:
        click.echo(dumps(plain(value, settings.lang)))
    else:
        people(Output(settings))


def deliver_list(
    settings: Settings,
    values: Sequence[Any],
    columns: Columns,
    row: Callable[[Any], Sequence[str]],
) -> None:
    """A whole list: a table for people, ``items`` and ``count`` for programs."""
    shape = {"items": list(values), "count": len(values)}
    deliver(settings, shape, lambda out: out.table(columns, [row(value) for value in values]))


def time_or_dash(time_ms: int | None) -> str:
    """A time for people; a dash where there is none."""
    return "-" if time_ms is None else people_time(time_ms)


def until_or_dash(lang: str, time_ms: int | None) -> str:
    """An end for people: the last day, with the place whose midnight counts, else a time."""
    day = None if time_ms is None else day_ended_by(time_ms)
    return time_or_dash(time_ms) if day is None else tr(lang, "until.day", day=day)


def value_text(lang: str, value: object) -> str:
    """A record's value in a list; ``case show`` knows the schema and says more."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return tr(lang, "yes" if value else "no")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={value_text(lang, item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(value_text(lang, item) for item in value)
    return str(value)


def copied_words(lang: str, copier: CopierView | None) -> str:
    """In brackets who copied a value for this office; nothing where it is the original."""
    if copier is None:
        return ""
    return f" ({tr(lang, 'copied.by', author=copier.author, unit=copier.unit)})"


def yes_no(lang: str, value: bool) -> str:
    """Yes or no."""
    return tr(lang, "yes" if value else "no")
