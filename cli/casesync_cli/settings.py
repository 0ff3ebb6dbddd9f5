"""What the global options say, for one invocation (cli)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("vi", "en")


@dataclass(slots=True)
class Settings:
    """Global options; they may stand before or after the command's name."""

    lang: str = "en"
    json: bool = False
    verbose: bool = False
    home_given: Path | None = None
    passphrase_file: Path | None = None

    @property
    def home(self) -> Path:
        """The replica's folder: as given, else the system's place for a user's data."""
        if self.home_given is not None:
            return self.home_given
        from platformdirs import user_data_path  # noqa: PLC0415 - not needed for help

        return user_data_path("casesync", appauthor=False)


def language(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> str:
    """The language to speak, before any argument is parsed: ``--lang``, else the locale.

    Help and errors of parsing itself are shown in it, wherever ``--lang`` stands.
    """
    for position, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == "--lang":
            chosen = value or "".join(arguments[position + 1 : position + 2])
            if chosen in LANGUAGES:
                return chosen
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        locale = environment.get(variable, "")
        if locale:
            return "vi" if locale.lower().startswith("vi") else "en"
    return "en"


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether errors of parsing itself are to be shown as JSON."""
    return "--json" in arguments
