"""Attack 7: a man in the middle of enrolment with the wrong code.

Somebody got hold of the invitation's text and works with the relay: he answers the inviter as the
joiner and the joiner as the inviter. He must commit before he knows the other side's nonce, so that
the code on the joiner's screen is not the one the inviter expects; one wrong code burns the
invitation (sync floor, enrolment.md step 4).
"""

from __future__ import annotations

from casesync.sync.enrolment import Inviter, Joiner
from casesync.testing.clock import START_MS
from casesync.testing.entropy import SeededEntropy
from control_world import ControlWorld


def run(inviter: Inviter, joiner: Joiner) -> tuple[Inviter, Joiner, dict[int, bytes]]:
    slots: dict[int, bytes] = {}
    for _ in range(2):
        step = joiner.advance(slots)
        joiner = step.state
        slots.update(step.puts)
        answer = inviter.advance(slots, START_MS)
        inviter = answer.state
        slots.update(answer.puts)
    return inviter, joiner, slots


def test_the_code_from_the_honest_screen_does_not_fit_the_mans_keys() -> None:
    for seed in range(8):
        world = ControlWorld(f"world {seed}")
        inviter = world.invite("caseworker")
        invitation = inviter.invitation
        man_as_joiner = Joiner.start(invitation, "Hoa", "", SeededEntropy(f"man {seed}"))
        man_as_inviter = Inviter.start(invitation, None, SeededEntropy(f"man too {seed}"))
        honest = Joiner.start(invitation, "Hoa", "", world.entropy)

        inviter, man_as_joiner, slots = run(inviter, man_as_joiner)
        man_as_inviter, honest, _ = run(man_as_inviter, honest)

        assert honest.code() != man_as_joiner.code()
        step = inviter.advance(slots, START_MS, code=honest.code())
        assert step.cancel
        assert step.status == "burnt"
        assert step.error is not None
        assert step.error.code == "enrolment-code-wrong"


def test_a_nonce_copied_from_the_inviter_does_not_help_either() -> None:
    """He relays the inviter's nonce to the joiner: commitment and keys still differ."""
    world = ControlWorld()
    inviter = world.invite("caseworker")
    man = Joiner.start(inviter.invitation, "Hoa", "", SeededEntropy("man"))
    honest = Joiner.start(inviter.invitation, "Hoa", "", world.entropy)
    slots = dict(man.advance({}).puts)
    answer = inviter.advance(slots, START_MS)
    slots.update(answer.puts)
    man = man.advance(slots).state
    theirs = dict(honest.advance({}).puts)
    theirs.update(answer.puts)
    honest = honest.advance(theirs).state
    assert honest.inviter_nonce == man.inviter_nonce
    assert honest.code() != man.code()


def test_keys_cannot_be_chosen_after_the_inviters_nonce() -> None:
    """A reveal other than the one committed to burns the invitation, whatever its code."""
    world = ControlWorld()
    inviter = world.invite("caseworker")
    first = Joiner.start(inviter.invitation, "Hoa", "", SeededEntropy("first"))
    second = Joiner.start(inviter.invitation, "Hoa", "", SeededEntropy("second"))
    slots = dict(first.advance({}).puts)
    answer = inviter.advance(slots, START_MS)
    chosen = second.advance({**dict(second.advance({}).puts), **dict(answer.puts)})
    slots.update(answer.puts)
    slots.update(chosen.puts)
    step = answer.state.advance(slots, START_MS)
    assert step.cancel
    assert step.error is not None
    assert step.error.code == "invitation-spoiled"
