"""The vectors of signed requests and schemas (protocol/vectors).

Each is one scenario; where it must fail, what is named refuses and what comes before accepts.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from casesync.foundation.errors import RemoteProtocolError
from casesync.model.schema_bytes import schema_from_bytes, schema_hash, schema_to_bytes
from casesync.wire.refusals import Refusal, RequestRefused
from casesync.wire.request_signature import (
    Target,
    check_body,
    check_created,
    read_claim,
    verify_claim,
    verify_request,
)

VECTORS = Path(__file__).resolve().parents[2] / "protocol" / "vectors"
STEPS = ["shape", "time", "signature", "body"]
REFUSALS = [Refusal.MALFORMED, Refusal.CLOCK_SKEW, Refusal.NOT_FOUND, Refusal.MALFORMED]


def vectors(kind):
    found = sorted((VECTORS / kind).glob("*.json"))
    assert found
    return pytest.mark.parametrize(
        "vector",
        [json.loads(path.read_text("utf-8")) for path in found],
        ids=[p.stem for p in found],
    )


@vectors("request")
def test_request_vectors(vector):
    """relay-http.md, *Signed requests*: shape, time, signature, then the body's digest."""
    target = Target(vector["method"], vector["authority"], vector["path"])
    body, key = bytes.fromhex(vector["body"]), bytes.fromhex(vector["key"])
    now_ms = vector["now_s"] * 1000
    taken = []

    def one_by_one():
        taken.append("shape")
        claim = read_claim(vector["headers"], target)
        taken.append("time")
        check_created(claim, now_ms)
        taken.append("signature")
        verify_claim(claim, key)
        taken.append("body")
        check_body(claim, body)

    def whole():
        return verify_request(vector["headers"], target, body, lambda _: key, now_ms)

    if vector["expect"] == "accepted":
        claim = read_claim(vector["headers"], target)
        assert claim.base.decode() == vector["base"]
        assert (claim.device, str(claim.counter)) == (vector["device"], vector["counter"])
        assert whole() == (claim.device, claim.counter)
        return
    with pytest.raises(RequestRefused) as refused:
        one_by_one()
    assert taken[-1] == vector["expect"]
    assert refused.value.refusal is REFUSALS[STEPS.index(vector["expect"])]
    with pytest.raises(RequestRefused):
        whole()


CODES = {"bytes": "malformed", "newer": "schema-newer", "rules": "schema-invalid"}


@vectors("schema")
def test_schema_vectors(vector):
    """schemas.md: canonical bytes, formats of later versions, what a schema must satisfy."""
    data = bytes.fromhex(vector["schema"])
    if vector["expect"] == "accepted":
        assert schema_to_bytes(schema_from_bytes(data)) == data
        assert schema_hash(data).hex() == vector["hash"]
        return
    with pytest.raises(RemoteProtocolError) as error:
        schema_from_bytes(data)
    assert error.value.code == CODES[vector["expect"]], error.value.params


def test_the_files_are_what_the_generator_makes():
    command = [sys.executable, str(VECTORS / "generate_edges.py"), "--check"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_generator_does_not_know_the_implementation():
    tree = ast.parse((VECTORS / "generate_edges.py").read_text("utf-8"))
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    names += [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert not any(name.split(".")[0] == "casesync" for name in names)
