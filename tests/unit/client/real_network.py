"""A network on real homes and a real relay process; work is done in children that may be killed.

A child is forked, so that a run costs a tenth of a second; the parent never opens a replica (the
HTTP channel has a thread). The vault's key is taken once, so that nobody pays Argon2id each time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from casesync.client import opening
from casesync.client.joining import Joining
from casesync.client.replica import Replica
from casesync.client.vault import open_vault
from casesync.foundation.secret_bytes import SecretBytes

PASSPHRASE = "hoa sen ven hồ một"

KILLED_RELAY = """
import os, signal, sys
from casesync.relay import sqlite_store
from casesync.relay.__main__ import main

left = int(sys.argv[1])
init = sqlite_store.SqliteStore.__init__

def counting(self, path):
    init(self, path)

    def count(_):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if left:
        self._connection.set_trace_callback(count)

sqlite_store.SqliteStore.__init__ = counting
sys.exit(main(sys.argv[2:]))
"""


class Relay:
    """``python -m casesync.relay``, killed before its n-th statement if asked to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, killed_before: int = 0) -> None:
        """Args: killed_before: statement at which it dies; 0 = never."""
        program = [sys.executable, "-c", KILLED_RELAY, str(killed_before)]
        place = ["--db", str(self.folder / "relay.db"), "--port", str(self.port)]
        with (self.folder / "relay.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*program, *place], stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not self.port:
            self.port = int(line.split()[2].rsplit(":", 1)[1])

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, wait for the end."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(timeout=30)
        assert self._process.stdout is not None
        self._process.stdout.close()


def keys_of(*homes: Path) -> dict[Path, SecretBytes]:
    """The database key of each home."""
    return {home: open_vault(home, PASSPHRASE) for home in homes}


def found(relay: Relay, home: Path) -> None:
    """Found a network (in a child)."""

    def work(say: Callable[[Any], None]) -> None:
        with Replica.create_network(
            home,
            PASSPHRASE,
            name="Mạng lưới",
            relay_url=relay.url,
            unit="Nhà Bình Yên",
            member_name="Lan",
        ):
            say("founded")

    assert in_child(work) == (["founded"], 0)


def join(home: Path, newcomer: Path, name: str, role: str = "caseworker") -> None:
    """Enrol a colleague at the same unit (in a child)."""

    def work(say: Callable[[Any], None]) -> None:
        with Replica.open(home, PASSPHRASE) as lan:
            invitation = lan.invite("Nhà Bình Yên", role)
            joining = Joining.start(newcomer, PASSPHRASE, invitation.text, name=name)
            code = None
            while (status := joining.step()).state != "joined":
                code = status.code or code
                if lan.approve_step(invitation.id_hex).state == "code":
                    lan.approve_step(invitation.id_hex, code)
            joining.close()
            say("joined")

    assert in_child(work) == (["joined"], 0)


def in_child(
    work: Callable[[Callable[[Any], None]], None],
    *,
    keys: dict[Path, SecretBytes] | None = None,
    killed_before: int = 0,
) -> tuple[list[Any], int]:
    """Run in a process of its own.

    Args:
        work: is given a function that reports a JSON value at once.
        keys: database keys by home, instead of the passphrase.
        killed_before: number of the statement on any encrypted database before which the process
            is killed with SIGKILL; 0 = never.

    Returns:
        (what was reported, exit status; negative: the signal).
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _child(work, keys or {}, killed_before, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        lines = pipe.read().splitlines()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return [json.loads(line) for line in lines], status


def _child(
    work: Callable[[Callable[[Any], None]], None],
    keys: dict[Path, SecretBytes],
    killed_before: int,
    writer: int,
) -> None:
    """Never returns, and never reaches the test runner's own clean-up."""
    status = 1
    try:
        honest_key, honest_open = opening.database_key, opening.open_encrypted
        opening.database_key = lambda home, phrase: keys.get(home) or honest_key(home, phrase)
        left = killed_before

        def count(_: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        def opened(*given: Any, **named: Any) -> Any:
            store = honest_open(*given, **named)
            if killed_before:
                store._connection.set_trace_callback(count)
            return store

        opening.open_encrypted = opened
        work(lambda value: os.write(writer, json.dumps(value).encode() + b"\n"))
        status = 0
    except BaseException:  # noqa: BLE001 - reported to the parent by the status
        traceback.print_exc()
        status = 1
    finally:
        os._exit(status)
