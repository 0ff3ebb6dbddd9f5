"""The vectors of merging, content bodies and resolvers (protocol/vectors)."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from itertools import islice, permutations
from pathlib import Path
from types import SimpleNamespace

import pytest

from casesync.foundation.errors import RemoteProtocolError
from casesync.model.merge import StreamState
from casesync.model.resolvers.registry import RESOLVERS, resolve
from casesync.model.resolvers.resolution import CellWrite
from casesync.model.segment_body import copy_at, decode_content, write_at

VECTORS = Path(__file__).resolve().parents[2] / "protocol" / "vectors"
GENERATOR = VECTORS / "generate_merge.py"


def vectors(kind):
    found = sorted((VECTORS / kind).glob("*.json"))
    assert found
    return pytest.mark.parametrize(
        "vector",
        [json.loads(path.read_text(encoding="utf-8")) for path in found],
        ids=[p.stem for p in found],
    )


def value_of(plain):
    if isinstance(plain, dict):
        return bytes.fromhex(plain["bytes"])
    return [value_of(item) for item in plain] if isinstance(plain, list) else plain


@vectors("merge")
def test_merge_vectors(vector):
    expected = {
        (
            row["compartment"],
            bytes.fromhex(row["record"]),
            row["type"],
            row["field"],
            value_of(row["element"]),
            row["part"],
            row["device"],
            row["number"],
            row["position"],
            value_of(row["value"]),
            row["copy"],
        )
        for row in vector["live"]
    }
    assert len(expected) == len(vector["live"])
    contents = [decode_content(bytes.fromhex(s["body"])) for s in vector["segments"]]
    refused = {tuple(i) for s in vector["segments"] for i in s.get("refused", ())}
    for order in islice(permutations(range(len(contents))), 120):
        state = StreamState()
        for n in [*order, order[0]]:
            s = vector["segments"][n]
            link8 = bytes.fromhex(s["link8"])
            applied = state.apply(
                *(s["device"], s["number"], s["compartment"], link8, contents[n], n),
                counts=s["counts"],
                counts_original=lambda device, number: (device, number) not in refused,
            )
        assert not applied
        live = set()
        for w in state.live_writes():
            content = contents[w.location]
            if w.copy is None:
                value = write_at(content, w.position).value
            else:
                value = copy_at(content, w.copy).value
            identity = (w.device, w.number, w.position)
            live.add((w.compartment, *w.cell, *identity, value, w.copy is not None))
        assert live == expected


@vectors("content-body")
def test_content_body_vectors(vector):
    body = bytes.fromhex(vector["body"])
    if vector["expect"] == "accepted":
        decode_content(body)
        return
    assert vector["expect"] == "content body"
    with pytest.raises(RemoteProtocolError):
        decode_content(body)


@vectors("resolver")
def test_resolver_vectors(vector):
    schema = vector["schema"]
    facts = SimpleNamespace(
        order=tuple(schema.get("order", ())),
        absent_as=schema.get("absent_as"),
        steps=frozenset(tuple(step) for step in schema.get("steps", ())),
    )
    writes = [
        CellWrite(value_of(w["value"]), *[w[k] for k in list(w)[1:]]) for w in vector["writes"]
    ]
    for order in permutations(writes):
        effective = resolve(vector["resolver"], order, facts if schema else None)
        assert effective.value == value_of(vector["effective"])
        assert type(effective.value) is type(value_of(vector["effective"]))
        assert effective.conflict is vector["conflict"]


def test_every_resolver_has_a_vector():
    """STYLE: a new resolver enters through record-model.md and its vectors."""
    covered = {
        json.loads(path.read_text(encoding="utf-8"))["resolver"]
        for path in (VECTORS / "resolver").glob("*.json")
    }
    assert set(RESOLVERS) <= covered


def test_the_vectors_are_what_the_generator_makes():
    done = subprocess.run([sys.executable, GENERATOR, "--check"], check=False)
    assert done.returncode == 0


def test_the_generator_does_not_know_the_implementation():
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(GENERATOR.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([a.name for a in node.names] + [getattr(node, "module", None) or ""])
    }
    assert "casesync" not in imported
