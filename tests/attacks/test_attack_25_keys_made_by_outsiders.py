"""Attack 25: a grant used for more than it gives, by making keys.

Whoever makes a stream key knows it. Refusing layers: the verdict on a statement
(``access/stream_rights.py``) and the writer, which seals nothing under the key of somebody who may
not read what it seals (``sync/key_plan.py``; keys.md, *Entitled units*).
"""

from __future__ import annotations

import pytest

from attack_world import OSSO, SHELTER, AttackWorld
from casesync.foundation.ids import Compartment, StreamId
from casesync.sync.author import own_chain
from casesync.sync.change_reader import open_at
from casesync.sync.key_plan import KeyPlan
from casesync.sync.keyring import StreamKey
from casesync.sync.stream_merge import load_changes
from casesync.sync.stream_row import StreamRow
from casesync.testing.hostile_member import Claims, HostileMember, Made
from casesync.translog.unsealed import Statement

KNOWN = bytes(range(32))
SECRET = "Chỗ ở mới"


def state_key(
    member: HostileMember,
    stream: StreamId,
    compartment: Compartment,
    units: list[bytes],
    after: list[tuple[int, int, bytes]] | None = None,
) -> tuple[Made, StreamKey]:
    """A change that introduces a key the member knows, boxed to ``units``."""
    engine = member.engine
    with member.core.store.transaction() as tx:
        number = own_chain(tx, engine)[0] + 1
    dot = (member.device, number, 0)
    key = engine.keys.prepare(stream, int(compartment), dot, KNOWN)

    def plan(planned: KeyPlan) -> None:
        boxes = [engine.keys.make_box(engine.control, stream, unit, key) for unit in units]
        planned.statements[:] = [
            Statement(0, int(compartment), key.commitment, tuple(filter(None, boxes)), None)
        ]

    return member.write(stream, change_plan=plan, claims=Claims(after=after)), key


def opened(member: HostileMember, stream: StreamId, key: StreamKey) -> list[bytes]:
    """What ``key`` opens of everything that the member was served."""
    engine = member.engine
    found = []
    with member.core.store.transaction() as tx:
        engine.keys.load(tx, [stream])
        engine.keys.stream(stream)[key.compartment, key.commitment[:8]] = key
        row = StreamRow(tx.stream_rows([stream])[stream])
        for change in load_changes(tx, row.in_log_order()):
            for position, segment in enumerate(change.header.segments):
                if segment.key_name == key.commitment[:8]:
                    found.append(open_at(engine, stream, change, position) or b"")
    return found


def test_a_key_for_a_compartment_that_was_not_granted_is_refused() -> None:
    """Oanh's role reads identities, her office was not given this one."""
    world = AttackWorld(5)
    stream = world.case(given_name="Hoa")
    world.share(stream, OSSO, ("contact", "operations"), write=True)
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    made, key = state_key(oanh, stream, Compartment.IDENTITY, [world.lan.core.engine.unit])
    world.sync("oanh", "lan", "mai")
    for name in ("lan", "mai"):
        assert world.verdict(name, stream, oanh.device, made.number) == "statement-invalid"
    world.set("lan", stream, "person.given_name", SECRET)
    world.sync("lan", "oanh")
    assert opened(oanh, stream, key) == []


def test_a_key_hidden_from_the_revocation_is_not_used_after_it() -> None:
    """She claims not to have seen her own grant, so that no box of the key names her office."""
    world = AttackWorld(5)
    stream = world.case(given_name="Hoa")
    shared = world.share(stream, OSSO, ("identity", "contact"), write=True)
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    owner = world.lan.core.engine.unit
    world.lan.revoke_grant(stream, shared.grant)
    made, key = state_key(oanh, stream, Compartment.IDENTITY, [owner], after=[])
    world.sync("oanh", "lan")
    assert world.verdict("lan", stream, oanh.device, made.number) == ""
    world.set("lan", stream, "person.given_name", SECRET)
    world.sync("lan")
    lan = HostileMember(world.lan)
    assert opened(lan, stream, key) == []


def test_a_reader_whom_no_holder_let_in_makes_no_keys_for_others() -> None:
    """An administrator elsewhere enrols an accomplice; colleagues do not write to his key."""
    world = AttackWorld(5)
    world.sync(rounds=2)
    stream = world.case(given_name="Hoa")
    world.sync("lan")
    friend = HostileMember(world.offices.enrol(world.uyen, SHELTER, "caseworker", "Bạn của Uyên"))
    friend.sync()
    owner = world.lan.core.engine.unit
    _, key = state_key(friend, stream, Compartment.IDENTITY, [owner])
    friend.sync()
    world.sync("lan")
    world.set("lan", stream, "person.given_name", SECRET)
    world.sync("lan")
    friend.sync()
    assert opened(friend, stream, key) == []


@pytest.mark.parametrize("compartment", [Compartment.IDENTITY, Compartment.BASE])
def test_a_key_that_is_refused_does_not_keep_a_grantee_in(compartment: Compartment) -> None:
    """The newest statement of all is void: revoking does not seal under it."""
    world = AttackWorld(5)
    stream = world.case(given_name="Hoa")
    shared = world.share(stream, OSSO, ("identity", "contact"), write=True)
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    made, _ = state_key(oanh, stream, compartment, [world.lan.core.engine.unit])
    world.sync("oanh", "lan")
    assert world.verdict("lan", stream, oanh.device, made.number) == "statement-invalid"
    world.lan.revoke_grant(stream, shared.grant)
    world.set("lan", stream, "person.given_name", SECRET)
    world.sync("lan", "mai")
    assert world.values("mai", stream, "person.given_name") == [SECRET]
