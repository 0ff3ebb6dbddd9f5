"""Several hundred seeded worlds: whatever happens, healed replicas agree and nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from simulation.play import play

WORLDS: Final = int(os.environ.get("CASESYNC_WORLDS", "240"))
BATCH: Final = 10
"""Worlds per test, so that the tests spread over the cores."""
REGRESSIONS: Final = sorted(
    path for path in (Path(__file__).parent / "regressions").iterdir() if path.name.isdigit()
)
"""One file per seed that once failed, named by it; its text says why."""


@pytest.mark.parametrize("first", range(0, WORLDS, BATCH))
def test_healed_worlds_agree_and_have_lost_nothing(first: int):
    """DESIGN.md 3 and 4; see ``checkers`` for what that means."""
    for seed in range(first, min(first + BATCH, WORLDS)):
        play(seed)


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.name)
def test_a_world_that_failed_once_holds(path: Path):
    play(int(path.name))
