"""The collector is off during bulk work and comes back as it was (client/bulk_work.py)."""

from __future__ import annotations

import gc

import pytest

from casesync.client.bulk_work import uncollected


def test_the_collector_rests_during_the_block_and_works_again_after_it():
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_failure_inside_brings_the_collector_back():
    with pytest.raises(KeyboardInterrupt), uncollected():
        raise KeyboardInterrupt
    assert gc.isenabled()


def test_a_collector_that_somebody_else_switched_off_stays_off():
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
