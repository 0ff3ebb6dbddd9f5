"""Attack 51: a relay proves what is not so (transparency-log.md, Span proof; sync.md, Page).

Layer: ``merkle.proofs`` for single proofs, ``translog.page`` for pages. A page either adds up to
the target's root, or not one leaf of it is believed and the cursor stays.
"""

from __future__ import annotations

import pytest

from casesync.foundation.errors import RelayMisbehaviour
from casesync.merkle.proofs import (
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from casesync.translog.page import read_page
from unit.translog.page_world import log_of

AUTHORS = [1, 2, 1, 3, 2, 2, 1, 3, 1, 1, 2]
LOG = log_of(*AUTHORS)
SIZE = len(AUTHORS)


def _nothing_own(_number):
    return None


def _refused(page, held, size=SIZE, root=None):
    before = held.to_bytes()
    with pytest.raises(RelayMisbehaviour) as caught:
        read_page(page, held, size, root or LOG.root(size), _nothing_own)
    assert caught.value.code == "page-contradicts-log"
    assert held.to_bytes() == before


def test_a_withheld_leaf_cannot_be_passed_over_in_silence():
    """Attack 43: who is shown 8 of 9 new leaves needs the hash of the ninth."""
    served = set(range(2, SIZE)) - {5}
    page = LOG.page(2, SIZE, SIZE, served)
    read_page(page, LOG.range(2), SIZE, LOG.root(SIZE), _nothing_own)
    page[3] = [item for item in page[3] if item != 1]
    _refused(page, LOG.range(2))


def test_a_leaf_cannot_stand_at_another_index():
    """Attack 44: reordered leaves have another root."""
    page = LOG.page(0, SIZE, SIZE, set(range(SIZE)))
    frames = page[3]
    for at in range(SIZE - 1):
        swapped = [*frames[:at], frames[at + 1], frames[at], *frames[at + 2 :]]
        _refused([*page[:3], swapped, page[4]], LOG.range(0))


def test_a_leaf_of_another_history_has_no_place():
    """Attack 42: a fork shows when the same checkpoint must carry both."""
    forked = log_of(*AUTHORS[:5], 3, *AUTHORS[6:])
    page = forked.page(2, SIZE, SIZE, set(range(2, SIZE)))
    read_page(page, forked.range(2), SIZE, forked.root(SIZE), _nothing_own)
    _refused(page, LOG.range(2))


def test_a_page_proves_nothing_about_another_checkpoint():
    """Attack 41: an older or newer root is not reached by the page of this one."""
    page = LOG.page(2, 8, 8, {3, 4})
    _refused(page, LOG.range(2), 8, LOG.root(7))
    _refused(page, LOG.range(2), SIZE)


def test_a_changed_log_is_not_consistent_with_the_one_seen():
    proof = prove_consistency(LOG, 5, SIZE)
    verify_consistency(5, SIZE, LOG.root(5), LOG.root(SIZE), proof)
    rewritten = log_of(2, *AUTHORS[1:])
    for old, new, path in (
        (rewritten.root(5), LOG.root(SIZE), proof),
        (LOG.root(5), rewritten.root(SIZE), proof),
        (LOG.root(5), rewritten.root(SIZE), prove_consistency(rewritten, 5, SIZE)),
    ):
        with pytest.raises(RelayMisbehaviour):
            verify_consistency(5, SIZE, old, new, path)


def test_a_proof_of_inclusion_is_for_one_leaf_at_one_index():
    proof = prove_inclusion(LOG, 4, SIZE)
    verify_inclusion(4, SIZE, LOG.node(0, 4), proof, LOG.root(SIZE))
    for index in range(SIZE):
        if index != 4:
            with pytest.raises(RelayMisbehaviour):
                verify_inclusion(index, SIZE, LOG.node(0, 4), proof, LOG.root(SIZE))
            with pytest.raises(RelayMisbehaviour):
                verify_inclusion(4, SIZE, LOG.node(0, index), proof, LOG.root(SIZE))
