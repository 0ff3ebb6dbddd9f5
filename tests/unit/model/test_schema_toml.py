"""Schema files, and the one this project ships (protocol/schemas.md, *Schema files*)."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from casesync.foundation.errors import UsageError
from casesync.foundation.ids import CONTENT_COMPARTMENTS, Compartment
from casesync.model.schema import ResolverCode, RuleKind, Schema, ValueKind
from casesync.model.schema_toml import load_toml

GOOD = """
number = 1
name = "thing"
labels = { vi = "Thứ", en = "Thing" }
[fields.word]
number = 1
labels = { vi = "Từ", en = "Word" }
compartment = "identity"
resolver = "all"
value = "text"
max = 10
[codelists.yes_no]
yes = ["Có", "Yes"]
no = ["Không", "No"]
deprecated = ["no"]
"""


@pytest.fixture(scope="module")
def shipped() -> Schema:
    folder = resources.files("casesync.model").joinpath("schemas")
    return load_toml(
        {f.name: f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(".toml")}
    )


def test_a_file_is_read():
    schema = load_toml({"thing.toml": GOOD}, version=7)
    assert schema.version == 7
    word = schema.field_by_name("thing.word")[1]
    assert (word.number, word.value.maximum, word.labels.vi) == (1, 10, "Từ")
    assert schema.codelists["yes_no"].codes["no"].deprecated
    assert not schema.codelists["yes_no"].codes["yes"].deprecated


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("number = 1", "number = ["),
        ("number = 1\nlabels", "number = '1'\nlabels"),
        ("number = 1\nlabels", "number = true\nlabels"),
        ('compartment = "identity"', 'compartment = "access_log"'),
        ('compartment = "identity"', ""),
        ('resolver = "all"', 'resolver = "newest"'),
        ('value = "text"', 'value = "string"'),
        ("max = 10", "maximum = 10"),
        ("max = 10", "max = 10\nparts = 3"),
        ("max = 10", 'max = 10\norder = "x"'),
        ("max = 10", "max = 10\norder = [1]"),
        ("max = 10", "max = 10\nsteps = [['a']]"),
        ("max = 10", "max = 10\n[[rules]]\nnumber = 1\nname = 'r'\nanchor = 'word'"),
        ('{ vi = "Từ", en = "Word" }', '{ vi = "Từ" }'),
        ('{ vi = "Từ", en = "Word" }', '{ vi = "Từ", en = "Word", fr = "Mot" }'),
        ('["Có", "Yes"]', '["Có"]'),
        ('deprecated = ["no"]', 'deprecated = ["never"]'),
        ("[fields.word]", "colour = 3\n[fields.word]"),
    ],
)
def test_a_mistake_in_a_file_is_named_not_guessed(old, new):
    assert old in GOOD
    with pytest.raises(UsageError) as caught:
        load_toml({"thing.toml": GOOD.replace(old, new, 1)})
    assert caught.value.code == "schema-invalid"
    assert caught.value.params["where"]


def test_a_type_or_codelist_in_two_files_is_refused():
    with pytest.raises(UsageError):
        load_toml({"a.toml": GOOD, "b.toml": GOOD})


# -- what the project ships --------------------------------------------------------------------


def test_the_six_record_types_are_shipped_under_permanent_numbers(shipped):
    assert {kind.number: kind.name for kind in shipped.types.values()} == {
        1: "case",
        2: "person",
        3: "risk_assessment",
        4: "consultation",
        5: "note",
        6: "consent",
    }
    assert {kind.name for kind in shipped.types.values() if kind.entry} == {
        "risk_assessment",
        "consultation",
        "note",
    }


MERGING = {  # DOMAIN 2.3, 2.4, 2.7, 2.8, 2.13 and the project's decisions
    "case.kinds": ("set", "operations"),
    "case.status": ("state", "operations"),
    "case.assigned_members": ("revoke", "operations"),
    "case.risk_level": ("protective", "protection"),
    "case.next_assessment_due": ("earliest", "protection"),
    "case.safe_to_keep_copy": ("protective", "protection"),
    "case.plan_approval": ("state", "operations"),
    "person.given_name": ("all", "identity"),
    "person.phones": ("set", "identity"),
    "person.ethnicity": ("latest", "identity"),
    "person.marital_status": ("all", "protection"),
    "person.safe_to_contact": ("protective", "contact"),
    "person.contact_rule": ("all", "contact"),
    "note.text": ("once", "operations"),
    "note.protection_text": ("once", "protection"),
    "note.health_text": ("once", "health"),
    "consultation.protection_text": ("once", "protection"),
    "consultation.health_text": ("once", "health"),
    "consent.permission": ("revoke", "operations"),
    "consent.expires_on": ("earliest", "operations"),
    "consent.notice_text": ("once", "identity"),
}


@pytest.mark.parametrize("name", MERGING)
def test_fields_merge_and_are_read_as_decided(shipped, name):
    field = shipped.field_by_name(name)[1]
    assert (field.resolver.word, field.compartment.word) == MERGING[name]


def test_silence_about_contact_counts_as_unsafe(shipped):
    field = shipped.field_by_name("person.safe_to_contact")[1]
    assert field.order == ("no", "only_as_agreed", "yes")
    assert field.absent_as == "no"
    safe = shipped.field_by_name("person.phones")[1].part_by_name("safe")
    assert (safe.order[0], safe.absent_as) == ("no", "no")


def test_the_contact_rule_is_280_characters(shipped):
    assert shipped.field_by_name("person.contact_rule")[1].value.maximum == 280


def test_the_highest_risk_is_the_most_protective_and_nothing_written_ranks_lowest(shipped):
    field = shipped.field_by_name("case.risk_level")[1]
    assert field.order == ("high", "medium", "low")
    assert field.absent_as is None


def test_a_concurrent_closing_wins_and_erased_is_no_state(shipped):
    status = shipped.field_by_name("case.status")[1]
    assert all(state.startswith("closed") for state in status.order[:3])
    assert "erased" not in shipped.codelists["case_status"].codes
    assert ("closed", "open") in status.steps
    assert (None, "closed") not in status.steps


def test_the_owner_is_no_field_of_a_case(shipped):
    assert not {f.name for f in shipped.types[1].fields.values()} & {"owner", "owner_unit"}


def test_data_categories_of_a_consent_are_the_compartments(shipped):
    words = set(shipped.codelists["compartment"].codes)
    assert words == {compartment.word for compartment in CONTENT_COMPARTMENTS}


def test_no_free_text_lies_in_statistics(shipped):
    for kind in shipped.types.values():
        assert all(f.compartment != Compartment.STATISTICS for f in kind.fields.values())


def test_the_three_rules_over_changes_are_declared(shipped):
    rules = {rule.name: rule for rule in shipped.types[1].rules}
    assert rules["late_entry"].kind == RuleKind.CONCURRENT_ENTRY
    assert rules["late_entry"].types == (4, 5, 3)
    assert rules["approval_requested_again"].kind == RuleKind.UNSEEN_EDIT
    assert rules["risk_level_without_assessment"].kind == RuleKind.NEEDS_ENTRY


def test_every_label_is_in_both_languages_and_vietnamese_is_not_english(shipped):
    labels = [field.labels for kind in shipped.types.values() for field in kind.fields.values()]
    assert all(label.vi != label.en for label in labels)
    marks = re.compile("[à-ỹđ]", re.IGNORECASE)
    without = [label.vi for label in labels if not marks.search(label.vi)]
    assert without == []


def test_codes_of_every_shipped_list_differ_in_both_languages(shipped):
    for codelist in shipped.codelists.values():
        for lang in ("vi", "en"):
            texts = [code.labels.text(lang).casefold() for code in codelist.codes.values()]
            assert len(set(texts)) == len(texts), codelist.name


def test_54_ethnic_groups_and_all_countries_are_known(shipped):
    assert len(set(shipped.codelists["ethnicity"].codes) - {"foreign", "unknown"}) == 54
    assert len(set(shipped.codelists["country"].codes) - {"XX", "ZZ"}) == 249


def test_every_entry_can_be_amended_by_people_who_read_operations(shipped):
    for kind in shipped.types.values():
        if kind.entry:
            amends = kind.field_by_name("amends")
            assert amends.value.kind == ValueKind.RECORD
            assert amends.resolver == ResolverCode.ONCE
            assert amends.compartment == Compartment.OPERATIONS
