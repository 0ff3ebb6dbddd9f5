"""What the house rules look at: the repository's own files, parsed once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (ROOT / "src" / "casesync", ROOT / "cli" / "casesync_cli")
SKIPPED = {".venv", ".git", ".node", "__pycache__", "build", "dist"}
TEXT_SUFFIXES = {".py", ".md", ".toml", ".cddl", ".json", ".yml", ".yaml", ".cfg", ".txt", ".sh"}


def name_of(path: Path) -> str:
    """The path as a reader of the repository writes it."""
    return path.relative_to(ROOT).as_posix()


def shipped_modules() -> list[Path]:
    """Every module that is installed."""
    return sorted(path for folder in SHIPPED for path in folder.rglob("*.py"))


def text_files() -> Iterator[Path]:
    """Every text file of the repository, tests and documents included."""
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT).parts
        if not path.is_file() or any(_skipped(part) for part in inside):
            continue
        if path.suffix in TEXT_SUFFIXES or path.name in {"Makefile", "run"}:
            yield path


def _skipped(part: str) -> bool:
    return part in SKIPPED or part.endswith((".egg-info", "_cache")) or part == ".hypothesis"


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text("utf-8"), str(path))


def string_constants(path: Path) -> set[str]:
    """Every string literal of a module."""
    return {
        node.value
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
