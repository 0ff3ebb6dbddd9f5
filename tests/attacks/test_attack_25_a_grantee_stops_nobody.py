"""Attack 25: a grantee who may write tries to bring the case to a halt for its owners.

Refusing layers: base segments that cannot hold acts which count block nothing
(``access/stream_rights.py``), and a malformed segment is its author's loss (``sync/grants.py``).
"""

from __future__ import annotations

from attack_world import OSSO, AttackWorld
from casesync.access.base_acts import DestructionReceipt
from casesync.foundation.ids import Compartment, GrantId, StreamId
from casesync.model.segment_body import Copy, encode_copies
from casesync.sync.author import own_chain
from casesync.sync.key_plan import KeyPlan
from casesync.testing.hostile_member import HostileMember
from casesync.translog.unsealed import Box, Statement

BASE = int(Compartment.BASE)


def shared_case() -> tuple[AttackWorld, StreamId, HostileMember]:
    world = AttackWorld(6)
    stream = world.case(given_name="Hoa")
    world.share(stream, OSSO, ("contact", "operations"), write=True)
    world.sync(rounds=2)
    return world, stream, HostileMember(world.oanh)


def test_a_base_segment_that_nobody_can_open_blocks_nobody() -> None:
    """Every box of its key has the right name and holds nothing."""
    world, stream, oanh = shared_case()
    engine = oanh.engine
    with oanh.core.store.transaction() as tx:
        number = own_chain(tx, engine)[0] + 1
    key = engine.keys.prepare(stream, BASE, (oanh.device, number, 0), bytes(range(32)))
    named = [
        engine.control.current_unit_key(world.replicas[name].core.engine.unit, BASE)
        for name in ("lan", "oanh", "dung")
    ]

    def plan(planned: KeyPlan) -> None:
        boxes = tuple(Box(k.name, k.epoch, bytes(48)) for k in named if k is not None)
        planned.statements[:] = [Statement(0, BASE, key.commitment, boxes, None)]
        planned.boxes.clear()

    receipt = DestructionReceipt(grant=GrantId(bytes(16)))
    oanh.write(stream, acts=[receipt], keys={BASE: key}, change_plan=plan)
    world.sync("oanh", "lan", "mai")
    world.set("mai", stream, "person.given_name", "Mới")
    world.sync("mai", "lan")
    assert world.values("lan", stream, "person.given_name") == ["Mới"]
    assert world.reasons("lan") == world.reasons("mai") == {}


def test_copies_by_a_grantee_put_no_words_into_anybodys_mouth() -> None:
    """A copy says who wrote what it holds; Oanh's says that Lan did."""
    world, stream, oanh = shared_case()
    [case] = [r for r in world.lan.show(stream).records if r.type == "case"]
    cell, code = oanh.cell(bytes.fromhex(case.id_hex), "case.status")
    clock_ms = oanh.core.clock.now_ms()
    copy = Copy(1, 999, b"no link!", 0, cell, code, clock_ms, "closed", ())
    body = encode_copies(clock_ms, oanh.engine.schema.version, bytes(16), 1, 1, [copy])
    made = oanh.write(stream, bodies={int(Compartment.OPERATIONS): body})
    world.sync("oanh", "lan", "mai")
    for name in ("oanh", "lan", "mai"):
        assert world.reasons(name) == {(oanh.device, made.number): "copies-not-allowed"}
        assert "closed" not in world.values(name, stream, "case.status")
        history = world.replicas[name].history(stream, "case.status")
        assert "closed" not in [row.value for row in history]


def test_a_malformed_segment_in_a_shared_case_does_not_stop_a_sync() -> None:
    world, stream, oanh = shared_case()
    made = oanh.write(stream, bodies={int(Compartment.OPERATIONS): b"\x01"})
    world.sync("oanh", "lan", "mai")
    for name in ("lan", "mai"):
        assert world.reasons(name) == {(oanh.device, made.number): "segment-malformed"}
    world.set("mai", stream, "person.given_name", "Mới")
    world.sync("mai", "lan")
    assert world.values("lan", stream, "person.given_name") == ["Mới"]
