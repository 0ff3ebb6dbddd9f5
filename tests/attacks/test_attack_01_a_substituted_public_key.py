"""Attack 1: the relay substitutes a recipient's public key.

Refused by the access floor: keys are named by hash in signed entries, and a newcomer's travel
inside a rendezvous that the relay cannot open (membership.md, enrolment.md).
"""

from __future__ import annotations

from hashlib import sha256

import pytest

from casesync.access import control_acts as acts
from casesync.access.control_opened import state_blobs
from casesync.crypto.device_keys import DeviceSecrets
from casesync.crypto.enrolment import SLOT_REVEAL
from casesync.foundation.errors import RelayMisbehaviour
from casesync.sync.enrolment import Joiner
from casesync.testing.clock import START_MS
from control_world import ControlWorld


@pytest.fixture
def world() -> ControlWorld:
    return ControlWorld()


def test_keys_under_a_name_that_is_not_theirs_are_refused(world: ControlWorld) -> None:
    """Device keys and unit keys alike: every blob of an entry is checked against its hash."""
    inviter, _ = world.meet(world.invite("clinician"), "Hoa")
    writer = world.writer(world.founder)
    acts.enrol(writer, world.state, inviter.proof(), world.place(inviter), world.founder.seeds)
    (entry,) = writer.entries
    honest = {sha256(blob).digest(): blob for blob in writer.blobs}
    relays_own = DeviceSecrets.generate(world.entropy).public().blob()
    for name in state_blobs(entry):
        with pytest.raises(RelayMisbehaviour) as error:
            world.fresh().apply(
                6, START_MS, entry, world.opener, {**world.blobs, **honest, name: relays_own}.get
            )
        assert error.value.code == "blob-differs"


def test_an_entry_that_names_the_relays_key_is_forged(world: ControlWorld) -> None:
    inviter, _ = world.meet(world.invite("clinician"), "Hoa")
    writer = world.writer(world.founder)
    acts.enrol(writer, world.state, inviter.proof(), world.place(inviter), world.founder.seeds)
    (entry,) = writer.entries
    relays_own = DeviceSecrets.generate(world.entropy).public()
    honest = inviter.proof().public
    swapped = entry.replace(honest.blob_hash(), relays_own.blob_hash())
    assert swapped != entry
    with pytest.raises(RelayMisbehaviour) as error:
        world.take([swapped], [*writer.blobs, relays_own.blob()])
    assert error.value.code == "control-log-forged"


def test_a_reveal_the_relay_wrote_burns_the_invitation(world: ControlWorld) -> None:
    inviter = world.invite("clinician")
    joiner = Joiner.start(inviter.invitation, "Hoa", "", world.entropy)
    slots = dict(joiner.advance({}).puts)
    answer = inviter.advance(slots, START_MS)
    slots.update(answer.puts)
    other = world.invite("clinician")
    stranger = Joiner.start(other.invitation, "Hoa", "", world.entropy)
    theirs = dict(stranger.advance({}).puts)
    theirs.update(other.advance(theirs, START_MS).puts)
    slots[SLOT_REVEAL] = dict(stranger.advance(theirs).puts)[SLOT_REVEAL]
    step = answer.state.advance(slots, START_MS)
    assert step.cancel
    assert step.error is not None
    assert step.error.code == "invitation-spoiled"
