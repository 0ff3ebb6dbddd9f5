"""Attack 30: return without a new act. Void on the access floor."""

from __future__ import annotations

from dataclasses import replace

from casesync.access import control_acts as acts
from casesync.sync.enrolment import Joiner
from casesync.testing.clock import START_MS
from control_world import ControlWorld


def test_a_suspended_device_stays_suspended_whatever_it_signs() -> None:
    world = ControlWorld()
    hoa = world.join("Hoa", "caseworker", administrator=False)
    world.move(5)
    writer = world.writer(world.founder)
    acts.suspend(writer, world.state, hoa.device, "", world.founder.seeds)
    world.append(writer, world.founder)
    world.move(9)
    attempts = []
    writer = world.writer(hoa)
    acts.network_boxes(writer, world.state, [world.shelter])
    attempts.append(world.append(writer)[0].void)
    writer = world.writer(hoa)
    acts.rotate(writer, world.state, [7], hoa.seeds)
    attempts.append(world.append(writer)[0].void)
    assert attempts == ["signer-suspended"] * 2
    assert world.state.suspended_from(hoa.device) == 5
    assert hoa.device not in {d.number for d in world.state.devices_of(world.shelter)}


def test_a_second_suspension_does_not_move_the_first() -> None:
    """Nobody can push the position back or forth once it stands."""
    world = ControlWorld()
    hoa = world.join("Hoa", "caseworker")
    world.move(5)
    writer = world.writer(world.founder)
    acts.suspend(writer, world.state, hoa.device, "", world.founder.seeds)
    world.append(writer, world.founder)
    world.move(50)
    writer = world.writer(world.founder)
    acts.suspend(writer, world.state, hoa.device, "", world.founder.seeds)
    assert world.append(writer)[0].void == "device-suspended"
    assert world.state.suspended_from(hoa.device) == 5


def test_the_same_keys_cannot_be_enrolled_again() -> None:
    """Who comes back comes with new keys, a new number and a new signature of an administrator."""
    world = ControlWorld()
    inviter = world.invite("caseworker")
    met, joiner = world.meet(inviter, "Hoa")
    writer = world.writer(world.founder)
    number = acts.enrol(writer, world.state, met.proof(), world.place(met), world.founder.seeds)
    world.append(writer)
    writer = world.writer(world.founder)
    acts.suspend(writer, world.state, number, "", world.founder.seeds)
    world.append(writer, world.founder)
    again = world.invite("caseworker")
    back = Joiner.start(again.invitation, "Hoa", "máy", world.entropy)
    back = replace(back, secrets=joiner.secrets, unsigned=joiner.unsigned)
    slots: dict[int, bytes] = {}
    for _ in range(2):
        step = back.advance(slots)
        back = step.state
        slots.update(step.puts)
        answer = again.advance(slots, START_MS)
        again = answer.state
        slots.update(answer.puts)
    again = again.advance(slots, START_MS, code=back.code()).state
    writer = world.writer(world.founder)
    acts.enrol(writer, world.state, again.proof(), world.place(again), world.founder.seeds)
    assert world.append(writer)[0].void == "key-taken"
    assert [d.number for d in world.state.devices() if d.active] == [1]
    world.join("Hoa", "caseworker")
    assert [d.number for d in world.state.devices() if d.active] == [1, world.state.size]
