"""The specification and the code name each other."""

from __future__ import annotations

import json
import re

from casesync.wire.messages import PROTOCOL_VERSION
from house_rules.sources import ROOT, name_of, shipped_modules

PROTOCOL = ROOT / "protocol"
ROW = re.compile(r"^\| \[`([\w-]+\.(?:md|cddl))`\]\(([^)]+)\) \| (.*?) \| (.*?) \| (.*?) \|$")


def index() -> dict[str, tuple[str, str, str]]:
    """Document -> (what, modules, vectors) as ``protocol/README.md`` has it."""
    rows = {}
    for line in (PROTOCOL / "README.md").read_text("utf-8").splitlines():
        match = ROW.match(line)
        if match:
            assert match[1] == match[2], line
            rows[match[1]] = (match[3], match[4], match[5])
    return rows


def test_every_document_is_indexed():
    documents = {p.name for p in (*PROTOCOL.glob("*.md"), *PROTOCOL.glob("*.cddl"))} - {"README.md"}
    assert set(index()) == documents


def test_every_module_and_vector_folder_the_index_names_exists():
    for document, (_, modules, vectors) in index().items():
        for module in re.findall(r"`([^`]+)`", modules):
            assert (ROOT / "src" / "casesync" / module).exists(), (document, module)
        for folder in re.findall(r"`([^`]+)`", vectors):
            assert (PROTOCOL / folder).exists(), (document, folder)


def test_every_vector_says_what_it_is_and_who_must_refuse_it():
    for path in sorted((PROTOCOL / "vectors").glob("*/*.json")):
        vector = json.loads(path.read_text("utf-8"))
        assert vector["what"], path
        assert vector["expect"], path
        assert not {"about", "layer", "refused"} & set(vector), path


def test_every_folder_of_vectors_is_indexed():
    named = {
        folder for _, _, vectors in index().values() for folder in re.findall(r"`([^`]+)`", vectors)
    }
    folders = {f"vectors/{p.name}" for p in (PROTOCOL / "vectors").iterdir() if p.is_dir()}
    assert folders - {"vectors/__pycache__"} == named


def test_the_code_knows_the_version_of_the_specification():
    text = (PROTOCOL / "README.md").read_text("utf-8")
    assert f"SPEC_VERSION {PROTOCOL_VERSION}\n" in text


def test_every_document_that_code_names_exists():
    for path in shipped_modules():
        for name in re.findall(r"protocol/([\w/-]+\.md)", path.read_text("utf-8")):
            assert (PROTOCOL / name).exists(), f"{name_of(path)} names protocol/{name}"


def test_every_link_between_documents_leads_somewhere():
    for document in PROTOCOL.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{name_of(document)} -> {target}"


def test_every_decision_is_numbered_and_says_what_it_replaces_or_rejects():
    for decision in (PROTOCOL / "decisions").glob("*.md"):
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", decision.name), decision.name
