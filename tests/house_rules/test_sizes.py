"""Modules and functions stay small enough to be read in one go (with a ratchet for old debt)."""

from __future__ import annotations

import ast

from house_rules.sources import SHIPPED, name_of, shipped_modules, tree

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
LINE_CHARS_MAX = 100

MODULE_DEBT: dict[str, int] = {}
"""Module -> lines it may have; only ever goes down."""
FUNCTION_DEBT: dict[str, int] = {}
"""module:function -> lines it may have; only ever goes down."""


def test_no_module_is_longer_than_400_lines():
    lengths = {name_of(p): len(p.read_text("utf-8").splitlines()) for p in shipped_modules()}
    long = {n: k for n, k in lengths.items() if k > MODULE_DEBT.get(n, MODULE_LINES_MAX)}
    assert not long
    paid = {n for n in MODULE_DEBT if lengths.get(n, 0) < MODULE_DEBT[n]}
    assert not paid, "take these out of MODULE_DEBT, or lower them"


def test_no_line_of_a_twin_is_longer_than_100_characters():
    """Nor is any other: of these ruff sees nothing."""
    long = [
        f"{path.name}:{number}"
        for pattern in ("*.pyx", "*.pxd")
        for path in SHIPPED[0].rglob(pattern)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if len(line) > LINE_CHARS_MAX
    ]
    assert not long


def test_no_function_is_longer_than_60_lines():
    lengths = {}
    for path in shipped_modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                lengths[f"{name_of(path)}:{node.name}"] = lines
    long = {n: k for n, k in lengths.items() if k > FUNCTION_DEBT.get(n, FUNCTION_LINES_MAX)}
    assert not long
    paid = {n for n in FUNCTION_DEBT if lengths.get(n, 0) < FUNCTION_DEBT[n]}
    assert not paid, "take these out of FUNCTION_DEBT, or lower them"
