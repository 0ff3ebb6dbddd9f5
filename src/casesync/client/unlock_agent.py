"""Keeping a replica open for a while: one process per home that holds the database key (client).

``unlock`` starts this module as a process of its own and hands it the key through a pipe, never
through arguments or environment. It listens on a local socket that only this user can reach, gives
the key to processes of this user, and ends when its time is over, on ``lock``, or when the session
that started it ends. It knows nothing of the database.

A message is one byte, ``K`` (answer: the key) or ``L`` (answer: one byte, and the process ends).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from casesync.client.core_dumps import refuse_core_dumps
from casesync.client.home import Home
from casesync.client.vault import open_vault
from casesync.codec.canonical import pack, unpack
from casesync.crypto.key_schedule import KEY_BYTES
from casesync.foundation.errors import LocalStateError, UsageError
from casesync.foundation.limits import UNLOCK_SECONDS_MAX
from casesync.foundation.secret_bytes import SecretBytes

GIVE_KEY: Final = b"K"
LOCK: Final = b"L"
READY: Final = b"ready"
_DONE: Final = b"\x01"
START_PATIENCE_S: Final = 10
"""A cold disk needs seconds to start an interpreter."""
PEER_PATIENCE_S: Final = 2
"""Nobody on this machine needs longer for one byte."""
TICK_S: Final = 1
"""How often the process looks whether its session and its socket are still there."""
_BACKLOG: Final = 8


# -- in the process of a command ----------------------------------------------------------------


def unlock(folder: Path, opener: str | SecretBytes, for_s: int) -> None:
    """Keep the replica in ``folder`` open for ``for_s`` seconds from now.

    An earlier ``unlock`` of the same folder ends.

    Args:
        folder: the replica's folder.
        opener: the passphrase, or the database key if the caller has it.
        for_s: 1 to ``UNLOCK_SECONDS_MAX``; time asleep counts where the system tells.

    Raises:
        UsageError: ``unlock-time``.
        LocalStateError: as ``open_vault``; ``unlock-failed``: the process did not start.
    """
    if not 1 <= for_s <= UNLOCK_SECONDS_MAX:
        raise UsageError("unlock-time", hours=UNLOCK_SECONDS_MAX // 3600)
    key = opener if isinstance(opener, SecretBytes) else open_vault(folder, opener)
    path = Home(folder).socket()
    lock(folder)
    order = pack([str(path), for_s, key.reveal()])
    try:
        _start(order)
    except (OSError, subprocess.SubprocessError) as error:
        raise LocalStateError("unlock-failed") from error


def _start(order: bytes) -> None:
    # What gives a passphrase to this command must not stay readable in a process that lives on.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CASESYNC_")}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "casesync.client.unlock_agent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=environment,
        process_group=0,  # Ctrl-C is not for it; the session stays, so that logout ends it
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        try:
            process.stdin.write(order)
            process.stdin.close()
            readable, _, _ = select.select([process.stdout], [], [], START_PATIENCE_S)
            answer = os.read(process.stdout.fileno(), len(READY)) if readable else b""
        except OSError:
            answer = b""
    process.wait(START_PATIENCE_S)  # the agent itself is its child and lives on
    if answer != READY:
        raise LocalStateError("unlock-failed")


def fetch_key(folder: Path) -> SecretBytes | None:
    """The database key if the replica is unlocked, else None.

    Raises:
        LocalStateError: ``runtime-folder-unsafe``.
    """
    answer = _ask(Home(folder).socket(), GIVE_KEY, KEY_BYTES)
    return SecretBytes(answer) if len(answer) == KEY_BYTES else None


def lock(folder: Path) -> bool:
    """End an ``unlock``; when this returns nobody gets the key any more.

    Returns:
        Whether the replica was unlocked.

    Raises:
        LocalStateError: ``runtime-folder-unsafe``.
    """
    return _ask(Home(folder).socket(), LOCK, len(_DONE)) == _DONE


def _ask(path: Path, question: bytes, answer_bytes: int) -> bytes:
    """The agent's answer, at most so long; empty if there is no agent of this user."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PEER_PATIENCE_S)
        try:
            connection.connect(str(path))
            if not _same_user(connection):
                return b""
            connection.sendall(question)
            return _received(connection, answer_bytes)
        except OSError:
            return b""


def _received(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            break
        data += part
    return data


def _same_user(connection: socket.socket) -> bool:
    """Whether the other end is a process of this user, where the system tells (Linux)."""
    option: int | None = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True  # the socket's folder and mode keep others out
    layout = struct.Struct("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, option, layout.size)
    return bool(layout.unpack(credentials)[1] == os.getuid())


# -- in the agent's own process -----------------------------------------------------------------


def _now_s() -> float:
    """Seconds that only grow, with the time asleep where the system counts it (Linux)."""
    clock: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def _session_lives(leader: int) -> bool:
    """Whether the login that started this process goes on; 0 = its session cannot be seen."""
    if leader in (0, os.getpid()):
        return True
    try:
        os.kill(leader, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it exists and is another user's
    return True


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[tuple[socket.socket, Callable[[], bool]]]:
    """A socket at ``path`` in place of any older one, and whether it still stands there."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        os.umask(0o177)
        fresh.unlink(missing_ok=True)
        server.bind(str(fresh))
        server.listen(_BACKLOG)
        server.settimeout(TICK_S)
        ours = fresh.lstat().st_ino
        fresh.replace(path)

        def stands() -> bool:
            try:
                return path.lstat().st_ino == ours
            except OSError:
                return False

        try:
            yield server, stands
        finally:
            if stands():
                path.unlink(missing_ok=True)


def _answer(connection: socket.socket, key: bytes) -> bool:
    """Serve one peer; True if it asked to lock (it is answered once nobody can connect)."""
    try:
        connection.settimeout(PEER_PATIENCE_S)
        if not _same_user(connection):
            return False
        question = connection.recv(1)
        if question == GIVE_KEY:
            connection.sendall(key)
    except OSError:
        return False
    return question == LOCK


def _serve(path: Path, for_s: int, key: bytes, ready: Callable[[], None]) -> None:
    end_s = _now_s() + for_s
    leader = os.getsid(0)
    with contextlib.ExitStack() as last, _listening(path) as (server, stands):
        ready()
        while (left_s := end_s - _now_s()) > 0 and stands() and _session_lives(leader):
            server.settimeout(min(TICK_S, left_s))
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            last.callback(connection.close)
            if _answer(connection, key):
                last.callback(_acknowledge, connection)
                return
            last.pop_all().close()


def _acknowledge(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(_DONE)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _say_ready() -> None:
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    # Both pipes end here; what is opened later must not become standard input or output.
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nothing, standard)
    os.close(nothing)


def main() -> None:
    """The agent's process: order from stdin, ``READY`` to stdout, then silence."""
    refuse_core_dumps()
    if os.fork():
        os._exit(0)  # whoever started this can wait for it, and keeps no child
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    path, for_s, key = unpack(sys.stdin.buffer.read())
    _serve(Path(path), for_s, key, _say_ready)


if __name__ == "__main__":
    main()
