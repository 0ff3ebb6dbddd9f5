"""Merge throughput on form saves: ours step by step, beside pycrdt on the same saves.

    python benchmarks/form_saves.py [--saves 40000] [--records 10000] [--fields 10] [--quick]

Four devices of one office save forms; a fifth, new laptop fetches everything. Timed is what that
laptop does with the relay's pages: floor (page proof, signatures, decrypt, decode), merged in
memory, merged and durable in SQLCipher. Nothing is precomputed; the pages are the real relay's.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import form_saves_workload as workload
import peer_pycrdt
from casesync.client.control_driver import pull
from casesync.client.core import IDENTITY as WHO
from casesync.client.replica import Replica
from casesync.crypto.sealing import open_segment
from casesync.foundation.ids import Compartment, RecordId, StreamId, StreamKind
from casesync.foundation.secret_bytes import SecretBytes
from casesync.merkle.compact_range import CompactRange
from casesync.model.cells import CellId
from casesync.model.segment_body import Write, decode_content, encode_content
from casesync.storage.sql_store import open_encrypted, open_plain
from casesync.sync.author import Draft, open_stream, write_change
from casesync.sync.control_flow import NETWORK_KEYS, named_blobs
from casesync.sync.held_log import CONTROL_CHECKPOINT, CONTROL_RANGE, CONTROL_VOIDS
from casesync.sync.run_check import check_runs
from casesync.sync.session import prepare
from casesync.sync.stream_merge import state_of
from casesync.sync.stream_row import StreamRow
from casesync.testing.offices import Offices
from casesync.translog.header import (
    PLAIN_TABLE_BYTES,
    STREAM_PART,
    head_bytes,
    parse_header,
    plain_header,
)
from casesync.translog.page import read_page
from casesync.wire.messages import SyncAnswer, SyncRequest

IDENTITY = int(Compartment.IDENTITY)
PERSON = 2
KEYS = (1 << 4 | 3, 2 << 4 | 3, 3 << 4 | 3, 5 << 4 | 3, 6 << 4 | 3, 7 << 4 | 3, 10 << 4 | 3,
        11 << 4 | 3, 12 << 4 | 3, 15 << 4 | 2)  # fmt: skip
SAVES_PER_TRANSACTION = 500


class Office:
    """Four writers and what they wrote."""

    def __init__(self, shape: workload.Shape) -> None:
        self.shape = shape
        self.offices = Offices(shape.seed)
        founder = self.offices.found()
        unit = founder.whoami().unit
        self.writers = [founder] + [
            self.offices.enrol(founder, unit, "caseworker", f"Máy {n}")
            for n in range(2, shape.devices + 1)
        ]
        self.reader = self.offices.enrol(founder, unit, "caseworker", "Máy mới")
        for writer in self.writers:
            sync_only(writer)
        self.streams: dict[int, StreamId] = {}
        self.records: dict[int, bytes] = {}
        self.write_s = 0.0

    def write_all(self) -> None:
        """Open the cases; then round by round, so that each save has seen the one before."""
        self._open_all()
        self.opened = first_answers(self.reader)
        saves = list(workload.saves(self.shape))
        for start in range(0, len(saves), self.shape.records):
            chosen = saves[start : start + self.shape.records]
            for number, writer in enumerate(self.writers):
                mine = [save for save in chosen if save.device == number]
                for at in range(0, len(mine), SAVES_PER_TRANSACTION):
                    started = time.perf_counter()
                    self._write(writer, mine[at : at + SAVES_PER_TRANSACTION])
                    self.write_s += time.perf_counter() - started
            for writer in self.writers * 2:
                sync_only(writer)

    def _open_all(self) -> None:
        """Every case's stream, with its identity key: what a record is created with."""
        core = self.writers[0].core
        for at in range(0, self.shape.records, SAVES_PER_TRANSACTION):
            with core.transaction() as tx:
                for number in range(at, min(at + SAVES_PER_TRANSACTION, self.shape.records)):
                    record = core.entropy.bytes(16)
                    feed = core.engine.control.unit(core.engine.unit).feed
                    draft = open_stream(core.engine, tx, StreamKind.CASE, RecordId(record), feed)
                    cell = CellId(record, PERSON, KEYS[0] >> 4, None, 0)
                    body = encode_content(0, 1, [], [Write(cell, KEYS[0] & 15, "x")])
                    draft.bodies[IDENTITY], draft.decoded[IDENTITY] = body, decode_content(body)
                    self.streams[number], self.records[number] = draft.stream, record
                    write_change(core.engine, tx, draft)
        for writer in self.writers * 2:
            sync_only(writer)

    def _write(self, writer: Replica, saves: list[workload.Save]) -> None:
        core = writer.core
        with core.transaction() as tx:
            for save in saves:
                stream = self.streams[save.record]
                draft = Draft(stream=stream)
                state = state_of(StreamRow(tx.stream_rows([stream])[stream]))
                record = self.records[save.record]
                writes = [
                    Write(CellId(record, PERSON, key >> 4, None, 0), key & 15, value)
                    for key, value in zip(KEYS, save.values, strict=False)
                ]
                replaces = state.replaces_for([write.cell for write in writes], IDENTITY)
                body = encode_content(core.clock.now_ms(), 1, replaces, writes)
                draft.bodies[IDENTITY] = body
                draft.decoded[IDENTITY] = decode_content(body)
                write_change(core.engine, tx, draft)


def sync_only(replica: Replica) -> None:
    """A sync without refreshing lists, which nobody looks at here."""
    pull(replica.core)


def first_answers(reader: Replica) -> list[bytes]:
    """The relay's answers to the reader's next sync, without taking them in."""
    with reader.core.store.transaction() as tx:
        prepared = prepare(reader.core.engine, tx)
    return answers_to(reader, prepared.request)


def answers_to(reader: Replica, request: SyncRequest) -> list[bytes]:
    """All pages from a request's cursor to the relay's size at its first answer."""
    answers: list[bytes] = []
    while True:
        body = reader.core.channel.sync(request.encode())
        answers.append(body)
        answer = SyncAnswer.decode(body)
        if not answer.more:
            return answers
        request = SyncRequest(
            control_size=request.control_size,
            cursor=answer.page[0],
            target=int.from_bytes(answer.change_checkpoint[:6], "big"),
            newest=request.newest,
        )


def cursor_after(answers: list[bytes]) -> int:
    """The log's size when the last answer was given."""
    return int.from_bytes(SyncAnswer.decode(answers[-1]).change_checkpoint[:6], "big")


def range_after(answers: list[bytes]) -> CompactRange:
    """The compact range that the recorded answers lead to."""
    held = CompactRange()
    for body in answers:
        answer = SyncAnswer.decode(body)
        size = int.from_bytes(answer.change_checkpoint[:6], "big")
        held = read_page(
            answer.page, held, size, answer.change_checkpoint[6:38], lambda _n: None
        ).compact_range
    return held


def floor(
    reader: Replica, held: CompactRange, answers: list[bytes], keys: Callable[[StreamId], Any]
) -> float:
    """Page proof, one signature per run, decrypt, decode; nothing kept."""
    started = time.perf_counter()
    engine = reader.core.engine
    for body in answers:
        answer = SyncAnswer.decode(body)
        size = int.from_bytes(answer.change_checkpoint[:6], "big")
        root = answer.change_checkpoint[6:38]
        leaves, held = read_page(answer.page, held, size, root, lambda _n: None)
        for leaf in check_runs(engine, leaves).proven:
            plain = plain_header(leaf.header)
            if plain is None:  # the first change of a push: a checkpoint stands in its header
                header = parse_header(leaf.header)
                head = head_bytes(leaf.header, header)
            else:
                head = leaf.header[:-PLAIN_TABLE_BYTES]
            key = keys(StreamId(leaf.header[STREAM_PART]))
            decode_content(
                open_segment(
                    key.cipher, leaf.previous_link, head, sha256(head).digest(), 0,
                    key.commitment, leaf.segments[0],
                )
            )  # fmt: skip
    return time.perf_counter() - started


def merged(reader: Replica, opened: list[bytes], answers: list[bytes], store: Any) -> float:
    """Seconds of the real path for ``answers``, on a store that has taken ``opened`` in."""
    core = reader.core
    core.store = store
    core.reload()
    channel = core.channel

    class Recorded:
        def __init__(self, answers: list[bytes]) -> None:
            self._answers = iter(answers)

        def sync(self, _request: bytes) -> bytes:
            return next(self._answers)

        def __getattr__(self, name: str) -> Any:
            return getattr(channel, name)

    try:
        core.channel = Recorded(opened)
        sync_only(reader)
        core.channel = Recorded(answers)
        core.engine.keys.forget()
        started = time.perf_counter()
        sync_only(reader)
        return time.perf_counter() - started
    finally:
        core.channel = channel


@contextmanager
def quiet_gc():
    """What bulk work does in the product, around everything that is compared."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--saves", type=int, default=40_000)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--fields", type=int, default=10)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    shape = workload.Shape(options.saves, options.fields, options.records, 4, options.seed)
    console = Console()
    with console.status("writing"):
        office = Office(shape)
        office.write_all()
    reader, opened = office.reader, office.opened
    held = range_after(opened)
    request = SyncRequest(
        control_size=reader.core.engine.control.size,
        cursor=held.size,
        newest=(0, reader.core.engine.me.enrolment_hash),
    )
    answers = answers_to(reader, request)
    cells = shape.saves * shape.fields
    wire = sum(len(answer) for answer in answers)
    base = copy_of(reader)
    rows: dict[str, list[float]] = {}
    merged(reader, opened, answers, base())
    ring = reader.core.engine.keys
    with reader.core.store.transaction() as tx:
        ring.load(tx, list(office.streams.values()))
    by_stream = {
        stream: next(k for (c, _), k in ring.stream(stream).items() if c == IDENTITY)
        for stream in office.streams.values()
    }
    with console.status("pycrdt: producing the same saves"):
        base_update, updates, _ = peer_pycrdt.produce(shape)
    for _ in range(options.runs):
        with quiet_gc():
            rows.setdefault("pycrdt, in memory, plaintext", []).append(
                peer_pycrdt.merge(base_update, updates)
            )
            rows.setdefault("floor: verify + decrypt + decode", []).append(
                floor(reader, held, answers, by_stream.__getitem__)
            )
            rows.setdefault("merged in memory (SQLite :memory:)", []).append(
                merged(reader, opened, answers, base())
            )
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "replica.db"
                encrypted = open_encrypted(path, SecretBytes(bytes(range(32))))
                copy_values(base(), encrypted)
                rows.setdefault("merged + durable in SQLCipher", []).append(
                    merged(reader, opened, answers, encrypted)
                )
                encrypted.close()
    show(console, rows, cells, wire, office)


def show(
    console: Console, rows: dict[str, list[float]], cells: int, wire: int, office: Office
) -> None:
    peer = sorted(rows["pycrdt, in memory, plaintext"])
    yardstick = peer[len(peer) // 2]
    table = Table("step", "cell writes/s (median)", "of pycrdt")
    for name, times in rows.items():
        middle = sorted(times)[len(times) // 2]
        table.add_row(name, f"{cells / middle:,.0f}", f"{yardstick / middle:.2f}")
    table.add_row("local writes, 500 a transaction", f"{cells / office.write_s:,.0f}", "")
    console.print(table)
    console.print(f"{wire / cells:.1f} bytes on the wire per cell write, everything included")


def copy_of(reader: Replica) -> Callable[[], Any]:
    """Fresh stores that hold what the reader held before its first page."""
    origin = reader.core.store

    def make() -> Any:
        store = open_plain()
        copy_values(origin, store)
        return store

    return make


def copy_values(origin: Any, store: Any) -> None:
    """Control log, blobs, seeds and small values; no changes."""
    with origin.transaction() as old, store.transaction() as new:
        entries = list(old.control_entries())
        for entry in entries:
            new.append_control(*entry)
        device = 0
        for name in named_blobs(device, entries):
            new.put_blob(name, old.blob(name))
        for seed in old.seeds():
            new.put_seed(*seed)
        for key in (WHO, NETWORK_KEYS, CONTROL_CHECKPOINT, CONTROL_RANGE, CONTROL_VOIDS):
            new.put_value(key, old.value(key))


if __name__ == "__main__":
    main()
