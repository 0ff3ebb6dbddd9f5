"""Attack 18: a statement that names C but carries B's key.

For unit keys: a wrap or an admission that hands out the key of one compartment, epoch or unit
under the name of another. Refused by the access floor, since the public key derived from each seed
must be the one the log has under that very name (keys.md, *Unit key*).
"""

from __future__ import annotations

import pytest

from casesync.access.control_wraps import open_wrap_for_device
from casesync.crypto.key_wrap import UnitKeyId, unit_key_name, wrap_seeds
from casesync.foundation.errors import CryptoError
from casesync.foundation.ids import Compartment, UnitId
from control_world import ControlWorld

IDENTITY, CONTACT = int(Compartment.IDENTITY), int(Compartment.CONTACT)


@pytest.fixture
def world() -> ControlWorld:
    world = ControlWorld()
    world.hoa = world.join("Hoa", "caseworker")
    return world


def opened(world: ControlWorld, seeds: dict[UnitKeyId, bytes]):
    hoa, index = world.hoa, world.state.size - 1
    kem = world.state.device(hoa.device).kem
    wrap = wrap_seeds(kem, world.state.network, hoa.device, index, [], seeds)
    return open_wrap_for_device(world.state, index, hoa.device, hoa.secrets.kem_seed.reveal(), wrap)


def test_one_compartments_key_does_not_pass_for_anothers(world: ControlWorld) -> None:
    names = {c: UnitKeyId(world.shelter, c, 1) for c in (IDENTITY, CONTACT)}
    right = {names[c]: world.founder.seeds[names[c]] for c in names}
    assert opened(world, right).seeds == right
    swapped = {
        names[IDENTITY]: right[names[CONTACT]],
        names[CONTACT]: right[names[IDENTITY]],
    }
    with pytest.raises(CryptoError):
        opened(world, swapped)
    with pytest.raises(CryptoError):
        opened(world, {names[IDENTITY]: right[names[CONTACT]]})


@pytest.mark.parametrize("epoch", [2, 2**32 - 1])
def test_a_key_under_an_epoch_the_log_does_not_have_is_refused(
    world: ControlWorld, epoch: int
) -> None:
    seed = world.founder.seeds[UnitKeyId(world.shelter, CONTACT, 1)]
    with pytest.raises(CryptoError):
        opened(world, {UnitKeyId(world.shelter, CONTACT, epoch): seed})


def test_a_key_under_another_units_name_is_refused(world: ControlWorld) -> None:
    seed = world.founder.seeds[UnitKeyId(world.shelter, CONTACT, 1)]
    with pytest.raises(CryptoError):
        opened(world, {UnitKeyId(UnitId(b"x" * 16), CONTACT, 1): seed})


def test_the_same_public_key_has_another_name_in_every_place(world: ControlWorld) -> None:
    """So a box label names unit, compartment and epoch at once."""
    public = world.state.current_unit_key(world.shelter, CONTACT).public
    places = [
        UnitKeyId(world.shelter, CONTACT, 1),
        UnitKeyId(world.shelter, CONTACT, 2),
        UnitKeyId(world.shelter, IDENTITY, 1),
        UnitKeyId(UnitId(b"x" * 16), CONTACT, 1),
    ]
    names = [unit_key_name(place, public) for place in places]
    assert len(set(names)) == len(places)
    assert world.state.unit_key_by_name(names[0]).id == places[0]
    assert all(world.state.unit_key_by_name(name) is None for name in names[1:])


def test_keys_beyond_the_role_are_not_kept(world: ControlWorld) -> None:
    """A colleague who wraps more than the role reads gives nothing."""
    an = world.join("An", "officer")
    index = world.state.size - 1
    kem = world.state.device(an.device).kem
    wrap = wrap_seeds(kem, world.state.network, an.device, index, [], dict(world.founder.seeds))
    kept = open_wrap_for_device(world.state, index, an.device, an.secrets.kem_seed.reveal(), wrap)
    assert int(Compartment.PROTECTION) not in {k.compartment for k in kept.seeds}
    assert {k.compartment for k in kept.seeds} <= world.state.roles().reads("officer")
