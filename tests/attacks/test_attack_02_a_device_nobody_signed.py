"""Attack 2: the relay adds a device nobody signed. Refused by the access floor: forged."""

from __future__ import annotations

import pytest

from casesync.access import control_acts as acts
from casesync.access.control_writer import ControlWriter
from casesync.crypto.device_keys import DeviceSecrets
from casesync.foundation.errors import RelayMisbehaviour
from casesync.foundation.ids import DeviceNumber
from control_world import ControlWorld


@pytest.mark.parametrize("claimed", [1, 2, 6, 99])
def test_an_entry_signed_by_nobody_in_the_network_is_refused(claimed: int) -> None:
    """Even a relay that got hold of the network key cannot enrol anybody."""
    world = ControlWorld()
    inviter, _ = world.meet(world.invite("caseworker"), "Kẻ lạ")
    relay = DeviceSecrets.generate(world.entropy)
    writer = ControlWriter(
        network=world.state.network,
        device=DeviceNumber(claimed),
        signer=relay.composite_signer(),
        network_keys=world.founder.network_keys,
        position=world.position,
        entropy=world.entropy,
        index=world.state.size,
        previous=world.state.head_hash,
    )
    acts.enrol(writer, world.state, inviter.proof(), world.place(inviter), world.founder.seeds)
    with pytest.raises(RelayMisbehaviour) as error:
        world.append(writer)
    assert error.value.code == "control-log-forged"
    assert [d.number for d in world.state.devices()] == [1]
    assert world.state.size == 6
