"""Attack 20: a rotation that omits a member, or still includes a removed one.

As far as the control log shows it: the devices that get a wrap must be exactly those that held the
key and are still there. Otherwise the new keys are void on the access floor, while a suspension
they came with stands (membership.md, *Unit keys*).
"""

from __future__ import annotations

import pytest

from casesync.access import control_acts as acts
from casesync.access.control_bodies import EMPTY_BODY, encode_suspend
from casesync.foundation.ids import Compartment
from casesync.translog.control_acts import RotatePublic, SuspendPublic
from casesync.translog.control_entry import Act
from control_world import ControlWorld

OPERATIONS = int(Compartment.OPERATIONS)


@pytest.fixture
def world() -> ControlWorld:
    world = ControlWorld()
    world.hoa = world.join("Hoa", "caseworker")
    world.an = world.join("An", "clinician")
    return world


def new_keys(world: ControlWorld, writer, excluded: int | None):
    return acts._new_keys(writer, world.state, [OPERATIONS], world.founder.seeds, excluded)


def check_rotates(world: ControlWorld) -> None:
    due = world.state.rotation_for(world.founder.device) or {OPERATIONS}
    writer = world.writer(world.founder)
    acts.rotate(writer, world.state, due, world.founder.seeds)
    assert world.append(writer, world.founder)[0].void == ""


def test_a_rotation_that_omits_a_colleague_is_void(world: ControlWorld) -> None:
    for omitted in (world.hoa.device, world.an.device, world.founder.device):
        writer = world.writer(world.founder)
        blob, wraps = new_keys(world, writer, None)
        fewer = tuple(wrap for wrap in wraps if wrap.device != omitted)
        writer.write(Act.ROTATE, RotatePublic(blob, fewer), EMPTY_BODY)
        assert world.append(writer)[0].void == "wraps-differ"
        assert world.state.current_unit_key(world.shelter, OPERATIONS).epoch == 1
    check_rotates(world)


def test_a_rotation_for_somebody_who_never_held_the_key_is_void(world: ControlWorld) -> None:
    osso = world.add_unit("OSSO", "osso")
    mai = world.join("Mai", "counsellor", osso.unit)
    for stranger in (mai.device, 999):
        writer = world.writer(world.founder)
        blob, wraps = new_keys(world, writer, None)
        extra = acts.WrapFor(int(stranger), writer.blob(b"wrap"))
        writer.write(Act.ROTATE, RotatePublic(blob, (*wraps, extra)), EMPTY_BODY)
        assert world.append(writer)[0].void == "wraps-differ"
    check_rotates(world)


def test_a_suspension_that_still_includes_the_removed_device_gives_no_keys(
    world: ControlWorld,
) -> None:
    writer = world.writer(world.founder)
    blob, wraps = new_keys(world, writer, None)
    assert world.hoa.device in {wrap.device for wrap in wraps}
    public = SuspendPublic(world.hoa.device, blob, wraps)
    writer.write(Act.SUSPEND, public, encode_suspend("mất máy"))
    (applied,) = world.append(writer)
    assert applied.void == ""
    assert not world.state.device(world.hoa.device).active
    assert world.state.current_unit_key(world.shelter, OPERATIONS) is None
    assert [(v.reason, v.partial) for v in world.state.voids] == [("wraps-differ", True)]
    check_rotates(world)
    holders = {int(d.number) for d in world.state.key_holders(world.shelter, OPERATIONS)}
    assert holders == {world.founder.device, world.an.device}


def test_a_later_rotation_that_includes_a_removed_device_is_void(world: ControlWorld) -> None:
    writer = world.writer(world.founder)
    acts.suspend(writer, world.state, world.hoa.device, "", {})
    world.append(writer)
    writer = world.writer(world.founder)
    blob, wraps = new_keys(world, writer, None)
    extra = acts.WrapFor(int(world.hoa.device), writer.blob(b"wrap"))
    writer.write(Act.ROTATE, RotatePublic(blob, (*wraps, extra)), EMPTY_BODY)
    assert world.append(writer)[0].void == "wraps-differ"
    check_rotates(world)


def test_a_suspension_whose_new_keys_are_nonsense_still_stands(world: ControlWorld) -> None:
    writer = world.writer(world.founder)
    public = SuspendPublic(world.hoa.device, writer.blob(b"not a sealed blob"), ())
    writer.write(Act.SUSPEND, public, encode_suspend(""))
    assert world.append(writer)[0].void == ""
    assert not world.state.device(world.hoa.device).active
    assert world.state.voids[-1].partial
    assert world.fresh().devices() == world.state.devices()
    check_rotates(world)


def test_an_honest_suspension_leaves_the_removed_device_without_the_new_keys(
    world: ControlWorld,
) -> None:
    writer = world.writer(world.founder)
    acts.suspend(writer, world.state, world.hoa.device, "", world.founder.seeds)
    (applied,) = world.append(writer, world.founder)
    with pytest.raises(AssertionError):
        world.receive(world.hoa, applied.control_index)
    world.receive(world.an, applied.control_index)
    assert world.an.newest(world.shelter, OPERATIONS) == 2
    assert world.hoa.newest(world.shelter, OPERATIONS) == 1
