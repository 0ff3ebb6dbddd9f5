"""Attack 54: a device's access event missing, repeated, re-signed. A violation in the audit."""

from __future__ import annotations

from dataclasses import replace

from attack_world import SHELTER, AttackWorld
from audit_world import FACTS, Device, entry
from casesync.access.audit import audit_device


def codes(device: Device) -> list[str]:
    return [f.code.value for f in audit_device(FACTS, device.changes, {}).violations]


def test_a_device_that_leaves_out_an_entry_shows_a_gap() -> None:
    """It can publish nothing later without its earlier entries."""
    device = Device()
    device.write(entry(1))
    device.sequence = 2
    device.write(entry(3))
    assert codes(device) == ["entries-missing"]


def test_a_device_that_renumbers_after_leaving_one_out_contradicts_what_was_seen() -> None:
    """An auditor who saw the entries before notices: every hash binds all of the past."""
    honest, lying = Device(), Device()
    for number in (1, 2, 3):
        honest.write(entry(number))
    lying.write(entry(1))
    lying.write(replace(entry(2), action="list"))
    known = {e.entry.sequence: e.hash for e in audit_device(FACTS, honest.changes, {}).entries}
    found = audit_device(FACTS, lying.changes, known).violations
    assert [f.code.value for f in found] == ["contradicts-earlier", "entries-withdrawn"]


def test_an_entry_sealed_twice_is_found() -> None:
    device = Device()
    device.write(entry(1), entry(2))
    device.write(entry(2))
    assert codes(device) == ["entries-repeated"]


def test_entries_sealed_again_under_the_same_number_are_found() -> None:
    """Re-signed: other words under numbers that were used."""
    device = Device()
    device.write(entry(1), entry(2))
    device.hash = FACTS.enrolment_hash
    device.write(entry(1, control_size=7))
    assert "entries-repeated" in codes(device)


def test_a_log_that_starts_behind_its_beginning_is_found() -> None:
    device = Device()
    device.write(entry(4))
    assert codes(device) == ["entries-missing"]


def test_entries_that_came_before_their_author_was_known_are_listed_with_the_control_entries():
    """The relay keeps the newcomer's enrolment from the auditor while it serves what she saw."""
    world = AttackWorld()
    case = world.case(given_name="Hòa")
    world.sync()
    auditor = int(world.dung.core.engine.device)
    world.relay.keep_control_from(auditor)
    newcomer = world.offices.enrol(world.uyen, SHELTER, "caseworker", "Bạn")
    world.sync("mai")
    world.mai.approve_step(str(newcomer.whoami().device))
    newcomer.sync()
    newcomer.show(case)
    newcomer.sync()
    world.sync("dung")
    assert list(world.reasons("dung").values()) == ["control-missing"]
    world.relay.keep_control_from(auditor, on=False)
    world.sync("dung")
    assert world.dung.audit_list(device=int(newcomer.whoami().device))
