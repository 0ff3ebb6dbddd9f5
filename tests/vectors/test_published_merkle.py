"""RFC 9162 proofs published by transparency-dev/merkle, good and bad (attack 51)."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest

from casesync.foundation.errors import RelayMisbehaviour
from casesync.merkle.proofs import verify_consistency, verify_inclusion


@pytest.fixture(scope="module")
def merkle_vectors(published_vectors):
    return json.loads((published_vectors / "merkle-rfc9162.json").read_text())


def _proof(vector):
    return [b64decode(item) for item in vector["proof"] or []]


def _run(vector, check):
    """Whether ``check`` accepts."""
    try:
        check()
    except RelayMisbehaviour:
        return False
    return True


def test_inclusion_proofs_are_judged_as_published(merkle_vectors):
    for vector in merkle_vectors["inclusion"]:
        accepted = _run(
            vector,
            lambda v=vector: verify_inclusion(
                v["leafIdx"],
                v["treeSize"],
                b64decode(v["leafHash"]),
                _proof(v),
                b64decode(v["root"]),
            ),
        )
        assert accepted is not vector["wantErr"], vector["name"]


def test_consistency_proofs_are_judged_as_published(merkle_vectors):
    for vector in merkle_vectors["consistency"]:
        accepted = _run(
            vector,
            lambda v=vector: verify_consistency(
                v["size1"], v["size2"], b64decode(v["root1"]), b64decode(v["root2"]), _proof(v)
            ),
        )
        assert accepted is not vector["wantErr"], vector["name"]
