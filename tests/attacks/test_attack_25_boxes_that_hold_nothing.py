"""Attack 25: a grantee writes boxes with the right names that hold nothing.

Everybody sees the names, only the office named can tell what a box holds; so nobody else would ever
box the key to it. Layers: whose boxes a holder believes (``sync/statement_keys.py``; keys.md,
*Entitled units*); until a holder has synced, the office is shown what it cannot open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from attack_world import OSSO, UNION, AttackWorld
from casesync.access.stream_facts import StatementFact
from casesync.foundation.ids import Compartment, StreamId
from casesync.sync.author import own_chain
from casesync.sync.key_plan import KeyPlan
from casesync.sync.keyring import StreamKey
from casesync.sync.stream_row import StreamRow
from casesync.testing.hostile_member import HostileMember, Made
from casesync.translog.unsealed import Box, MoreBoxes, Statement

OPERATIONS = int(Compartment.OPERATIONS)
SHARED = ("contact", "operations")
KNOWN = bytes(range(32))


def shared_case() -> tuple[AttackWorld, StreamId, HostileMember]:
    """A case of the shelter that OSSO and the union may write in."""
    world = AttackWorld(6)
    stream = world.case(given_name="Hoa")
    world.share(stream, OSSO, SHARED, write=True)
    world.share(stream, UNION, SHARED, write=True)
    world.sync(rounds=2)
    return world, stream, HostileMember(world.oanh)


def status(world: AttackWorld, stream: StreamId, member: HostileMember) -> bytes:
    [case] = [r for r in world.lan.show(stream).records if r.type == "case"]
    return member.content(bytes.fromhex(case.id_hex), {"case.status": [None, "active"]})


def empty_box(member: HostileMember, unit: bytes) -> Box:
    current = member.engine.control.current_unit_key(unit, OPERATIONS)
    assert current is not None
    return Box(current.name, current.epoch, bytes(48))


def written_for(
    world: AttackWorld, stream: StreamId, member: HostileMember, *, but: str
) -> tuple[Made, StreamKey]:
    """A change under a key of the member's, whose box for one desk's office holds nothing."""
    engine = member.engine
    with member.core.store.transaction() as tx:
        number = own_chain(tx, engine)[0] + 1
    key = engine.keys.prepare(stream, OPERATIONS, (member.device, number, 0), KNOWN)

    def plan(planned: KeyPlan) -> None:
        boxes = []
        for name in ("lan", "oanh", "uyen"):
            unit = world.replicas[name].core.engine.unit
            box = engine.keys.make_box(engine.control, stream, unit, key)
            assert box is not None
            boxes.append(empty_box(member, unit) if name == but else box)
        planned.statements[:] = [Statement(0, OPERATIONS, key.commitment, tuple(boxes), None)]

    bodies = {OPERATIONS: status(world, stream, member)}
    return member.write(stream, bodies=bodies, keys={OPERATIONS: key}, change_plan=plan), key


def statuses(world: AttackWorld, name: str, stream: StreamId) -> list[object]:
    return world.values(name, stream, "case.status")


def test_the_owner_boxes_again_what_a_grantee_claims_to_have_boxed() -> None:
    world, stream, oanh = shared_case()
    made, _ = written_for(world, stream, oanh, but="uyen")
    world.sync("oanh", "uyen")
    assert world.reasons("uyen") == {(oanh.device, made.number): "no-key"}
    [shown] = world.uyen.quarantine()
    assert (shown.state, shown.author) == ("unreadable", world.oanh.whoami().member)
    world.sync("lan", "uyen")
    assert world.reasons("uyen") == {}
    assert statuses(world, "uyen", stream) == statuses(world, "lan", stream)


def test_another_grantee_boxes_to_the_owner_what_the_owner_cannot_open() -> None:
    world, stream, oanh = shared_case()
    made, _ = written_for(world, stream, oanh, but="lan")
    world.sync("oanh", "lan", "mai")
    for name in ("lan", "mai"):
        assert world.reasons(name) == {(oanh.device, made.number): "no-key"}
        assert world.replicas[name].quarantine()[0].state == "unreadable"
    world.sync("uyen", "lan", "mai")
    for name in ("lan", "mai"):
        assert world.reasons(name) == {}
        assert statuses(world, name, stream) == statuses(world, "uyen", stream)


def empty_boxes(
    member: HostileMember, unit: bytes, facts: Iterable[StatementFact]
) -> Callable[[KeyPlan], None]:
    """A plan that boxes these keys to the office's newest unit keys, with nothing inside."""

    def plan(planned: KeyPlan) -> None:
        for fact in facts:
            current = member.engine.control.current_unit_key(unit, fact.compartment)
            assert current is not None
            box = Box(current.name, current.epoch, bytes(48))
            planned.boxes.append(MoreBoxes(fact.device, fact.number, fact.position, (box,)))

    return plan


def test_boxes_written_in_advance_for_an_office_keep_nothing_from_it() -> None:
    """Unit keys are named in the control log, so she can box to an office before it is granted."""
    world = AttackWorld(6)
    stream = world.case(given_name="Hoa")
    world.share(stream, OSSO, SHARED, write=True)
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    with world.stores["oanh"].transaction() as tx:
        facts = StreamRow(tx.stream_rows([stream])[stream]).rights.statements
    oanh.write(stream, change_plan=empty_boxes(oanh, world.uyen.core.engine.unit, facts))
    world.sync("oanh", "lan")
    world.share(stream, UNION, ("identity", *SHARED), history=True)
    world.sync("lan", "uyen")
    assert world.keys("uyen", stream) == world.keys("lan", stream)
    assert world.reasons("uyen") == {}


def test_a_box_that_claims_an_older_key_brings_an_office_nothing_older() -> None:
    """No holder boxes again what the office was never to read."""
    world, stream, oanh = shared_case()
    with world.stores["lan"].transaction() as tx:
        facts = StreamRow(tx.stream_rows([stream])[stream]).rights.statements
    first = [
        fact for fact in facts if (fact.device, fact.number) == (facts[0].device, facts[0].number)
    ]
    before = world.keys("uyen", stream)
    oanh.write(stream, change_plan=empty_boxes(oanh, world.uyen.core.engine.unit, first))
    world.sync("oanh", "lan", "mai", "lan", "uyen")
    assert world.keys("uyen", stream) == before


def test_what_lands_behind_a_grant_is_copied_although_somebody_claims_a_box() -> None:
    world = AttackWorld(6)
    stream = world.case(given_name="Hoa")
    world.share(stream, OSSO, ("identity", *SHARED), write=True)
    world.sync(rounds=2)
    oanh = HostileMember(world.oanh)
    world.set("mai", stream, "person.given_name", "Mới")  # unseen by who grants
    world.share(stream, UNION, ("identity", "contact"))
    with world.stores["oanh"].transaction() as tx:
        facts = StreamRow(tx.stream_rows([stream])[stream]).rights.statements
    oanh.write(stream, change_plan=empty_boxes(oanh, world.uyen.core.engine.unit, facts))
    world.sync("oanh", "lan", "mai", "lan", "uyen")
    assert world.values("uyen", stream, "person.given_name") == ["Mới"]


@pytest.mark.parametrize("others", [False, True], ids=["two offices", "three"])
def test_an_honest_grantees_key_is_boxed_again_only_where_a_third_office_reads(
    others: bool,
) -> None:
    """She starts a key since the union lost its grant, or has a new key of its own."""
    world = AttackWorld(8)
    stream = world.case(given_name="Hoa")
    world.share(stream, OSSO, SHARED, write=True)
    shared = world.share(stream, UNION, SHARED, write=True)
    world.sync(rounds=2)
    if others:
        world.lan.suspend_device(world.van.whoami().device, "mất máy")
        del world.replicas["van"]
    else:
        world.lan.revoke_grant(stream, shared.grant)
    world.sync(rounds=2)
    before = {name: made_by(world, name, stream) for name in ("lan", "oanh", "uyen")}
    world.set("oanh", stream, "case.status", "follow_up")
    world.sync("oanh", "lan", "uyen", "oanh", "lan", "uyen")
    after = {name: made_by(world, name, stream) for name in before}
    made = {name: after[name] - before[name] for name in before}
    assert made == {"lan": int(others), "oanh": 1, "uyen": 0}
    with world.stores["lan"].transaction() as tx:
        facts = StreamRow(tx.stream_rows([stream])[stream]).rights.statements
    newest = [fact.device for fact in facts if fact.compartment == OPERATIONS][-1]
    assert newest == int(world.oanh.core.engine.device), "she started a key"


def made_by(world: AttackWorld, name: str, stream: StreamId) -> int:
    device = int(world.replicas[name].core.engine.device)
    with world.stores["lan"].transaction() as tx:
        history = list(StreamRow(tx.stream_rows([stream])[stream]).history())
    return sum(entry.device == device for entry in history)
