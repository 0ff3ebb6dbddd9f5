"""click, taught two languages and one shape of command (cli).

A command is declared once: ``@command("case show", argument("case"), option("--purpose"))``. Its
help is found by that path in the catalogue when it is shown, so that ``--lang`` and the locale
decide. Every command also takes the global options: ``casesync case list --json`` is
``casesync --json case list``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import click
from typing_extensions import override

from casesync.foundation.errors import UsageError
from casesync_cli.settings import LANGUAGES, Settings
from casesync_cli.texts import help_text

P = ParamSpec("P")


_PLACEHOLDER = re.compile(r"[A-Z]{2,}")


def _placeholders(ctx: click.Context, metavar: str) -> str:
    """What stands for a word to be typed, in the reader's language: ``TYPE.FIELD=VALUE``."""
    lang = _settings(ctx).lang
    return _PLACEHOLDER.sub(lambda word: help_text(lang, f"<{word[0]}>"), metavar)


def _settings(context: click.Context) -> Settings:
    found = context.find_object(Settings)
    assert found is not None, "app.run always gives settings"
    return found


class LocalisedOption(click.Option):
    """An option whose help is found in the catalogue."""

    @override
    def get_help_extra(self, ctx: click.Context) -> click.types.OptionHelpExtra:
        extra = super().get_help_extra(ctx)
        lang = _settings(ctx).lang
        if "required" in extra:
            extra["required"] = help_text(lang, "required")
        elif "default" in extra:  # in the place whose words are ours
            value = extra.pop("default")
            extra["required"] = help_text(lang, "default").format(value=value)
        return extra

    @override
    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        path = getattr(ctx.command, "path", "")
        self.help = help_text(_settings(ctx).lang, f"{path} --{self.name}", f"--{self.name}")
        return super().get_help_record(ctx)

    @override
    def make_metavar(self, ctx: click.Context) -> str:
        return _placeholders(ctx, super().make_metavar(ctx))


class LocalisedArgument(click.Argument):
    """A positional argument, shown in capitals of the reader's language."""

    @override
    def make_metavar(self, ctx: click.Context) -> str:
        return _placeholders(ctx, super().make_metavar(ctx))


class GlobalOption(LocalisedOption):
    """An option that fills the settings and no parameter of the command."""

    def __init__(self, names: list[str], *, target: str, **kwargs: Any) -> None:  # noqa: ANN401 - click takes them
        def store(ctx: click.Context, param: click.Parameter, value: object) -> None:
            if value not in {None, False}:
                setattr(_settings(ctx), target, value)

        super().__init__(names, callback=store, expose_value=False, is_eager=True, **kwargs)


def global_options(*, hidden: bool) -> list[click.Parameter]:
    """The options every command takes; shown by ``casesync --help`` only."""
    a_file = click.Path(dir_okay=False, path_type=Path)
    a_folder = click.Path(file_okay=False, path_type=Path)
    return [
        GlobalOption(["--home"], target="home_given", type=a_folder, metavar="DIR", hidden=hidden),
        GlobalOption(["--json"], target="json", is_flag=True, hidden=hidden),
        GlobalOption(["--lang"], target="lang", type=click.Choice(LANGUAGES), hidden=hidden),
        GlobalOption(["--verbose"], target="verbose", is_flag=True, hidden=hidden),
        GlobalOption(
            ["--passphrase-file"],
            target="passphrase_file",
            type=a_file,
            metavar="FILE",
            hidden=hidden,
        ),
    ]


def _show_help(ctx: click.Context, _: click.Parameter, wanted: object) -> None:
    """Write the help and end; with ``--json`` nothing but a document stands on stdout."""
    if wanted and not ctx.resilient_parsing:
        text = ctx.get_help()
        document = json.dumps({"help": text}, ensure_ascii=False, indent=2)
        click.echo(document if _settings(ctx).json else text)
        ctx.exit()


class _Localised(click.Command):
    """What commands and groups share: help from the catalogue."""

    path: str

    @override
    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        # Not all of them twice: those of arguments are in the reader's language already.
        ours = {self.options_metavar, getattr(self, "subcommand_metavar", None)}
        pieces = super().collect_usage_pieces(ctx)
        return [_placeholders(ctx, piece) if piece in ours else piece for piece in pieces]

    @override
    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        pieces = self.collect_usage_pieces(ctx)
        prefix = help_text(_settings(ctx).lang, "usage") + " "
        formatter.write_usage(ctx.command_path, " ".join(pieces), prefix=prefix)

    @override
    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(help_text(_settings(ctx).lang, self.path))

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        records = [r for p in options if (r := p.get_help_record(ctx)) is not None]
        with formatter.section(help_text(_settings(ctx).lang, "options")):
            formatter.write_dl(records)

    @override
    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = help_text(_settings(ctx).lang, "--help")
            option.callback = _show_help
        return option


class LocalisedCommand(_Localised):
    """One command."""

    def __init__(self, path: str, callback: Callable[..., None], params: Sequence[Any]) -> None:
        self.path = path
        super().__init__(
            path.rsplit(" ", 1)[-1],
            callback=callback,
            params=[*params, *global_options(hidden=True)],
            context_settings={"allow_extra_args": True},
        )

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; words nobody asked for are refused in the user's language."""
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # click's parser leaves it out where a value is missing
            raise
        if ctx.args and not ctx.resilient_parsing:
            raise UsageError("usage-extra", what=ctx.args[0], command=ctx.command_path)
        return rest


class LocalisedGroup(_Localised, click.Group):
    """A noun with verbs. With ``default``, ``invite --unit U`` means ``invite create --unit U``.

    ``lazy`` maps names of subcommands to the modules that hold them, so that help imports none.
    """

    def __init__(
        self,
        path: str,
        commands: Sequence[click.Command] = (),
        *,
        default: str | None = None,
        lazy: dict[str, str] | None = None,
        hide_global_options: bool = True,
    ) -> None:
        self.path = path
        self.default = default
        self.lazy = lazy or {}
        super().__init__(
            path.rsplit(" ", 1)[-1],
            commands=list(commands),
            params=global_options(hidden=hide_global_options),
            subcommand_metavar="COMMAND [ARGS]...",
        )

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if self.default is not None and "--help" not in args[:1]:
            first = _first_own_word(args)
            if first is None or first not in self.commands:
                args = [self.default, *args]
        return super().parse_args(ctx, args)

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy) or list(self.commands)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = self.lazy.get(cmd_name)
        if module is None:
            return super().get_command(ctx, cmd_name)
        found = getattr(
            import_module(f"casesync_cli.commands.{module}"), cmd_name.replace("-", "_")
        )
        assert isinstance(found, click.Command)
        return found

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        lang = _settings(ctx).lang
        rows = []
        for name in self.list_commands(ctx):
            path = f"{self.path} {name}".removeprefix("casesync ")
            rows.append((name, help_text(lang, path).split("\n", 1)[0]))
        with formatter.section(help_text(lang, "commands")):
            formatter.write_dl(rows)

    @override
    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.default is not None:  # what it takes without a verb stands first
            pieces = self.commands[self.default].collect_usage_pieces(self._of_default(ctx))
            prefix = help_text(_settings(ctx).lang, "usage") + " "
            formatter.write_usage(ctx.command_path, " ".join(pieces), prefix=prefix)
        super().format_usage(ctx, formatter)

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.default is None:
            super().format_options(ctx, formatter)
        else:  # likewise; of its own a group has no options that are shown
            self.commands[self.default].format_options(self._of_default(ctx), formatter)
        self.format_commands(ctx, formatter)

    def _of_default(self, ctx: click.Context) -> click.Context:
        assert self.default is not None
        return click.Context(self.commands[self.default], parent=ctx, info_name=self.default)


_VALUED = ("--home", "--lang", "--passphrase-file")


def _first_own_word(args: Sequence[str]) -> str | None:
    """The first argument that is no global option, or None if only such stand there."""
    words = iter(args)
    for word in words:
        if word in _VALUED:
            next(words, None)
        elif word not in {"--json", "--verbose"} and not word.startswith(
            tuple(f"{name}=" for name in _VALUED)
        ):
            return word
    return None


def argument(name: str, **kwargs: Any) -> LocalisedArgument:  # noqa: ANN401 - click takes them
    """A positional argument; ``metavar`` is made of words the catalogue has as ``<WORD>``."""
    return LocalisedArgument([name], **kwargs)


def option(*names: str, **kwargs: Any) -> LocalisedOption:  # noqa: ANN401 - click takes them
    """An option; its help is ``PATH --name`` or ``--name`` in the catalogue."""
    kwargs.setdefault("show_default", bool(kwargs.get("default")))
    return LocalisedOption(names, **kwargs)


def command(
    path: str, *params: click.Parameter
) -> Callable[[Callable[Concatenate[Settings, P], None]], LocalisedCommand]:
    """Declare the command ``path``; the function gets the settings, then its parameters."""

    def declare(function: Callable[Concatenate[Settings, P], None]) -> LocalisedCommand:
        def callback(*args: P.args, **kwargs: P.kwargs) -> None:
            function(_settings(click.get_current_context()), *args, **kwargs)

        return LocalisedCommand(path, callback, params)

    return declare
