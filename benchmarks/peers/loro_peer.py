"""Loro (in Rust, from Python) as a peer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from casesync.testing.workloads.saves import Workload
from peers.peer import BATCH_SAVES, Absent, Produced, Row, by_device, rows_of

try:
    import loro
except ImportError as error:
    raise Absent("loro is not installed") from error

_LORO: Any = loro  # its classes have no types
ONE = "one by one"
BATCH = "import_batch of all updates"
EXPORTED = f"updates of {BATCH_SAVES} saves"
EXPORTED_BATCH = f"import_batch of updates of {BATCH_SAVES} saves"
WHOLE = "one update of all saves"


class Loro:
    """A ``LoroMap`` of ``LoroMap``s."""

    name = "Loro"
    ways: Sequence[str] = (ONE, BATCH, EXPORTED, EXPORTED_BATCH, WHOLE)

    def __init__(self) -> None:
        self.version = version("loro")
        self._base = b""
        self._updates: list[bytes] = []
        self._exported: list[bytes] = []
        self._whole = b""

    def produce(self, workload: Workload) -> Produced:
        self._base = _base(workload)
        self._updates, self._exported = [], []
        docs = [_Device(self._base) for _ in range(workload.devices)]
        before = docs[0].version()
        seconds = 0.0
        for chosen in workload.rounds():
            made: list[list[bytes]] = []
            for device, rows in by_device(chosen, workload.devices):
                doc, exported = docs[device], []
                for at in range(0, len(rows), BATCH_SAVES):
                    since = doc.version()
                    started = time.perf_counter()
                    self._updates += [doc.save(row) for row in rows[at : at + BATCH_SAVES]]
                    seconds += time.perf_counter() - started
                    exported.append(doc.export_since(since))
                made.append(exported)
            for device, exported in enumerate(made):
                self._exported += exported
                for other, doc in enumerate(docs):
                    if other != device and exported:
                        doc.take(exported)
        self._whole = docs[0].export_since(before)  # it took everybody's
        return Produced(seconds, sum(map(len, self._updates)))

    def merge(self, way: str) -> float:
        doc = _LORO.LoroDoc()
        doc.import_(self._base)
        updates = self._exported if way in {EXPORTED, EXPORTED_BATCH} else self._updates
        if way == WHOLE:
            updates = [self._whole]
        started = time.perf_counter()
        if way in {BATCH, EXPORTED_BATCH}:
            doc.import_batch(updates)
        else:
            for update in updates:
                doc.import_(update)
        return time.perf_counter() - started

    def close(self) -> None:
        """Nothing to give back."""


class _Device:
    """A document and the update its last commit made."""

    def __init__(self, base: bytes) -> None:
        self._doc = _LORO.LoroDoc()
        self._doc.import_(base)
        self._records = self._doc.get_map("records")
        self._latest = b""
        self._subscription = self._doc.subscribe_local_update(self._note)

    def _note(self, update: bytes) -> bool:
        self._latest = update
        return True

    def save(self, row: Row) -> bytes:
        record = _record(self._records, row.record)
        for name, value in zip(row.fields, row.values, strict=True):
            record.insert(name, value)
        self._doc.commit()
        return self._latest

    def version(self) -> Any:
        return self._doc.oplog_vv

    def export_since(self, since: Any) -> bytes:
        return bytes(self._doc.export(_LORO.ExportMode.Updates(since)))

    def take(self, updates: list[bytes]) -> None:
        self._doc.import_batch(updates)


def _record(records: Any, key: str) -> Any:
    found = records.get(key)
    return records.insert_container(key, _LORO.LoroMap()) if found is None else found.container


def _base(workload: Workload) -> bytes:
    doc = _LORO.LoroDoc()
    records = doc.get_map("records")
    for chosen in workload.before():
        for row in rows_of(chosen):
            record = _record(records, row.record)
            for name, value in zip(row.fields, row.values, strict=True):
                record.insert(name, value)
    doc.commit()
    return bytes(doc.export(_LORO.ExportMode.Snapshot()))
