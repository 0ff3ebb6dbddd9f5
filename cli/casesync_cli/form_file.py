"""A table of forms as spreadsheets save it, CSV in UTF-8, into assignments (cli).

The first row names a column ``case`` and fields as ``case set`` takes them; ``TYPE.FIELD+`` adds to
a set. Each further row is one form. An empty cell says nothing. What is wrong is collected with its
row, as a spreadsheet counts them, and its column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from casesync.client.views import Assignment
from casesync.foundation.errors import CasesyncError, UsageError
from casesync.foundation.kept_first import KeptFirst
from casesync.foundation.limits import (
    CELLS_PER_CHANGE_MAX,
    FORM_FILE_BYTES_MAX,
    FORM_FILE_CELLS_MAX,
    FORM_PROBLEMS_KEPT_MAX,
    FORMS_PER_CALL_MAX,
    TEXT_BYTES_MAX,
)
from casesync_cli.assignments import parse_assignment

CASE: Final = "case"
COLUMN_CHARS_MAX: Final = 512
"""An element of a set may stand in a column's name, and has at most 256."""
_COLUMNS_MAX: Final = CELLS_PER_CHANGE_MAX + 1
_LETTERS: Final = 26


class Wrong(NamedTuple):
    """One thing that is wrong in a table."""

    row: int
    """From 1, which is the row of names."""
    column: str | None
    """As the first row names it, or its letter; None: the row."""
    error: CasesyncError


WrongThings = KeptFirst[Wrong]
"""The first 1,000, and how many there are: the same mistake may stand in every row."""


class FormRow(NamedTuple):
    """One row that says something."""

    number: int
    case: str
    """As typed."""
    columns: tuple[str, ...]
    """The column of each value."""
    values: tuple[Assignment, ...]


class Table(NamedTuple):
    """What stands in a file."""

    rows: list[FormRow]
    wrong: WrongThings


def read_table(data: bytes, name: str, check: Callable[[Assignment], None]) -> Table:
    """The forms of a file and what is wrong in it; if its first row is, no more is read.

    Args:
        data: the file.
        name: of the file, for messages.
        check: raises a ``UsageError`` if the schema has no such field.

    Raises:
        UsageError: ``forms-file-large``, ``forms-file``: no text in UTF-8; ``forms-rows-many``:
            more than 100,000, whatever stands in them; ``forms-cells-many``.
    """
    if len(data) > FORM_FILE_BYTES_MAX:
        raise UsageError("forms-file-large", file=name, most=FORM_FILE_BYTES_MAX >> 20)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError("forms-file", file=name) from error
    table = Table([], KeptFirst(FORM_PROBLEMS_KEPT_MAX, lambda one: one.row))
    rows = _rows(text, table.wrong)
    number, names = next(rows, (1, []))
    columns = [cell.strip() for cell in names]
    for one in _wrong_columns(number, columns, check):
        table.wrong.add(one)
    if table.wrong.count:
        return table
    said = 0
    for at, cells in rows:
        if at - number > FORMS_PER_CALL_MAX:
            raise UsageError("forms-rows-many", file=name, most=FORMS_PER_CALL_MAX)
        row = _form(at, columns, cells, table.wrong)
        if row is not None:
            table.rows.append(row)
            said += len(row.values)
        if said > FORM_FILE_CELLS_MAX:
            raise UsageError("forms-cells-many", file=name, most=FORM_FILE_CELLS_MAX)
    return table


def _rows(text: str, wrong: WrongThings) -> Iterator[tuple[int, list[str]]]:
    """Row by row, numbered from 1; it ends where a row cannot be read."""
    first = text.partition("\n")[0]
    is_semicolon = ";" in first and "," not in first  # as spreadsheets with a decimal comma write
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if is_semicolon else ",", strict=True
    )
    number = 0
    try:
        for cells in reader:
            number += 1
            yield number, cells
    except csv.Error:
        wrong.add(Wrong(number + 1, None, UsageError("forms-row-form")))


def _wrong_columns(
    number: int, columns: Sequence[str], check: Callable[[Assignment], None]
) -> Iterator[Wrong]:
    if len(columns) > _COLUMNS_MAX:
        yield Wrong(number, None, UsageError("forms-columns-many", most=_COLUMNS_MAX))
        return
    if CASE not in columns:
        yield Wrong(number, None, UsageError("forms-no-case-column"))
    for at, column in enumerate(columns):
        if not column:
            continue
        if column in columns[:at]:
            yield Wrong(number, column, UsageError("forms-column-twice"))
        elif column != CASE:
            try:
                check(_of_column(column))
            except UsageError as error:
                yield Wrong(number, column, error.untraced())


def _of_column(column: str) -> Assignment:
    """What a column's cells assign to, with the value ``x``."""
    if len(column) > COLUMN_CHARS_MAX:
        raise UsageError("forms-column")
    try:
        found = parse_assignment(f"{column}=x")
    except UsageError as error:
        raise UsageError("forms-column") from error
    if found.text != "x":
        raise UsageError("forms-column")
    return found


def _form(
    number: int, columns: Sequence[str], cells: Sequence[str], wrong: WrongThings
) -> FormRow | None:
    """The form of a row; None where it says nothing, or something is wrong with it."""
    case, found, so_far = "", [], wrong.count
    for at, cell in enumerate(cells):
        if not cell.strip():
            continue
        column = columns[at] if at < len(columns) else ""
        if not column:
            wrong.add(Wrong(number, _letter(at), UsageError("forms-cell-extra")))
        elif len(cell.encode("utf-8", "replace")) > TEXT_BYTES_MAX:
            most = TEXT_BYTES_MAX >> 10
            wrong.add(Wrong(number, column, UsageError("forms-cell-long", most=most)))
        elif column == CASE:
            case = cell.strip()
        else:
            found.append((column, parse_assignment(f"{column}={cell}")))
    if found and not case:
        wrong.add(Wrong(number, CASE, UsageError("forms-case-missing")))
    if not found or wrong.count > so_far:
        return None
    names, values = zip(*found, strict=True)
    return FormRow(number, case, names, values)


def _letter(at: int) -> str:
    """A column as spreadsheets name it: A is 0, AA is 26."""
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, _LETTERS)
        letters = chr(ord("A") + rest) + letters
    return letters
