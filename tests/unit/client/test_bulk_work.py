"""Bulk work without the collector, and made ahead in a thread (client/bulk_work.py)."""

from __future__ import annotations

import gc
import sys
import threading
from contextlib import closing

import pytest

from casesync.client.bulk_work import made_ahead, uncollected


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


def test_what_is_made_ahead_comes_in_order_and_one_part_early():
    made, begun = [], threading.Event()

    def make(part: int) -> int:
        made.append(part)
        if part == 2:
            begun.set()
        return part * 10

    ahead = made_ahead(make, [1, 2, 3])
    assert next(ahead) == 10
    assert begun.wait(timeout=60), "the second is made while the first is used"
    assert list(ahead) == [20, 30]
    assert made == [1, 2, 3]


def test_a_single_part_needs_no_thread():
    assert list(made_ahead(lambda _: threading.current_thread(), [1])) == [threading.main_thread()]
    assert list(made_ahead(lambda part: part, [])) == []


def test_what_fails_ahead_fails_where_it_is_asked_for():
    def make(part: int) -> int:
        return 6 // part

    ahead = made_ahead(make, [3, 0, 1])
    assert next(ahead) == 2
    with pytest.raises(ZeroDivisionError):
        next(ahead)


def test_an_interrupted_caller_leaves_nothing_running():
    before, running = sys.getswitchinterval(), threading.active_count()

    def interrupted() -> None:
        with closing(made_ahead(str, [1, 2, 3])) as ahead:
            for _ in ahead:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert threading.active_count() == running
    assert sys.getswitchinterval() == before
