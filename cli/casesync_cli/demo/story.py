"""The demo from its first line to its table (cli)."""

from __future__ import annotations

import shlex
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click

from casesync.foundation.errors import UsageError, Violation
from casesync_cli.demo import audit, blindness, conflict, founding, offline, sharing, theft
from casesync_cli.demo.narrator import CHECKS, Narrator
from casesync_cli.demo.world import PEOPLE, World
from casesync_cli.render_json import dumps
from casesync_cli.settings import Settings
from casesync_cli.stopping import ended_like_ctrl_c

_CHAPTERS: Final = (
    founding.tell,
    offline.tell,
    conflict.tell,
    sharing.tell_grant,
    sharing.tell_revocation,
    theft.tell,
    audit.tell,
    blindness.tell,
)
_SECRET_MODE: Final = 0o600


def run_demo(settings: Settings, keep: Path | None, cases: int) -> int:
    """Tell the story; the exit code: 0 if every check held, else that of a violation.

    Args:
        settings: language; with ``json`` nothing is told and the checks are one document.
        keep: folder for everything the demo makes, new or empty; None = gone at the end.
        cases: how many cases the shelter opens.

    Raises:
        UsageError: ``demo-folder-not-empty``.
        CasesyncError: what stopped the story; the table so far was shown.
    """
    narrator = Narrator(settings)
    begun = time.monotonic()
    with ExitStack() as stack:
        folder = _folder(stack, keep)
        world = World(folder, narrator, cases)
        try:
            with ended_like_ctrl_c():
                narrator.tell("opening", cases=cases)
                for chapter in _CHAPTERS:
                    chapter(world)
        finally:
            world.end()
            narrator.summary(time.monotonic() - begun)
            if keep is not None and world.relay_process is not None:
                _leave_behind(world, settings)
    if settings.json:
        checks = [{"check": check.key, "held": check.held} for check in narrator.checks]
        click.echo(dumps({"checks": checks, "held": narrator.all_held}))
    return 0 if narrator.all_held else Violation.exit_code


def _folder(stack: ExitStack, keep: Path | None) -> Path:
    if keep is None:
        made = tempfile.TemporaryDirectory(prefix="casesync-demo-")
        return Path(stack.enter_context(made)).resolve()
    if keep.exists() and any(keep.iterdir()):
        raise UsageError("demo-folder-not-empty", folder=str(keep))
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()


def _leave_behind(world: World, settings: Settings) -> None:
    """Passphrases, and how to look around: the relay starts on the port the laptops know."""
    narrator = world.narrator
    lines = [
        narrator.words("kept.relay"),
        _command("relay", "serve", "--db", world.relay.db, "--port", world.relay.port),
        "",
    ]
    for person in PEOPLE:
        laptop = world.laptops.get(person)
        if laptop is None:
            continue
        secret = world.folder / f"{person.folder}.passphrase"
        _write_secret(secret, laptop.passphrase + "\n")
        look = ("audit" if person.role == "auditor" else "case", "list")
        home = ("--home", laptop.home, "--passphrase-file", secret)
        lines += [
            narrator.words("kept.laptop", member=person.name, unit=person.unit),
            _command(*home, "--lang", settings.lang, *look),
            f"    {laptop.passphrase}",
            "",
        ]
    _write_secret(world.folder / "LOOK-AROUND.txt", "\n".join(lines))
    narrator.tell("left", folder=world.folder)


def _command(*words: object) -> str:
    """A command line for a shell, with the program that runs now."""
    program = Path(sys.argv[0])
    own = (
        [program.absolute()]
        if program.name == "casesync"
        else [sys.executable, "-m", "casesync_cli"]
    )
    return shlex.join(str(word) for word in (*own, *words))


def _write_secret(file: Path, text: str) -> None:
    file.touch(mode=_SECRET_MODE)
    file.write_text(text, "utf-8")


__all__ = ["CHECKS", "run_demo"]
