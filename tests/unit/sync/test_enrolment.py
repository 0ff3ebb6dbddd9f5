"""``protocol/enrolment.md``: two machines, four slots, one code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casesync.access import control_acts as acts
from casesync.foundation.errors import AccessDenied, CryptoError, RelayMisbehaviour
from casesync.foundation.ids import Compartment
from casesync.sync.enrolment import (
    EnrolmentResult,
    Inviter,
    InviterPhase,
    Joiner,
    parse_invitation,
)
from casesync.testing.clock import START_MS
from casesync.testing.entropy import SeededEntropy
from control_world import ControlWorld


@pytest.fixture
def world() -> ControlWorld:
    return ControlWorld()


def stored(machine):
    """The machine as the database gives it back."""
    return type(machine).from_bytes(machine.to_bytes())


def begin(world: ControlWorld) -> tuple[Inviter, Joiner]:
    inviter = world.invite("clinician")
    return inviter, Joiner.start(parse_invitation(inviter.text), "Hoa", "máy 2", world.entropy)


def test_each_call_does_what_is_possible_and_says_where_it_stands(world: ControlWorld) -> None:
    inviter, joiner = begin(world)
    slots: dict[int, bytes] = {}
    waiting = inviter.advance(slots, START_MS)
    assert (waiting.status, waiting.puts, waiting.cancel) == ("waiting", (), False)

    posted = joiner.advance(slots)
    assert (posted.status, posted.code, [p.slot for p in posted.puts]) == ("posted", None, [1])
    slots.update(posted.puts)
    joiner = stored(posted.state)

    nonce = stored(inviter).advance(slots, START_MS)
    assert (nonce.status, [p.slot for p in nonce.puts]) == ("nonce", [2])
    slots.update(nonce.puts)
    inviter = stored(nonce.state)

    revealed = joiner.advance(slots)
    assert (revealed.status, [p.slot for p in revealed.puts]) == ("code", [3])
    assert revealed.code is not None
    assert len(revealed.code) == 7
    slots.update(revealed.puts)
    joiner = stored(revealed.state)

    asked = inviter.advance(slots, START_MS)
    assert (asked.status, asked.puts) == ("code", ())
    typed = f" {revealed.code[:3].lower()}-{revealed.code[3:]}"
    approved = stored(asked.state).advance(slots, START_MS, code=typed)
    assert (approved.status, approved.error) == ("approved", None)

    proof = stored(approved.state).proof()
    assert (proof.name, proof.label) == ("Hoa", "máy 2")
    assert proof.public == joiner.secrets.public()
    done = stored(approved.state).enrolled(EnrolmentResult(6, START_MS, 7, b"r" * 32))
    assert (done.status, [p.slot for p in done.puts]) == ("joined", [4])
    slots.update(done.puts)
    enrolled = joiner.advance(slots)
    assert (enrolled.status, enrolled.puts) == ("enrolled", ())
    assert stored(enrolled.state).result == EnrolmentResult(6, START_MS, 7, b"r" * 32)
    assert enrolled.state.result.device == 7


def test_a_step_that_was_lost_is_asked_for_again(world: ControlWorld) -> None:
    inviter, joiner = begin(world)
    first, again = joiner.advance({}), stored(joiner).advance({})
    assert first.puts == again.puts
    slots = dict(first.puts)
    answer = inviter.advance(slots, START_MS)
    assert stored(answer.state).advance(slots, START_MS).puts == answer.puts
    slots.update(answer.puts)
    revealed = joiner.advance(slots)
    assert stored(revealed.state).advance(slots).puts == revealed.puts, "signed once, kept"
    slots.update(revealed.puts)
    assert stored(revealed.state).advance(slots).puts == ()


def test_one_wrong_code_burns_the_invitation(world: ControlWorld) -> None:
    inviter, joiner = begin(world)
    slots = dict(joiner.advance({}).puts)
    answer = inviter.advance(slots, START_MS)
    slots.update(answer.puts)
    revealed = joiner.advance(slots)
    slots.update(revealed.puts)
    asked = answer.state.advance(slots, START_MS)
    wrong = asked.state.advance(slots, START_MS, code="0000000")
    assert wrong.cancel
    assert wrong.error is not None
    assert wrong.error.code == "enrolment-code-wrong"
    assert wrong.status == "burnt"
    right = stored(wrong.state).advance(slots, START_MS, code=revealed.code)
    assert right.status == "burnt"
    assert right.error is not None
    assert right.error.code == "invitation-cancelled"
    with pytest.raises(AssertionError):
        right.state.proof()


def test_a_slip_of_the_finger_does_not_burn_the_invitation(world: ControlWorld) -> None:
    inviter, joiner = begin(world)
    slots = dict(joiner.advance({}).puts)
    answer = inviter.advance(slots, START_MS)
    slots.update(answer.puts)
    revealed = joiner.advance(slots)
    slots.update(revealed.puts)
    assert revealed.code is not None
    slipped = ("1" if revealed.code[0] != "1" else "2") + revealed.code[1:]
    step = stored(answer.state).advance(slots, START_MS, code=slipped)
    assert (step.status, step.cancel) == ("code", False)
    assert step.error is not None
    assert step.error.code == "enrolment-code-mistyped"
    again = stored(step.state).advance(slots, START_MS, code=revealed.code)
    assert (again.status, again.error) == ("approved", None)


def test_a_code_typed_too_early_is_no_entry(world: ControlWorld) -> None:
    inviter, joiner = begin(world)
    step = inviter.advance(dict(joiner.advance({}).puts), START_MS, code="0000000")
    assert (step.status, step.cancel, step.error) == ("nonce", False, None)


def test_an_expired_invitation_is_cancelled_unless_the_code_was_right(
    world: ControlWorld,
) -> None:
    inviter, _ = begin(world)
    late = inviter.invitation.expires_ms
    step = inviter.advance({}, late)
    assert (step.status, step.cancel) == ("burnt", True)
    assert step.error is not None
    assert step.error.code == "invitation-expired"
    approved, _ = world.meet(world.invite("clinician"), "Hoa")
    assert approved.advance({}, late).status == "approved"


def test_an_invitation_somebody_else_answered_says_so(world: ControlWorld) -> None:
    inviter, joiner = begin(world)
    other = Joiner.start(inviter.invitation, "Kẻ khác", "", SeededEntropy("other"))
    slots = dict(other.advance({}).puts)
    with pytest.raises(AccessDenied) as error:
        joiner.advance(slots)
    assert error.value.code == "invitation-used"


@pytest.mark.parametrize("slot", [1, 3])
def test_rubbish_in_a_joiners_slot_burns_the_invitation(world: ControlWorld, slot: int) -> None:
    inviter, joiner = begin(world)
    slots = dict(joiner.advance({}).puts)
    if slot == 3:
        answer = inviter.advance(slots, START_MS)
        inviter = answer.state
        slots.update(answer.puts)
    slots[slot] = b"rubbish" * 20
    step = inviter.advance(slots, START_MS)
    assert (step.status, step.cancel) == ("burnt", True)
    assert step.error is not None
    assert step.error.code == "invitation-spoiled"


@pytest.mark.parametrize("slot", [2, 4])
def test_rubbish_in_an_inviters_slot_stops_the_joiner(world: ControlWorld, slot: int) -> None:
    inviter, joiner = begin(world)
    slots = dict(joiner.advance({}).puts)
    if slot == 4:
        slots.update(inviter.advance(slots, START_MS).puts)
    slots[slot] = b"rubbish" * 20
    with pytest.raises(CryptoError) as error:
        joiner.advance(slots)
    assert error.value.code == "invitation-spoiled"


def test_a_joiner_makes_just_the_keys_it_was_asked_for(world: ControlWorld) -> None:
    inviter, joiner = begin(world)
    assert inviter.invitation.new_keys == (Compartment.HEALTH,)
    assert [k.compartment for k in joiner.own_seeds()] == [Compartment.HEALTH]
    assert len(inviter.text) < 700


def test_the_largest_reveal_fits_into_a_slot(world: ControlWorld) -> None:
    osso = world.add_unit("OSSO", "osso")
    inviter = world.invite("counsellor", osso.unit)
    approved, joiner = world.meet(inviter, "Nguyễn Thị " + "Á" * 240)
    assert len(joiner.own_seeds()) == 6
    assert approved.phase is InviterPhase.APPROVED


def test_neither_machine_prints_a_secret(world: ControlWorld) -> None:
    inviter, joiner = begin(world)
    for machine in (inviter, joiner):
        text = repr(machine)
        assert inviter.invitation.secret.hex() not in text
        assert "secret" not in text.lower()


# -- the last check -----------------------------------------------------------------------


def finish(world: ControlWorld, **changed) -> tuple[Joiner, ControlWorld]:
    """A finished enrolment, in which the inviter appended something ``changed``."""
    approved, joiner = world.meet(world.invite("clinician"), "Hoa")
    proof = approved.proof()._replace(**{k: v for k, v in changed.items() if k in ("name",)})
    place = replace(world.place(approved), **{k: v for k, v in changed.items() if k != "name"})
    writer = world.writer(world.founder)
    device = acts.enrol(writer, world.state, proof, place, world.founder.seeds)
    world.append(writer)
    size = world.state.size
    result = EnrolmentResult(device - 1, START_MS, size, world.root_at(size))
    return replace(joiner, result=result), world


def test_the_joiner_accepts_what_it_signed(world: ControlWorld) -> None:
    joiner, _ = finish(world)
    assert joiner.check_enrolled(world.state, world.root_at) == 7


def test_an_enrolment_with_another_name_is_void_and_refused(world: ControlWorld) -> None:
    joiner, _ = finish(world, name="Hoà")
    assert world.state.voids[-1].reason == "joiner-signature"
    with pytest.raises(CryptoError) as error:
        joiner.check_enrolled(world.state, world.root_at)
    assert error.value.code == "enrolment-differs"


def test_an_enrolment_with_another_role_is_void_and_refused(world: ControlWorld) -> None:
    joiner, _ = finish(world, role="supervisor")
    assert world.state.voids[-1].reason == "keys-differ"
    with pytest.raises(CryptoError):
        joiner.check_enrolled(world.state, world.root_at)


def test_an_enrolment_with_more_rights_than_invited_is_refused(world: ControlWorld) -> None:
    joiner, _ = finish(world, administrator=True)
    with pytest.raises(CryptoError) as error:
        joiner.check_enrolled(world.state, world.root_at)
    assert error.value.code == "enrolment-differs"


def test_a_shorter_or_another_control_log_is_refused(world: ControlWorld) -> None:
    joiner, _ = finish(world)
    before = ControlWorld()
    with pytest.raises(RelayMisbehaviour) as error:
        joiner.check_enrolled(before.state, before.root_at)
    assert error.value.code == "control-log-shorter"
    other = ControlWorld("other")
    other.join("Hoa", "clinician")
    with pytest.raises(RelayMisbehaviour) as error:
        joiner.check_enrolled(other.state, other.root_at)
    assert error.value.code == "control-log-differs"
    for size in (joiner.invitation.control_size, joiner.result.checkpoint_size):

        def lying(asked: int, size: int = size) -> bytes:
            return bytes(32) if asked == size else world.root_at(asked)

        with pytest.raises(RelayMisbehaviour):
            joiner.check_enrolled(world.state, lying)


def test_another_relay_key_in_the_invitation_is_refused(world: ControlWorld) -> None:
    joiner, _ = finish(world)
    lied = replace(joiner, invitation=replace(joiner.invitation, relay_key=b"x" * 32))
    with pytest.raises(RelayMisbehaviour):
        lied.check_enrolled(world.state, world.root_at)
