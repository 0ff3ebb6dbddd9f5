"""One laptop of the demo: a process of its own that opens one replica and does as it is told (cli).

``python -m casesync_cli.demo.laptop HOME``. Requests come on standard input, one JSON object per
line: ``{"verb": ..., ...}``; answers go to standard output: any number of ``{"progress": [done,
all]}``, then ``{"ok": ...}`` or ``{"error": {"family", "code", "params"}}``. The passphrase comes
this way too, so that it stands in no argument and no environment. A bug ends the process; its trace
is on standard error. At the end of input the replica is closed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from casesync.foundation.errors import CasesyncError
from casesync_cli.demo.laptop_work import VERBS, LaptopWork
from casesync_cli.render_json import plain


def main(home: Path) -> int:
    """Answer requests until standard input ends; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process ends it
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else would be printed belongs into the log

    def say(answer: Mapping[str, object]) -> None:
        _say(answers, answer)

    def progress(done: int, total: int) -> None:
        say({"progress": [done, total]})

    with LaptopWork(home, progress) as work:
        for line in sys.stdin.buffer:
            say(_answer(work, json.loads(line)))
    return 0


def _answer(work: LaptopWork, request: dict[str, Any]) -> dict[str, object]:
    name = request.pop("verb")
    assert name in VERBS, name
    verb: Callable[..., object] = getattr(work, name)
    try:
        return {"ok": plain(verb(**request))}
    except CasesyncError as error:
        family, params = type(error).__name__, plain(error.params)
        return {"error": {"family": family, "code": error.code, "params": params}}


def _say(out: TextIO, answer: Mapping[str, object]) -> None:
    out.write(json.dumps(answer, ensure_ascii=False, default=str) + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
