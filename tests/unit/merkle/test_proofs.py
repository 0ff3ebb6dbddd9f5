"""Inclusion and consistency proofs, made and verified (RFC 9162, 2.1.3 and 2.1.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.foundation.errors import RelayMisbehaviour
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import leaf_hash, node_hash
from casesync.merkle.proofs import (
    prove_consistency,
    prove_inclusion,
    span_root,
    verify_consistency,
    verify_inclusion,
)


class Tree:
    """All nodes of a small tree."""

    def __init__(self, count):
        self.levels = [[leaf_hash(b"%d" % n) for n in range(count)]]
        while len(self.levels[-1]) > 1:
            row = self.levels[-1]
            self.levels.append([node_hash(*row[n : n + 2]) for n in range(0, len(row) - 1, 2)])

    def node(self, level, index):
        return self.levels[level][index]

    def root(self, size):
        grown = CompactRange()
        grown.extend(self.levels[0][:size])
        return grown.root()


TREE = Tree(70)


@given(st.integers(1, 70), st.data())
def test_every_leaf_has_a_proof_of_inclusion(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(TREE, index, size)
    verify_inclusion(index, size, TREE.levels[0][index], proof, TREE.root(size))


@given(st.integers(1, 70), st.data())
def test_every_prefix_has_a_proof_of_consistency(size, data):
    old = data.draw(st.integers(1, size))
    proof = prove_consistency(TREE, old, size)
    verify_consistency(old, size, TREE.root(old), TREE.root(size), proof)


@given(st.integers(0, 70))
def test_the_root_follows_from_the_nodes(size):
    assert span_root(TREE, 0, size) == TREE.root(size)


@given(st.integers(2, 70), st.data())
def test_a_bent_proof_of_inclusion_fails(size, data):
    """Attack 51."""
    index = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(TREE, index, size)
    leaf, root = TREE.levels[0][index], TREE.root(size)
    at = data.draw(st.integers(0, len(proof) - 1))
    bent = [
        (index, size, leaf, [*proof[:at], *proof[at + 1 :]], root),
        (index, size, leaf, [*proof[:at], bytes(32), *proof[at + 1 :]], root),
        (index, size, leaf, [*proof, bytes(32)], root),
        (index, size, leaf, [*proof[:at], proof[at][:31], *proof[at + 1 :]], root),
        (index ^ 1, size, leaf, proof, root),
        (-1, size, leaf, proof, root),
        (size, size, leaf, proof, root),
        (index, size, bytes(32), proof, root),
        (index, size, leaf, proof, bytes(32)),
        (index, size, leaf[:31], proof, root),
    ]
    for case in bent:
        with pytest.raises(RelayMisbehaviour) as caught:
            verify_inclusion(*case)
        assert caught.value.code == "proof-invalid"


@given(st.integers(2, 70), st.data())
def test_a_bent_proof_of_consistency_fails(size, data):
    """Attack 51; 41 and 42 fail here: another prefix has no proof."""
    old = data.draw(st.integers(1, size - 1))
    proof = prove_consistency(TREE, old, size)
    first, root = TREE.root(old), TREE.root(size)
    at = data.draw(st.integers(0, len(proof) - 1))
    bent = [
        (old, size, first, root, [*proof[:at], *proof[at + 1 :]]),
        (old, size, first, root, [*proof[:at], bytes(32), *proof[at + 1 :]]),
        (old, size, first, root, [*proof, bytes(32)]),
        (old, size, bytes(32), root, proof),
        (old, size, first, bytes(32), proof),
        (0, size, first, root, proof),
        (size + 1, size, first, root, proof),
        (size, size, first, root, proof),
        (size, size, root, root, proof),
    ]
    for case in bent:
        with pytest.raises(RelayMisbehaviour):
            verify_consistency(*case)


def test_consistency_from_nothing_is_refused():
    with pytest.raises(RelayMisbehaviour):
        verify_consistency(0, 1, TREE.root(0), TREE.root(1), [])
    with pytest.raises(ValueError):
        prove_consistency(TREE, 0, 1)


def test_a_tree_is_no_prefix_of_a_smaller_one():
    with pytest.raises(ValueError, match="smaller"):
        prove_consistency(TREE, 4, 3)
    with pytest.raises(RelayMisbehaviour):
        verify_consistency(4, 3, TREE.root(4), TREE.root(3), [])
    with pytest.raises(RelayMisbehaviour):
        verify_consistency(3, 5, TREE.root(3), TREE.root(5), [])


def test_two_roots_of_one_size_are_never_consistent():
    """Attack 42: a fork at one size."""
    verify_consistency(5, 5, TREE.root(5), TREE.root(5), [])
    with pytest.raises(RelayMisbehaviour):
        verify_consistency(5, 5, TREE.root(5), bytes(32), [])


def test_a_hash_has_32_bytes():
    proof = prove_consistency(TREE, 3, 7)
    first, root = TREE.root(3), TREE.root(7)
    for case in (
        (first[:31], root, proof),
        (first, root[:31], proof),
        (first, root, [b"", *proof]),
    ):
        with pytest.raises(RelayMisbehaviour):
            verify_consistency(3, 7, *case)


def test_a_leaf_beyond_the_tree_has_no_proof():
    with pytest.raises(ValueError):
        prove_inclusion(TREE, 3, 3)
