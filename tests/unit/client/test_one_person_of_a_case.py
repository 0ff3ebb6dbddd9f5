"""A case has one person, unless somebody adds another (``record-model.md``, *Record id*)."""

from __future__ import annotations

import pytest

from casesync.client.replica import Replica
from casesync.foundation.errors import UsageError
from casesync.testing.offices import Offices


@pytest.fixture
def laptops() -> list[Replica]:
    offices = Offices("one person")
    first = offices.found()
    second = offices.enrol(first, first.whoami().unit, "caseworker", "Mai")
    for replica in (first, second, first):
        replica.sync()
    return [first, second]


def test_two_who_write_her_first_words_write_of_one_person(laptops):
    """Else no value would meet the other, and the unsafe one would not count."""
    case = laptops[0].new_case(["gbv"]).case
    for replica in (*laptops, *laptops):
        replica.sync()
    for replica, name, safe in zip(laptops, ("Na", "Nà"), ("yes", "no"), strict=True):
        with replica.edit(replica.resolve_case(case)) as edit:
            edit.set("person.given_name", name)
            edit.set("person.safe_to_contact", safe)
    for replica in (*laptops, *laptops):
        replica.sync()
    for replica in laptops:
        view = replica.show(replica.resolve_case(case))
        [person] = [record for record in view.records if record.type == "person"]
        assert person.fields["safe_to_contact"].value == "no"
        assert person.fields["safe_to_contact"].conflict
        assert {value.value for value in person.fields["given_name"].values} == {"Na", "Nà"}


def test_a_second_person_is_one_that_was_added(laptops):
    replica = laptops[0]
    stream = replica.resolve_case(replica.new_case(["gbv"]).case)
    with replica.edit(stream) as edit:
        edit.set("person.given_name", "Na")
        edit.new_record("person", {"given_name": "Bé"})
    persons = [record for record in replica.show(stream).records if record.type == "person"]
    assert len({person.id_hex for person in persons}) == 2


def test_no_consent_is_made_word_by_word(laptops):
    replica = laptops[0]
    stream = replica.resolve_case(replica.new_case(["gbv"]).case)
    for act in (
        lambda edit: edit.set("consent.purpose", "service"),
        lambda edit: edit.new_record("consent", {"purpose": "service"}),
    ):
        with pytest.raises(UsageError) as caught, replica.edit(stream) as edit:
            act(edit)
        assert caught.value.code == "consent-by-itself"
    assert replica.consents(stream) == []


def test_what_is_not_in_a_list_is_not_removed_from_it(laptops):
    """A mistyped number would leave the real one, and say that it was saved."""
    replica = laptops[0]
    stream = replica.resolve_case(replica.new_case(["gbv"]).case)
    with replica.edit(stream) as edit:
        edit.add("person.phones", "+84900000001")
    with pytest.raises(UsageError) as caught, replica.edit(stream) as edit:
        edit.remove("person.phones", "+84900000002")
    assert caught.value.code == "element-absent"
    with replica.edit(stream) as edit:
        edit.remove("person.phones", "+84900000001")
    [person] = [record for record in replica.show(stream).records if record.type == "person"]
    assert person.fields["phones"].value == []


def test_a_laptop_that_waits_for_keys_is_no_second_one():
    """Only the first can read: the office is warned still, and told what to do."""
    offices = Offices("who waits")
    founder = offices.found()
    founder.add_unit("OSSO", "osso")
    first = offices.enrol(founder, "OSSO", "counsellor", "Mai")
    first.sync()
    founder.sync()
    second = offices.enrol(founder, "OSSO", "counsellor", "Tâm")
    for replica in (second, first, founder):
        replica.sync()
    warned = {fact.code: dict(fact.params) for fact in first.status().warnings}
    assert warned["colleague-waits"] == {"member": "Tâm", "device": second.whoami().device}
    alone = [f.params["unit"] for f in founder.status().warnings if f.code == "unit-one-device"]
    assert "OSSO" in alone
    assert "colleague-waits" not in {fact.code for fact in founder.status().warnings}
    first.approve_step()
    for replica in (first, second, founder):
        replica.sync()
    alone = [f.params["unit"] for f in founder.status().warnings if f.code == "unit-one-device"]
    assert "OSSO" not in alone
