"""Attack 26: a device of one compartment holds no byte that opens another.

Layer that must prevent it: who wraps and boxes (``access``, ``sync/key_plan``). The whole database
of each device is searched for every secret that exists in the network and is not for it.
"""

from __future__ import annotations

import pytest

from attack_world import OSSO, UNION, AttackWorld
from casesync.foundation.ids import Compartment
from casesync.sync.stream_row import StreamRow

ALL = "lan", "mai", "oanh", "phuc", "uyen", "dung", "yen", "van"


@pytest.fixture(scope="module")
def world() -> AttackWorld:
    """Cases of two offices, one shared; every compartment was written by somebody."""
    world = AttackWorld(desks=8)
    stream = world.case(given_name="Hòa", safe_to_contact="no")
    world.sync()
    with world.lan.edit(stream) as edit:
        edit.new_record("note", {"text": "việc", "protection_text": "chỗ ở"})
    with world.yen.edit(stream) as edit:
        edit.new_record("note", {"health_text": "thuốc"})
    world.case("van", given_name="Lý")
    world.share(stream, OSSO, ("livelihood", "operations"), write=True)
    world.share(stream, UNION, ("contact",))
    world.sync(rounds=3)
    for name in ALL:
        for summary in world.replicas[name].cases().items:
            world.replicas[name].show(bytes.fromhex(summary.stream_hex))
    return world


def secrets(world: AttackWorld, name: str) -> dict[bytes, tuple[str, int]]:
    """Every stream key and unit seed of a device: bytes -> (of what, compartment)."""
    found: dict[bytes, tuple[str, int]] = {}
    with world.stores[name].transaction() as tx:
        for unit, compartment, _, seed in tx.seeds():
            found[seed] = (unit.hex(), compartment)
        for kind in range(5):
            for stream, keys in tx.stream_keys(tx.stream_ids(kind)).items():
                for compartment, _, key in keys:
                    found[key] = (stream.hex(), compartment)
    return found


def entitled(world: AttackWorld, name: str, of: str, compartment: int) -> bool:
    """Whether role, unit or grant give the device this key."""
    engine = world.replicas[name].core.engine
    if compartment == Compartment.BASE:
        return True  # who holds which base is asked below
    if compartment == Compartment.ACCESS:
        return name == "dung" or of == world.access_stream(name).hex()
    if not engine.reads(compartment):
        return False
    with world.stores[name].transaction() as tx:
        raw = tx.stream_rows([bytes.fromhex(of)]).get(bytes.fromhex(of)) if len(of) == 32 else None
        if raw is None:
            return of == engine.unit.hex()
        rights = StreamRow(raw).rights
    return rights.owner == engine.unit or any(
        g.unit == engine.unit and g.mask >> compartment & 1 for g in rights.grants
    )


@pytest.mark.parametrize("name", ALL)
def test_a_device_holds_only_keys_that_role_or_grant_give_it(world, name):
    for of, compartment in secrets(world, name).values():
        assert entitled(world, name, of, compartment), Compartment(compartment).word


@pytest.mark.parametrize("name", ALL)
def test_no_secret_of_another_compartment_stands_anywhere_in_the_database(world, name):
    own = secrets(world, name)
    others = {s: what for other in ALL for s, what in secrets(world, other).items()}
    foreign = {secret: what for secret, what in others.items() if secret not in own}
    assert foreign, "somebody holds something else"
    database = world.stores[name]._connection.serialize()
    assert any(secret in database for secret in own), "the search finds what is there"
    for secret, (of, compartment) in foreign.items():
        assert secret not in database, (of, Compartment(compartment).word)


def test_the_clinician_and_the_counsellor_of_one_case_read_different_things(world):
    [case] = world.yen.cases().items
    stream = bytes.fromhex(case.stream_hex)
    assert "thuốc" in world.texts("yen", stream)
    assert "Hòa" not in world.texts("yen", stream)
    assert "thuốc" not in world.texts("lan", stream)


def test_the_auditor_holds_base_and_access_keys_alone(world):
    kinds = {compartment for _, compartment in secrets(world, "dung").values()}
    assert kinds == {int(Compartment.BASE), int(Compartment.ACCESS)}
