"""Attack 4: an act signed by A that claims author B. Refused by the access floor: forged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casesync.access import control_acts as acts
from casesync.foundation.errors import RelayMisbehaviour
from control_world import ControlWorld


def test_staff_cannot_sign_as_the_administrator() -> None:
    world = ControlWorld()
    hoa = world.join("Hoa", "caseworker")
    posing = replace(world.founder, secrets=hoa.secrets)
    writer = world.writer(posing)
    acts.add_unit(writer, name="Giả", unit_type="audit", parent=None)
    with pytest.raises(RelayMisbehaviour) as error:
        world.append(writer)
    assert error.value.code == "control-log-forged"
    assert world.state.audit_units() == []


def test_an_entry_of_one_place_does_not_stand_in_another() -> None:
    """Index, previous entry, network and position are signed."""
    world, other = ControlWorld(), ControlWorld("other")
    writer = world.writer(world.founder)
    acts.add_unit(writer, name="OSSO", unit_type="osso", parent=None)
    with pytest.raises(RelayMisbehaviour):
        other.take(writer.entries, writer.blobs)
    world.add_unit("Hội", "union")
    with pytest.raises(RelayMisbehaviour):
        world.take(writer.entries, writer.blobs)
