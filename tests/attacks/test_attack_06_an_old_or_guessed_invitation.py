"""Attack 6: replay of an old invitation; guessing an invitation code.

Single use in the control log (access floor), expiry and the one try at the code in the inviting
machine (sync floor), and 256 random bits that nobody guesses (enrolment.md).
"""

from __future__ import annotations

from dataclasses import replace

from casesync.access import control_acts as acts
from casesync.access.enrolment_proof import encode_unsigned
from casesync.codec.crockford import ALPHABET, check_char
from casesync.foundation.ids import DeviceNumber
from casesync.sync.enrolment import Joiner
from casesync.testing.clock import START_MS
from casesync.testing.entropy import SeededEntropy
from control_world import ControlWorld


def test_an_invitation_enrols_once() -> None:
    """Even the administrator who made it cannot use it for a second device."""
    world = ControlWorld()
    inviter = world.invite("caseworker")
    for name, void in (("Hoa", ""), ("An", "invitation-used")):
        met, _ = world.meet(inviter, name)
        writer = world.writer(world.founder)
        acts.enrol(writer, world.state, met.proof(), world.place(met), world.founder.seeds)
        (applied,) = world.append(writer)
        assert applied.void == void
    assert [m.name for m in world.state.members()] == ["Lan", "Hoa"]


def test_an_enrolment_entry_cannot_be_repeated() -> None:
    """The same act written again over a later head: invitation and keys are taken."""
    world = ControlWorld()
    met, _ = world.meet(world.invite("caseworker"), "Hoa")
    for _ in range(2):
        writer = world.writer(world.founder)
        acts.enrol(writer, world.state, met.proof(), world.place(met), world.founder.seeds)
        world.append(writer)
    assert len(world.state.devices()) == 2
    assert world.state.voids[-1].reason == "invitation-used"


def test_after_its_time_nothing_answers() -> None:
    world = ControlWorld()
    inviter = world.invite("caseworker")
    joiner = Joiner.start(inviter.invitation, "Hoa", "", world.entropy)
    slots = dict(joiner.advance({}).puts)
    step = inviter.advance(slots, inviter.invitation.expires_ms)
    assert step.cancel
    assert step.puts == ()
    assert step.state.advance(slots, START_MS).puts == (), "turning the clock back does not help"


def test_a_guessed_secret_opens_nothing() -> None:
    """Somebody who knows everything but the random bits, the rendezvous included."""
    world = ControlWorld()
    inviter = world.invite("caseworker")
    guess = replace(inviter.invitation, secret=SeededEntropy("guess").bytes(32))
    assert guess.id != inviter.invitation.id
    joiner = Joiner.start(guess, "Kẻ lạ", "", SeededEntropy("stranger"))
    step = inviter.advance(dict(joiner.advance({}).puts), START_MS)
    assert step.cancel
    assert step.error is not None
    assert step.error.code == "invitation-spoiled"


def test_a_code_can_be_guessed_once() -> None:
    world = ControlWorld()
    inviter = world.invite("caseworker")
    joiner = Joiner.start(inviter.invitation, "Hoa", "", world.entropy)
    slots = dict(joiner.advance({}).puts)
    step = inviter.advance(slots, START_MS)
    slots.update(step.puts)
    revealed = joiner.advance(slots)
    slots.update(revealed.puts)
    step = step.state.advance(slots, START_MS)
    right = revealed.code
    assert right is not None
    guess = right[:5] + ALPHABET[(ALPHABET.index(right[5]) + 1) % 32]
    step = step.state.advance(slots, START_MS, code=guess + check_char(guess))
    assert step.cancel
    assert step.state.advance(slots, START_MS, code=right).status == "burnt"


def test_keys_of_a_device_enrol_nobody_else() -> None:
    """A second enrolment of the same keys, with a new invitation, is void."""
    world = ControlWorld()
    hoa = world.join("Hoa", "caseworker")
    inviter = world.invite("caseworker")
    fresh = Joiner.start(inviter.invitation, "Hoa", "", world.entropy)
    public = hoa.secrets.public()
    again = replace(fresh, secrets=hoa.secrets, unsigned=encode_unsigned(public, "Hoa", "", ()))
    slots: dict[int, bytes] = {}
    state = inviter
    for _ in range(2):
        step = again.advance(slots)
        again = step.state
        slots.update(step.puts)
        answer = state.advance(slots, START_MS)
        state = answer.state
        slots.update(answer.puts)
    state = state.advance(slots, START_MS, code=again.code()).state
    writer = world.writer(world.founder)
    acts.enrol(writer, world.state, state.proof(), world.place(state), world.founder.seeds)
    assert world.append(writer)[0].void == "key-taken"
    assert world.state.device(DeviceNumber(8)) is None
