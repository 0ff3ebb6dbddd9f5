"""Attack 66: the clock is nine hours wrong, jumps back, or stands in 1970.

Layer that must bear it: nothing that decides authority asks a device's clock; where a date matters
it is the relay's log time. The skew is shown.
"""

from __future__ import annotations

import pytest

from attack_world import OSSO, AttackWorld
from casesync.testing.clock import FakeClock, SkewedClock

HOUR_MS = 3600 * 1000
DAY_MS = 24 * HOUR_MS
SKEWS = {
    "nine hours early": lambda world: SkewedClock(world.clock, -9 * HOUR_MS),
    "nine hours late": lambda world: SkewedClock(world.clock, 9 * HOUR_MS),
    "1970": lambda world: FakeClock(0),
    "2106": lambda world: FakeClock(2**32 * 1000),
}


@pytest.fixture(params=SKEWS)
def world(request) -> AttackWorld:
    world = AttackWorld()
    world.open("mai", clock=SKEWS[request.param](world))
    return world


def test_work_under_a_wrong_clock_syncs_and_counts_everywhere(world):
    stream = world.case("mai", given_name="Hòa", safe_to_contact="no")
    world.share(stream, OSSO, ("identity", "contact"), by="mai")
    world.sync(rounds=3)
    assert world.values("oanh", stream, "person.given_name") == ["Hòa"]
    for name in world.replicas:
        assert world.reasons(name) == {}, name
    assert world.dung.audit_verify().entries > 0


def test_the_skew_is_shown(world):
    world.sync("mai")
    assert "clock-skew" in {fact.code for fact in world.mai.status().warnings}
    assert "clock-skew" not in {fact.code for fact in world.lan.status().warnings}


def test_an_edit_under_a_wrong_clock_replaces_what_was_read(world):
    """Causality is carried by replacements, so an early clock does not bring old words back."""
    stream = world.case(given_name="Hòa")
    world.sync()
    world.set("mai", stream, "person.given_name", "Hoa")
    world.sync("mai", "lan")
    assert world.values("lan", stream, "person.given_name") == ["Hoa"]
    world.set("lan", stream, "person.given_name", "Hà")
    world.sync("lan", "mai")
    assert world.values("mai", stream, "person.given_name") == ["Hà"]


def test_a_grant_with_an_expiry_binds_others_by_log_time_whatever_this_clock_says(world):
    """Mai's words reach the grantee until the grant is over, or wait; nothing is quarantined."""
    stream = world.case(given_name="Hòa")
    world.share(stream, OSSO, ("identity", "contact"), until_ms=world.clock.now_ms() + DAY_MS)
    world.sync(rounds=2)
    world.set("mai", stream, "person.given_name", "Hoa")
    world.sync("mai")
    world.sync(rounds=2)
    for name in world.replicas:
        assert world.reasons(name) == {}, name
    assert world.values("lan", stream, "person.given_name") == ["Hoa"]
    assert world.values("oanh", stream, "person.given_name") == ["Hoa"]


def test_a_grant_that_is_over_by_log_time_gives_nothing_more_whatever_this_clock_says(world):
    """A device's own clock may only make things stricter (DESIGN.md 4, Time)."""
    stream = world.case(given_name="Hòa")
    world.share(stream, OSSO, ("identity", "contact"), until_ms=world.clock.now_ms() + DAY_MS)
    world.sync(rounds=2)
    assert world.values("oanh", stream, "person.given_name") == ["Hòa"]
    world.clock.advance(2 * DAY_MS)
    world.set("lan", stream, "person.contact_rule", "gọi buổi sáng")
    world.sync("lan", "mai")
    world.set("mai", stream, "person.given_name", "Hà")
    world.sync("mai", "lan", "oanh", "lan", "oanh")
    assert world.values("lan", stream, "person.given_name") == ["Hà"]
    assert world.values("oanh", stream, "person.given_name") == ["Hòa"]


def test_a_clock_that_jumps_back_between_two_edits_changes_no_order():
    world = AttackWorld()
    clock = FakeClock(world.clock.now_ms())
    world.open("mai", clock=clock)
    stream = world.case("mai", given_name="Hòa")
    for name, jump in (("Hoa", -DAY_MS), ("Hà", 3 * DAY_MS), ("Hạ", -30 * 365 * DAY_MS)):
        clock.advance(jump)
        world.set("mai", stream, "person.given_name", name)
    world.sync("mai", "lan", "dung")
    assert world.values("lan", stream, "person.given_name") == ["Hạ"]
    entries = [view for view in world.mai.audit_mine() if view.action == "update"]
    assert [view.sequence for view in entries] == sorted(view.sequence for view in entries)
    assert world.dung.audit_verify().entries > 0
