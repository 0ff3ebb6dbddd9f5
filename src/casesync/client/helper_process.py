"""A second process that opens and merges content while this one stores it (client).

``sync/helper_work.py`` is what it does, ``protocol/decisions/0023`` why. It is started when a sync
has much to take in and ends with it; it holds no file and no connection. Requests and answers go
through its standard input and output, behind the lengths of their parts (u32, little-endian).

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
from typing import BinaryIO, Final

from typing_extensions import override

from casesync.sync.helper_port import Helper
from casesync.sync.helper_work import answer
from casesync.sync.stream_kernels import handing_kernel

READY: Final = b"casesync"
"""What it says first."""
PATIENCE_S: Final = 30.0
"""A batch takes a few milliseconds; a helper that was stopped or starved is not waited for."""
END_PATIENCE_S: Final = 2.0
PIPE_BYTES: Final = 1 << 20
"""Of each pipe, where the system lets it grow: several requests, so that none waits."""
_LENGTH: Final = struct.Struct("<I")
_LENGTHS: Final = struct.Struct("<II")
_PART_BYTES: Final = 1 << 18


class HelperProcess(Helper):
    """``sync.ports.Helper`` over pipes; of any trouble with it nothing is raised: it is gone."""

    def __init__(self) -> None:
        self._running: _Running | None = None

    def start(self) -> None:
        """Start it, unless it runs, or cannot be of use here; does not wait for it."""
        if self._running is None and _is_of_use():
            with contextlib.suppress(OSError):
                self._running = _Running()

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return None if self._running is None else self._running.pid

    def wait_until_ready(self) -> bool:
        """Wait for a helper that was started; whether it can be asked now."""
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
    def ask(self, front: bytes, leaves: bytes) -> None:
        self._serve((_LENGTHS.pack(len(front), len(leaves)), front, leaves))

    @override
    def answer(self, *, wait: bool) -> bytes | None:
        running = self._running
        if running is not None and not running.receive():
            self.stop()
        while self._running is not None:
            whole = self._running.whole_answer()
            if whole is not None or not wait:
                return whole
            self._serve(())
        return None

    @override
    def stop(self) -> None:
        running, self._running = self._running, None
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
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "casesync.client.helper_process"],
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
            ready = select.select([self._from], [self._to] if left else [], [], PATIENCE_S)
            if not any(ready):
                return False
            if ready[0] and not self.receive():
                return False
            if ready[1]:
                try:
                    _advance(left, os.writev(self._to.fileno(), left))
                except BlockingIOError:
                    pass
                except OSError:
                    return False
            if not left:
                return True

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
            if not self.is_ready and len(self._came) >= len(READY):
                if not self._came.startswith(READY):
                    return False
                self.is_ready = True
                del self._came[: len(READY)]

    def whole_answer(self) -> bytes | None:
        """The next one, if all of it is there."""
        if len(self._came) < _LENGTH.size:
            return None
        end = _LENGTH.size + _LENGTH.unpack_from(self._came)[0]
        if len(self._came) < end:
            return None
        whole = bytes(self._came[_LENGTH.size : end])
        del self._came[:end]
        return whole

    def end(self) -> None:
        """Close its input, so that it ends; at once if it does not."""
        self._to.close()
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
        and _processors() > 1
        and bool(sys.executable)
        and not hasattr(sys, "frozen")  # that would start the application again
    )


def _advance(parts: list[memoryview], sent: int) -> None:
    """Drop the first ``sent`` bytes."""
    while parts and sent >= len(parts[0]):
        sent -= len(parts.pop(0))
    if sent:
        parts[0] = parts[0][sent:]


def _processors() -> int:
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
    lengths = source.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return False
    made = answer(*map(source.read, _LENGTHS.unpack(lengths)))
    sink.write(_LENGTH.pack(len(made)) + made)
    sink.flush()
    return True


def main() -> None:
    """The helper's process: ``READY``, then answers until its input ends."""
    import resource  # noqa: PLC0415 - the other end does not need it

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no key on the disk
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # what it makes has no cycles
    with (
        contextlib.suppress(BrokenPipeError),
        open(0, "rb", closefd=False) as source,
        open(1, "wb", closefd=False) as sink,
    ):
        sink.write(READY)
        sink.flush()
        while _served(source, sink):
            pass


if __name__ == "__main__":
    main()
