"""Pages grow on a fast line and shrink on a slow one (client/page_size.py)."""

from __future__ import annotations

from casesync.client.page_size import (
    AIM_S,
    FAST_MS,
    LEAST_BYTES,
    MOST_BYTES,
    SLOW_MS,
    PageSize,
)


def test_full_pages_that_come_fast_grow_to_the_bound():
    size = PageSize()
    assert size.bytes == MOST_BYTES, "until a line shows that it is slow"
    size.bytes = LEAST_BYTES
    asked = []
    for _ in range(6):
        size.note(FAST_MS - 1, size.bytes)
        asked.append(size.bytes)
    assert asked[0] == 2 * LEAST_BYTES
    assert asked[-2:] == [MOST_BYTES, MOST_BYTES]


def test_pages_that_come_slowly_shrink_to_the_bound_and_grow_again():
    size = PageSize()
    for _ in range(9):
        size.note(SLOW_MS + 1, size.bytes)
    assert size.bytes == LEAST_BYTES
    size.note(0, LEAST_BYTES)
    assert size.bytes == 2 * LEAST_BYTES


def test_a_short_answer_or_a_clock_that_jumped_back_teaches_nothing():
    size = PageSize()
    size.bytes = 2 * LEAST_BYTES
    size.note(0, size.bytes // 2 - 1)
    size.note(-1, size.bytes)
    size.note((FAST_MS + SLOW_MS) // 2, size.bytes)
    assert size.bytes == 2 * LEAST_BYTES


def test_a_page_that_was_let_go_is_followed_by_what_the_line_brings_but_by_half_at_most():
    size = PageSize()
    size.note_slow(MOST_BYTES)
    assert size.bytes == MOST_BYTES // 2
    size.note_slow(LEAST_BYTES // AIM_S + 1)
    assert LEAST_BYTES <= size.bytes < LEAST_BYTES + AIM_S
    size.note_slow(0)
    assert size.bytes == LEAST_BYTES


def test_only_the_smallest_page_is_waited_for_however_long_it_takes():
    size = PageSize()
    assert size.patience_s == SLOW_MS / 1000
    size.note_slow(0)
    assert size.patience_s is None
