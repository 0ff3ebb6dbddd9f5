"""``casesync`` as a person meets it: at a terminal that can be asked."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

from cli.casesync_runs import Laptop

TIMEOUT_S = 60
Answer = Callable[[], str]


def at_terminal(
    laptop: Laptop, arguments: Sequence[str], answers: Sequence[tuple[str, str | Answer]] = ()
) -> tuple[int, str]:
    """Run at a terminal; wait for each question and type its answer. (exit code, screen)."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        laptop.command(*arguments),
        env=laptop.environment(),
        preexec_fn=lambda: _sit_down(terminal),  # noqa: PLW1509 - so that Ctrl-C arrives
        pass_fds=[terminal],
    )
    os.close(terminal)
    screen, waiting = "", list(answers)
    asked_at = 0
    deadline = time.monotonic() + TIMEOUT_S
    try:
        while time.monotonic() < deadline:
            ready, _, _ = select.select([controller], [], [], 0.1)
            data = _read(controller) if ready else b""
            if ready and not data:
                break
            screen += data.decode("utf-8", "replace")
            if waiting and waiting[0][0] in screen[asked_at:]:
                asked_at = len(screen)
                answer = waiting.pop(0)[1]
                typed = answer if isinstance(answer, str) else answer()
                os.write(controller, typed.encode() + b"\n")
            if process.poll() is not None and not ready:
                break
        assert not waiting, f"never asked {waiting[0][0]!r}: {screen}"
        return process.wait(timeout=TIMEOUT_S), screen
    finally:
        os.close(controller)
        if process.poll() is None:
            process.kill()


def _sit_down(terminal: int) -> None:
    """In the child: the terminal is its own, and Ctrl-C counts whoever started the tests."""
    os.login_tty(terminal)
    listen_to_ctrl_c()


def listen_to_ctrl_c() -> None:
    """In the child: a shell ignores SIGINT for what it runs in the background, children too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65536)
    except OSError:  # the other side is gone
        return b""
