"""``unlock``, ``lock`` and ``passphrase change`` (cli)."""

from __future__ import annotations

import os
from pathlib import Path

import click

from casesync.foundation.errors import LocalStateError
from casesync_cli.command import LocalisedGroup, command, option
from casesync_cli.render import deliver
from casesync_cli.session import (
    ask_new_passphrase,
    can_ask,
    first_line,
    passphrase_to_open,
)
from casesync_cli.settings import Settings
from casesync_cli.times import duration_s

UNLOCK_DEFAULT = "15m"
NEW_PASSPHRASE_VARIABLE = "CASESYNC_NEW_PASSPHRASE"  # noqa: S105 - the name of a variable


@command("unlock", option("--for", "span", default=UNLOCK_DEFAULT, metavar="TIME"))
def unlock(settings: Settings, *, span: str) -> None:
    """Keep this replica open for a while."""
    from casesync.client.home import Home  # noqa: PLC0415 - the engine, not for help
    from casesync.client.unlock_agent import unlock as start  # noqa: PLC0415 - likewise

    for_s = duration_s(span)
    passphrase = passphrase_to_open(settings)
    Home(settings.home).require()
    start(settings.home, passphrase, for_s)
    shape = {"unlocked": True, "seconds": for_s}
    deliver(settings, shape, lambda out: out.say("lock.unlocked", span=span))


@command("lock")
def lock(settings: Settings) -> None:
    """End what unlock began."""
    from casesync.client.unlock_agent import lock as end  # noqa: PLC0415 - not for help

    end(settings.home)
    deliver(settings, {"unlocked": False}, lambda out: out.say("lock.locked"))


@command(
    "passphrase change",
    option(
        "--new-passphrase-file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
    ),
)
def passphrase_change(settings: Settings, *, new_passphrase_file: Path | None) -> None:
    """Change the passphrase of this replica."""
    from casesync.client.home import Home  # noqa: PLC0415 - the engine, not for help
    from casesync.client.vault import change_passphrase  # noqa: PLC0415 - likewise

    old = passphrase_to_open(settings)
    Home(settings.home).require()
    file = new_passphrase_file
    new = os.environ.get(NEW_PASSPHRASE_VARIABLE) if file is None else first_line(file)
    if new is None:
        if not can_ask(settings):
            raise LocalStateError("passphrase-new-needed")
        new = ask_new_passphrase(settings)
    change_passphrase(settings.home, old, new)
    deliver(settings, {"changed": True}, lambda out: out.say("passphrase.changed"))


passphrase = LocalisedGroup("passphrase", [passphrase_change])
