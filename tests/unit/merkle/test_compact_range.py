"""Compact ranges and aligned subtrees against the definition of RFC 9162 written out."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.foundation.errors import RemoteProtocolError
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import EMPTY_ROOT, leaf_hash
from casesync.merkle.subtrees import aligned_subtrees


def mth(leaves):
    """RFC 9162 section 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def some_leaves(count):
    return [b"leaf %d" % n for n in range(count)]


@given(st.integers(0, 130))
def test_the_root_is_the_one_of_the_rfc(count):
    leaves = some_leaves(count)
    grown = CompactRange()
    for leaf in leaves:
        grown.append(leaf_hash(leaf))
    assert grown.size == count
    assert grown.root() == mth(leaves)


def test_the_empty_tree_has_the_empty_root():
    assert CompactRange().root() == EMPTY_ROOT == mth([])


@given(st.lists(st.integers(0, 40), max_size=6))
def test_extending_is_appending_each(counts):
    leaves = some_leaves(sum(counts))
    bulk = CompactRange()
    at = 0
    for count in counts:
        bulk.extend([leaf_hash(leaf) for leaf in leaves[at : at + count]])
        at += count
        assert bulk.root() == mth(leaves[:at])
    single = CompactRange()
    for leaf in leaves:
        single.append(leaf_hash(leaf))
    assert (bulk.size, bulk.hashes) == (single.size, single.hashes)


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_aligned_subtrees_tile_the_span_and_are_maximal(low, high):
    if low > high:
        low, high = high, low
    at = low
    for level, index in aligned_subtrees(low, high):
        assert index << level == at
        bigger = 2 << level
        assert at % bigger or at + bigger > high
        at += 1 << level
    assert at == high
    assert len(aligned_subtrees(low, high)) <= 2 * max(1, high.bit_length())


@given(st.integers(0, 90), st.integers(0, 90))
def test_appending_the_aligned_subtrees_of_a_span_is_appending_its_leaves(low, count):
    leaves = some_leaves(low + count)
    grown = CompactRange()
    grown.extend([leaf_hash(leaf) for leaf in leaves[:low]])
    for level, index in aligned_subtrees(low, low + count):
        grown.append_subtree(level, mth(leaves[index << level : (index + 1) << level]))
    assert grown.size == low + count
    assert grown.root() == mth(leaves)


def test_a_subtree_out_of_place_is_refused():
    grown = CompactRange(1, [bytes(32)])
    with pytest.raises(ValueError, match="multiple"):
        grown.append_subtree(1, bytes(32))
    assert grown.size == 1


def test_the_log_cannot_outgrow_its_size_field():
    grown = CompactRange(1 << 47, [bytes(32)])
    with pytest.raises(ValueError):
        grown.append_subtree(47, bytes(32))
    assert grown.hashes == [bytes(32)]


@given(st.integers(0, 70))
def test_a_range_comes_back_from_its_bytes(count):
    grown = CompactRange()
    grown.extend([leaf_hash(leaf) for leaf in some_leaves(count)])
    again = CompactRange.from_bytes(grown.to_bytes())
    assert (again.size, again.hashes) == (grown.size, grown.hashes)
    again.append(bytes(32))
    assert grown.size == count


@pytest.mark.parametrize("data", [b"", bytes(5), bytes(7), b"\x00\x00\x00\x00\x00\x03" + bytes(32)])
def test_other_bytes_are_no_range(data):
    with pytest.raises(RemoteProtocolError):
        CompactRange.from_bytes(data)


def test_a_copy_grows_alone():
    first = CompactRange(1, [bytes(32)])
    second = first.copy()
    second.append(bytes(32))
    assert first.size == 1
    assert first.hashes == [bytes(32)]


@pytest.mark.parametrize(("size", "count"), [(-1, 1), (1 << 48, 1), (3, 1), (3, 3), (0, 1), (1, 0)])
def test_a_range_has_one_hash_per_set_bit_of_its_size(size, count):
    with pytest.raises(ValueError, match="per set bit"):
        CompactRange(size, [bytes(32)] * count)


def test_the_largest_log_is_full():
    largest = (1 << 48) - 1
    grown = CompactRange(largest, [bytes(32)] * 48)
    with pytest.raises(ValueError):
        grown.append(bytes(32))
    with pytest.raises(ValueError, match="outgrow"):
        grown.extend([bytes(32)])
    assert grown.size == largest
    nearly = CompactRange(largest - 1, [bytes(32)] * 47)
    nearly.copy().append(bytes(32))
    nearly.extend([bytes(32)])
    assert nearly.size == largest
