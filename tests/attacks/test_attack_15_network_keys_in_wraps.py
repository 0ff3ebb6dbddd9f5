"""Attack 15: somebody gives one member another network key.

What is sealed under it would count for that member and be void to everybody else. Refusing layer:
what a device takes from wraps (``sync/control_flow.py``; keys.md, *Unit key*).
"""

from __future__ import annotations

import pytest

from attack_world import AttackWorld
from casesync.access.control_bodies import encode_admit
from casesync.access.control_wraps import joiner_network_keys
from casesync.access.control_writer import ControlWriter
from casesync.client.control_driver import append_act
from casesync.crypto.kem_keys import unit_key_from_seed
from casesync.crypto.key_wrap import UnitKeyId, wrap_seeds
from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.ids import Compartment, DeviceNumber, NetworkId
from casesync.translog.control_acts import AdmitPublic
from casesync.translog.control_entry import Act

TRUE, FALSE = b"\x01" * 32, b"\x02" * 32


def test_a_wrap_for_a_member_of_another_office_brings_no_network_key() -> None:
    """The admission is void, but its wrap opens: Oanh knows everybody's public key."""
    world = AttackWorld(5)
    world.sync(rounds=2)
    oanh = world.oanh.core
    lan = oanh.engine.control.device(1)
    assert lan is not None

    def write(writer: ControlWriter) -> None:
        wrap = writer.wrap(lan.kem, 1, [FALSE], {})
        key = UnitKeyId(oanh.engine.unit, int(Compartment.IDENTITY), 1)
        writer.write(Act.ADMIT, AdmitPublic(1, wrap), encode_admit([key]))

    append_act(oanh, write)
    world.sync("lan")
    world.lan.add_unit("Đơn vị mới", "osso")
    world.sync("mai", "uyen")
    for name in ("lan", "mai", "uyen"):
        assert "Đơn vị mới" in [unit.name for unit in world.replicas[name].units()]


@pytest.mark.parametrize("keys", [[], [FALSE, TRUE], [TRUE, FALSE]])
def test_a_newcomer_takes_exactly_one(keys: list[bytes]) -> None:
    seed, network = b"\x03" * 32, NetworkId(b"\x04" * 32)
    wrap = wrap_seeds(unit_key_from_seed(seed), network, DeviceNumber(8), 7, keys, {})
    with pytest.raises(RemoteProtocolError):
        joiner_network_keys(network, DeviceNumber(8), 7, seed, wrap)
