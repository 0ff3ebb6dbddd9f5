"""Brings a database to the version this program knows (storage floor, DESIGN.md 9).

Each step has a number, runs in one transaction with the change of ``user_version``, and is never
edited after a release. Before an existing database is touched, a copy is made, encrypted under the
same key; a database of a newer program is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

from casesync.foundation.errors import LocalStateError
from casesync.storage.connection import Connection

STEPS: Final = (
    "casesync.storage.migrations.step_0001_first",
    "casesync.storage.migrations.step_0002_tail",
    "casesync.storage.migrations.step_0003_rows_in_the_tail",
)
"""Modules with ``apply(database)``, in order; the number of a step is its place, from 1."""
Apply = Callable[[Any], None]


def migrate(
    connection: Connection, back_up: Callable[[int], None], steps: Sequence[str | Apply] = STEPS
) -> None:
    """Run the steps that are missing.

    Args:
        connection: the open database.
        back_up: makes a copy; its argument is the version the database has. Not called for a new
            database.
        steps: modules or functions (tests).

    Raises:
        LocalStateError: ``database-newer``.
    """
    version = _version(connection)
    if version > len(steps):
        raise LocalStateError("database-newer", found=version, known=len(steps))
    for number in range(version + 1, len(steps) + 1):
        if version:
            back_up(number - 1)
        step = steps[number - 1]
        # Loaded when needed: sqlite-utils takes longer to import than a command may take to start.
        apply = import_module(step).apply if isinstance(step, str) else step
        _run(connection, number, apply)


def _run(connection: Connection, number: int, apply: Apply) -> None:
    database = import_module("sqlite_utils").Database(connection, execute_plugins=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        apply(database)
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
