"""Three offices and an audit office on a relay that a test may turn against them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from casesync.access.verdicts import VERDICTS
from casesync.client import opening
from casesync.client.core import Identity
from casesync.client.replica import Replica
from casesync.client.views import Assignment
from casesync.foundation.ids import StreamId, StreamKind
from casesync.storage.sql_store import SqlStore
from casesync.sync.held_log import CHANGE_RANGE, load_range
from casesync.sync.stream_row import StreamRow
from casesync.testing.clock import FakeClock
from casesync.testing.entropy import SeededEntropy
from casesync.testing.hostile_relay import HostileRelay
from casesync.testing.memory_network import MemoryNetwork
from casesync.testing.offices import Offices
from simulation import founding
from simulation.founding import AUDIT, OSSO, SHELTER, UNION, copied, founded

__all__ = ["AUDIT", "OSSO", "SHELTER", "UNION", "AttackWorld", "Shared"]

DESKS = ("lan", "mai", "oanh", "phuc", "uyen", "dung", "yen", "van")
"""Lan (administrator) and Mai, shelter; Oanh and Phuc, OSSO; Uyen, union (administrator); Dung,
auditor; Yen, clinician at the shelter; Van, counsellor at the union."""


@dataclass(frozen=True)
class Shared:
    """A case that was granted."""

    stream: StreamId
    grant: str
    consent: str


class AttackWorld:
    """Real replicas in memory; the relay is ``HostileRelay``."""

    def __init__(self, desks: int = 6, seed: str = "attack") -> None:
        start = founded(desks)
        self.clock = FakeClock(start.now_ms)
        self.relay = HostileRelay(self.clock, SeededEntropy(seed), store=start.relay.copy())
        self.network = MemoryNetwork(self.clock, SeededEntropy(seed), self.relay)
        self.offices = Offices(f"{seed}/newcomers", self.clock)
        self.offices.network = self.network
        self.entropy = SeededEntropy(f"{seed}/desks")
        self._opened = 0
        self.stores: dict[str, SqlStore] = {}
        self.replicas: dict[str, Replica] = {}
        for name, store in zip(DESKS, start.stores, strict=False):
            self.stores[name] = copied(store)
            self.open(name)

    def __getattr__(self, name: str) -> Replica:
        try:
            return self.__dict__["replicas"][name]
        except KeyError:
            raise AttributeError(name) from None

    def open(
        self, name: str, *, clock: Any = None, entropy: Any = None, store: Any = None
    ) -> Replica:
        """The desk's replica, opened (again) on what is durable."""
        clock = clock or self.clock
        self._opened += 1

        def channel(identity: Identity, counter_next: Callable[[], int]) -> Any:
            device = int(identity.device)
            return self.network.channel(identity.network, device, counter_next, clock=clock)

        core = opening.core_on(
            store or self.stores[name],
            clock,
            entropy or self.entropy.fork(f"{name}/{self._opened}"),
            channel,
        )
        self.replicas[name] = Replica(core)
        return self.replicas[name]

    # -- what people do -------------------------------------------------------------------------

    def sync(self, *names: str, rounds: int = 1) -> None:
        """Sync these desks, or all, in order."""
        for _ in range(rounds):
            for name in names or tuple(self.replicas):
                self.replicas[name].sync()

    def case(self, name: str = "lan", **fields: str) -> StreamId:
        """A new case with fields of its person: ``given_name="Hòa"``."""
        named = fields or {"given_name": "Hòa"}
        sets = [assignment(f"person.{field}", text) for field, text in named.items()]
        view = self.replicas[name].new_case(["gbv"], sets)
        return StreamId(bytes.fromhex(view.stream_hex))

    def share(
        self,
        stream: StreamId,
        to_unit: str = OSSO,
        compartments: tuple[str, ...] = ("identity", "contact"),
        *,
        by: str = "lan",
        write: bool = False,
        history: bool = False,
        until_ms: int | None = None,
    ) -> Shared:
        """Record a consent and grant on it."""
        replica = self.replicas[by]
        words = list(compartments)
        consent = replica.give_consent(stream, "share_with_org", to_unit, words)
        view = replica.grant(
            stream,
            to_unit,
            words,
            "share_with_org",
            consent.hex(),
            until_ms,
            write=write,
            history=history,
        )
        return Shared(stream, view.id_hex, consent.hex())

    def set(self, name: str, stream: StreamId, path: str, value: object) -> None:
        """Set one field, settling a conflict if there is one."""
        with self.replicas[name].edit(stream) as edit:
            edit.set(path, value, resolve=True)

    def suspend_before(self, name: str, deed: Callable[[], None]) -> None:
        """Do something, then suspend a desk at the place in the log where Uyen stood before."""
        self.sync()
        uyen = int(self.replicas["uyen"].core.engine.device)
        held = self.relay.answers[-1].change_checkpoint
        with self.stores["uyen"].transaction() as tx:
            size = load_range(tx, CHANGE_RANGE).size
        deed()
        self.relay.edit = lambda caller, answer: (
            replace(answer, change_checkpoint=held, page=[size, b"", [], [], b""])
            if caller.device == uyen
            else answer
        )
        self.replicas["uyen"].suspend_device(int(self.replicas[name].core.engine.device), "")
        self.relay.edit = None

    # -- what can be seen -------------------------------------------------------------------------

    def person(self, name: str, stream: StreamId) -> bytes:
        """Id of the case's one person record."""
        [record] = [r for r in self.replicas[name].show(stream).records if r.type == "person"]
        return bytes.fromhex(record.id_hex)

    def values(self, name: str, stream: StreamId, path: str) -> list[Any]:
        """Live values of a field in all records of the type."""
        kind, field = path.split(".")
        found = []
        for record in self.replicas[name].show(stream).records:
            if record.type == kind and field in record.fields:
                found += [view.value for view in record.fields[field].values]
        return sorted(found, key=str)

    def texts(self, name: str, stream: StreamId) -> str:
        """Everything that showing and the history of a case give, in one text."""
        replica = self.replicas[name]
        return repr(replica.show(stream)) + repr(replica.history(stream))

    def reasons(self, name: str) -> dict[tuple[int, int], str]:
        """Why changes do not count here, by (device, number)."""
        return {(q.device, q.number): q.reason for q in self.replicas[name].quarantine()}

    def verdict(self, name: str, stream: StreamId, device: int, number: int) -> str | None:
        """Reason of a stored change ("" = counts), None if it is not here."""
        with self.stores[name].transaction() as tx:
            entry = StreamRow(tx.stream_rows([stream]).get(stream)).find(device, number)
        return None if entry is None else VERDICTS[entry.verdict].reason

    def keys(self, name: str, stream: StreamId) -> dict[int, int]:
        """How many stream keys of each compartment stand in a device's database."""
        counts: dict[int, int] = {}
        with self.stores[name].transaction() as tx:
            for compartment, _, _ in tx.stream_keys([stream]).get(stream, []):
                counts[compartment] = counts.get(compartment, 0) + 1
        return counts

    def dump(self, name: str) -> dict[str, list[Any]]:
        """Every row of a replica's database, by table."""
        return dump(self.stores[name])

    def access_stream(self, name: str) -> StreamId:
        """A device's access stream, as its own replica knows it."""
        with self.stores[name].transaction() as tx:
            for stream in tx.stream_ids(int(StreamKind.ACCESS)):
                opening_fact = StreamRow(tx.stream_rows([stream])[stream]).rights.opening
                if opening_fact is not None:
                    return stream
        raise AssertionError("nothing was logged yet")


def dump(store: SqlStore) -> dict[str, list[Any]]:
    """Every row of a database, by table."""
    connection = store._connection
    tables = [
        row[0]
        for row in connection.execute("select name from sqlite_master where type = 'table'")
        if not row[0].startswith("sqlite_")
    ]
    return {
        table: sorted(map(repr, connection.execute(f'select * from "{table}"')))
        for table in sorted(tables)
    }


def assignment(path: str, text: str) -> Assignment:
    """``TYPE.FIELD=VALUE``."""
    kind, field = path.split(".")
    return Assignment(
        type=kind, field=field, text=text, op="set", record=None, element=None, part=None
    )


founding.share_schemas()
