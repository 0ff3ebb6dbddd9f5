"""Compiled twins of hot paths: there or not, found in one place (foundation).

A twin is an extension module beside the Python it repeats (``protocol/decisions/0012``). Where it
was not built, Python does the same work, slower; nothing else depends on it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def compiled(name: str, version: int) -> Any:  # noqa: ANN401 - documented at the Python twin
    """The extension module of this full name, None where it was not built.

    Args:
        name: full name of the module.
        version: its ``VERSION``; one that was built from another source is left alone.
    """
    try:
        module = import_module(name)
    except (ImportError, TypeError, ValueError):  # Cython: one it builds on is of another source
        return None
    return module if getattr(module, "VERSION", 0) == version else None
