"""One simulated world: a relay, desks, a clock, and everything that happens, all from one seed.

Real replicas on real (plain, in-memory) stores, the real mailbox on a real relay store. Only time,
randomness, disk and network are played. The schedule never depends on bytes that differ between
two networks (ids made of hashes, keys, signatures), so the same seed gives the same schedule, the
same verdicts and the same exported state in a network founded anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Final

from casesync.access.stream_rights import StreamRights
from casesync.client import opening
from casesync.client.core import Core, Identity
from casesync.client.replica import Replica
from casesync.client.views import CaseView
from casesync.codec import canonical
from casesync.foundation.errors import CasesyncError
from casesync.foundation.ids import StreamId, StreamKind
from casesync.foundation.limits import PAGE_BYTES_DEFAULT
from casesync.relay import sync_answer
from casesync.relay.mailbox import Caller
from casesync.storage.sql_store import SqlStore
from casesync.sync.author import OWN_CHAIN
from casesync.sync.held_log import CHANGE_RANGE, CONTROL_RANGE, load_range
from casesync.sync.relay_port import RelayChannel
from casesync.sync.stream_row import StreamRow
from casesync.testing.clock import FakeClock, SkewedClock
from casesync.testing.entropy import SeededEntropy
from casesync.testing.hostile_relay import HONEST, HostileRelay
from casesync.testing.memory_network import Fault, MemoryNetwork
from casesync.testing.offices import Offices
from casesync.wire.messages import SyncRequest
from simulation.acknowledged import Acknowledged, Token
from simulation.faults import (
    Crash,
    FaultRates,
    Trouble,
    TroubledStore,
    draw_exchange_fault,
    draw_rates,
)
from simulation.founding import DESKS_MAX, copied, founded, waits_for_keys

ROUNDS_MAX: Final = 12
"""Rounds of syncs after which a healed world must be quiet; 3 or 4 are usual."""
HEALING_FROM: Final = 9000
"""Steps from here on are rounds of healing."""
STORE_OPERATIONS_MAX: Final = 120
"""Trouble strikes within so many operations of a command, if it has as many."""


class SimulationFailure(AssertionError):
    """Something that must hold does not; says how to see it again."""

    def __init__(self, world: World, problem: str) -> None:
        trace = "\n".join(world.trace[-60:])
        super().__init__(f"{problem}\n{trace}\nreplay: make soak START={world.seed} SEEDS=1")
        self.problem = problem


class Desk:
    """One device, the person before it, and what plagues it."""

    def __init__(self, world: World, place: int, store: SqlStore) -> None:
        self._world = world
        self.place = place
        self.store = store
        self.trouble = Trouble()
        self.clock = SkewedClock(world.clock, 0)
        self.online = True
        self.busy = False
        self.seen: dict[str, CaseView] = {}
        """By case what this person looked at last."""
        self._opened = 0
        self._replica: Replica | None = None
        who = self.replica.whoami()
        self.device, self.unit, self.role = who.device, who.unit, who.role
        self.administrator = who.administrator

    @property
    def name(self) -> str:
        """As traces call it."""
        return f"d{self.place}"

    @property
    def replica(self) -> Replica:
        """The open replica; after a crash opened again on what is durable."""
        if self._replica is None:
            self._opened += 1
            self.trouble.dead = False
            world = self._world
            core = opening.core_on(
                TroubledStore(self.store, self.trouble),
                self.clock,
                SeededEntropy(f"{world.seed}/{self.place}/{self._opened}"),
                self._channel,
            )
            self._replica = Replica(core)
        return self._replica

    @property
    def core(self) -> Core:
        """The parts of the open replica."""
        return self.replica.core

    def _channel(self, identity: Identity, counter_next: Callable[[], int]) -> RelayChannel:
        return self._world.network.channel(
            identity.network,
            int(identity.device),
            counter_next,
            clock=self.clock,
            fault_of=lambda method: self._world.exchange_fault(self, method),
        )

    def crash(self) -> None:
        """Nothing of the process is left."""
        self._replica = None

    @property
    def active(self) -> bool:
        """Whether the relay still serves this device."""
        return self.device not in self._world.suspended()

    def chain_number(self) -> int:
        """Number of the newest own change that is durable."""
        with self.store.transaction() as tx:
            stored = tx.value(OWN_CHAIN)
        return 0 if stored is None else canonical.unpack(stored)[0]

    def cursors(self) -> tuple[int, int]:
        """Sizes of both logs this replica holds."""
        with self.store.transaction() as tx:
            return load_range(tx, CONTROL_RANGE).size, load_range(tx, CHANGE_RANGE).size

    def cases(self) -> dict[str, StreamId]:
        """Cases that this desk may work on, by a name that does not depend on any hash."""
        with self.store.transaction() as tx:
            rows = tx.stream_rows(tx.stream_ids(int(StreamKind.CASE)))
        found = []
        for stream, raw in rows.items():
            rights = StreamRow(raw).rights
            if rights.opening is not None and self.may_see(rights):
                found.append((rights.opening[3:5], stream))
        return {f"{dot[0]}.{dot[1]}": stream for dot, stream in sorted(found)}

    def may_see(self, rights: StreamRights) -> bool:
        """Whether the case is this desk's office's, or shared with it as far as this desk knows."""
        unit = self.core.engine.unit
        return rights.owner == unit or any(
            g.unit == unit for g in rights.grants_in_force(1 << 62, self.clock.now_ms())
        )


class World:
    """A seed, played."""

    def __init__(
        self, seed: int, *, desks: int | None = None, rates: FaultRates | None = None
    ) -> None:
        """Args: seed: of everything; desks, rates: instead of those the seed draws."""
        self.seed = seed
        self.rng = Random(f"people/{seed}")
        self.fault_rng = Random(f"faults/{seed}")
        drawn = self.rng.choice((2, 3, 3, 4, 4, 5, 5, 6, 6, 7, DESKS_MAX))
        drawn_rates = draw_rates(self.fault_rng)
        self.rates = rates or drawn_rates
        self.page_bytes = self.rng.choice((PAGE_BYTES_DEFAULT, PAGE_BYTES_DEFAULT, 10_000, 3_000))
        """Room of an answer: small ones make many pages of what is a little."""
        start = founded(desks or drawn)
        self.clock = FakeClock(start.now_ms)
        self.hostile = HostileRelay(self.clock, SeededEntropy(seed), store=start.relay.copy())
        self.network = MemoryNetwork(self.clock, SeededEntropy(seed), _SeenRequests(self))
        self.offices = Offices(f"newcomers/{seed}", self.clock)
        self.offices.network = self.network
        self.founded_desks = len(start.stores)
        self.acknowledged = Acknowledged()
        self.trace: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.requested_cursor: dict[int, int] = {}
        self.armed = False
        self.past: dict[str, int] = {}
        """Old states the relay kept: view and its change-log size."""
        self.cases_wanted = self.rng.choice((1, 1, 2, 3))
        self.cases_opened = 0
        self.step = 0
        self.tokens = 0
        self._depth = 0
        self.identity = bytes(32)
        self.interrupt: Callable[[Desk], None] | None = None
        self.desks = [
            Desk(self, place, copied(store)) for place, store in enumerate(start.stores, 1)
        ]
        self.identity = self.desks[0].core.identity.network

    # -- what happens ---------------------------------------------------------------------------

    def fail(self, problem: str) -> SimulationFailure:
        """An error to raise, with what led to it."""
        return SimulationFailure(self, problem)

    def act(self, desk: Desk, what: str, command: Callable[[Replica], list[Token] | None]) -> str:
        """Let a person give one command; returns "ok", "crash" or the error's code.

        ``command`` returns what it wrote, in words of its own that nobody else writes.
        """
        assert not desk.busy
        desk.busy = True
        before = desk.chain_number()
        tokens: list[Token] = []
        self._arm(desk)
        try:
            tokens = command(desk.replica) or []
            outcome = "ok"
        except Crash:
            desk.crash()
            outcome = "crash"
        except CasesyncError as error:
            outcome = error.code
        finally:
            desk.trouble.disarm()
            desk.busy = False
        after = desk.chain_number()
        if after < self.acknowledged.newest(desk.device):
            raise self.fail(f"{desk.name} lost its own change {after + 1}")
        if outcome == "ok":
            self.acknowledged.note(desk.device, before, after, tokens)
        self.trace.append(f"{self.step}:{'  ' * self._depth}{desk.name} {what} -> {outcome}")
        self.outcomes[f"{what.split(maxsplit=1)[0]} {outcome}"] += 1
        return outcome

    def _arm(self, desk: Desk) -> None:
        if not self.armed:
            return
        for rate, crashes in ((self.rates.crash, True), (self.rates.disk_full, False)):
            if self.fault_rng.random() < rate:
                operations = 1 + int(STORE_OPERATIONS_MAX * self.fault_rng.random() ** 2)
                desk.trouble.arm(operations, crashes=crashes)
                return

    def exchange_fault(self, desk: Desk, _method: str) -> Fault:
        """What happens to an exchange of ``desk``; others may act before it."""
        if not self.armed:
            return Fault.NONE
        if not desk.online:
            return Fault.DROP_REQUEST
        interrupted = self.fault_rng.random() < self.rates.interrupted
        if interrupted and self._depth == 0 and self.interrupt is not None:
            self._depth += 1
            self.interrupt(desk)
            self._depth -= 1
        return draw_exchange_fault(self.fault_rng, self.rates)

    @contextmanager
    def calm(self) -> Iterator[None]:
        """Nothing goes wrong in here (enrolment has tests of its own)."""
        armed, self.armed = self.armed, False
        online = [desk for desk in self.desks if desk.online]
        for desk in self.desks:
            desk.online = True
        yield
        for desk in self.desks:
            desk.online = desk in online
        self.armed = armed

    @contextmanager
    def quiet_network(self) -> Iterator[None]:
        """Nothing goes wrong but what the relay does."""
        armed, self.armed = self.armed, False
        yield
        self.armed = armed

    def token(self) -> str:
        """A word nobody wrote before."""
        self.tokens += 1
        return f"tu{self.tokens}x"

    # -- who is there -------------------------------------------------------------------------

    @property
    def active_desks(self) -> list[Desk]:
        """Desks the relay serves."""
        return [desk for desk in self.desks if desk.active]

    def suspended(self) -> set[int]:
        """Devices the honest relay serves nothing any more."""
        mailbox = self.hostile._views[HONEST]
        with self.hostile._stores[HONEST].transaction() as tx:
            row = tx.network(self.identity)
            assert row is not None
            directory = mailbox._control.directory(tx, row)
        found = {desk.device: directory.device(desk.device) for desk in self.desks}
        return {number for number, device in found.items() if device and not device.active}

    def relay_sizes(self) -> tuple[int, int]:
        """Sizes of both logs at the honest relay."""
        with self.hostile._stores[HONEST].transaction() as tx:
            row = tx.network(self.identity)
            assert row is not None
            return row.control_size, row.change_size

    def enrol(self, administrator: Desk, unit: str, role: str) -> Desk:
        """A newcomer, nothing going wrong; a colleague admits it where one is needed."""
        with self.calm():
            replica = self.offices.enrol(
                administrator.replica, unit, role, f"Người {len(self.desks) + 1}"
            )
            device = replica.whoami().device
            desk = Desk(self, len(self.desks) + 1, self.offices.stores[device])
            self.desks.append(desk)
            for colleague in self.active_desks:
                idle = colleague.unit == unit and not colleague.busy and colleague is not desk
                if idle and waits_for_keys(desk.replica):
                    colleague.replica.sync()
                    colleague.replica.approve_step(str(device))
                    desk.replica.sync()
        return desk

    # -- the end ----------------------------------------------------------------------------------

    def heal(self) -> int:
        """Everything works again; sync until nothing moves. Returns the rounds it took.

        After the first round everybody looks at something once more, so that older access entries
        reach an audit unit that came late ("with the stream's next write"). Clocks are put right
        at the end: what is over is told by each device's own clock, too.
        """
        self.armed = False
        self.hostile.edit = None
        for desk in self.desks:
            desk.online = True
            self.hostile.serve(HONEST, desk.device)
        for rounds in range(1, ROUNDS_MAX + 1):
            self.step = HEALING_FROM + rounds
            for desk in self.active_desks:
                self._must(desk, "heal", _sync)
                if rounds == 1:
                    self._must(desk, "look last", _look)
            if self._quiet():
                for desk in self.desks:
                    desk.clock.skew_ms = 0
                return rounds
        raise self.fail(f"not quiet after {ROUNDS_MAX} rounds")

    def _must(self, desk: Desk, what: str, command: Callable[[Replica], None]) -> None:
        outcome = self.act(desk, what, command)
        if outcome != "ok":
            raise self.fail(f"{desk.name} cannot {what} in a healed world: {outcome}")

    def _quiet(self) -> bool:
        """Whether every desk holds all there is, and has nothing to say."""
        sizes = self.relay_sizes()
        for desk in self.active_desks:
            if desk.cursors() != sizes:
                return False
            with desk.store.transaction() as tx:
                if tx.outbox() or tx.access_unsealed():
                    return False
        return True


def _sync(replica: Replica) -> None:
    replica.sync()


def _look(replica: Replica) -> None:
    replica.cases()


class _SeenRequests:
    """The hostile relay, with a note of where each device said its cursor is."""

    def __init__(self, world: World) -> None:
        self._world = world

    def sync(self, caller: Caller, body: bytes) -> bytes:
        world = self._world
        request = SyncRequest.decode(body)
        world.requested_cursor[int(caller.device)] = request.cursor
        usual, sync_answer._ROOM_MIN = sync_answer._ROOM_MIN, world.page_bytes
        try:
            return world.hostile.sync(
                caller, replace(request, answer_bytes_max=world.page_bytes).encode()
            )
        finally:
            sync_answer._ROOM_MIN = usual
            world.hostile.answers.clear()

    def __getattr__(self, name: str) -> object:
        return getattr(self._world.hostile, name)
