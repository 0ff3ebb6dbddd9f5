"""Many devices push to a real relay process over HTTP at once (testing).

The devices write beforehand; measured is from the first push to the last receipt, durable at the
relay. They run in this process, a thread each, with signed requests made beforehand, so that what
is measured is the relay.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from typing_extensions import override

from casesync.client import opening
from casesync.client.core import Identity
from casesync.client.system_ports import SystemClock
from casesync.foundation.ports import Clock
from casesync.sync.relay_port import RelayChannel
from casesync.sync.session import frame_for_push
from casesync.testing.memory_network import FaultOf, MemoryNetwork
from casesync.testing.offices import Offices
from casesync.testing.workloads.forms import PERSON
from casesync.testing.workloads.office import Author, Office
from casesync.testing.workloads.saves import Save, Workload, nothing
from casesync.testing.workloads.values import Values
from casesync.transport.http_channel import HttpChannel
from casesync.wire.messages import SyncAnswer, SyncRequest

DEVICES: Final = 16
CHANGES_PER_PUSH: Final = 100
"""A day's work of a device."""
_FORM: Final = ("family_name", "middle_name", "given_name", "address", "religion")
_STOP_S: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What a relay took in."""

    seconds: float
    devices: int
    pushes: int
    changes: int
    cells: int
    pushed_bytes: int
    relay_bytes: int
    """Its whole database afterwards, control log included."""


class RelayOffices(Offices):
    """Offices whose relay is another process, reached over HTTP."""

    def __init__(self, seed: int, url: str) -> None:
        """Args: url: of the relay."""
        super().__init__(seed, SystemClock())
        self._url = url
        self.network = cast("MemoryNetwork", self)

    def channel(self, network: bytes | None = None, *, clock: Clock, **_: object) -> RelayChannel:
        """A channel of somebody who is not enrolled yet."""
        return HttpChannel(self._url, network, None, None, clock, lambda: 0)

    @override
    def _maker(self, clock: Clock, fault_of: FaultOf) -> opening.ChannelMaker:
        def make(identity: Identity, counter_next: Callable[[], int]) -> RelayChannel:
            signer = identity.secrets.request_signer().sign
            device = int(identity.device)
            return HttpChannel(self._url, identity.network, device, signer, clock, counter_next)

        return make


def ingest(size: int, seed: int, folder: Path) -> Ingested:
    """Push about ``size`` cell writes from ``DEVICES`` devices, each to cases of its own.

    Args:
        size: cell writes.
        seed: of the workload.
        folder: where the relay's database is to lie.
    """
    saves = max(1, size // len(_FORM) // DEVICES)
    workload = Workload(
        name="relay-ingest",
        text=f"{DEVICES} devices push to a relay over HTTP, {CHANGES_PER_PUSH} changes each time",
        devices=DEVICES,
        seed=seed,
        before=nothing,
        rounds=nothing,
    )
    with tempfile.TemporaryDirectory(dir=folder) as name:
        with _relay(Path(name)) as url:
            office = Office(workload, RelayOffices(seed, url))
            pushes = [
                _requests(office, number, _saves(number, saves, seed)) for number in range(DEVICES)
            ]
            seconds = _pushed([writer.core.channel for writer in office.writers], pushes, saves)
            for replica in (*office.writers, office.reader):
                cast("HttpChannel", replica.core.channel).close()
        relay_bytes = (Path(name) / "relay.db").stat().st_size
    return Ingested(
        seconds=seconds,
        devices=DEVICES,
        pushes=sum(map(len, pushes)),
        changes=saves * DEVICES,
        cells=saves * DEVICES * len(_FORM),
        pushed_bytes=sum(len(body) for of_device in pushes for body in of_device),
        relay_bytes=relay_bytes,
    )


def _pushed(
    channels: Sequence[RelayChannel], pushes: Sequence[Sequence[bytes]], saves: int
) -> float:
    """Seconds until the relay has acknowledged everything."""
    started = time.perf_counter()
    with ThreadPoolExecutor(DEVICES) as pool:
        receipts = list(pool.map(_push, channels, pushes))
    seconds = time.perf_counter() - started
    assert receipts == [saves] * DEVICES, "every change was taken"
    return seconds


def _saves(device: int, count: int, seed: int) -> list[Save]:
    values = Values(f"{seed}/{device}")
    cases = max(1, count // 4)
    return [
        Save(device * 1_000_000 + at % cases, 1, device, PERSON, _FORM, values.all(_FORM))
        for at in range(count)
    ]


def _requests(office: Office, number: int, saves: Sequence[Save]) -> list[bytes]:
    """Write, and make the requests that push it; each asks for nothing but receipts."""
    core = office.writers[number].core
    with core.store.transaction() as tx:
        held = len(tx.outbox())
    Author(core, office.ids).write(saves)
    with core.store.transaction() as tx:
        rows = tx.outbox()[held:]
        changes = tx.changes_at([row.location for row in rows])
    requests = []
    for at in range(0, len(rows), CHANGES_PER_PUSH):
        chosen = changes[at : at + CHANGES_PER_PUSH]
        request = SyncRequest(
            control_size=core.engine.control.size,
            cursor=0,
            outbox=tuple(frame_for_push(change) for change in chosen),
            newest=(int(rows[at].number) - 1, chosen[0].previous_link),
            answer_bytes_max=1,
        )
        requests.append(request.encode())
    return requests


def _push(channel: RelayChannel, requests: Sequence[bytes]) -> int:
    return sum(len(SyncAnswer.decode(channel.sync(body)).receipts) for body in requests)


@contextmanager
def _relay(folder: Path) -> Iterator[str]:
    """A relay process; its address."""
    command = [sys.executable, "-m", "casesync.relay", "--db", str(folder / "relay.db")]
    with (folder / "relay.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - this package's own module
            [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[2]
    finally:
        process.terminate()
        process.wait(_STOP_S)
        process.stdout.close()
