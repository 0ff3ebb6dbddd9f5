"""Everything the command line says exists in Vietnamese and English, and nothing else does."""

from __future__ import annotations

import ast
import re
import string

import click
import pytest

from casesync.access.audit import FindingCode
from casesync.access.verdicts import VERDICTS
from casesync.client.views import FACTS
from casesync.foundation.error_texts import TEXTS
from casesync.relay.operator_view import what_it_sees
from casesync.relay.sqlite_store import SqliteStore
from casesync_cli.app import build
from casesync_cli.command import LocalisedGroup, LocalisedOption
from casesync_cli.settings import Settings
from casesync_cli.texts import SUBJECTS, catalogue, help_text
from house_rules.sources import SHIPPED, shipped_modules, tree

CLI = SHIPPED[1]


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def all_commands() -> list[click.Command]:
    root = build()
    context = click.Context(root, obj=Settings())
    found: list[click.Command] = [root]
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        assert command is not None
        found.append(command)
        if isinstance(command, LocalisedGroup):
            found.extend(command.commands.values())
    return found


@pytest.mark.parametrize("subject", SUBJECTS)
def test_both_languages_have_the_same_keys(subject):
    english, vietnamese = catalogue(subject, "en"), catalogue(subject, "vi")
    assert list(english) == list(vietnamese)
    assert all(text.strip() for text in (*english.values(), *vietnamese.values()))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_both_languages_name_the_same_parameters(subject):
    english, vietnamese = catalogue(subject, "en"), catalogue(subject, "vi")
    assert {k: fields(v) for k, v in english.items()} == {
        k: fields(v) for k, v in vietnamese.items()
    }


def test_every_command_and_option_has_help():
    for command in all_commands():
        path = command.path  # type: ignore[attr-defined]
        assert help_text("vi", path)
        for param in command.params:
            if isinstance(param, LocalisedOption):
                help_text("vi", f"{path} --{param.name}", f"--{param.name}")


WRITES_AN_ACCESS_ENTRY = {
    *("case new", "case list", "case find", "case show", "case history", "case set", "case unset"),
    "case import",
    *("record add", "record list", "record amend", "conflict list", "conflict show"),
    *("conflict resolve", "consent give", "consent withdraw", "consent show", "grant give"),
    *("grant list", "grant revoke", "audit list", "audit verify"),
}


def test_whatever_writes_an_access_entry_takes_its_purpose():
    takes = {c.path for c in all_commands() if "purpose" in {p.name for p in c.params}}
    assert takes == WRITES_AN_ACCESS_ENTRY


def test_help_says_what_an_option_is_if_it_is_not_given():
    lacking = []
    for command in all_commands():
        for param in command.params:
            given = isinstance(param.default, int | str) and param.default
            if isinstance(param, LocalisedOption) and not param.is_flag and given:
                context = click.Context(command, obj=Settings(lang="vi"))
                shown = (param.get_help_record(context) or ("", ""))[1]
                if f"mặc định: {param.default}" not in shown:
                    lacking.append(f"{command.name} {param.name}")
    assert not lacking


def test_no_help_is_left_over():
    used = {"usage", "options", "commands", "required", "default", "--help"}
    for command in all_commands():
        path = command.path  # type: ignore[attr-defined]
        used.add(path)
        for param in command.params:
            used |= {f"{path} --{param.name}", f"--{param.name}"}
    placeholders = {key for key in catalogue("help", "en") if re.fullmatch(r"<[A-Z]+>", key)}
    assert not set(catalogue("help", "en")) - used - placeholders


@pytest.mark.parametrize("command", all_commands(), ids=lambda c: c.path)
def test_no_english_stands_in_vietnamese_help_but_names_of_commands_and_options(command):
    """Click's own words and what stands for a word to be typed are translated, too."""
    context = click.Context(command, info_name=command.path, obj=Settings(lang="vi"))
    words = set(re.findall(r"\b[A-Z]{3,}\b", command.get_help(context)))
    known = {"JSON", "TLS", "PEM", "SIGTERM", "CSV", "UTF"}
    assert not words - known


def test_every_placeholder_of_the_catalogue_stands_in_some_help():
    shown = ""
    for command in all_commands():
        context = click.Context(command, info_name=command.path, obj=Settings(lang="vi"))
        shown += command.get_help(context)
    texts = catalogue("help", "vi")
    assert not [k for k, text in texts.items() if k.startswith("<") and text not in shown]


def test_every_message_that_is_said_exists_and_none_is_left_over():
    """Keys stand as literals, or as an f-string whose fixed beginning is a family of keys."""
    messages = catalogue("messages", "en")
    said, families = set(), set()
    for path in shipped_modules():
        if not path.is_relative_to(CLI) or path.parent.name == "catalogue":
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                said.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                families.add(str(node.values[0].value))
            if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant):
                families.add(str(node.left.value))
    columns = {f"col.{word}" for word in said}
    families = {family for family in families if re.fullmatch(r"[a-z]+\.([a-z]+-)?", family)}
    left = {
        key
        for key in messages
        if key not in said
        and key not in columns
        and not any(key.startswith(family) for family in families if family != "col.")
    }
    assert not left
    literal = re.compile(r"(?:case|sync|ask|network|unit|invite|grant|consent|conflict)\.[a-z-]+")
    known = set(messages) | {"case.status", "case.kinds"}
    assert not {word for word in said if literal.fullmatch(word)} - known


def test_every_column_has_a_heading():
    """Columns are given as tuples of words, or of such tuples, to what draws tables."""
    messages, found = catalogue("messages", "en"), set()
    for path in shipped_modules():
        if not path.is_relative_to(CLI):
            continue
        for node in ast.walk(tree(path)):
            function = getattr(node, "func", None)
            name = getattr(function, "attr", getattr(function, "id", None))
            if name not in {"table", "deliver_list"} or not isinstance(node, ast.Call):
                continue
            for given in (a for a in node.args if isinstance(a, ast.Tuple)):
                words = {w.value for w in ast.walk(given) if isinstance(w, ast.Constant)}
                assert not [word for word in words if f"col.{word}" not in messages], path
                found |= words
    assert {"acknowledged", "effective", "reason"} <= found


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_every_fact_has_words_with_its_parameters(lang):
    texts = catalogue("facts", lang)
    for code, params in FACTS.items():
        assert fields(texts[code]) <= set(params), code


def test_every_finding_of_doctor_has_words():
    """Of its own, of a fact, or of an error; a bare code helps nobody."""
    texts = set(catalogue("facts", "en"))
    codes = {
        call.args[1].value
        for path in shipped_modules()
        for call in ast.walk(tree(path))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "Finding"
        and len(call.args) > 1
        and isinstance(call.args[1], ast.Constant)
    }
    assert "relay-key-changed" in codes
    assert {
        c for c in codes if f"finding.{c}" not in texts and c not in TEXTS.keys() | texts
    } == set()


def test_every_reason_of_quarantine_and_every_finding_of_an_audit_has_words():
    texts = set(catalogue("facts", "en"))
    source = (SHIPPED[0] / "sync" / "change_reader.py").read_text("utf-8")
    reasons = {v.reason for v in VERDICTS if v.reason} | {"no-key", "copy-differs"}
    reasons |= set(re.findall(r'SegmentFault\(kind, "([a-z-]+)"\)', source))
    codes = {f"audit.{code.value}" for code in FindingCode}
    told = {key for key in texts if key.startswith(("reason.", "audit."))}
    assert {f"reason.{reason}" for reason in reasons} | codes == told


def test_every_datum_a_relay_stores_has_words(tmp_path):
    SqliteStore(tmp_path / "relay.db").close()
    stored = {f"{d.table}.{d.column}" for d in what_it_sees(tmp_path / "relay.db")}
    assert stored == set(catalogue("seen", "en"))


ONE_WORD_FOR_ONE_THING = {
    "đơn vị": "cơ sở",
    "máy chủ": "máy chuyển tiếp",
    "nhật ký truy cập": "sổ truy cập",
}
"""Vietnamese words that were used for what has another name already."""


def test_vietnamese_has_one_word_for_one_thing():
    said = {f"{s}: {key}": text for s in SUBJECTS for key, text in catalogue(s, "vi").items()}
    said |= {code: f"{row.vi} {row.vi_advice}" for code, row in TEXTS.items()}
    for schema in (SHIPPED[0] / "model" / "schemas").glob("*.toml"):
        said[schema.name] = schema.read_text("utf-8")
    found = [k for k, text in said.items() for w in ONE_WORD_FOR_ONE_THING if w in text.lower()]
    assert not found


def test_vietnamese_has_its_accents():
    """A text typed without them is as good as missing."""
    accented = re.compile(
        r"[àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ]", re.I
    )
    for subject in SUBJECTS:
        texts = catalogue(subject, "vi")
        for key, text in texts.items():
            words = re.sub(r"\{\w+\}|'[^']*'|[^\w\s]", "", text).split()
            assert len(words) <= 3 or accented.search(text), key
