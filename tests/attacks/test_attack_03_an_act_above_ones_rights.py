"""Attack 3: a non-administrator's signature on an administrator's act.

The relay refuses it by the mask of acts; a client that meets it all the same (the relay
colludes) voids it on the access floor, on every replica alike (membership.md, *Entry*).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from casesync.access import control_acts as acts
from casesync.access.control_bodies import EnrolBody
from casesync.access.roles import ROLE_TABLE_V1, RoleTable
from casesync.foundation.ids import Compartment
from control_world import ControlWorld, shipped_schema


@pytest.fixture
def world() -> ControlWorld:
    world = ControlWorld()
    world.hoa = world.join("Hoa", "caseworker")
    return world


def void_reason(world: ControlWorld, write) -> str:
    writer = world.writer(world.hoa)
    before = world.state.devices(), world.state.units()
    write(writer)
    applied = world.append(writer)
    assert (world.state.devices(), world.state.units()) == before
    assert world.fresh().voids == world.state.voids
    return applied[-1].void


def test_staff_cannot_add_a_unit(world: ControlWorld) -> None:
    def write(writer):
        acts.add_unit(writer, name="Giả", unit_type="audit", parent=None)

    assert void_reason(world, write) == "act-not-allowed"


def test_staff_cannot_change_roles_or_schemas(world: ControlWorld) -> None:
    assert void_reason(world, lambda w: acts.replace_roles(w, ROLE_TABLE_V1)) == "act-not-allowed"
    assert (
        void_reason(world, lambda w: acts.replace_schemas(w, shipped_schema())) == "act-not-allowed"
    )


def test_an_administrator_cannot_give_a_role_more_to_read(world: ControlWorld) -> None:
    """membership.md, *What makes an act void*: the table of the founding stands for now."""
    an = world.join("An", "clinician")
    clinician = ROLE_TABLE_V1.role("clinician")
    assert clinician is not None
    greedy = replace(clinician, reads=frozenset(Compartment), may_grant=True)
    others = [ROLE_TABLE_V1.role(word) for word in ROLE_TABLE_V1.words() if word != "clinician"]
    table = RoleTable(2, [greedy, *filter(None, others)])
    before = world.state.reads_mask(an.device), world.state.may_grant(an.device)
    writer = world.writer(world.founder)
    acts.replace_roles(writer, table)
    (applied,) = world.append(writer, world.founder)
    assert applied.void == "roles-fixed"
    assert world.fresh().voids == world.state.voids
    assert world.state.roles().to_bytes() == ROLE_TABLE_V1.to_bytes()
    assert (world.state.reads_mask(an.device), world.state.may_grant(an.device)) == before
    late = world.join("Bình", "clinician")
    assert {seed.compartment for seed in late.seeds} <= ROLE_TABLE_V1.reads("clinician")
    assert world.state.voids[-1].reason == "roles-fixed", "the log goes on behind it"


def test_staff_cannot_suspend(world: ControlWorld) -> None:
    an = world.join("An", "clinician")
    assert (
        void_reason(world, lambda w: acts.suspend(w, world.state, an.device, "", {}))
        == "act-not-allowed"
    )


def test_staff_cannot_enrol(world: ControlWorld) -> None:
    inviter, _ = world.meet(world.invite("caseworker", by=world.hoa), "Bạn")

    def write(writer):
        place = world.place(inviter)
        acts.enrol(writer, world.state, inviter.proof(), place, world.hoa.seeds)

    assert void_reason(world, write) == "act-not-allowed"


def test_a_device_that_was_never_enrolled_for_the_members_can_do_nothing(
    world: ControlWorld,
) -> None:
    """A void enrolment stays void in what it signs: the relay may think otherwise."""
    inviter, joiner = world.meet(world.invite("caseworker", by=world.hoa), "Bạn")
    writer = world.writer(world.hoa)
    place = world.place(inviter)
    number = acts.enrol(writer, world.state, inviter.proof(), place, world.hoa.seeds)
    assert world.append(writer)[0].void == "act-not-allowed"
    friend = replace(world.hoa, device=number, secrets=joiner.secrets)
    writer = world.writer(friend)
    acts.network_boxes(writer, world.state, [world.shelter])
    assert world.append(writer)[0].void == "signer-unknown"


def test_an_administrator_cannot_be_suspended_by_one_other(world: ControlWorld) -> None:
    world.join("Bình", "caseworker", administrator=True)
    binh = world.state.devices()[-1].number
    writer = world.writer(world.founder)
    acts.suspend(writer, world.state, binh, "", world.founder.seeds)
    assert world.append(writer)[0].void == "target-administrator"
    assert world.state.device(binh).active


def test_rights_in_the_public_part_that_the_sealed_part_does_not_give_are_void(
    world: ControlWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay would let this device sign administrator's acts; nobody else does."""
    inviter, _ = world.meet(world.invite("caseworker"), "Bạn")
    writer = world.writer(world.founder)
    place = replace(world.place(inviter), administrator=True)

    def modest(**fields: object) -> EnrolBody:
        return EnrolBody(**{**fields, "administrator": False})

    monkeypatch.setattr(acts, "EnrolBody", modest)
    acts.enrol(writer, world.state, inviter.proof(), place, world.founder.seeds)
    assert world.append(writer)[0].void == "acts-differ"
