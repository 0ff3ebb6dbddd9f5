"""Attack 17: a forged rotation by a non-issuer, or one that claims a huge epoch number.

Void on the access floor: it neither becomes current nor blocks the next (membership.md, *Unit
keys*).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from casesync.access import control_acts as acts
from casesync.access.control_bodies import EMPTY_BODY, UnitKeyRow, encode_admit, encode_unit_keys
from casesync.access.control_opened import BLOB_UNIT_KEYS
from casesync.crypto.kem_keys import unit_key_from_seed
from casesync.crypto.key_wrap import UnitKeyId
from casesync.foundation.ids import Compartment
from casesync.translog.control_acts import AdmitPublic, RotatePublic, WrapFor
from casesync.translog.control_entry import Act
from control_world import ControlWorld

OPERATIONS, IDENTITY = int(Compartment.OPERATIONS), int(Compartment.IDENTITY)
HEALTH = int(Compartment.HEALTH)


@pytest.fixture
def world() -> ControlWorld:
    world = ControlWorld()
    world.hoa = world.join("Hoa", "caseworker")
    world.an = world.join("An", "clinician")
    return world


def rotate(world: ControlWorld, person, keys, wraps, predecessor=b"p" * 48) -> str:
    """A rotation that says what the attacker likes."""
    writer = world.writer(person)
    rows = [UnitKeyRow(key, unit_key_from_seed(b"z" * 32), predecessor) for key in keys]
    blob = writer.sealed_blob(BLOB_UNIT_KEYS, encode_unit_keys(rows))
    named = tuple(WrapFor(int(device), writer.blob(b"wrap")) for device in sorted(wraps))
    writer.write(Act.ROTATE, RotatePublic(blob, named), EMPTY_BODY)
    (applied,) = world.append(writer)
    assert world.fresh().unit_key_publics() == world.state.unit_key_publics()
    return applied.void


def holders(world: ControlWorld, compartment: int) -> list[int]:
    return [int(d.number) for d in world.state.key_holders(world.shelter, compartment)]


def still_works(world: ControlWorld) -> None:
    before = world.state.newest_unit_key(world.shelter, OPERATIONS).epoch
    writer = world.writer(world.hoa)
    acts.rotate(writer, world.state, [OPERATIONS], world.hoa.seeds)
    (applied,) = world.append(writer, world.hoa)
    assert applied.void == ""
    assert world.state.current_unit_key(world.shelter, OPERATIONS).epoch == before + 1


@pytest.mark.parametrize("epoch", [1, 3, 1000, 2**31, 2**32 - 1])
def test_an_epoch_that_is_not_the_next_is_void(world: ControlWorld, epoch: int) -> None:
    keys = [UnitKeyId(world.shelter, OPERATIONS, epoch)]
    assert rotate(world, world.hoa, keys, holders(world, OPERATIONS)) == "epoch-not-next"
    assert world.state.current_unit_key(world.shelter, OPERATIONS).epoch == 1
    still_works(world)


def test_a_role_that_does_not_read_the_compartment_cannot_replace_its_key(
    world: ControlWorld,
) -> None:
    keys = [UnitKeyId(world.shelter, IDENTITY, 2)]
    assert rotate(world, world.an, keys, holders(world, IDENTITY)) == "keys-differ"
    still_works(world)


def test_another_offices_device_cannot_replace_the_key(world: ControlWorld) -> None:
    osso = world.add_unit("OSSO", "osso")
    mai = world.join("Mai", "counsellor", osso.unit)
    keys = [UnitKeyId(world.shelter, OPERATIONS, 2)]
    assert rotate(world, mai, keys, holders(world, OPERATIONS)) == "keys-differ"
    still_works(world)


def test_a_device_that_waits_for_a_colleague_cannot_make_itself_a_key(
    world: ControlWorld,
) -> None:
    """An administrator of another office cannot plant a reader: it holds nothing to replace."""
    osso = world.add_unit("OSSO", "osso")
    world.join("Mai", "counsellor", osso.unit)
    spy = world.join("Gián", "counsellor", osso.unit)
    assert spy.seeds == {}
    keys = [UnitKeyId(osso.unit, OPERATIONS, 2)]
    named = [int(d.number) for d in world.state.key_holders(osso.unit, OPERATIONS)]
    for wraps in (named, [*named, spy.device], [spy.device]):
        for predecessor in (None, b"p" * 48):
            assert rotate(world, spy, keys, wraps, predecessor) == "keys-not-held"
    still_works(world)


def test_a_rotation_that_cuts_off_the_past_is_void(world: ControlWorld) -> None:
    """A holder must seal the predecessor under the new key."""
    keys = [UnitKeyId(world.shelter, OPERATIONS, 2)]
    wraps = holders(world, OPERATIONS)
    assert rotate(world, world.hoa, keys, wraps, predecessor=None) == "keys-differ"
    still_works(world)


def test_a_key_nothing_can_be_sealed_to_is_void(world: ControlWorld) -> None:
    writer = world.writer(world.hoa)
    key = UnitKeyId(world.shelter, OPERATIONS, 2)
    good = unit_key_from_seed(b"z" * 32)
    for public in (good[:1184] + bytes(32), b"\xff" * 1216):
        writer = world.writer(world.hoa)
        rows = [UnitKeyRow(key, public, b"p" * 48)]
        blob = writer.sealed_blob(BLOB_UNIT_KEYS, encode_unit_keys(rows))
        wraps = tuple(WrapFor(d, writer.blob(b"wrap")) for d in sorted(holders(world, OPERATIONS)))
        writer.write(Act.ROTATE, RotatePublic(blob, wraps), EMPTY_BODY)
        assert world.append(writer)[0].void == "keys-unfit"
    still_works(world)


def test_nobody_admits_to_what_they_do_not_hold(world: ControlWorld) -> None:
    osso = world.add_unit("OSSO", "osso")
    mai = world.join("Mai", "counsellor", osso.unit)
    world.join("Nga", "counsellor", osso.unit)
    oanh = world.join("Oanh", "counsellor", osso.unit)
    nga = world.state.devices()[-2].number
    lying = replace(oanh, seeds=dict(mai.seeds))

    writer = world.writer(lying)
    view = world.state.device(nga)
    public = AdmitPublic(int(nga), writer.wrap(view.kem, nga, [], dict(mai.seeds)))
    writer.write(Act.ADMIT, public, encode_admit(mai.seeds))
    assert world.append(writer)[0].void == "keys-not-held"
    founder = world.writer(world.founder)
    public = AdmitPublic(int(nga), founder.wrap(view.kem, nga, [], dict(mai.seeds)))
    founder.write(Act.ADMIT, public, encode_admit(mai.seeds))
    assert world.append(founder)[0].void == "unit-differs"
