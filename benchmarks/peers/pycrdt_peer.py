"""pycrdt (Yrs, in Rust) as a peer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from casesync.testing.workloads.saves import Workload
from peers.peer import BATCH_SAVES, Absent, Produced, Row, by_device, rows_of

try:
    from pycrdt import Doc, Map, merge_updates
except ImportError as error:
    raise Absent("pycrdt is not installed") from error

ONE = "one by one"
ONE_TRANSACTION = "one by one in one transaction"
MERGED = f"merged into updates of {BATCH_SAVES} saves"


class Pycrdt:
    """A ``Map`` of ``Map``s."""

    name = "pycrdt"
    ways: Sequence[str] = (ONE, ONE_TRANSACTION, MERGED)

    def __init__(self) -> None:
        self.version = version("pycrdt")
        self._base = b""
        self._updates: list[bytes] = []
        self._merged: list[bytes] = []

    def produce(self, workload: Workload) -> Produced:
        self._base = _base(workload)
        self._updates, self._merged = [], []
        docs = [_Device(self._base) for _ in range(workload.devices)]
        seconds = 0.0
        for chosen in workload.rounds():
            made: list[list[bytes]] = []
            for device, rows in by_device(chosen, workload.devices):
                started = time.perf_counter()
                made.append([docs[device].save(row) for row in rows])
                seconds += time.perf_counter() - started
            for device, updates in enumerate(made):
                self._updates += updates
                for at in range(0, len(updates), BATCH_SAVES):
                    self._merged.append(merge_updates(*updates[at : at + BATCH_SAVES]))
                for other, doc in enumerate(docs):
                    if other != device:
                        doc.take(updates)
        return Produced(seconds, sum(map(len, self._updates)))

    def merge(self, way: str) -> float:
        doc: Any = Doc()
        doc.get("records", type=Map)
        doc.apply_update(self._base)
        updates = self._merged if way == MERGED else self._updates
        started = time.perf_counter()
        if way == ONE_TRANSACTION:
            with doc.transaction():
                for update in updates:
                    doc.apply_update(update)
        else:
            for update in updates:
                doc.apply_update(update)
        return time.perf_counter() - started

    def close(self) -> None:
        """Nothing to give back."""


class _Device:
    """A document and the update its last transaction made."""

    def __init__(self, base: bytes) -> None:
        self._doc: Any = Doc()
        self._records = self._doc.get("records", type=Map)
        self._doc.apply_update(base)
        self._latest = b""
        self._doc.observe(self._note)

    def _note(self, event: Any) -> None:
        self._latest = event.update

    def save(self, row: Row) -> bytes:
        with self._doc.transaction():
            if row.record in self._records:
                record = self._records[row.record]
                for name, value in zip(row.fields, row.values, strict=True):
                    record[name] = value
            else:
                self._records[row.record] = Map(dict(zip(row.fields, row.values, strict=True)))
        return self._latest

    def take(self, updates: Sequence[bytes]) -> None:
        with self._doc.transaction():
            for update in updates:
                self._doc.apply_update(update)


def _base(workload: Workload) -> bytes:
    doc: Any = Doc()
    records = doc.get("records", type=Map)
    with doc.transaction():
        for chosen in workload.before():
            for row in rows_of(chosen):
                if row.record in records:
                    records[row.record].update(dict(zip(row.fields, row.values, strict=True)))
                else:
                    records[row.record] = Map(dict(zip(row.fields, row.values, strict=True)))
    found: bytes = doc.get_update()
    return found
