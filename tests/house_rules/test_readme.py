"""The README is compiled: its commands, exit codes and folders are those of the code."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from casesync.foundation import errors
from casesync_cli.app import build
from casesync_cli.settings import Settings
from house_rules.sources import ROOT

TEXT = (ROOT / "README.md").read_text("utf-8")
COMMAND = re.compile(r"^    (casesync .*?[^\\])$|`(casesync [^`]+)`", re.MULTILINE | re.DOTALL)


def commands_in(text: str) -> list[str]:
    found = [a or b for a, b in COMMAND.findall(text)]
    return [re.sub(r"\\\n\s*", "", command) for command in found if "COMMAND" not in command]


def resolve(words: list[str]) -> tuple[click.Context, click.Command, list[str]]:
    root: click.Command = build()
    context = click.Context(root, obj=Settings(), info_name="casesync")
    command = root
    while isinstance(command, click.Group):
        if words and words[0] in command.list_commands(context):
            found = command.get_command(context, words.pop(0))
        elif getattr(command, "default", None) and words:
            found = command.get_command(context, command.default)  # type: ignore[attr-defined]
        else:
            break
        assert found is not None
        context = click.Context(found, parent=context, info_name=found.name)
        command = found
    return context, command, words


@pytest.mark.parametrize("line", sorted(set(commands_in(TEXT))))
def test_every_command_of_the_readme_is_one(line):
    words = shlex.split(line)[1:]
    if words == ["--help"]:
        return
    context, command, rest = resolve(words)
    assert not isinstance(command, click.Group) or rest == [], line
    if rest and not isinstance(command, click.Group):
        command.make_parser(context).parse_args(list(rest))


def test_the_exit_codes_are_those_of_the_errors():
    rows = re.findall(r"^\| (\d) \| .* \| `(\w+)` \|$", TEXT, re.MULTILINE)
    documented = {name: int(code) for code, name in rows}
    families = [errors.UsageError, errors.LocalStateError, errors.NetworkError,
                errors.AccessDenied, errors.Violation, errors.ConflictStop,
                errors.CannotDecide]  # fmt: skip
    assert documented == {family.__name__: family.exit_code for family in families}


def test_the_folder_map_is_the_tree():
    named = set(re.findall(r"^\| `([\w/]+)` \|", TEXT, re.MULTILINE))
    missing = [name for name in named if not (ROOT / name).is_dir()]
    assert not missing
    floors = {
        f"src/casesync/{path.name}"
        for path in (ROOT / "src" / "casesync").iterdir()
        if (path / "__init__.py").exists()
    }
    assert floors <= named


def test_every_link_of_the_readme_leads_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (ROOT / target).exists(), target


def test_the_library_example_has_at_most_twenty_lines():
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    code = [line for line in example.splitlines() if line.strip()]
    assert len(code) <= 20
