"""A refused control act stands in the access log with what it was about (access-log.md)."""

from __future__ import annotations

import pytest

from attack_world import OSSO, AttackWorld
from casesync.client.refusals import ABOUT_CHARS_MAX
from casesync.foundation.errors import AccessDenied, UsageError


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


def refused(replica) -> list[tuple[str | None, str | None]]:
    return [(e.detail, e.about) for e in replica.audit_mine() if e.outcome == "refused"]


def test_the_entry_names_the_office_or_the_device(world):
    code = "not-administrator"
    for act in (
        lambda: world.oanh.add_unit("Cơ sở  mới\n", "osso"),
        lambda: world.oanh.invite(OSSO, "officer"),
        lambda: world.oanh.suspend_preview(2),
        lambda: world.oanh.suspend_device(99),
    ):
        with pytest.raises(AccessDenied):
            act()
    named = ["unit Cơ sở mới", f"unit {OSSO}", "device 2", "device 99"]
    assert refused(world.oanh) == [(code, about) for about in named]
    world.sync(rounds=2)
    assert refused(world.oanh) == [
        (e.detail, e.about)
        for e in world.dung.audit_list(device=world.oanh.whoami().device)
        if e.action == "administer"
    ]
    world.dung.audit_verify()


def test_an_administrators_device_that_was_to_be_suspended_is_named(world):
    number = world.uyen.whoami().device
    with pytest.raises(AccessDenied):
        world.lan.suspend_device(number)
    assert refused(world.lan) == [("suspend-administrator", f"device {number}")]


@pytest.mark.parametrize("name", ["x" * 10_000, "\udcff", "ở" * 5000, ""])
def test_no_name_that_somebody_types_makes_an_entry_that_auditors_refuse(world, name):
    with pytest.raises(AccessDenied):
        world.oanh.add_unit(name, "osso")
    [(code, about)] = refused(world.oanh)
    assert code == "not-administrator"
    assert about is None or len(about) <= ABOUT_CHARS_MAX
    world.sync(rounds=2)
    report = world.dung.audit_verify()
    assert {device.state for device in report.devices} <= {"verified", "nothing"}


@pytest.mark.parametrize("purpose", ["x" * 65, "ở" * 22, "một\nhai", "\udcff\n"])
def test_a_purpose_that_auditors_would_find_malformed_is_refused_before_anything_is_done(
    world, purpose
):
    stream = world.case(given_name="Hòa")
    logged = len(world.lan.audit_mine())
    for act in (
        lambda: world.lan.show(stream, purpose=purpose),
        lambda: world.lan.cases(purpose=purpose),
        lambda: world.lan.new_case(["gbv"], purpose=purpose),
        lambda: world.lan.revoke_grant(stream, "00" * 16, purpose=purpose),
        lambda: world.lan.grant(stream, OSSO, ["contact"], purpose, "00" * 16),
        lambda: world.lan.audit_list(purpose=purpose),
        lambda: set_name(world, stream, purpose),
    ):
        with pytest.raises(UsageError):
            act()
    assert len(world.lan.audit_mine()) == logged
    assert world.lan.cases().count == 1
    world.lan.show(stream, purpose="x" * 64)
    world.sync(rounds=2)
    world.dung.audit_verify()


def set_name(world: AttackWorld, stream, purpose: str) -> None:
    with world.lan.edit(stream, purpose=purpose) as edit:
        edit.set("person.given_name", "Hoa")
