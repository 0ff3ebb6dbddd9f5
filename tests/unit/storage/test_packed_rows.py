"""Packed rows behave like a dictionary, whatever the sizes (DESIGN.md 9)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casesync.foundation.errors import UsageError
from casesync.storage import packed_rows
from casesync.storage.connection import connect_plain
from casesync.storage.packed_rows import GROUP_BYTES, KEPT_GROUPS_MAX, PackedRows
from casesync.storage.session import Session


def opened() -> tuple[Session, PackedRows]:
    connection = connect_plain(None)
    connection.execute("CREATE TABLE packed(id INTEGER PRIMARY KEY, body BLOB)")
    connection.execute("CREATE TABLE packed_large(serial INTEGER PRIMARY KEY, body BLOB)")
    session = Session(connection)
    session.begin()
    return session, PackedRows(session, "packed")


SERIALS = st.integers(0, 200)
SIZES = st.one_of(st.integers(0, 50), st.sampled_from([2_000, 20_000, 70_000]))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.dictionaries(SERIALS, SIZES, max_size=20)),
        st.tuples(st.just("expect"), st.sets(SERIALS)),
        st.tuples(st.just("drop"), SERIALS),
        st.tuples(st.just("end"), st.booleans()),
        st.tuples(st.just("left"), st.sampled_from([0, 5_000, 10**6])),
    ),
    max_size=12,
)


@given(STEPS)
@settings(max_examples=60)
def test_rows_are_what_was_written_last(steps):
    session, packed = opened()
    model: dict[int, bytes] = {}
    for turn, (act, given_) in enumerate(steps):
        if act == "write":
            rows = {serial: bytes([turn + 1]) * size for serial, size in given_.items()}
            packed.write(rows)
            model.update(rows)
        elif act == "drop":
            packed.drop(given_)
            model.pop(given_, None)
        elif act == "expect":
            packed.expect([*given_, None])
        elif act == "left":
            left = packed.pending(given_)
            assert left is None or sum(map(len, left.values())) <= given_
            if left is not None:  # nothing was flushed: all that differs stands in it
                packed = PackedRows(session, "packed")
                packed.restore(left)
        else:
            packed.flush()
            session.commit()
            if given_:
                packed.forget()
            else:
                packed.settle()
            session.begin()
        assert packed.read(range(201)) == [model.get(serial) for serial in range(201)]


def loads_of(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The groups that are read from here on."""
    seen: list[int] = []
    load = PackedRows._load

    def noted(self: PackedRows, group: int) -> list[Any]:
        seen.append(group)
        return load(self, group)

    monkeypatch.setattr(PackedRows, "_load", noted)
    return seen


def test_groups_are_kept_between_transactions_up_to_a_bound(monkeypatch):
    session, packed = opened()
    for groups, reads in ((KEPT_GROUPS_MAX, 0), (KEPT_GROUPS_MAX + 1, 1)):
        packed.write({group * 64: b"row" for group in range(groups)})
        packed.flush()
        session.commit()
        packed.settle()
        session.begin()
        seen = loads_of(monkeypatch)
        assert packed.read([0]) == [b"row"]
        assert len(seen) == reads


def test_a_group_is_in_its_place_when_all_that_was_expected_of_it_is_written():
    session, packed = opened()

    def placed() -> list[int]:
        return [group for (group,) in session.execute("SELECT id FROM packed ORDER BY id")]

    packed.expect([0, 1, 64, 200])
    packed.write({0: b"a", 200: b"b", 300: b"not expected"})
    assert placed() == [3]
    packed.write({0: b"again", 64: b"c"})
    assert placed() == [1, 3]
    packed.write({1: b"d"})
    assert placed() == [0, 1, 3]
    packed.write({0: b"once more"})  # it is written again
    packed.flush()
    packed.forget()
    assert placed() == [0, 1, 3, 4]
    wanted = [b"once more", b"d", b"c", b"b", b"not expected"]
    assert packed.read([0, 1, 64, 200, 300]) == wanted


@pytest.mark.parametrize("ended", [PackedRows.settle, PackedRows.forget])
def test_nothing_is_expected_of_the_next_transaction(ended):
    session, packed = opened()
    packed.expect([5])
    ended(packed)
    packed.write({5: b"row"})
    assert session.execute("SELECT count(*) FROM packed").fetchone() == (0,)


def test_many_groups_are_read_once_each_within_the_bound(monkeypatch):
    _, packed = opened()
    rows = {group * 64: b"%d" % group for group in range(40)}
    packed.write(rows)
    packed.flush()
    for bound in (2048, 39):
        monkeypatch.setattr(packed_rows, "_CACHED_GROUPS_MAX", bound)
        packed.forget()
        with monkeypatch.context() as patch:
            seen = loads_of(patch)
            assert packed.read([*rows, 64 * 50, None]) == [*rows.values(), None, None]
        assert seen == [*range(40), 50]
        assert len(packed._groups) <= bound


@pytest.mark.parametrize("size", [1, 5_000, 50_000])
def test_a_body_is_found_or_is_not_there(size):
    session, _ = opened()
    session.put_body("packed", {"id": 7}, b"x" * size)
    assert session.body_if_any("packed", 7) == b"x" * size
    assert session.body_if_any("packed", 8) is None
    session.commit()
    with pytest.raises(UsageError):
        session.body_if_any("packed", 7)


def test_a_long_row_does_not_travel_with_its_neighbours():
    session, packed = opened()
    packed.write(dict.fromkeys(range(64), b"s" * 100) | {5: b"L" * GROUP_BYTES})
    packed.flush()
    packed.forget()
    (body,) = session.execute("SELECT body FROM packed WHERE id = 0").fetchone()
    assert len(body) < 64 * 105
    packed.write({5: b"L" * GROUP_BYTES + b"more"})
    packed.flush()
    assert session.execute("SELECT count(*) FROM packed_large").fetchone() == (1,)
    assert packed.read([5, 6]) == [b"L" * GROUP_BYTES + b"more", b"s" * 100]


def test_no_group_stays_larger_than_its_bound():
    session, packed = opened()
    for turn in range(1, 40):
        packed.write({serial: b"x" * (turn * (serial % 7) * 40) for serial in range(64)})
        packed.flush()
        (longest,) = session.execute("SELECT max(length(body)) FROM packed").fetchone()
        assert longest <= GROUP_BYTES


def test_a_dropped_long_row_leaves_nothing():
    session, packed = opened()
    packed.write({5: b"L" * GROUP_BYTES * 2})
    packed.flush()
    packed.drop(5)
    packed.flush()
    assert session.execute("SELECT count(*) FROM packed_large").fetchone() == (0,)
    assert packed.read([5]) == [None]


def test_a_destroyed_row_is_left_nowhere_else():
    _, packed = opened()
    packed.write({5: b"row", 6: b"row"})
    assert packed.pending(6) == {5: b"row", 6: b"row"}
    assert packed.pending(5) is None
    packed.drop(5)
    assert packed.pending(6) is None


def test_a_pass_over_everything_keeps_a_bounded_cache(monkeypatch):
    monkeypatch.setattr(packed_rows, "_CACHED_GROUPS_MAX", 4)
    _, packed = opened()
    for group in range(20):
        packed.write({group * 64: b"%d" % group})
        assert len(packed._groups) <= 4
    assert packed.read([group * 64 for group in range(20)]) == [b"%d" % g for g in range(20)]
