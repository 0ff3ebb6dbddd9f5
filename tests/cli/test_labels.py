"""Codes are for programs; people read and write labels in their language."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from importlib.resources import files

import pytest

from casesync.access.control_bodies import UNIT_TYPES
from casesync.access.roles import ROLE_TABLE_V1
from casesync.foundation.ids import Compartment
from casesync.model.schema import ResolverCode, ValueKind
from casesync_cli.labels import code, codes, label
from casesync_cli.texts import catalogue

LANGS = ("vi", "en")
CODELISTS = {"compartment": "compartment", "consent_purpose": "purpose", "consent_form": "form"}


@pytest.mark.parametrize("lang", LANGS)
def test_everything_that_has_a_code_has_a_label(lang):
    texts = catalogue("labels", lang)
    for role in ROLE_TABLE_V1.words():
        assert f"role.{role}" in texts
        purpose = ROLE_TABLE_V1.purpose(role)
        assert not purpose or f"purpose.{purpose}" in texts
    assert {f"type.{kind}" for kind in UNIT_TYPES} <= set(texts)
    assert {f"compartment.{c.word}" for c in Compartment} <= set(texts)
    assert {f"resolver.{c.word}" for c in ResolverCode} <= set(texts)
    assert {f"kind.{c.word}" for c in ValueKind} <= set(texts)


def test_labels_of_codelists_are_those_of_the_schema():
    schemas = files("casesync.model").joinpath("schemas", "codelists.toml")
    lists = tomllib.loads(schemas.read_text("utf-8"))["codelists"]
    for name, kind in CODELISTS.items():
        for word, wanted in lists[name].items():
            assert [label(lang, kind, word) for lang in LANGS] == wanted


def test_no_two_codes_of_a_kind_share_a_label_so_that_each_can_be_typed():
    for lang in LANGS:
        for key, text in catalogue("labels", lang).items():
            kind, word = key.split(".")
            assert code(kind, text) == word, (lang, key)


def test_labels_are_read_without_accents_and_unknown_words_are_left_to_the_library():
    assert codes("compartment", " suc khoe, Sinh kế,contact,, nonsense") == [
        "health", "livelihood", "contact", "nonsense",
    ]  # fmt: skip
    assert code("role", "tu van vien") == "counsellor"


def test_a_type_is_shown_with_labels_for_everything_but_what_is_typed(offices):
    told = replace(offices.shelter, lang="vi").run("schema", "show", "consent").out
    row = next(line for line in told.splitlines() if "given_at" in line)
    cells = [cell.strip() for cell in re.split(r" {2,}", row.strip())]
    labelled = ["Đồng ý lúc", "Điều phối (operations)", "ghi một lần (once)", "thời điểm"]
    assert cells == ["given_at", *labelled]
    [field] = [
        f for f in offices.shelter.json("schema", "show", "consent")["fields"]
        if f["field"] == "given_at"
    ]  # fmt: skip
    assert (field["resolver"], field["kind"]) == ("once", "timestamp")


@pytest.fixture(scope="module")
def shared(offices):
    """(the shelter in Vietnamese, a case of it that is shared)."""
    shelter = replace(offices.shelter, lang="vi")
    case = shelter.json("case", "new", "--kind", "gbv")["case"]
    to = ["--to", "OSSO Hải Phòng", "--compartments", "Quy tắc liên lạc,sinh ke"]
    purpose = ["--purpose", "Nhận dịch vụ hỗ trợ"]
    consent = shelter.json("consent", "give", case, *purpose, *to, "--form", "ghi âm")["id"]
    given = shelter.json("grant", case, *purpose, *to, "--consent", consent)
    assert (given["purpose"], given["compartments"]) == ("service", ["livelihood", "contact"])
    assert shelter.json("consent", "show", case)["items"][0]["form"] == "voice"
    return shelter, case


CODES = re.compile(
    r"\b(caseworker|counsellor|auditor|shelter|osso|audit|identity|livelihood|contact|operations"
    r"|service|voice|case_work)\b"
)


def test_no_english_code_stands_in_a_vietnamese_list(offices, shared):
    shelter, case = shared
    shelter.run("sync")
    audit, osso = replace(offices.audit, lang="vi"), replace(offices.osso, lang="vi")
    assert "identity" not in osso.run("sync").out
    audit.run("sync")
    for laptop, words in (
        (shelter, ["unit", "list"]),
        (shelter, ["member", "list"]),
        (shelter, ["device", "list"]),
        (shelter, ["invite", "list"]),
        (shelter, ["whoami"]),
        (shelter, ["consent", "show", case]),
        (shelter, ["grant", "list", case]),
        (shelter, ["audit", "mine"]),
        (audit, ["audit", "list"]),
        (osso, ["case", "show", case]),
    ):
        done = laptop.run(*words)
        assert done.code == 0, done.err
        lines = [line for line in done.out.splitlines() if "casesync" not in line]
        assert not CODES.search("\n".join(lines)), (words, done.out)


def test_an_office_is_named_without_accents(offices, shared):
    shelter, case = shared
    to = ["--to", "osso hai phong", "--compartments", "contact", "--purpose", "service"]
    assert shelter.json("consent", "give", case, *to)["id"]
    refused = shelter.run("consent", "give", case, "--to", "ôsso hải phòng", *to[2:], "--json")
    assert (refused.code, refused.error["code"]) == (2, "unit-unknown")


def test_an_auditor_is_told_that_nobody_has_this_name(offices):
    offices.audit.json("sync")
    found = offices.audit.json("audit", "list", "--member", "lan")["items"]
    assert {item["member"] for item in found} == {"Lan"}
    refused = offices.audit.run("audit", "list", "--member", "Lân", "--json")
    assert (refused.code, refused.error["code"]) == (2, "member-unknown")
    refused = offices.audit.run("audit", "list", "--device", "99", "--json")
    assert (refused.code, refused.error["code"]) == (2, "device-unknown")


def test_a_name_that_fits_two_offices_is_asked_back(offices):
    shelter = offices.shelter
    shelter.json("unit", "add", "Hội Lan", "--type", "union")
    shelter.json("unit", "add", "Hội Làn", "--type", "union")
    invite = ["--role", "officer", "--json"]
    refused = shelter.run("invite", "--unit", "hoi lan", *invite)
    assert (refused.code, refused.error["code"]) == (2, "unit-ambiguous")
    assert shelter.run("invite", "--unit", "hội làn", *invite).json["unit"] == "Hội Làn"
