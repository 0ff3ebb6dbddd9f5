"""Prepare what is to be measured: devices write a workload, a relay answers a reader (testing).

``python -m casesync.testing.benchmark.prepare WORKLOAD SIZE SEED FOLDER`` runs as a process of its
own, so that two can work at once and whoever measures starts with a clean memory. Nothing is
precomputed: every change is made, sealed, signed, pushed and taken in by the product itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from casesync.client.bulk_work import uncollected
from casesync.client.control_driver import pull
from casesync.client.page_size import PageSize
from casesync.client.replica import Replica
from casesync.sync.session import prepare as next_request
from casesync.testing.benchmark.recorded import Facts, Recording
from casesync.testing.workloads.office import Office
from casesync.testing.workloads.registry import WORKLOADS
from casesync.testing.workloads.saves import Workload
from casesync.wire.messages import SyncAnswer, SyncRequest


def prepare(name: str, size: int, seed: int, folder: Path) -> None:
    """Fill ``folder``; ``first-sync`` also fills ``month-away`` beside it, from the same office."""
    workload = WORKLOADS[name](size, seed)
    started = time.perf_counter()
    with uncollected():
        office = Office(workload)
        office.play(workload.before())
        _record(office, workload, size, folder, started)
        if name == "first-sync":
            started = time.perf_counter()
            month = WORKLOADS["month-away"](size, seed)
            _record(office, month, size, folder.with_name(f"month-away-{size}"), started)


def _record(office: Office, workload: Workload, size: int, folder: Path, started: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    recording = Recording(folder)
    pull(office.reader.core)
    recording.keep_base(office.offices.stores[int(office.reader.core.identity.device)])
    office.play(workload.rounds(), settle=False)
    answers = answers_to(office.reader)
    recording.keep_answers(answers)
    facts = Facts(
        name=workload.name,
        text=workload.text,
        size=size,
        seed=workload.seed,
        cells=workload.cells(),
        changes=sum(1 for _ in workload.saves()),
        wire_bytes=sum(map(len, answers[:-1])),
        prepare_s=time.perf_counter() - started,
    )
    recording.keep_facts(facts, office.ids)


def answers_to(reader: Replica) -> list[bytes]:
    """Every page from a reader's cursor to the relay's size, then the answer when all is held."""
    core = reader.core
    pages = PageSize()  # learns as over a fast line
    with core.store.transaction() as tx:
        request = next_request(core.engine, tx, pages.bytes).request
    answers: list[bytes] = []
    more = True
    while True:
        answers.append(core.channel.sync(request.encode()))
        pages.note(0, len(answers[-1]))
        if not more:
            return answers
        answer = SyncAnswer.decode(answers[-1])
        more = answer.more
        size = int.from_bytes(answer.change_checkpoint[:6], "big")
        request = SyncRequest(
            control_size=request.control_size,
            cursor=answer.page[0],
            target=size if more else 0,
            newest=request.newest,
            answer_bytes_max=pages.bytes,
        )


def main(arguments: Sequence[str]) -> None:
    """Entry point of the process."""
    name, size, seed, folder = arguments
    prepare(name, int(size), int(seed), Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
