"""Attack 5: enrolment without the counter-signature, or with one over another act.

Void on the access floor: the joiner signed network, invitation, nonces, unit, role and all its keys
(enrolment.md, step 3), and every replica rebuilds those bytes.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from casesync.access import control_acts as acts
from casesync.access.control_bodies import UnitKeyRow
from casesync.crypto.device_keys import DeviceSecrets
from casesync.crypto.kem_keys import unit_key_from_seed
from casesync.foundation.ids import InvitationId, UnitId
from control_world import ControlWorld


@pytest.fixture
def world() -> ControlWorld:
    world = ControlWorld()
    world.osso = world.add_unit("OSSO", "osso")
    return world


def enrolled(world: ControlWorld, proof, place) -> str:
    writer = world.writer(world.founder)
    acts.enrol(writer, world.state, proof, place, world.founder.seeds)
    (applied,) = world.append(writer)
    return applied.void


def approved(world: ControlWorld, role: str = "clinician"):
    inviter, joiner = world.meet(world.invite(role), "Hoa")
    return inviter.proof(), world.place(inviter), joiner


def test_what_the_joiner_signed_counts(world: ControlWorld) -> None:
    proof, place, _ = approved(world)
    assert enrolled(world, proof, place) == ""


@pytest.mark.parametrize("signature", [bytes(3373), b"\xff" * 3373])
def test_no_signature_is_void(world: ControlWorld, signature: bytes) -> None:
    proof, place, _ = approved(world)
    assert enrolled(world, proof._replace(signature=signature), place) == "joiner-signature"


def test_a_signature_over_another_enrolment_is_void(world: ControlWorld) -> None:
    first, place, _ = approved(world)
    second, _, _ = approved(world)
    moved = first._replace(signature=second.signature)
    assert enrolled(world, moved, place) == "joiner-signature"


def test_every_field_that_was_signed_is_bound(world: ControlWorld) -> None:
    proof, place, _ = approved(world)
    stranger = DeviceSecrets.generate(world.entropy).public()
    (row,) = proof.unit_keys
    other_row = UnitKeyRow(row.key, unit_key_from_seed(b"x" * 32), None)
    changed = [
        proof._replace(name="Hoà"),
        proof._replace(label="máy khác"),
        proof._replace(invitation=InvitationId(b"i" * 16)),
        proof._replace(inviter_nonce=b"n" * 32),
        proof._replace(joiner_nonce=b"n" * 32),
        proof._replace(unit_keys=()),
        proof._replace(unit_keys=(other_row,)),
        proof._replace(public=proof.public._replace(change=stranger.change)),
        proof._replace(public=proof.public._replace(request=stranger.request)),
        proof._replace(public=proof.public._replace(kem=stranger.kem)),
        proof._replace(public=proof.public._replace(composite=stranger.composite)),
    ]
    for lie in changed:
        assert enrolled(world, lie, place) == "joiner-signature"
    plain, plain_place, _ = approved(world, "caseworker")
    assert enrolled(world, plain, replace(plain_place, role="officer")) == "joiner-signature"
    plain, plain_place, _ = approved(world, "caseworker")
    moved = replace(plain_place, unit=UnitId(world.osso.unit))
    assert enrolled(world, plain, moved) == "joiner-signature"


def test_a_wrong_attempt_does_not_use_up_the_invitation(world: ControlWorld) -> None:
    proof, place, _ = approved(world)
    assert enrolled(world, proof._replace(name="Hoà"), place) == "joiner-signature"
    assert enrolled(world, proof, place) == ""
