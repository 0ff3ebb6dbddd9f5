"""A network in memory for tests of the control log: people enrol each other, nothing is faked.

Every entry is folded by the state of a member who holds the network key. A hostile relay or member
is a test that appends other bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib import resources

from casesync.access import control_acts as acts
from casesync.access.control_founding import NetworkPlan, create_network
from casesync.access.control_opened import NetworkOpener
from casesync.access.control_state import ControlState
from casesync.access.control_views import Applied, UnitView
from casesync.access.control_wraps import (
    joiner_network_keys,
    older_seeds,
    open_wrap_for_device,
    wrap_for,
)
from casesync.access.control_writer import EMPTY_POSITION, ControlWriter, Position
from casesync.crypto.device_keys import DeviceSecrets
from casesync.crypto.key_wrap import UnitKeyId
from casesync.crypto.sealing import seal_control
from casesync.crypto.signatures import CompositeSigner
from casesync.foundation.ids import Compartment, DeviceNumber, UnitId
from casesync.foundation.limits import INVITATION_LIFETIME_MS
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import leaf_hash
from casesync.model.schema import schema_to_bytes
from casesync.model.schema_toml import load_toml
from casesync.sync.enrolment import EnrolmentResult, Invitation, Inviter, Joiner, parse_invitation
from casesync.testing.clock import START_MS
from casesync.testing.entropy import SeededEntropy
from casesync.translog.control_entry import complete_entry, entry_prefix

RELAY_KEY = sha256(b"relay").digest()


@cache
def shipped_schema() -> bytes:
    folder = resources.files("casesync.model") / "schemas"
    return schema_to_bytes(
        load_toml({f.name: f.read_text("utf-8") for f in folder.iterdir() if f.suffix == ".toml"})
    )


@dataclass
class Person:
    """A member's one device."""

    name: str
    device: DeviceNumber
    secrets: DeviceSecrets
    network_keys: list[bytes]
    seeds: dict[UnitKeyId, bytes] = field(default_factory=dict)

    def newest(self, unit: UnitId, compartment: int) -> int:
        """The newest epoch whose seed this device holds, 0 if none."""
        held = [k.epoch for k in self.seeds if (k.unit, k.compartment) == (unit, compartment)]
        return max(held, default=0)


class ControlWorld:
    """A network with a founder: caseworker and administrator of a shelter."""

    def __init__(self, seed: str = "world") -> None:
        self.entropy = SeededEntropy(seed)
        self.blobs: dict[bytes, bytes] = {}
        self.entries: list[tuple[int, int, bytes]] = []
        self.position = EMPTY_POSITION
        secrets = DeviceSecrets.generate(self.entropy)
        plan = NetworkPlan(
            relay_key=RELAY_KEY,
            name="Mạng lưới Bình Minh",
            unit_name="Mái ấm",
            unit_type="shelter",
            role="caseworker",
            member_name="Lan",
            label="máy 1",
            schema=shipped_schema(),
        )
        created = create_network(secrets, plan, self.entropy)
        self.founder = Person(
            "Lan", DeviceNumber(1), secrets, [created.network_key], dict(created.seeds)
        )
        self.opener = NetworkOpener(created.network, [created.network_key])
        self.state = ControlState()
        self.shelter = created.unit
        self.take(created.entries, created.blobs)

    # -- the log ------------------------------------------------------------------------------

    def take(self, entries, blobs=()) -> list[Applied]:
        """Append as the relay would, fold as a member does."""
        for blob in blobs:
            self.blobs[sha256(blob).digest()] = blob
        applied = []
        for entry in entries:
            index = len(self.entries)
            outcome = self.state.apply(index, START_MS + index, entry, self.opener, self.blobs.get)
            self.entries.append((index, START_MS + index, entry))
            applied.append(outcome)
        return applied

    def writer(self, person: Person) -> ControlWriter:
        return ControlWriter.over(
            self.state,
            device=person.device,
            signer=person.secrets.composite_signer(),
            network_keys=person.network_keys,
            position=self.position,
            entropy=self.entropy,
        )

    def append(self, writer: ControlWriter, person: Person | None = None) -> list[Applied]:
        """Append what was written; its author keeps the seeds it made."""
        applied = self.take(writer.entries, writer.blobs)
        if person is not None and not any(a.void for a in applied):
            person.seeds.update(writer.seeds)
        return applied

    def move(self, size: int) -> None:
        """Let the change log grow to ``size``."""
        self.position = Position(size, sha256(b"%d" % size).digest())

    def fresh(self) -> ControlState:
        """The same log folded by somebody else, everything verified."""
        state = ControlState()
        for index, log_time, entry in self.entries:
            state.apply(index, log_time, entry, self.opener, self.blobs.get)
        return state

    def root_at(self, size: int) -> bytes:
        leaves = [
            leaf_hash(log_time.to_bytes(6, "big") + entry)
            for _, log_time, entry in self.entries[:size]
        ]
        compact = CompactRange()
        compact.extend(leaves)
        return compact.root()

    # -- people -------------------------------------------------------------------------------

    def add_unit(self, name: str, unit_type: str, by: Person | None = None) -> UnitView:
        person = by or self.founder
        writer = self.writer(person)
        body = acts.add_unit(writer, name=name, unit_type=unit_type, parent=None)
        self.append(writer, person)
        unit = self.state.unit(body.unit)
        assert unit is not None
        return unit

    def invite(
        self,
        role: str,
        unit: UnitId | None = None,
        *,
        by: Person | None = None,
        administrator: bool = False,
        parent: UnitId | None = None,
    ) -> Inviter:
        inviter = by or self.founder
        unit = unit or self.shelter
        device = self.state.device(inviter.device)
        assert device is not None
        invitation = Invitation(
            network=self.state.network,
            relay_url="https://relay.example",
            relay_key=RELAY_KEY,
            inviter=inviter.device,
            inviter_request_key=device.request_key,
            control_size=self.state.size,
            control_root=self.root_at(self.state.size),
            secret=self.entropy.bytes(32),
            unit=unit,
            role=role,
            administrator=administrator,
            expires_ms=START_MS + INVITATION_LIFETIME_MS,
            network_name=self.state.network_name,
            unit_name="tên",
            new_keys=tuple(Compartment(c) for c in self.state.keyless(unit, role)),
        )
        return Inviter.start(invitation, parent, self.entropy)

    def meet(self, inviter: Inviter, name: str) -> tuple[Inviter, Joiner]:
        """Both sides exchange their messages; the right code is typed."""
        slots: dict[int, bytes] = {}
        joiner = Joiner.start(parse_invitation(inviter.text), name, "máy", self.entropy)
        for _ in range(2):
            step = joiner.advance(slots)
            joiner = step.state
            slots.update(step.puts)
            answer = inviter.advance(slots, START_MS)
            assert answer.error is None
            inviter = answer.state
            slots.update(answer.puts)
        answer = inviter.advance(slots, START_MS, code=joiner.code())
        assert answer.status == "approved"
        return answer.state, joiner

    def place(self, inviter: Inviter) -> acts.Place:
        invitation = inviter.invitation
        return acts.Place(
            unit=invitation.unit,
            role=invitation.role,
            administrator=invitation.administrator,
            parent=inviter.parent,
        )

    def join(
        self,
        name: str,
        role: str,
        unit: UnitId | None = None,
        *,
        by: Person | None = None,
        administrator: bool = False,
        parent: UnitId | None = None,
    ) -> Person:
        """A whole enrolment, checked by the joiner."""
        person = by or self.founder
        inviter = self.invite(role, unit, by=person, administrator=administrator, parent=parent)
        inviter, joiner = self.meet(inviter, name)
        writer = self.writer(person)
        device = acts.enrol(writer, self.state, inviter.proof(), self.place(inviter), person.seeds)
        applied = self.append(writer, person)
        assert [a.void for a in applied] == [""] * len(applied)
        size = self.state.size
        result = EnrolmentResult(device - 1, START_MS, size, self.root_at(size))
        (put,) = inviter.enrolled(result).puts
        step = joiner.advance(
            {1: joiner._sealed(1, joiner.commitment()).message, 2: b"", 3: b"", 4: put.message}
        )
        assert step.status == "enrolled"
        newcomer = self.newcomer(step.state, name)
        assert step.state.check_enrolled(self.state, self.root_at) == device
        return newcomer

    def newcomer(self, joiner: Joiner, name: str) -> Person:
        assert joiner.result is not None
        device = DeviceNumber(joiner.result.device)
        index = joiner.result.control_index
        wrap = self.blobs[wrap_for(self.entries[index][2], device)]
        keys = joiner_network_keys(
            joiner.invitation.network, device, index, joiner.secrets.kem_seed.reveal(), wrap
        )
        person = Person(name, device, joiner.secrets, keys, joiner.own_seeds())
        self.receive(person, index)
        return person

    def receive(self, person: Person, index: int):
        """Open what the entry at ``index`` wraps to a person."""
        name = wrap_for(self.entries[index][2], person.device)
        assert name is not None
        opened = open_wrap_for_device(
            self.state,
            index,
            person.device,
            person.secrets.kem_seed.reveal(),
            self.blobs[name],
            person.seeds,
        )
        person.seeds.update(opened.seeds)
        person.seeds.update(older_seeds(self.state, person.seeds))
        return opened


def raw_entry(
    world: ControlWorld,
    signer: CompositeSigner,
    *,
    act: int,
    public: bytes,
    sealed: bytes | None = None,
    body: bytes | None = None,
    device: int = 1,
) -> bytes:
    """An entry over the head with whatever a hostile signer puts into it.

    ``body`` is sealed under the network key; ``sealed`` stands as it is.
    """
    prefix = entry_prefix(
        network=world.state.network,
        index=world.state.size,
        previous=world.state.head_hash,
        signer=device,
        change_size=world.position.size,
        change_root=world.position.root,
        act=act,  # type: ignore[arg-type]
        public=public,
    )
    if body is not None:
        sealed = seal_control(world.opener.newest, prefix, body)
    return complete_entry(prefix, sealed or b"", signer.sign)
