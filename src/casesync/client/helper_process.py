"""A second process that opens and merges content while this one stores it (client).

``sync/helper_work.py`` is what it does, ``protocol/decisions/0023`` why. It is started when an
exchange has much to take in and ends with it; it holds no file and no connection. It says first
which program it is; one of another installation, or of a release that was installed meanwhile, is
not asked. Requests and answers go through its standard input and output, behind their number and
the lengths of their parts (u32, little-endian).

``python -m casesync.client.helper_process`` is its other end.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from typing_extensions import override

from casesync.client.core_dumps import refuse_core_dumps
from casesync.sync.helper_port import Helper
from casesync.sync.helper_work import FORMAT, answer
from casesync.sync.stream_kernels import VERSIONS, handing_kernel

PATIENCE_S: Final = 30.0
"""A batch takes a few milliseconds; a helper that was stopped or starved is not waited for."""
END_PATIENCE_S: Final = 2.0
PIPE_BYTES: Final = 1 << 20
"""Of each pipe, where the system lets it grow: several requests, so that none waits."""
_KEEPS_MEMORY: Final = ("MALLOC_TOP_PAD_", "MALLOC_TRIM_THRESHOLD_")
"""Variables of glibc, unknown to others: each batch needs as much memory as the one before, which
the system would take back, and give again page by page, a fortieth of the helper's time."""
_KEPT_BYTES: Final = 8 << 20
_REQUEST: Final = struct.Struct("<III")
_ANSWER: Final = struct.Struct("<II")
_NUMBER_MAX: Final = (1 << 32) - 1
_PART_BYTES: Final = 1 << 18
_PYTHONS: Final = ("python", "pypy")


def _program() -> bytes:
    """What this very program is, as of its start: 32 bytes."""
    file = Path(__file__)
    try:
        written_ns = file.stat().st_mtime_ns
    except OSError:
        written_ns = 0
    return sha256(repr((str(file), written_ns, VERSIONS, FORMAT)).encode()).digest()


PROGRAM: Final = _program()
"""The first bytes that a helper says."""


class HelperProcess(Helper):
    """``sync.helper_port.Helper`` over pipes; of any trouble with it nothing is raised: it is gone.

    After trouble it is not started again before ``end``: each new one could be waited for in vain.
    """

    def __init__(self) -> None:
        self._running: _Running | None = None
        self._ending: _Running | None = None
        """One that was dismissed."""
        self._given_up = False

    def start(self) -> None:
        """Start it, unless it runs, or cannot be of use here; does not wait for it."""
        if self._running is None and not self._given_up and _is_of_use():
            with contextlib.suppress(OSError):
                self._running = _Running()

    def dismiss(self) -> None:
        """Nothing more is asked before ``end``: let it end while others work."""
        running = self._running
        if running is not None:
            self._running, self._ending, self._given_up = None, running, True
            running.close_input()

    def end(self) -> None:
        """The exchange is over."""
        self.stop()
        self._given_up = False

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return None if self._running is None else self._running.pid

    def wait_until_ready(self) -> bool:
        """Wait for a helper that was started; whether it can be asked (benchmarks, tests)."""
        while self._running is not None and not self._running.is_ready:
            self._serve(())
        return self.is_ready()

    @override
    def is_ready(self) -> bool:
        running = self._running
        if running is not None and not running.is_ready and not running.receive():
            self.stop()
        return self._running is not None and self._running.is_ready

    @override
    def ask(self, front: bytes, changes: bytes) -> int:
        running = self._running
        if running is None:
            return 0
        number = running.number = running.number % _NUMBER_MAX + 1
        self._serve((_REQUEST.pack(number, len(front), len(changes)), front, changes))
        return number

    @override
    def answer(self, number: int, *, wait: bool) -> bytes | None:
        running = self._running
        if running is not None and not running.receive():
            self.stop()
        while self._running is not None:
            whole = self._running.whole_answer()
            if whole is not None and whole[0] != number:
                self.stop()
            elif whole is not None:
                return whole[1]
            elif not wait:
                return None
            else:
                self._serve(())
        return None

    @override
    def stop(self) -> None:
        stopped = (self._running, self._ending)
        self._running = self._ending = None
        self._given_up = True
        for running in stopped:
            if running is not None:
                running.end()

    def _serve(self, parts: Sequence[bytes]) -> None:
        """Send all parts, or wait for something; it is stopped if that does not go on."""
        if self._running is not None and not self._running.exchange(parts):
            self.stop()


class _Running:
    """The other process, and what came from it."""

    def __init__(self) -> None:
        """Start it. Raises: OSError."""
        # What gives a passphrase to this command is none of its business.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CASESYNC_")}
        environment |= dict.fromkeys(_KEEPS_MEMORY, str(_KEPT_BYTES))
        self._process = subprocess.Popen(  # noqa: S603 - this program's own module
            [sys.executable, *_flags(), "-m", "casesync.client.helper_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment,
            bufsize=0,
            process_group=0,  # Ctrl-C is not for it: it ends when its input does
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        self.pid: Final = self._process.pid
        self._came = bytearray()
        self.is_ready = False
        self.number = 0
        """Of the last request."""
        for pipe in (self._to, self._from):
            os.set_blocking(pipe.fileno(), False)
            _widen(pipe.fileno())

    def exchange(self, parts: Sequence[bytes]) -> bool:
        """Send all parts, taking in what comes meanwhile; without any wait for something.

        Both pipes are served, else each side could wait for the other to read.

        Returns: False if it is gone, or did nothing for ``PATIENCE_S``.
        """
        left = [memoryview(part) for part in parts if part]
        while True:
            ready = self._ready(writing=bool(left))
            if not ready or (self._from.fileno() in ready and not self.receive()):
                return False
            if self._to.fileno() in ready:
                try:
                    _advance(left, os.writev(self._to.fileno(), left))
                except BlockingIOError:
                    pass
                except OSError:
                    return False
            if not left:
                return True

    def _ready(self, *, writing: bool) -> set[int]:
        """The pipes that can be served, within ``PATIENCE_S``."""
        waiting = select.poll()  # descriptors of a large program may be beyond what select takes
        waiting.register(self._from, select.POLLIN)
        if writing:
            waiting.register(self._to, select.POLLOUT)
        return {pipe for pipe, _ in waiting.poll(PATIENCE_S * 1000)}

    def receive(self) -> bool:
        """Take in what is there; False if it is gone."""
        while True:
            try:
                part = os.read(self._from.fileno(), _PART_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not part:
                return False
            self._came += part
            if not self.is_ready and len(self._came) >= len(PROGRAM):
                if not self._came.startswith(PROGRAM):
                    return False
                self.is_ready = True
                del self._came[: len(PROGRAM)]

    def whole_answer(self) -> tuple[int, bytes] | None:
        """The next one and its number, if all of it is there."""
        if len(self._came) < _ANSWER.size:
            return None
        number, size = _ANSWER.unpack_from(self._came)
        if len(self._came) < _ANSWER.size + size:
            return None
        whole = bytes(self._came[_ANSWER.size : _ANSWER.size + size])
        del self._came[: _ANSWER.size + size]
        return number, whole

    def close_input(self) -> None:
        """It ends when its input does."""
        self._to.close()

    def end(self) -> None:
        """Close its input, so that it ends; at once if it does not."""
        self.close_input()
        self._from.close()
        try:
            self._process.wait(END_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _is_of_use() -> bool:
    """Whether there is work for it, a processor, and an interpreter that runs modules."""
    return (
        handing_kernel is not None
        and os.name == "posix"
        and processors() > 1
        and Path(sys.executable or "").name.lower().startswith(_PYTHONS)
        and not hasattr(sys, "frozen")  # either would start an application again
    )


def _flags() -> list[str]:
    """Nothing of the working folder is a module; what this interpreter leaves out, it does, too."""
    flags = ["-I"] if sys.flags.isolated else ["-P"]
    flags += ["-E"] * sys.flags.ignore_environment + ["-s"] * sys.flags.no_user_site
    return flags


def _advance(parts: list[memoryview], sent: int) -> None:
    """Drop the first ``sent`` bytes."""
    while parts and sent >= len(parts[0]):
        sent -= len(parts.pop(0))
    if sent:
        parts[0] = parts[0][sent:]


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _widen(pipe: int) -> None:
    """Let a pipe hold several requests, where the system can (Linux)."""
    import fcntl  # noqa: PLC0415 - not on every system

    set_size: int | None = getattr(fcntl, "F_SETPIPE_SZ", None)
    if set_size is not None:
        with contextlib.suppress(OSError):  # the user's pipes are many already
            fcntl.fcntl(pipe, set_size, PIPE_BYTES)


# -- in the helper's own process ----------------------------------------------------------------


def _served(source: BinaryIO, sink: BinaryIO) -> bool:
    """Answer one request; False when there is none any more."""
    front = source.read(_REQUEST.size)
    if len(front) < _REQUEST.size:
        return False
    number, *sizes = _REQUEST.unpack(front)
    made = answer(*map(source.read, sizes))
    sink.write(_ANSWER.pack(number, len(made)) + made)
    sink.flush()
    return True


def main() -> None:
    """The helper's process: ``PROGRAM``, then answers until its input ends."""
    refuse_core_dumps()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # what it makes has no cycles
    with (
        contextlib.suppress(BrokenPipeError),
        open(0, "rb", closefd=False) as source,
        open(1, "wb", closefd=False) as sink,
    ):
        sink.write(PROGRAM)
        sink.flush()
        while _served(source, sink):
            pass
    os._exit(0)  # who started it waits for its end, and there is nothing to put away


if __name__ == "__main__":
    main()
