"""Must hold 3: plaintext only where role or grant give it, on whole replicas.

What a database holds at all is attack 26; what may be written on a grant is attack 25.
"""

from __future__ import annotations

import pytest

from attack_world import OSSO, AttackWorld
from casesync.foundation.ids import Compartment
from casesync.sync.change_reader import open_at
from casesync.sync.stream_merge import load_changes
from casesync.sync.stream_row import StreamRow
from casesync.translog.unsealed import decode_unsealed

IDENTITY = int(Compartment.IDENTITY)


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld(desks=8)


def opens(world: AttackWorld, name: str, stream) -> set[tuple[int, int, int]]:
    """(device, number, compartment) of content segments that this device opens."""

    found = set()
    engine = world.replicas[name].core.engine
    with world.stores[name].transaction() as tx:
        engine.keys.load(tx, [stream])
        row = StreamRow(tx.stream_rows([stream]).get(stream))
        for change in load_changes(tx, row.in_log_order()):
            for position, segment in enumerate(change.header.segments):
                if not Compartment.BASE < segment.kind < Compartment.ACCESS:
                    continue
                if open_at(engine, stream, change, position) is not None:
                    found.add((change.header.device, change.header.number, segment.kind))
    return found


ROLES = {
    "lan": {"identity", "contact", "operations"},
    "yen": {"contact", "operations", "health"},
    "oanh": set(),
    "dung": set(),
}


@pytest.mark.parametrize("name", ROLES)
def test_a_device_opens_what_its_role_reads_and_nothing_else(world, name):
    stream = world.case(given_name="Hòa", safe_to_contact="no")
    world.sync()
    with world.yen.edit(stream) as edit:
        edit.new_record("note", {"health_text": "thuốc", "text": "hẹn"})
    world.sync(rounds=2)
    words = {Compartment(c).word for _, _, c in opens(world, name, stream)}
    assert words == ROLES[name]


def test_what_lies_before_the_snapshot_does_not_open_for_the_grantee(world):
    stream = world.case(given_name="TênCũ", contact_rule="nơi ẩn náu cũ")
    world.set("lan", stream, "person.given_name", "Hòa")
    world.set("lan", stream, "person.contact_rule", "gọi trước")
    world.share(stream, OSSO, ("identity", "contact"))
    world.sync(rounds=2)
    with world.stores["oanh"].transaction() as tx:
        first_shared = StreamRow(tx.stream_rows([stream])[stream]).rights.grants[0].number
    assert opens(world, "oanh", stream)
    assert all(number >= first_shared for _, number, _ in opens(world, "oanh", stream))
    assert world.values("oanh", stream, "person.given_name") == ["Hòa"]
    assert "nơi ẩn náu cũ" not in world.texts("oanh", stream)
    assert "TênCũ" not in world.texts("oanh", stream)
    assert "nơi ẩn náu cũ" in world.texts("mai", stream)


def test_words_of_the_owner_that_were_on_their_way_reach_the_grantee(world):
    """Mai wrote before she knew of the grant; the next device of the unit supplements."""
    stream = world.case(given_name="Hòa")
    world.sync()
    world.set("mai", stream, "person.family_name", "Lê")
    world.share(stream, OSSO, ("identity", "contact"))
    world.sync("lan", "oanh")
    assert world.values("oanh", stream, "person.family_name") == []
    world.sync("mai", "lan", "oanh")
    world.sync("mai", "lan", "oanh")
    assert world.values("oanh", stream, "person.family_name") == ["Lê"]
    assert world.reasons("oanh") == {}


def test_after_a_revocation_nothing_new_opens_and_the_copy_is_destroyed(world):
    stream = world.case(given_name="Hòa", contact_rule="gọi trước")
    shared = world.share(stream, OSSO, ("identity", "contact"))
    world.sync(rounds=2)
    assert "Hòa" in world.texts("phuc", stream)
    world.lan.revoke_grant(stream, shared.grant)
    world.set("lan", stream, "person.given_name", "TênMới")
    world.sync(rounds=3)
    for name in ("oanh", "phuc"):
        assert opens(world, name, stream) == set()
        assert world.keys(name, stream) == {}
        database = world.stores[name]._connection.serialize()
        assert "Hòa".encode() not in database
        assert "gọi trước".encode() not in database
        assert world.replicas[name].cases().count == 0
        with world.stores[name].transaction() as tx:
            entries = list(StreamRow(tx.stream_rows([stream])[stream]).history())
            changes = tx.changes_at([e.location for e in entries])
        assert entries, "headers stay"
        assert "TênMới" not in repr(changes)


def test_a_grant_given_again_works(world):
    stream = world.case(given_name="Hòa")
    shared = world.share(stream, OSSO, ("identity", "contact"))
    world.sync(rounds=2)
    world.lan.revoke_grant(stream, shared.grant)
    world.sync(rounds=3)
    world.set("lan", stream, "person.given_name", "TênMới")
    world.sync(rounds=2)
    world.share(stream, OSSO, ("identity", "contact"))
    world.sync(rounds=3)
    for name in ("oanh", "phuc"):
        assert world.values(name, stream, "person.given_name") == ["TênMới"]
        assert world.reasons(name) == {}


def test_attack_22_a_suspended_device_with_the_relays_help_reads_nothing_sealed_behind_it(world):
    """It is served the whole log all the same, and kept every key it ever had."""
    stream = world.case(given_name="Hòa")
    world.sync()
    mai = int(world.mai.core.engine.device)
    world.lan.suspend_device(mai, reason="mất máy")
    assert [d.reason for d in world.lan.devices() if d.state == "suspended"] == ["mất máy"]
    world.sync("lan", "yen")
    world.set("lan", stream, "person.given_name", "TênMới")
    world.sync("lan")
    keys = world.mai.core.engine.keys
    with world.stores["lan"].transaction() as tx:
        row = StreamRow(tx.stream_rows([stream])[stream])
        entries = row.in_log_order()

        changes = load_changes(tx, entries)
    newest = changes[-1]
    items = decode_unsealed(newest.stored.segments[0])
    assert items.statements, "a new stream key came with the first write"
    for statement in items.statements:
        opened = keys.open_boxes(
            world.lan.core.engine.control,
            stream,
            statement.compartment,
            (newest.header.device, newest.header.number, statement.position),
            statement.commitment,
            statement.boxes,
        )
        assert opened is None, Compartment(statement.compartment).word
