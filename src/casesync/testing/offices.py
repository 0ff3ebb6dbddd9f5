"""Whole offices in memory: real replicas on plain stores, a real mailbox, no wire (testing).

What a developer of a client needs to try things: found a network, enrol colleagues, work, sync.
Only the disk, the network, the clock and the randomness are other than in the field.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from casesync.client import opening
from casesync.client.core import JOINER, Identity
from casesync.client.joining import Joining
from casesync.client.new_network import NewNetwork
from casesync.client.replica import Replica
from casesync.foundation.ports import Clock
from casesync.storage.sql_store import SqlStore, open_plain
from casesync.sync.enrolment_joiner import Joiner
from casesync.sync.invitation import parse_invitation
from casesync.sync.relay_port import RelayChannel
from casesync.testing.clock import FakeClock
from casesync.testing.entropy import SeededEntropy
from casesync.testing.memory_network import FaultOf, MemoryNetwork, no_faults

STEPS_MAX = 20
"""Messages an enrolment takes at most, with both sides polling."""


class Offices:
    """One relay and everybody who works with it."""

    def __init__(self, seed: int | str = 1, clock: Clock | None = None) -> None:
        """Args: seed: of everything random; clock: default one that stands still."""
        self.entropy = SeededEntropy(seed)
        self.clock: Clock = clock or FakeClock()
        self.network = MemoryNetwork(self.clock, self.entropy.fork("relay"))
        self.stores: dict[int, SqlStore] = {}
        self._count = 0

    def _maker(self, clock: Clock, fault_of: FaultOf) -> opening.ChannelMaker:
        def make(identity: Identity, counter_next: Callable[[], int]) -> RelayChannel:
            return self.network.channel(
                identity.network,
                int(identity.device),
                counter_next,
                clock=clock,
                fault_of=fault_of,
            )

        return make

    def found(
        self,
        name: str = "Mạng lưới thử",
        *,
        unit: str = "Nhà Bình Minh",
        unit_type: str = "shelter",
        role: str = "caseworker",
        member: str = "Người sáng lập",
        clock: Clock | None = None,
        fault_of: FaultOf = no_faults,
    ) -> Replica:
        """Found a network; the founder's replica."""
        clock = clock or self.clock
        entropy = self.entropy.fork("founder")
        channel = self.network.channel(clock=clock)
        new = NewNetwork(
            name=name,
            unit=unit,
            unit_type=unit_type,
            role=role,
            member_name=member,
            device_label="",
            clock=clock,
            entropy=entropy,
        )
        key = channel.relay_key()
        _, fill = new.create(channel, "http://127.0.0.1:9", key, plain_http=True)
        store = open_plain()
        with store.transaction() as tx:
            fill(tx)
        return self.reopen(store, clock=clock, entropy=entropy, fault_of=fault_of)

    def reopen(
        self,
        store: SqlStore,
        *,
        clock: Clock | None = None,
        entropy: SeededEntropy | None = None,
        fault_of: FaultOf = no_faults,
    ) -> Replica:
        """A replica on a store that exists, as after a restart."""
        self._count += 1
        clock = clock or self.clock
        entropy = entropy or self.entropy.fork(f"reopened-{self._count}")
        core = opening.core_on(store, clock, entropy, self._maker(clock, fault_of))
        self.stores[int(core.identity.device)] = store
        return Replica(core)

    def enrol(
        self,
        administrator: Replica,
        unit: str,
        role: str,
        name: str,
        *,
        as_administrator: bool = False,
        clock: Clock | None = None,
        fault_of: FaultOf = no_faults,
    ) -> Replica:
        """Invite, join, compare the code, approve; the newcomer's replica."""
        clock = clock or self.clock
        self._count += 1
        entropy = self.entropy.fork(f"joiner-{self._count}")
        invitation = administrator.invite(unit, role, administrator=as_administrator)
        assert invitation.text is not None
        joiner = Joiner.start(parse_invitation(invitation.text), name, "", entropy)
        store = open_plain()
        with store.transaction() as tx:
            tx.put_value(JOINER, joiner.to_bytes())
        rendezvous = self.network.channel(joiner.invitation.network, clock=clock)
        joining = Joining(
            None, store, ExitStack(), clock, entropy, self._maker(clock, no_faults), rendezvous
        )
        code: str | None = None
        for _ in range(STEPS_MAX):
            joined = joining.step()
            if joined.state == "joined":
                return self.reopen(store, clock=clock, entropy=entropy, fault_of=fault_of)
            code = joined.code or code
            asked = administrator.approve_step(invitation.id_hex)
            if asked.state == "code":
                administrator.approve_step(invitation.id_hex, code)
        raise AssertionError("the enrolment does not come to an end")
