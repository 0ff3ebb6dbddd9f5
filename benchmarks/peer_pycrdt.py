"""pycrdt on the same saves: one Doc per device, one update per save, merged into a fresh Doc.

In memory, plaintext, unsigned, not durable: the yardstick of DESIGN.md 10. The records' maps are
made beforehand and shared, so that concurrent creation does not count against it.
"""

from __future__ import annotations

import time

from pycrdt import Doc, Map

from form_saves_workload import FIELD_NAMES, Shape, saves


def produce(shape: Shape) -> tuple[bytes, list[bytes], float]:
    """(base update, one update per save, seconds for producing them)."""
    base: Doc = Doc()
    records = base.get("records", type=Map)
    with base.transaction():
        for record in range(shape.records):
            records[_id(record)] = Map()
    base_update = base.get_update()
    docs = []
    for _ in range(shape.devices):
        doc: Doc = Doc()
        doc.apply_update(base_update)
        docs.append((doc, doc.get("records", type=Map)))
    updates: list[bytes] = []
    spent = 0.0
    latest: list[bytes] = []
    for doc, _ in docs:
        doc.observe(lambda event: latest.append(event.update))
    for save in saves(shape):
        doc, maps = docs[save.device]
        latest.clear()
        started = time.perf_counter()
        with doc.transaction():
            record = maps[_id(save.record)]
            for name, value in zip(FIELD_NAMES, save.values, strict=False):
                record[name] = value
        spent += time.perf_counter() - started
        update = latest[0]
        updates.append(update)
        for other, _ in docs:
            if other is not doc:
                other.apply_update(update)
    return base_update, updates, spent


def _id(record: int) -> str:
    """128 bits, as text."""
    return f"{record:032x}"


def merge(base_update: bytes, updates: list[bytes]) -> float:
    """Seconds to apply every update, one by one, to a fresh Doc that has the base."""
    doc: Doc = Doc()
    doc.get("records", type=Map)
    doc.apply_update(base_update)
    started = time.perf_counter()
    for update in updates:
        doc.apply_update(update)
    return time.perf_counter() - started
