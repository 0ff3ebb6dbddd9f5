"""``make felt`` times whole commands on a replica of many cases (benchmarks/felt.py)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "felt.py"


def test_every_command_of_a_day_runs_on_a_small_office():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--cases", "30", "--runs", "1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    for command in ("case show", "case list, filtered", "sync of 10 changes", "unlock"):
        assert command in done.stdout
