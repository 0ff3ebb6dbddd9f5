"""What a laptop is handed, in a folder: its database before, the relay's answers (testing).

``prepare`` fills the folder with what real devices wrote through a real relay; whoever measures
opens the database as a real store and takes the recorded answers in, as often as needed.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from os import SEEK_CUR
from pathlib import Path
from typing import Any, Final, cast

import sqlcipher3

from casesync.client import opening
from casesync.client.core import Core
from casesync.foundation.ids import StreamId
from casesync.foundation.ports import Entropy
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.connection import PAGE_BYTES, connect_plain, page_hashes
from casesync.storage.sql_store import SqlStore, open_encrypted, open_plain
from casesync.sync.ports import ReplicaStore
from casesync.sync.relay_port import RelayChannel
from casesync.testing.clock import FakeClock
from casesync.testing.entropy import SeededEntropy
from casesync.testing.workloads.office import CaseIds

KEY: Final = bytes(range(32))
"""Of databases that hold invented data only."""
_LENGTH: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a folder holds, in numbers."""

    name: str
    text: str
    size: int
    """Cell writes asked for."""
    seed: int
    cells: int
    """Cell writes that are measured."""
    changes: int
    wire_bytes: int
    """All answers, everything included."""
    prepare_s: float


class Recording:
    """One prepared folder."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: filled by ``prepare``, or to be filled."""
        self.folder = folder
        self._base = folder / "base.db"
        self._sealed_base = folder / "base.enc"
        self._answers = folder / "answers.bin"

    # -- filling ------------------------------------------------------------------------------

    def keep_base(self, store: SqlStore) -> None:
        """Keep a store as it is now, plain and encrypted."""
        target = sqlite3.connect(self._base, isolation_level=None)
        target.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        store._connection.backup(target)
        target.close()
        connection: Any = sqlcipher3.connect(str(self._base), isolation_level=None)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute(f"ATTACH '{self._sealed_base}' AS sealed KEY \"x'{KEY.hex()}'\"")
        connection.execute(f"PRAGMA sealed.cipher_page_size = {PAGE_BYTES}")
        connection.execute(f"PRAGMA sealed.cipher_hmac_algorithm = {page_hashes()[0]}")
        connection.execute("SELECT sqlcipher_export('sealed')").fetchall()
        connection.execute(f"PRAGMA sealed.user_version = {version}")
        connection.close()

    def keep_answers(self, answers: Sequence[bytes]) -> None:
        """Keep the relay's answers; the last one is to every request after them."""
        with self._answers.open("wb") as file:
            for answer in answers:
                file.write(len(answer).to_bytes(_LENGTH, "big") + answer)

    def keep_facts(self, facts: Facts, ids: CaseIds) -> None:
        """Keep the numbers, and where the cases are."""
        (self.folder / "facts.json").write_text(json.dumps(asdict(facts)), "utf-8")
        rows = [[case, ids.streams[case].hex(), ids.own(case).hex()] for case in ids.streams]
        (self.folder / "cases.json").write_text(json.dumps(rows), "utf-8")

    # -- using --------------------------------------------------------------------------------

    @property
    def facts(self) -> Facts:
        """The numbers."""
        return Facts(**json.loads((self.folder / "facts.json").read_text("utf-8")))

    def ids(self) -> CaseIds:
        """Where the cases are."""
        ids = CaseIds()
        for case, stream, record in json.loads((self.folder / "cases.json").read_text("utf-8")):
            ids.open(case, bytes.fromhex(record), StreamId(bytes.fromhex(stream)))
        return ids

    def answers(self) -> Iterator[bytes]:
        """The relay's answers one after another, read when asked for."""
        with self._answers.open("rb") as file:
            while length := file.read(_LENGTH):
                yield file.read(int.from_bytes(length, "big"))

    def last_answer(self) -> bytes:
        """The one to every request after them."""
        last = (0, 0)
        with self._answers.open("rb") as file:
            while length := file.read(_LENGTH):
                last = (file.tell(), int.from_bytes(length, "big"))
                file.seek(last[1], SEEK_CUR)
            file.seek(last[0])
            return file.read(last[1])

    def in_memory(self) -> SqlStore:
        """The store before, in SQLite in memory."""
        connection = connect_plain(None)
        source = sqlite3.connect(self._base)
        source.backup(cast("sqlite3.Connection", connection))
        source.close()
        return SqlStore(connection)

    def on_disk(self, path: Path, *, encrypted: bool) -> SqlStore:
        """The store before, as a file: plain SQLite, or SQLCipher as it ships."""
        shutil.copyfile(self._sealed_base if encrypted else self._base, path)
        return open_encrypted(path, SecretBytes(KEY)) if encrypted else open_plain(path)

    def reopened(
        self,
        store: ReplicaStore,
        folder: Path | None = None,
        entropy: Entropy | None = None,
        *,
        in_hand: bool = False,
    ) -> Core:
        """A replica on such a store, whose relay gives the recorded answers.

        Args:
            store: of this recording.
            folder: where the anchor is to lie; None writes none.
            entropy: of what it writes; None is seeded.
            in_hand: whether the answers are in memory before they are asked for, as the updates of
                other engines are; otherwise each is read from the disk, and none is kept.
        """
        channel = cast("RelayChannel", RecordedChannel(self, in_hand=in_hand))
        entropy = entropy or SeededEntropy("measured")
        return opening.core_on(store, FakeClock(), entropy, lambda *_: channel, folder=folder)


class RecordedChannel:
    """As much of ``relay_port.RelayChannel`` as a sync of known entries asks: recorded answers."""

    def __init__(self, recording: Recording, *, in_hand: bool) -> None:
        """Args: recording: its last answer is given again and again; in_hand: as ``reopened``."""
        self._recording = recording
        answers = recording.answers()
        self._answers = iter(list(answers)) if in_hand else answers

    def sync(self, request: bytes, patience_s: float | None = None) -> bytes:
        """The next answer."""
        answer = next(self._answers, None)
        return self._recording.last_answer() if answer is None else answer

    def now_offset_ms(self) -> int:
        """Both clocks are one."""
        return 0
