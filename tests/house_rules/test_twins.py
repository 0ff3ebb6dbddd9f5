"""Compiled twins are used as they stand in the repository, or not at all (decision 0012).

Tests of a twin are left out where it was not compiled: a number that was raised in one place only
would leave them all out, and nobody would notice.
"""

from __future__ import annotations

import ast
import re

from casesync.foundation.compiled import compiled
from house_rules.sources import SHIPPED, shipped_modules, tree

SOURCES = sorted(SHIPPED[0].rglob("*.pyx"))


def asked() -> dict[str, int]:
    """Twin -> the version that its Python asks for."""
    return {
        call.args[0].value: call.args[1].value
        for path in shipped_modules()
        for call in ast.walk(tree(path))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "compiled"
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[1], ast.Constant)
    }


def test_every_twin_is_asked_for_by_the_version_it_has():
    versions = {}
    for source in SOURCES:
        name = ".".join(source.relative_to(SHIPPED[0].parent).with_suffix("").parts)
        found = re.search(r"^VERSION = (\d+)$", source.read_text("utf-8"), re.MULTILINE)
        assert found is not None, name
        versions[name] = int(found[1])
    assert asked() == versions


def test_a_twin_that_was_compiled_is_used():
    built = {source for source in SOURCES if list(source.parent.glob(f"{source.stem}.*.so"))}
    assert built in ({*SOURCES}, set()), "all of them, or none where there is no compiler"
    for name, version in asked().items():
        assert bool(compiled(name, version)) is bool(built), f"{name} was built from older sources"
