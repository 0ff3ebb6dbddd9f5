"""The ``casesync`` command: one way in, one way out (cli).

``run`` turns every error casesync raises on purpose, and every error of parsing, into one line,
one line of advice and the exit code of README's table. Commands are imported when called, so that
``casesync --help`` needs neither cryptography nor the database.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Final

import click

from casesync.foundation.errors import CasesyncError, UsageError
from casesync_cli.command import LocalisedGroup
from casesync_cli.failure import EXIT_INTERRUPTED, report, report_bug, usage_error, word
from casesync_cli.settings import Settings, language, wants_json

COMMANDS: Final[dict[str, str]] = {
    "demo": "demo",
    "relay": "relay",
    "network": "network",
    "unit": "unit",
    "invite": "invite",
    "join": "join",
    "member": "member",
    "device": "member",
    "whoami": "member",
    "case": "case",
    "record": "record",
    "conflict": "conflict",
    "consent": "consent",
    "grant": "grant",
    "sync": "sync",
    "outbox": "sync",
    "status": "sync",
    "quarantine": "quarantine",
    "audit": "audit",
    "schema": "schema",
    "doctor": "doctor",
    "bench": "bench",
    "unlock": "lock",
    "lock": "lock",
    "passphrase": "lock",
}
"""Top-level command -> module in ``commands/``."""


def build() -> LocalisedGroup:
    """The root of all commands."""
    return LocalisedGroup("casesync", lazy=COMMANDS, hide_global_options=False)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    settings = Settings(lang=language(arguments), json=wants_json(arguments))
    try:
        _refuse_bytes(arguments)
        code: object = build().main(
            args=list(arguments), prog_name="casesync", standalone_mode=False, obj=settings
        )
    except click.exceptions.NoArgsIsHelpError as stop:
        if settings.json:
            missing = UsageError(
                "usage-missing", what=word(settings, "COMMAND"), command=stop.ctx.command_path
            )
            return report(settings, missing)
        click.echo(stop.format_message(), err=True)
        return 2
    except click.ClickException as error:
        return report(settings, usage_error(error))
    except CasesyncError as error:
        return report(settings, error)
    except (KeyboardInterrupt, click.Abort):
        click.echo(err=True)
        return EXIT_INTERRUPTED
    return code if isinstance(code, int) else 0  # click hands an Exit's code back


def _refuse_bytes(arguments: Sequence[str]) -> None:
    """Bytes that are no UTF-8 would reach records and the access log as something else.

    Raises: UsageError: ``usage-not-text``.
    """
    try:
        "".join(arguments).encode()
    except UnicodeEncodeError as error:
        raise UsageError("usage-not-text") from error


def main() -> None:
    """Entry point of the installed command."""
    arguments = sys.argv[1:]
    verbose = "--verbose" in arguments
    settings = Settings(lang=language(arguments), json=wants_json(arguments), verbose=verbose)
    sys.excepthook = partial(report_bug, settings)
    sys.exit(run(arguments))


if __name__ == "__main__":
    main()
