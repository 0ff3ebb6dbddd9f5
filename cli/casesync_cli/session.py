"""Opening the replica for one command: passphrases, waiting, closing (cli)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from casesync.foundation.errors import LocalStateError, UsageError
from casesync.foundation.limits import PASSPHRASE_CHARS_MIN
from casesync_cli.failure import report
from casesync_cli.progress import Bars
from casesync_cli.settings import Settings
from casesync_cli.texts import tr

if TYPE_CHECKING:
    from casesync.client.replica import Replica

Opened = TypeVar("Opened")
PASSPHRASE_VARIABLE = "CASESYNC_PASSPHRASE"  # noqa: S105 - the name of a variable
PASSPHRASE_LENGTH_MAX = 1024


def given_passphrase(settings: Settings) -> str | None:
    """The passphrase from ``--passphrase-file`` (its first line) or the environment, else None.

    Raises: UsageError: ``passphrase-file``: the file cannot be read.
    """
    if settings.passphrase_file is not None:
        return first_line(settings.passphrase_file)
    return os.environ.get(PASSPHRASE_VARIABLE)


def first_line(file: Path) -> str:
    """The first line of a passphrase file, without its end.

    Raises: UsageError: ``passphrase-file``: the file cannot be read.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.readline(PASSPHRASE_LENGTH_MAX).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("passphrase-file", file=file.name) from error


def passphrase_to_open(settings: Settings) -> str:
    """The passphrase of an existing replica, asked for if nothing gives it.

    Raises: LocalStateError: ``locked``: nobody is there to ask.
    """
    given = given_passphrase(settings)
    if given is not None:
        return given
    if not can_ask(settings):
        raise LocalStateError("locked")
    return ask_secret(tr(settings.lang, "ask.passphrase"))


def passphrase_to_create(settings: Settings) -> str:
    """A new passphrase: given, or asked for twice.

    Raises: LocalStateError: ``passphrase-needed``: nobody is there to ask.
    """
    given = given_passphrase(settings)
    if given is not None:
        return given
    if not can_ask(settings):
        raise LocalStateError("passphrase-needed")
    return ask_new_passphrase(settings)


def ask_new_passphrase(settings: Settings) -> str:
    """Ask twice until both answers agree and are long enough; somebody is there to answer."""
    from casesync.client.vault import refuse_short  # noqa: PLC0415 - the engine, not for help

    while True:
        first = ask_secret(tr(settings.lang, "ask.passphrase-new", least=PASSPHRASE_CHARS_MIN))
        try:
            refuse_short(first)
        except UsageError as error:
            report(settings, error)
            continue
        if first == ask_secret(tr(settings.lang, "ask.passphrase-again")):
            return first
        click.echo(tr(settings.lang, "ask.passphrase-differ"), err=True)


def can_ask(settings: Settings) -> bool:
    """Whether a person sits at the terminal; never with ``--json``."""
    return not settings.json and sys.stdin.isatty()


def ask_secret(question: str) -> str:
    """Ask on stderr without showing the answer."""
    answer: str = click.prompt(question, hide_input=True, err=True, default="", show_default=False)
    return answer


@contextmanager
def open_replica(settings: Settings) -> Iterator[Replica]:
    """The replica of ``--home``; closed at the end, whatever happens.

    An explicit passphrase is used as given; otherwise the unlocked agent is, and only then a person
    is asked. Where lists have to be brought up to date first, that is shown.
    """
    with open_with_bars(settings) as (replica, _):
        yield replica


@contextmanager
def open_with_bars(settings: Settings) -> Iterator[tuple[Replica, Bars]]:
    """As ``open_replica``, with what shows how far long work has come."""
    replica, bars = _opened(settings), Bars(settings)

    def listed(done: int, whole: int) -> None:
        bars.show("list.progress", done, whole)
        if done == whole:
            bars.close()

    replica.core.listing_progress = listed
    try:
        yield replica, bars
    finally:
        bars.close()
        replica.close()


def _opened(settings: Settings) -> Replica:
    from casesync.client.replica import Replica  # noqa: PLC0415 - the engine, not for help

    command = click.get_current_context().command_path  # for whoever finds the replica held
    return with_passphrase(
        settings, lambda given: Replica.open(settings.home, given, command=command)
    )


def with_passphrase(settings: Settings, opening: Callable[[str | None], Opened]) -> Opened:
    """What ``opening`` makes of the passphrase that is given, or None, or else asked for."""
    given = given_passphrase(settings)
    try:
        return opening(given)
    except LocalStateError as error:
        if error.code != "locked" or given is not None or not can_ask(settings):
            raise
        return opening(passphrase_to_open(settings))
