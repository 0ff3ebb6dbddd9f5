"""Attack 19: the inviter hands a newcomer its own key as the unit's.

Refused by the newcomer's own device on the access floor (keys.md: the public key derived from each
seed must be the one in the entries).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from casesync.access import control_acts as acts
from casesync.access.control_opened import NetworkOpener
from casesync.access.control_state import ControlState
from casesync.foundation.errors import CryptoError
from casesync.sync.enrolment import EnrolmentResult
from casesync.testing.clock import START_MS
from control_world import ControlWorld


def enrolled(world: ControlWorld, seeds):
    inviter, joiner = world.meet(world.invite("caseworker"), "Hoa")
    writer = world.writer(world.founder)
    device = acts.enrol(writer, world.state, inviter.proof(), world.place(inviter), seeds)
    (applied,) = world.append(writer)
    assert applied.void == ""
    size = world.state.size
    result = EnrolmentResult(device - 1, START_MS, size, world.root_at(size))
    return replace(joiner, result=result)


def test_a_key_of_the_inviters_own_making_is_refused() -> None:
    world = ControlWorld()
    own = dict.fromkeys(world.founder.seeds, b"\x11" * 32)
    joiner = enrolled(world, own)
    with pytest.raises(CryptoError) as error:
        world.newcomer(joiner, "Hoa")
    assert error.value.code == "does-not-verify"


def test_one_wrong_key_among_right_ones_is_refused() -> None:
    world = ControlWorld()
    for key in world.founder.seeds:
        other = ControlWorld()
        joiner = enrolled(other, {**other.founder.seeds, key: b"\x11" * 32})
        with pytest.raises(CryptoError):
            other.newcomer(joiner, "Hoa")


def test_a_network_key_of_the_inviters_own_making_opens_nothing() -> None:
    """Under another network key nothing in the log counts: the newcomer sees no enrolment."""
    world = ControlWorld()
    honest = list(world.founder.network_keys)
    inviter, joiner = world.meet(world.invite("caseworker"), "Hoa")
    writer = world.writer(world.founder)
    real = type(writer).wrap

    def lying(self, kem_public, device, network_keys, seeds):
        return real(self, kem_public, device, [b"\x22" * 32], seeds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(writer), "wrap", lying)
        device = acts.enrol(
            writer, world.state, inviter.proof(), world.place(inviter), world.founder.seeds
        )
    world.append(writer)
    assert honest == world.founder.network_keys
    size = world.state.size
    joiner = replace(
        joiner, result=EnrolmentResult(device - 1, START_MS, size, world.root_at(size))
    )
    opener = NetworkOpener(world.state.network, [b"\x22" * 32])
    state = ControlState()
    for index, log_time, entry in world.entries:
        state.apply(index, log_time, entry, opener, world.blobs.get)
    assert len(state.voids) == size - 1
    with pytest.raises(CryptoError) as error:
        joiner.check_enrolled(state, world.root_at)
    assert error.value.code == "enrolment-differs"
