"""A real relay process on a free loopback port."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from casesync.relay.system_ports import SystemClock
from casesync.testing.blind_device import BlindDevice
from casesync.transport.http_channel import HttpChannel

COUNTERS = itertools.count(1)
"""One for all devices of a test run: larger at every call, which is all that is asked."""


class RelayProcess:
    """``python -m casesync.relay``; killed at the end of the block."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.db = folder / "relay.db"
        self._options = options
        self.clock = SystemClock()

    def __enter__(self) -> Self:
        self.log = (self.folder / "relay.log").open("ab")
        command = [sys.executable, "-m", "casesync.relay", "--db", str(self.db), "--port", "0"]
        self.process = subprocess.Popen(
            [*command, *self._options], stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        self.url = self.line.split()[2]
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()
        self.log.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def channel(self, network: bytes | None = None, device: BlindDevice | None = None):
        return HttpChannel(
            self.url,
            network,
            None if device is None else device.number,
            None if device is None else device.keys.request.sign,
            self.clock,
            lambda: next(COUNTERS),
        )
