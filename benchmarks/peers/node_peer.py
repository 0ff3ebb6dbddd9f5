"""Yjs and Automerge as peers, in node where node is there.

The packages are installed into a folder of this checkout that git ignores; without node, npm or
the registry a peer is absent, which is said and is no error.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from casesync.testing.workloads.saves import Save, Workload
from peers.peer import BATCH_SAVES, Absent, Produced, by_device, rows_of

SOURCE = Path(__file__).parent / "node"
INSTALLED = Path(__file__).parents[1] / ".node"
INSTALL_S = 180
NODE_MEMORY_MB = 8192


class NodePeer:
    """A node process that has played a workload and merges when it is told to."""

    name: str
    engine: str
    package: str

    def __init__(self) -> None:
        folder = installed()
        manifest = json.loads((folder / "node_modules" / self.package / "package.json").read_text())
        self.version = f"{manifest['version']}, node"
        self.ways: Sequence[str] = ()
        self._process: subprocess.Popen[str] | None = None

    def produce(self, workload: Workload) -> Produced:
        self.close()
        with tempfile.TemporaryDirectory() as folder:
            plan = Path(folder) / "saves.json"
            plan.write_text(json.dumps(_plan(workload)), "utf-8")
            self._process = subprocess.Popen(
                [
                    "node",
                    "--expose-gc",
                    f"--max-old-space-size={NODE_MEMORY_MB}",
                    str(INSTALLED / "peer.mjs"),
                    self.engine,
                    str(plan),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            told = self._read()
        self._rest()
        self.ways = tuple(told["ways"])
        self.version = self.version.partition(",")[0] + f", node {told['node']}"
        return Produced(told["produced"], told["bytes"])

    def merge(self, way: str) -> float:
        assert self._process is not None
        assert self._process.stdin is not None
        self._go_on()
        try:
            self._process.stdin.write(way + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise Absent(f"{self.name} ended without an answer") from error
        seconds: float = self._read()["seconds"]
        self._rest()
        return seconds

    def close(self) -> None:
        if self._process is not None:
            self._go_on()
            self._process.terminate()
            self._process.communicate()
            self._process = None

    def _rest(self) -> None:
        """Stand still: its collector would work beside whoever is measured next."""
        if self._process is not None and hasattr(signal, "SIGSTOP"):
            self._process.send_signal(signal.SIGSTOP)

    def _go_on(self) -> None:
        if self._process is not None and hasattr(signal, "SIGCONT"):
            self._process.send_signal(signal.SIGCONT)

    def _read(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Absent(f"{self.name} ended without an answer")
        told: dict[str, Any] = json.loads(line)
        return told


class Yjs(NodePeer):
    """A ``Y.Map`` of ``Y.Map``s."""

    name, engine, package = "Yjs", "yjs", "yjs"


class Automerge(NodePeer):
    """A map of maps."""

    name, engine, package = "Automerge", "automerge", "@automerge/automerge"


@cache
def installed() -> Path:
    """The folder with the packages. Raises: Absent."""
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        raise Absent("node or npm is not there")
    INSTALLED.mkdir(exist_ok=True)
    wanted = (SOURCE / "package.json").read_bytes()
    manifest = INSTALLED / "package.json"
    if not (INSTALLED / "node_modules").is_dir() or manifest.read_bytes() != wanted:
        manifest.write_bytes(wanted)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            subprocess.run(
                [npm, "install", *options],
                cwd=INSTALLED,
                check=True,
                capture_output=True,
                timeout=INSTALL_S,
            )
        except (subprocess.SubprocessError, OSError) as error:
            shutil.rmtree(INSTALLED / "node_modules", ignore_errors=True)
            raise Absent("npm could not install the packages") from error
    shutil.copyfile(SOURCE / "peer.mjs", INSTALLED / "peer.mjs")
    return INSTALLED


def _plan(workload: Workload) -> dict[str, Any]:
    def rows(saves: Sequence[Save]) -> list[Any]:
        return [[row.record, row.fields, row.values] for row in rows_of(saves)]

    return {
        "devices": workload.devices,
        "batch": BATCH_SAVES,
        "before": [row for chosen in workload.before() for row in rows(chosen)],
        "rounds": [
            [
                [[row.record, row.fields, row.values] for row in of_device]
                for _, of_device in by_device(chosen, workload.devices)
            ]
            for chosen in workload.rounds()
        ],
    }
