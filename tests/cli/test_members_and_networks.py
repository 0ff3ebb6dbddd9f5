"""Visitors, providers, networks: what a founder and her network's members meet first."""

from __future__ import annotations

import pytest

from cli.casesync_runs import Laptop
from cli.conftest import enrol, start_relay, stop_relay

SHARED = ["--compartments", "identity,contact,operations", "--purpose", "service"]


@pytest.fixture(scope="module")
def network(relay, tmp_path_factory):
    """(founder, a visitor of the women's union, a provider)."""
    folder = tmp_path_factory.mktemp("members")
    lan, cuc, phong = (
        Laptop(folder / name, f"mật khẩu của máy {name}") for name in ("a", "b", "c")
    )
    lan.json("network", "create", "Bình Yên", "--relay", relay.url)
    lan.json("unit", "add", "Hội Phụ nữ", "--type", "union", "--parent", "Bình Yên")
    lan.json("unit", "add", "Phòng khám", "--type", "provider")
    enrol(lan, cuc, "Hội Phụ nữ", "visitor", "Cúc")
    enrol(lan, phong, "Phòng khám", "provider", "Phong")
    for laptop in (lan, cuc, phong):
        laptop.json("sync")
    return lan, cuc, phong


def test_a_network_needs_a_name_and_a_relay_only(network, relay):
    lan, _, _ = network
    who = lan.json("whoami")
    assert (who["network"], who["unit"], who["role"]) == ("Bình Yên", "Bình Yên", "caseworker")
    assert who["administrator"] is True
    assert who["relay_key"] == relay.key
    (own, *_) = lan.json("unit", "list")["items"]
    assert (own["name"], own["type"], own["devices"]) == ("Bình Yên", "shelter", 1)


def test_a_visitor_joins_as_a_unit_of_one_under_her_office(network):
    lan, cuc, _ = network
    assert (cuc.json("whoami")["unit"], cuc.json("whoami")["role"]) == ("Cúc", "visitor")
    units = {unit["name"]: unit for unit in lan.json("unit", "list")["items"]}
    assert (units["Cúc"]["type"], units["Cúc"]["parent"]) == ("one", "Hội Phụ nữ")
    assert units["Hội Phụ nữ"]["devices"] == 0


def test_a_visitor_works_on_what_is_assigned_and_opens_nothing(network):
    lan, cuc, phong = network
    assert cuc.json("case", "list")["count"] == 0
    refused = cuc.run("case", "new", "--kind", "gbv", "--json")
    assert (refused.code, refused.error["code"]) == (5, "role-opens-no-cases")
    case = lan.json("case", "new", "--kind", "gbv", "--set", "person.given_name=Hoa")["case"]
    lan.json("case", "set", case, "person.given_name=Hoà")
    consent = lan.json("consent", "give", case, "--to", "cuc", *SHARED)["id"]
    lan.json("grant", case, "--to", "Cúc", *SHARED, "--consent", consent, "--write", "--history")
    for laptop in (lan, cuc, phong):
        laptop.json("sync")
    assert [item["case"] for item in cuc.json("case", "list")["items"]] == [case]
    assert phong.json("case", "list")["count"] == 0
    names = cuc.json("case", "history", case, "--field", "person.given_name")["items"]
    assert [name["value"] for name in names] == ["Hoa", "Hoà"], "--history shares what was replaced"
    cuc.json("record", "add", case, "note", "text=Đã thăm")
    refused = cuc.run("case", "set", case, "person.given_name=X", "--json")
    assert refused.code == 5, "her role only reads it"
    cuc.json("sync")
    lan.json("sync")
    (note,) = lan.json("record", "list", case, "note")["items"]
    assert note["fields"]["text"]["values"][0]["author"] == "Cúc"


def test_a_provider_sees_from_the_grant_on_and_writes_only_with_write(network):
    lan, _, phong = network
    case = lan.json("case", "new", "--kind", "gbv", "--set", "person.contact_rule=sáng")["case"]
    lan.json("case", "set", case, "person.contact_rule=chiều", "person.given_name=Hoa")
    terms = ["--compartments", "contact,operations", "--purpose", "service"]
    consent = lan.json("consent", "give", case, "--to", "Phòng khám", *terms)["id"]
    lan.json("grant", case, "--to", "Phòng khám", *terms, "--consent", consent)
    lan.json("sync")
    phong.json("sync")
    (rule,) = phong.json("case", "history", case, "--field", "person.contact_rule")["items"]
    assert (rule["value"], rule["copied_by"]["unit"]) == ("chiều", "Bình Yên")
    (person,) = phong.json("record", "list", case, "person")["items"]
    assert person["fields"]["contact_rule"]["value"] == "chiều"
    assert person["fields"]["given_name"]["sealed"] is True
    assert phong.run("record", "add", case, "note", "text=x", "--json").code == 5


def test_a_founder_cannot_be_of_a_role_or_type_that_does_not_exist(relay, tmp_path):
    laptop = Laptop(tmp_path / "home", "bốn từ rất dễ nhớ")
    create = ["network", "create", "N", "--relay", relay.url, "--json"]
    for wrong, name in (
        (["--type", "nonsense"], "unit-type-unknown"),
        (["--type", "one"], "unit-type-unknown"),
        (["--role", "nonsense"], "role-unknown"),
        (["--role", "visitor"], "role-unknown"),
    ):
        done = laptop.run(*create, *wrong)
        assert (done.code, done.error["code"]) == (2, name)
        assert not laptop.home.exists()


def test_a_relay_takes_no_more_networks_than_it_was_told_to(tmp_path):
    small = start_relay(tmp_path / "relay.db", options=["--networks-max", "1"])
    try:
        create = ["network", "create", "N", "--relay", small.url, "--json"]
        assert Laptop(tmp_path / "one", "bốn từ rất dễ nhớ").run(*create).code == 0
        done = Laptop(tmp_path / "two", "bốn từ rất dễ nhớ").run(*create)
        assert (done.code, done.error["code"]) == (4, "relay-networks-full")
        assert not (tmp_path / "two").exists()
    finally:
        stop_relay(small)
