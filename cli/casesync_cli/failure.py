"""How the command line says that something did not work (cli)."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

import click

from casesync.foundation.errors import CasesyncError, ConflictStop, UsageError
from casesync_cli.settings import Settings
from casesync_cli.texts import fact_text, help_text

EXIT_INTERRUPTED: Final = 130
"""Ctrl-C, as shells report it."""
TYPED_CHARS_MAX: Final = 1000
"""Longer than any list of choices; a whole note is longer."""
NO_COMMAND: Final = "Missing command."
"""Of click's complaints the one that has no class of its own."""


def usage_error(error: click.ClickException) -> UsageError:
    """Click's complaint in our words, so that it has a code, advice and both languages."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "casesync"
    if isinstance(error, click.NoSuchCommand):
        return UsageError("usage-no-such-command", name=error.command_name, command=path)
    if isinstance(error, click.NoSuchOption):
        return UsageError("usage-no-such-option", option=error.option_name, command=path)
    if isinstance(error, click.MissingParameter) or error.message == NO_COMMAND:
        return UsageError("usage-missing", what=_missing(error, context), command=path)
    if isinstance(error, click.BadParameter):
        return _bad_value(error, path)
    if isinstance(error, click.BadOptionUsage) and "argument" in error.message:
        return UsageError("usage-no-value", what=error.option_name, command=path)
    return UsageError("usage", detail=error.format_message().rstrip("."), command=path)


def _missing(error: click.ClickException, context: click.Context | None) -> str:
    if isinstance(error, click.MissingParameter):
        return _shown(error.param, context)
    return word(None if context is None else context.find_object(Settings), "COMMAND")


def _bad_value(error: click.BadParameter, path: str) -> UsageError:
    """A value that is not possible, with the ones that are if they can be listed."""
    what, kind = _shown(error.param, error.ctx), getattr(error.param, "type", None)
    if isinstance(kind, click.Choice):
        known = ", ".join(str(choice) for choice in kind.choices)
        return UsageError("usage-choice", what=what, known=known, command=path)
    return UsageError("usage-bad-value", what=what, command=path)


def _shown(param: click.Parameter | None, context: click.Context | None) -> str:
    """A parameter as the usage line shows it."""
    if isinstance(param, click.Option):
        return param.opts[0]
    return "?" if param is None or context is None else param.make_metavar(context)


def word(settings: Settings | None, placeholder: str) -> str:
    """What stands for a word to be typed, in the reader's language."""
    return placeholder if settings is None else help_text(settings.lang, f"<{placeholder}>")


class ConflictsShown(ConflictStop):
    """A stop that carries its conflicts as ``conflict show --json`` gives them."""

    def __init__(self, stop: ConflictStop, conflicts: object) -> None:
        """Args: stop: what happened; conflicts: a list for JSON."""
        super().__init__(stop.code, **stop.params)
        self.conflicts = conflicts


class RowsRefused(UsageError):
    """What is wrong in a table of forms, of which nothing was saved."""

    def __init__(self, count: int, name: str, problems: object) -> None:
        """Args: count: of what is wrong; name: of the file; problems: the first, for JSON."""
        super().__init__("forms-file-refused", count=count, file=name)
        self.problems = problems


class _BugError(CasesyncError):
    """Something in casesync itself went wrong."""


def report_bug(
    settings: Settings,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
) -> None:
    """The process's ``excepthook``: where it went wrong, not what was in the record."""
    frames = traceback.extract_tb(trace)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    bug = _BugError("internal", what=f"{kind.__name__}, {place}")
    bug.__cause__ = error
    report(settings, bug)


def _short(value: object) -> object:
    """What was typed, as far as a line has room: a whole text may have been pasted."""
    if isinstance(value, str) and len(value) > TYPED_CHARS_MAX:
        return value[: TYPED_CHARS_MAX // 2] + "…"
    return value


def message_of(lang: str, error: CasesyncError) -> str:
    """What happened, with labels and lengths as people read them."""
    from casesync.foundation.error_texts import message_text  # noqa: PLC0415 - see below

    return message_text(error.code, _params(lang, error), lang)


def _params(lang: str, error: CasesyncError) -> dict[str, object]:
    from casesync_cli.labels import labelled  # noqa: PLC0415 - only when something failed

    return labelled(lang, {k: _short(v) for k, v in error.params.items()})


def report(settings: Settings, error: CasesyncError) -> int:
    """Say on stderr what happened and what to do; return the exit code."""
    from casesync.foundation.error_texts import (  # noqa: PLC0415 - only when something failed
        advice_text,
        message_text,
    )
    from casesync_cli.render_json import line  # noqa: PLC0415 - likewise
    from casesync_cli.safe import safe_line  # noqa: PLC0415 - likewise

    params = _params(settings.lang, error)
    if error.code == "audit-device-failed":  # what the audit found, in words
        params["what"] = fact_text(settings.lang, f"audit.{params['what']}", {})
    message = message_text(error.code, params, settings.lang)
    advice = advice_text(error.code, params, settings.lang)
    if settings.verbose:
        click.echo(safe_line("".join(traceback.format_exception(error))), err=True)
    if settings.json:
        shown: dict[str, object] = {"code": error.code, "message": message, "advice": advice}
        if isinstance(error, ConflictsShown):
            shown["conflicts"] = error.conflicts
        if isinstance(error, RowsRefused):
            shown["count"], shown["problems"] = error.params["count"], error.problems
        if "saved" in error.params:
            shown["saved"] = error.params["saved"]
        click.echo(line({"error": shown}), err=True)
    else:
        click.echo(safe_line(message), err=True)
        click.echo(safe_line(advice), err=True)
    return error.exit_code
