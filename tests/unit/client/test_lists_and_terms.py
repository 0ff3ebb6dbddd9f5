"""Whom a list shows, and how long a grant lasts that says nothing of it."""

from __future__ import annotations

import pytest

from attack_world import OSSO, AttackWorld

DAY_MS = 86_400_000


@pytest.fixture
def world() -> AttackWorld:
    return AttackWorld()


def listed(world: AttackWorld) -> dict[str, object]:
    [line] = world.lan.cases().items
    return {name: value for name, value in line.fields.items() if name.startswith("person.")}


def add_person(world: AttackWorld, stream, **fields: str) -> None:
    world.clock.advance(1000)
    with world.lan.edit(stream) as edit:
        edit.new_record("person", fields)


def test_a_mother_and_her_child_are_not_listed_as_one_person(world):
    for child in ("Tí", "An", "Bống", "Cò"):
        stream = world.case(family_name="Nguyễn")
        add_person(world, stream, given_name=child, middle_name="Thị")
        lines = {line.stream_hex: line.fields for line in world.lan.cases().items}
        person = lines[stream.hex()]
        assert person.get("person.family_name") == "Nguyễn"
        assert person.get("person.given_name") is None
        assert person.get("person.middle_name") is None


def test_the_client_is_listed_before_whoever_was_written_first(world):
    stream = world.case(given_name="Tí", role_in_case="child_of_client")
    add_person(world, stream, given_name="Hòa", role_in_case="client")
    assert listed(world)["person.given_name"] == "Hòa"
    assert world.lan.find("ti").count == 1


def test_a_word_of_the_notice_that_is_read_to_everybody_finds_nobody(world):
    """schemas.md, Folding: neither where the consent stands alone nor beside other writes."""
    stream, other = world.case(given_name="Hòa"), world.case(given_name="Lý")
    notice = "Tôi đồng ý để văn phòng biết cách liên lạc với tôi."
    consent = world.lan.give_consent(stream, "share_with_org", OSSO, ["contact"], notice)
    world.lan.give_consent(other, "share_with_org", OSSO, ["contact"], notice)
    assert world.lan.find("van phong").count == 0
    world.lan.withdraw_consent(stream, consent.hex())
    assert world.lan.find("văn phòng").count == 0
    assert world.lan.find("hoa").count == world.lan.find("ly").count == 1
    assert {kept.notice for kept in world.lan.consents(stream)} == {notice}


def test_a_grant_lasts_no_longer_than_its_consent(world):
    stream = world.case()
    until = world.clock.now_ms() + 3 * DAY_MS
    consent = world.lan.give_consent(
        stream, "share_with_org", OSSO, ["contact"], until_ms=until
    ).hex()
    [kept] = world.lan.consents(stream)
    view = world.lan.grant(stream, OSSO, ["contact"], "share_with_org", consent)
    assert view.until_ms is not None
    assert view.until_ms == kept.until_ms
    earlier = world.clock.now_ms() + DAY_MS
    view = world.lan.grant(stream, OSSO, ["contact"], "share_with_org", consent, earlier)
    assert view.until_ms == earlier
