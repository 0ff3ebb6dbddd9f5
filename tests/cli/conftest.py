"""A relay process and a network of offices, each laptop a home directory of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.casesync_runs import Laptop


@dataclass(frozen=True)
class RelayProcess:
    """A running relay."""

    url: str
    key: str
    db: Path
    process: subprocess.Popen[str]


def start_relay(
    db: Path,
    port: int = 0,
    options: Sequence[str] = (),
    prepare: Callable[[], object] | None = None,
) -> RelayProcess:
    """Start ``casesync relay serve``, ``prepare`` first in its process; wait until it listens."""
    command = [sys.executable, "-m", "casesync_cli", "--json", "relay", "serve", "--db", str(db)]
    process = subprocess.Popen(
        [*command, "--port", str(port), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=prepare,  # noqa: PLW1509 - what it does to signals
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r'"url": "([^"]+)", "key": "([0-9a-f]{64})"', line)
    assert found is not None, line + (process.stderr.read() if process.stderr else "")
    return RelayProcess(found[1], found[2], db, process)


def stop_relay(relay: RelayProcess) -> int:
    """SIGTERM; the exit code."""
    relay.process.send_signal(signal.SIGTERM)
    return relay.process.wait(timeout=30)


@pytest.fixture(scope="session")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    """One relay for all networks of a test run."""
    db = tmp_path_factory.mktemp("relay") / "relay.db"
    running = start_relay(db, options=["--networks-max", "1000"])
    yield running
    stop_relay(running)


@dataclass(frozen=True)
class Offices:
    """A shelter that founded the network, an OSSO and an audit office."""

    relay: RelayProcess
    shelter: Laptop
    osso: Laptop
    audit: Laptop


def found(relay: RelayProcess, laptop: Laptop, name: str = "Bình Yên") -> None:
    """Found a network at ``laptop``."""
    laptop.json(
        "network", "create", name, "--relay", relay.url, "--relay-key", relay.key,
        "--unit", "Nhà Bình Yên", "--name", "Lan",
    )  # fmt: skip


def enrol(inviter: Laptop, joiner: Laptop, unit: str, role: str, name: str) -> None:
    """Both sides take turns until the joiner is in; the code is read from one screen."""
    invitation = inviter.json("invite", "--unit", unit, "--role", role)
    for _ in range(8):
        status = joiner.json("join", invitation["text"], "--name", name)
        if status["state"] == "joined":
            return
        code = [] if status["code"] is None else ["--code", status["code"]]
        inviter.json("member", "approve", invitation["id"], *code)
    raise AssertionError(status)


@pytest.fixture(scope="module")
def offices(relay: RelayProcess, tmp_path_factory: pytest.TempPathFactory) -> Offices:
    """A network of three offices with one laptop each."""
    folder = tmp_path_factory.mktemp("offices")
    made = Offices(
        relay,
        Laptop(folder / "shelter", "hoa sen ven hồ 1"),
        Laptop(folder / "osso", "hoa sen ven hồ 2"),
        Laptop(folder / "audit", "hoa sen ven hồ 3"),
    )
    found(relay, made.shelter)
    made.shelter.json("unit", "add", "OSSO Hải Phòng", "--type", "osso")
    made.shelter.json("unit", "add", "Kiểm tra", "--type", "audit")
    enrol(made.shelter, made.osso, "OSSO Hải Phòng", "counsellor", "Mai")
    enrol(made.shelter, made.audit, "Kiểm tra", "auditor", "Thu")
    return made
