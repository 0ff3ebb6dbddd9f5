"""``casesync`` as programs meet it: arguments, two streams and an exit code."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from casesync.crypto import passphrase
from casesync_cli import app

TIMEOUT_S = 120


class _AskedOnce:
    """Argon2id that works out the same answer once per test run.

    A thousand commands of one process ask it a few dozen questions, at an eighth of a second each.
    Commands in processes of their own and the tests of ``crypto`` ask the real one every time.
    """

    _answers: ClassVar[dict[tuple[object, ...], bytes]] = {}

    def __init__(self, **costs: Any) -> None:
        self._real = Argon2id(**costs)
        self._costs = tuple(sorted(costs.items()))

    def derive(self, typed: bytes) -> bytes:
        """What RFC 9106 says."""
        question = (typed, *self._costs)
        if question not in self._answers:
            self._answers[question] = self._real.derive(typed)
        return self._answers[question]


@dataclass(frozen=True)
class Done:
    """What one run left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The error object on stderr."""
        found: dict[str, str] = json.loads(self.err)["error"]
        return found


@dataclass(frozen=True)
class Laptop:
    """A home directory and its passphrase, as one person uses them."""

    home: Path
    passphrase: str | None = None
    lang: str = "en"
    extra: dict[str, str] = field(default_factory=dict)

    def arguments(self, *words: str) -> list[str]:
        """What stands behind ``casesync``."""
        return ["--home", str(self.home), "--lang", self.lang, *words]

    def command(self, *words: str) -> list[str]:
        """The command line of a process of its own."""
        return [sys.executable, "-m", "casesync_cli", *self.arguments(*words)]

    def environment(self) -> dict[str, str]:
        """The environment a run gets; the passphrase stands in it and nowhere else."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CASESYNC_")}
        given = {} if self.passphrase is None else {"CASESYNC_PASSPHRASE": self.passphrase}
        return {**kept, "TZ": "Asia/Ho_Chi_Minh", "PYTHONUTF8": "1", **given, **self.extra}

    def run(self, *words: str) -> Done:
        """Run to the end without a terminal; in this process, by the same way in and out."""
        out, err = io.StringIO(), io.StringIO()
        before, stdin = dict(os.environ), sys.stdin
        given = self.environment()
        os.environ.clear()
        os.environ.update(given)
        time.tzset()
        sys.stdin = io.StringIO()
        try:
            with (
                patch.object(passphrase, "Argon2id", _AskedOnce),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                code = app.run(self.arguments(*words))
        finally:
            sys.stdin = stdin
            os.environ.clear()
            os.environ.update(before)
            time.tzset()
        return Done(code, out.getvalue(), err.getvalue())

    def run_process(self, *words: str) -> Done:
        """Run to the end without a terminal, as a process of its own."""
        done = subprocess.run(
            self.command(*words),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT_S,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def json(self, *words: str) -> Any:
        """Run with ``--json``; it must succeed and write one document."""
        done = self.run(*words, "--json")
        assert done.code == 0, done.err
        return done.json
