"""The README's twenty lines of the library, run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys

from conftest import ROOT


def test_the_library_example_of_the_readme_runs(relay, tmp_path):
    (example,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
    )
    program = f"RELAY_URL = {relay.url!r}\n{example}"
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program],
        cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "person given_name Hoa False" in lines
    assert "case risk_level high False" in lines
    assert lines[-1] == "1 True"
