"""``case import``: the rows of a spreadsheet saved into cases that are here (cli)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from casesync.foundation.errors import CasesyncError, UsageError
from casesync.foundation.limits import FORM_FILE_BYTES_MAX
from casesync_cli.command import argument, command, option
from casesync_cli.editing import facts_of_saving, warn
from casesync_cli.failure import RowsRefused, message_of
from casesync_cli.form_file import CASE, COLUMN_CHARS_MAX, FormRow, Wrong, WrongThings, read_table
from casesync_cli.render import Output, deliver
from casesync_cli.safe import safe_line
from casesync_cli.session import open_with_bars
from casesync_cli.settings import Settings
from casesync_cli.texts import tr

if TYPE_CHECKING:
    from casesync.client.form_batch import CaseForm, FormsSaved
    from casesync.client.replica import Replica
    from casesync.client.views import Assignment
    from casesync.foundation.ids import StreamId
    from casesync_cli.progress import Bars

SHOWN_MAX: Final = 10
"""Lines of what is wrong; the same mistake often stands in every row."""
STDIN: Final = "-"


@command(
    "case import",
    argument("file", type=click.Path(path_type=Path, allow_dash=True)),
    option("--dry-run", "dry_run", is_flag=True),
    option("--purpose", metavar="PURPOSE"),
)
def case_import(settings: Settings, *, file: Path, dry_run: bool, purpose: str | None) -> None:
    """Save every row of a table as one change of its case, or nothing at all."""
    data = _read(file)
    with open_with_bars(settings) as (replica, bars):
        table = read_table(data, file.name, lambda asked: _check_field(replica, asked))
        wrong = table.wrong
        forms = _resolved(replica, table.rows, wrong)
        report = _save(settings, replica, bars, forms, wrong, dry_run=dry_run, purpose=purpose)
        if wrong.count or report is None:
            raise _refusal(settings, file.name, wrong)
        unsendable = [] if dry_run else facts_of_saving(replica)
    cases = report.cases
    shape = {"saved": 0 if dry_run else report.saved, "checked": report.saved, "cases": cases}
    key = "import.checked" if dry_run else "import.saved"
    count = number_text(report.saved)

    def people(out: Output) -> None:
        out.say(key, count=count, cases=number_text(cases))

    deliver(settings, shape, people)
    warn(settings, unsendable)


def _read(file: Path) -> bytes:
    """At most one byte more than a file may have. Raises: UsageError: ``forms-file``."""
    try:
        if str(file) == STDIN:
            return sys.stdin.buffer.read(FORM_FILE_BYTES_MAX + 1)
        with file.open("rb") as stream:
            return stream.read(FORM_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise UsageError("forms-file", file=file.name) from error


def _check_field(replica: Replica, asked: Assignment) -> None:
    """Raises: UsageError: ``type-unknown``, ``field-unknown`` or ``part-unknown``."""
    field = replica.schema().type_by_name(asked.type).field_by_name(asked.field)
    if asked.part is not None:
        field.part_by_name(asked.part)


def _resolved(
    replica: Replica, rows: Sequence[FormRow], wrong: WrongThings
) -> list[tuple[FormRow, CaseForm]]:
    """The rows whose case is here; ``wrong`` gets the others. Each code is looked up once."""
    from casesync.client.form_batch import CaseForm  # noqa: PLC0415 - the engine, not for help

    known: dict[str, StreamId | CasesyncError] = {}
    forms = []
    for row in rows:
        if row.case not in known:
            try:
                known[row.case] = replica.resolve_case(row.case)
            except UsageError as error:
                known[row.case] = error.untraced()
        case = known[row.case]
        if isinstance(case, CasesyncError):
            wrong.add(Wrong(row.number, CASE, case))
        else:
            forms.append((row, CaseForm(case, row.values)))
    return forms


def _save(
    settings: Settings,
    replica: Replica,
    bars: Bars,
    forms: Sequence[tuple[FormRow, CaseForm]],
    wrong: WrongThings,
    *,
    dry_run: bool,
    purpose: str | None,
) -> FormsSaved | None:
    """Save all, or check them if ``wrong`` has something already; it gets what else is wrong."""
    from casesync.client.form_batch import (  # noqa: PLC0415 - the engine, not for help
        FormsRefused,
        SavingInterrupted,
    )

    def advance(saved: int, whole: int) -> None:
        bars.show("import.progress", saved, whole)

    only_check = dry_run or wrong.count > 0
    try:
        return replica.save_forms([form for _, form in forms], purpose, advance, only_check)
    except FormsRefused as refused:
        for place, value, error in refused.problems:
            row = forms[place][0]
            column = CASE if value is None else row.columns[value]
            wrong.add(Wrong(row.number, column, error))
        wrong.count += refused.count - len(refused.problems)
        return None
    except SavingInterrupted as interrupt:
        _say_saved(settings, bars, interrupt.saved, len(forms))
        raise
    except CasesyncError as error:
        _say_saved(settings, bars, error.params.get("saved"), len(forms))
        raise


def _say_saved(settings: Settings, bars: Bars, saved: object, whole: int) -> None:
    """How many rows stay, where something ended the saving."""
    bars.close()
    if isinstance(saved, int) and saved and not settings.json:
        words = {"count": number_text(saved), "whole": number_text(whole)}
        click.echo(tr(settings.lang, "import.interrupted", **words), err=True)


def _refusal(settings: Settings, name: str, wrong: WrongThings) -> RowsRefused:
    """What is wrong, said on stderr for people, with a line each; in the error for programs."""
    problems = [
        {
            "row": one.row,
            "column": None if one.column is None else one.column[:COLUMN_CHARS_MAX],
            "code": one.error.code,
            "message": message_of(settings.lang, one.error),
        }
        for one in wrong.first()
    ]
    if not settings.json:
        for problem in problems[:SHOWN_MAX]:
            key = "import.wrong-row" if problem["column"] is None else "import.wrong"
            line = tr(settings.lang, key, **problem)
            click.echo(safe_line(" ".join(line.split())), err=True)
        more = wrong.count - len(problems[:SHOWN_MAX])
        if more:
            more_text = number_text(more)
            click.echo(tr(settings.lang, "import.more", count=more_text), err=True)
    return RowsRefused(wrong.count, name, problems)


def number_text(number: int) -> str:
    """A large number with a blank at each thousand, as both languages can be read."""
    return f"{number:,}".replace(",", " ")
