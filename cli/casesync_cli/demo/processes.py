"""The processes of the demo: one relay, and one per laptop; each ended by its own id (cli)."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from casesync.foundation import errors
from casesync.foundation.errors import CasesyncError

ANSWER_S: Final = 120
"""Longest time without a sign of life; a whole demo takes less than half of it."""
_STOP_S: Final = 20
_LISTENING: Final = re.compile(r"listening on (http://127\.0\.0\.1:(\d+)) key ([0-9a-f]{64})\n")
_CHUNK_BYTES: Final = 1 << 16

Told = Callable[[int, int], None]


class _Process:
    """A child with its standard error in a log file."""

    def __init__(self, who: str, command: list[str], log: Path) -> None:
        self.who = who
        self.log = log
        with log.open("ab") as stderr:
            self._child = subprocess.Popen(  # noqa: S603 - this program's own modules
                [sys.executable, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,  # Ctrl-C reaches the demo alone, which ends its children
            )
        self._unread = b""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def _line(self) -> bytes:
        """The next line it says. Raises: CasesyncError: it ended, or says nothing."""
        assert self._child.stdout is not None
        pipe = self._child.stdout.fileno()
        while b"\n" not in self._unread:
            ready, _, _ = select.select([pipe], [], [], ANSWER_S)
            if not ready:
                raise CasesyncError("demo-process-silent", who=self.who, seconds=ANSWER_S)
            chunk = os.read(pipe, _CHUNK_BYTES)
            if not chunk:
                raise CasesyncError("demo-process-ended", who=self.who, last=self._last_words())
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line + b"\n"

    def _last_words(self) -> str:
        lines = self.log.read_text("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "-"

    def _end(self, *, ask: int) -> None:
        """End it by its id: ask first, then kill."""
        if self._child.poll() is None:
            self._child.send_signal(ask)
            try:
                self._child.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class LaptopProcess(_Process):
    """A laptop: requests go in, answers come back, in order."""

    def __init__(self, who: str, home: Path, log: Path, passphrase: str) -> None:
        """Args: who: for messages; home: its replica's folder; passphrase: given when asked."""
        super().__init__(who, ["-m", "casesync_cli.demo.laptop", str(home)], log)
        self.home = home
        self.passphrase = passphrase

    def ask(self, verb: str, told: Told | None = None, **params: Any) -> Any:  # noqa: ANN401 - JSON
        """Do something and wait for the answer; raises what the laptop raised."""
        self.begin(verb, **params)
        return self.answer(told)

    def begin(self, verb: str, **params: object) -> None:
        """Begin to do something; ``answer`` gets what comes of it."""
        assert self._child.stdin is not None
        request = json.dumps({"verb": verb, **params}, ensure_ascii=False)
        try:
            self._child.stdin.write(request.encode() + b"\n")
            self._child.stdin.flush()
        except OSError as error:
            gone = CasesyncError("demo-process-ended", who=self.who, last=self._last_words())
            raise gone from error

    def answer(self, told: Told | None = None) -> Any:  # noqa: ANN401 - JSON
        """The answer to the oldest request that has none yet."""
        while True:
            answer = json.loads(self._line())
            if "progress" in answer:
                if told is not None:
                    told(*answer["progress"])
            elif "error" in answer:
                raise _rebuilt(answer["error"])
            else:
                return answer["ok"]

    def refusal(self, verb: str, **params: Any) -> CasesyncError | None:  # noqa: ANN401 - JSON
        """The error that asking for something meets, None if it is done."""
        try:
            self.ask(verb, **params)
        except CasesyncError as error:
            return error
        return None

    def end(self) -> None:
        """Shut the laptop: its replica is closed, its process ends."""
        if self._child.stdin is not None:
            with contextlib.suppress(OSError):
                self._child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_STOP_S)
        self._end(ask=signal.SIGTERM)


def _rebuilt(error: dict[str, Any]) -> CasesyncError:
    """The library's error as it was raised in the other process."""
    family = getattr(errors, error["family"], CasesyncError)
    assert issubclass(family, CasesyncError)
    rebuilt: CasesyncError = family(error["code"], **error["params"])
    return rebuilt


class RelayProcess(_Process):
    """A running relay; after ``stop`` another one continues on the same database and port."""

    def __init__(self, db: Path, log: Path, port: int = 0) -> None:
        """Args: port: 0 = a free one. Raises: CasesyncError: it does not start."""
        command = ["-m", "casesync.relay", "--db", str(db), "--port", str(port), "--print-key"]
        super().__init__("relay", command, log)
        self.db = db
        try:
            found = _LISTENING.fullmatch(self._line().decode())
            assert found is not None
        except BaseException:
            self.stop()
            raise
        self.url, self.port = found[1], int(found[2])
        self.key_hex = found[3]

    def stop(self) -> None:
        """SIGTERM: requests under way are finished, the database is closed."""
        self._end(ask=signal.SIGTERM)
