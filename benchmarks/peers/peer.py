"""What is asked of a system that casesync is measured beside.

In memory, on plaintext, unsigned, not durable. A peer keeps a map of records in one document per
device, makes one update per save, and a further document takes all updates in, in each of the
ways its documentation offers. The records that exist before are in everybody's document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from casesync.testing.benchmark.series import WayLost
from casesync.testing.workloads.saves import Save, Value, Workload

BATCH_SAVES = 500


class Absent(WayLost):
    """A peer that is not installed here, or is gone; its message says what is missing."""


class Row(NamedTuple):
    """A save as a peer plays it."""

    device: int
    record: str
    fields: tuple[str, ...]
    values: tuple[str | int | bool, ...]


class Produced(NamedTuple):
    """One update per save was made."""

    seconds: float
    """For making the updates, taking in those of others apart."""
    update_bytes: int


class Peer(Protocol):
    """One engine with one workload."""

    name: str
    version: str
    ways: Sequence[str]

    def produce(self, workload: Workload) -> Produced:
        """Play the workload on a document per device and keep the updates. Raises: Absent."""
        ...

    def merge(self, way: str) -> float:
        """Seconds for a fresh document to take all updates in. Raises: Absent."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


def rows_of(saves: Sequence[Save]) -> Iterator[Row]:
    """Saves as peers play them."""
    for save in saves:
        yield Row(
            save.device,
            f"{save.case:016x}{save.record:016x}",  # 128 bits, as text
            save.fields,
            tuple(map(_plain, save.values)),
        )


def by_device(saves: Sequence[Save], devices: int) -> Iterator[tuple[int, list[Row]]]:
    """A round, device by device, as casesync's devices push it."""
    rows = list(rows_of(saves))
    for device in range(devices):
        yield device, [row for row in rows if row.device == device]


def _plain(value: Value) -> str | int | bool:
    """Lists are written as text: no peer needs to make a list of its own for them."""
    return ",".join(item or "" for item in value) if isinstance(value, list) else value
