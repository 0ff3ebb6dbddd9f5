"""Where things stand and what they are called."""

from __future__ import annotations

import ast
import re

import pytest

from house_rules.sources import SHIPPED, name_of, shipped_modules, text_files, tree

PROMISED_DOOR = "src/casesync/client/__init__.py"
"""``from casesync.client import Replica`` is promised to developers; it loads nothing by itself."""
ATTIC_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "stuff"}
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|Users|root|work|mnt|media)/\w+|[A-Z]:\\\\Users")


def test_every_init_is_empty():
    """So that importing a package imports nothing else: the relay's blindness rests on it."""
    filled = {name_of(p) for p in shipped_modules() if p.name == "__init__.py" and p.stat().st_size}
    assert filled == {PROMISED_DOOR}


def test_every_package_has_an_init():
    for folder in SHIPPED:
        for package in {path.parent for path in folder.rglob("*.py")}:
            assert (package / "__init__.py").exists(), name_of(package)


def test_no_module_is_an_attic():
    assert not [name_of(p) for p in shipped_modules() if p.stem in ATTIC_NAMES]


def test_every_module_says_what_it_is_for():
    """The first line names the floor in brackets, so that the map stands at the place of use."""
    for path in shipped_modules():
        if path.name == "__init__.py":
            continue
        docstring = ast.get_docstring(tree(path))
        assert docstring, name_of(path)


def test_no_file_names_a_path_of_somebodys_machine():
    found = []
    for path in text_files():
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if MACHINE_PATHS.search(line):
                found.append(f"{name_of(path)}:{number}")
    assert not found


def test_one_command_alone_uses_the_test_kit():
    """protocol/decisions/0010."""
    users = {
        name_of(path)
        for path in shipped_modules()
        if not path.is_relative_to(SHIPPED[0] / "testing")
        and "casesync.testing" in path.read_text("utf-8")
        and any("casesync.testing" in ast.unparse(node) for node in imports(path))
    }
    assert users == {"cli/casesync_cli/commands/bench.py"}


def imports(path):
    return [n for n in ast.walk(tree(path)) if isinstance(n, ast.Import | ast.ImportFrom)]


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "HACK"])
def test_nothing_is_left_as_a_note_to_oneself(word):
    found = [
        f"{name_of(path)}:{number}"
        for path in shipped_modules()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(rf"\b{word}\b", line)
    ]
    assert not found


def test_every_suppression_names_its_rule():
    bare = [
        f"{name_of(path)}:{number}"
        for path in shipped_modules()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"#\s*noqa(?!:)|#\s*type:\s*ignore(?!\[)", line)
    ]
    assert not bare
