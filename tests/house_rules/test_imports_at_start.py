"""Help answers at once: nothing heavy is imported before a command needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("casesync.client", "casesync.relay", "casesync.model", "casesync.crypto", "aiohttp",
         "rich", "cryptography", "sqlcipher3", "sqlite_utils", "msgpack", "asyncio")  # fmt: skip


@pytest.mark.parametrize("arguments", [["--help"], ["--lang", "vi", "--help"]])
def test_help_imports_neither_engine_nor_terminal_library(arguments):
    program = (
        "import sys\n"
        "from casesync_cli.app import run\n"
        f"code = run({arguments!r})\n"
        f"loaded = [n for n in {HEAVY!r} if n in sys.modules]\n"
        "print(code, loaded, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.split("\n")[0] == "0 []"
    assert "casesync" in done.stdout
