"""Figures of interleaved runs (``testing/benchmark/series.py``)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from casesync.testing.benchmark.series import SLOW_S, Series, Way


def way(name: str, seconds: list[float], order: list[str]) -> Way:
    following: Iterator[float] = iter(seconds)

    def once() -> float:
        order.append(name)
        return next(following)

    return once


def test_ways_run_in_turns_and_their_rate_is_the_median():
    order: list[str] = []
    series = Series(100)
    series.run({"a": way("a", [1, 5, 2], order), "b": way("b", [4, 4, 4], order)}, 3)
    assert order == ["a", "b"] * 3
    assert series.rate("a") == 50


def test_a_ratio_compares_within_a_turn():
    """A machine that was slow for a whole turn was slow for both."""
    series = Series(1)
    series.seconds = {"ours": [1, 10, 1], "theirs": [2, 20, 3]}
    assert series.ratio("ours", "theirs") == 2
    assert series.ratio("theirs", "ours") == pytest.approx(0.5)


def test_what_is_slow_runs_once():
    order: list[str] = []
    series = Series(1)
    slow = way("slow", [SLOW_S + 1], order)
    series.run({"slow": slow, "fast": way("fast", [1, 1], order)}, 2)
    assert order == ["slow", "fast", "fast"]


def test_the_fastest_is_found_among_those_that_ran():
    series = Series(1)
    series.seconds = {"a": [3], "b": [2]}
    assert series.fastest(["a", "b", "absent"]) == "b"
    assert series.fastest(["absent"]) is None
