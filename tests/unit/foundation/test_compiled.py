"""A compiled twin is there or it is not: nothing that keeps it from loading stops the program."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from casesync.foundation import compiled as finder
from casesync.foundation.compiled import compiled


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("not built"),
        ImportError("another interpreter's"),
        TypeError("C function x has wrong signature"),  # Cython's words, for two builds in one
        ValueError("x size changed, may indicate binary incompatibility"),
    ],
)
def test_one_that_does_not_load_is_not_there(monkeypatch, error):
    def fail(_name: str) -> None:
        raise error

    monkeypatch.setattr(finder, "import_module", fail)
    assert compiled("casesync.nowhere._twin", 1) is None


@pytest.mark.parametrize("version", [0, 1, 3, None])
def test_one_of_another_source_is_left_alone(monkeypatch, version):
    module = SimpleNamespace() if version is None else SimpleNamespace(VERSION=version)
    monkeypatch.setattr(finder, "import_module", lambda _name: module)
    assert compiled("casesync.nowhere._twin", 2) is None
