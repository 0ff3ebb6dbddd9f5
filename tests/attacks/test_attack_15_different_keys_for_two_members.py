"""Attack 15: an insider gives two members different keys.

A rotation's public keys stand in the control log; whoever was given a seed of another key refuses
the wrap (access floor, keys.md, *Unit key*), and the log says that a key is missing.
"""

from __future__ import annotations

import pytest

from casesync.access import control_acts as acts
from casesync.access.control_wraps import older_seeds, open_wrap_for_device, wrap_for
from casesync.access.control_writer import ControlWriter
from casesync.crypto.key_wrap import UnitKeyId
from casesync.foundation.errors import CryptoError
from casesync.foundation.ids import Compartment
from control_world import ControlWorld

OPERATIONS = int(Compartment.OPERATIONS)


@pytest.fixture
def world() -> ControlWorld:
    world = ControlWorld()
    world.hoa = world.join("Hoa", "caseworker")
    world.an = world.join("An", "caseworker")
    return world


def test_a_rotation_that_wraps_another_seed_to_one_colleague_is_refused_by_that_one(
    world: ControlWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = ControlWriter.wrap

    def lying(self, kem_public, device, network_keys, seeds):
        if device == world.an.device:
            seeds = dict.fromkeys(seeds, b"x" * 32)
        return honest(self, kem_public, device, network_keys, seeds)

    monkeypatch.setattr(ControlWriter, "wrap", lying)
    writer = world.writer(world.hoa)
    acts.rotate(writer, world.state, [OPERATIONS], world.hoa.seeds)
    (applied,) = world.append(writer, world.hoa)
    assert applied.void == ""
    world.receive(world.founder, applied.control_index)
    assert world.founder.newest(world.shelter, OPERATIONS) == 2
    with pytest.raises(CryptoError) as error:
        world.receive(world.an, applied.control_index)
    assert error.value.code == "does-not-verify"
    assert world.an.newest(world.shelter, OPERATIONS) == 1


def test_a_wrap_that_leaves_out_a_promised_key_is_noticed(
    world: ControlWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = ControlWriter.wrap

    def stingy(self, kem_public, device, network_keys, seeds):
        if device == world.an.device:
            seeds = {}
        return honest(self, kem_public, device, network_keys, seeds)

    monkeypatch.setattr(ControlWriter, "wrap", stingy)
    writer = world.writer(world.hoa)
    acts.rotate(writer, world.state, [OPERATIONS], world.hoa.seeds)
    (applied,) = world.append(writer, world.hoa)
    opened = world.receive(world.an, applied.control_index)
    assert opened.missing == {UnitKeyId(world.shelter, OPERATIONS, 2)}


def test_a_predecessor_that_is_another_key_is_refused(world: ControlWorld) -> None:
    writer = world.writer(world.hoa)
    lie = {**world.hoa.seeds, UnitKeyId(world.shelter, OPERATIONS, 1): b"y" * 32}
    acts.rotate(writer, world.state, [OPERATIONS], lie)
    (applied,) = world.append(writer, world.hoa)
    assert applied.void == "", "nobody can see this before opening it"
    newest = UnitKeyId(world.shelter, OPERATIONS, 2)
    with pytest.raises(CryptoError):
        older_seeds(world.state, {newest: world.hoa.seeds[newest]})


def test_a_wrap_of_another_entry_or_device_does_not_open(world: ControlWorld) -> None:
    for _ in range(2):
        writer = world.writer(world.hoa)
        acts.rotate(writer, world.state, [OPERATIONS], world.hoa.seeds)
        world.append(writer, world.hoa)
    first, second = world.state.size - 2, world.state.size - 1
    an = world.an
    kem = an.secrets.kem_seed.reveal()
    own = {i: world.blobs[wrap_for(world.entries[i][2], an.device)] for i in (first, second)}
    others = world.blobs[wrap_for(world.entries[second][2], world.founder.device)]
    for blob in (own[first], others):
        with pytest.raises(CryptoError):
            open_wrap_for_device(world.state, second, an.device, kem, blob)
    assert open_wrap_for_device(world.state, second, an.device, kem, own[second]).seeds
