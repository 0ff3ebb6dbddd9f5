"""A peer from Python in processes of its own: one plays the workload, a fresh one merges.

An engine is as fast as its heap lets it be. Behind the playing of the workload, or of another
engine's, the same merges took up to 1.7 times as long as in a process that did nothing else before;
ours has none of that behind it either, its recordings are prepared elsewhere.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from casesync.testing.benchmark.steps import collector_off
from casesync.testing.workloads.saves import Save, Workload
from peers.peer import Absent, Peer, Produced

END_S = 10.0
Rounds = list[list[Save]]


class Apart:
    """``Peer`` by other processes; the next workload gets new ones."""

    def __init__(self, kind: type[Peer]) -> None:
        """Args: kind: which peer. Raises: Absent."""
        self._peer = kind()
        self.name, self.version, self.ways = self._peer.name, self._peer.version, self._peer.ways
        self._merging: _Process | None = None

    def produce(self, workload: Workload) -> Produced:
        """As ``Peer``."""
        self.close()
        playing = _Process(self.name, _play)
        facts = (workload.name, workload.text, workload.devices, workload.seed)
        saves = _made(workload.before()), _made(workload.rounds())
        produced: Produced
        try:
            produced, played = playing.answer((self._peer, facts, *saves))
        finally:
            playing.end()
        self._merging = _Process(self.name, _merge)
        self._merging.answer(played)
        return produced

    def merge(self, way: str) -> float:
        """As ``Peer``."""
        assert self._merging is not None
        seconds: float = self._merging.answer(way)
        return seconds

    def close(self) -> None:
        """As ``Peer``."""
        if self._merging is not None:
            self._merging.end()
        self._merging = None


class _Process:
    """Answers one message at a time, until it is ended."""

    def __init__(self, name: str, serve: Callable[[Connection], None]) -> None:
        self._name = name
        spawning = multiprocessing.get_context("spawn")
        self._connection, theirs = spawning.Pipe()
        self._process: BaseProcess = spawning.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def answer(self, message: object) -> Any:
        """Raises: Absent: the process is gone."""
        try:
            self._connection.send(message)
            return self._connection.recv()
        except (EOFError, OSError) as error:
            raise Absent(f"{self._name} ended without an answer") from error

    def end(self) -> None:
        self._connection.close()
        self._process.join(END_S)
        self._process.kill()
        self._process.join()


def _begin() -> None:
    """Ctrl-C is for who asks: the process ends when nobody does any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _made(rounds: Iterator[Sequence[Save]]) -> Rounds:
    return [list(chosen) for chosen in rounds]


def _play(connection: Connection) -> None:
    """What was produced, and the peer with its updates."""
    _begin()
    peer, (name, text, devices, seed), before, rounds = connection.recv()
    workload = Workload(
        name=name,
        text=text,
        devices=devices,
        seed=seed,
        before=lambda: iter(before),
        rounds=lambda: iter(rounds),
    )
    with collector_off():
        produced = peer.produce(workload)
    connection.send((produced, peer))


def _merge(connection: Connection) -> None:
    """Seconds of each way that is asked for."""
    _begin()
    peer: Peer = connection.recv()
    connection.send(None)
    while True:
        try:
            way = connection.recv()
        except (EOFError, OSError):  # whoever asked is gone
            return
        with collector_off():
            seconds = peer.merge(way)
        connection.send(seconds)
