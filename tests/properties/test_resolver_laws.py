"""Laws of the resolvers (record-model.md, Resolvers), checked over the registry."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.codec.canonical import pack
from casesync.model.resolvers import presence
from casesync.model.resolvers.registry import RESOLVERS, resolve
from casesync.model.resolvers.resolution import CellWrite, canonical_bytes
from properties.reference_resolvers import TWINS

ORDER = ("high", "medium", "low")
STATES = ("done", "accepted", "sent", "draft")


class Facts(NamedTuple):
    """A field as a schema might declare it."""

    order: tuple[str, ...]
    absent_as: str | None = None
    steps: frozenset[tuple[str | None, str]] = frozenset()


PROTECTIVE = (Facts(ORDER), Facts(ORDER, "high"), Facts(ORDER, "low"))
STATE = (
    Facts(STATES),
    Facts(STATES, None, frozenset({(None, "draft"), ("draft", "sent"), ("sent", "accepted")})),
)
FACTS = {4: PROTECTIVE, 8: STATE}

codes = st.sampled_from(sorted(RESOLVERS))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from((*ORDER, "unheard-of", "~2026", "2026-01", "2025-12-31", "")),
    st.integers(-5, 5),
    st.binary(max_size=2),
)
steps = st.tuples(st.sampled_from((None, *STATES)), st.sampled_from((*STATES, "newer"))).map(list)
values = st.one_of(scalars, steps, st.lists(scalars, max_size=2))
writes_of = st.builds(
    CellWrite,
    values,
    st.integers(0, 4),
    st.one_of(st.none(), st.integers(0, 4)),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(0, 1),
)
cells = st.lists(
    writes_of, min_size=1, max_size=6, unique_by=lambda w: (w.device, w.number, w.position)
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, list[CellWrite], Facts | None]:
    code = draw(codes)
    return code, draw(cells), draw(st.sampled_from((None, *FACTS.get(code, (Facts(()),)))))


def same(a: object, b: object) -> bool:
    return canonical_bytes(a) == canonical_bytes(b)


@given(cases(), st.randoms(use_true_random=False))
def test_order_and_repetition_of_writes_do_not_matter(case, rnd) -> None:
    code, writes, facts = case
    effective = resolve(code, writes, facts)
    shuffled = writes + writes[:2]
    rnd.shuffle(shuffled)
    again = resolve(code, shuffled, facts)
    assert again.conflict is effective.conflict
    assert same(again.value, effective.value)


@given(cases())
def test_every_resolver_equals_its_twin(case) -> None:
    code, writes, facts = case
    effective = resolve(code, writes, facts)
    value, conflict = TWINS[code](writes, facts)
    assert effective.conflict is conflict
    assert same(effective.value, value)


@given(cases())
def test_effective_is_a_value_somebody_wrote_or_absent(case) -> None:
    code, writes, facts = case
    effective = resolve(code, writes, facts).value
    allowed = [w.value for w in writes] + [None]
    if code == 5:
        allowed = [True, False]
    if code == 6:
        allowed.append(False)
    if code == 8:
        allowed = [w.value[1] for w in writes if isinstance(w.value, list) and len(w.value) == 2]
        allowed.append(None)
    if facts is not None and facts.absent_as is not None:
        allowed.append(facts.absent_as)
    assert any(same(effective, value) for value in allowed)


@given(cases())
def test_agreeing_writes_are_no_conflict(case) -> None:
    code, writes, facts = case
    alike = [w._replace(value=writes[0].value) for w in writes]
    effective = resolve(code, alike, facts)
    if code != 8:
        assert effective.conflict is False
    assert same(effective.value, resolve(code, alike[:1], facts).value)


@given(codes.filter(lambda code: code in {1, 3, 4, 7}), cells)
def test_different_values_are_a_conflict_wherever_a_person_must_see_them(code, writes) -> None:
    different = len({pack(w.value) for w in writes}) > 1
    assert resolve(code, writes, None).conflict is different


@given(codes.filter(lambda code: code in {2, 5, 9}), cells)
def test_latest_set_and_earliest_never_ask_a_person(code, writes) -> None:
    assert resolve(code, writes, None).conflict is False


@given(cells, writes_of, st.sampled_from(PROTECTIVE))
def test_protective_never_becomes_less_protective_by_another_write(writes, more, facts) -> None:
    def rank(value: object) -> int:
        if value is None:
            return len(ORDER)
        return ORDER.index(value) if value in ORDER else -1

    before = resolve(4, writes, facts).value
    assert rank(resolve(4, [*writes, more], facts).value) <= rank(before)


@given(cells, writes_of)
def test_one_live_revocation_revokes_whatever_else_is_written(writes, more) -> None:
    for revoked in (False, None):
        assert resolve(6, [*writes, more._replace(value=revoked)], None).value is False


@given(cells, writes_of)
def test_adding_wins_over_concurrent_removals(writes, more) -> None:
    assert resolve(5, [*writes, more._replace(value=True)], None).value is True


@given(cells)
def test_only_true_adds_an_element(writes) -> None:
    removed = [w._replace(value=None if w.value is True else w.value) for w in writes]
    assert resolve(5, removed, None).value is False


@given(cells, writes_of)
def test_once_is_not_changed_by_a_later_write(writes, more) -> None:
    later = more._replace(clock_ms=max(w.clock_ms for w in writes) + 1)
    assert same(resolve(1, [*writes, later], None).value, resolve(1, writes, None).value)


@given(cells, writes_of)
def test_a_clock_that_runs_ahead_does_not_beat_the_log(writes, more) -> None:
    """DESIGN.md 4: largest of min(claimed time, log time)."""
    sent = [w._replace(log_time_ms=9, clock_ms=9) for w in writes]
    ahead = more._replace(clock_ms=1 << 47, log_time_ms=8)
    assert same(resolve(2, [*sent, ahead], None).value, resolve(2, sent, None).value)


@given(cells, st.integers(-5, 5))
def test_earliest_never_becomes_later_by_another_write(writes, number) -> None:
    before = resolve(9, writes, None).value
    more = writes[0]._replace(value=number)
    after = resolve(9, [*writes, more], None).value
    assert type(after) is int
    assert after <= number
    assert type(before) is not int or after <= before


@given(cells, writes_of, st.sampled_from(STATE))
def test_state_never_falls_back_by_another_write(writes, more, facts) -> None:
    def rank(value: object) -> int:
        if value is None:
            return len(STATES)
        return STATES.index(value) if value in STATES else -1

    before = resolve(8, writes, facts).value
    assert rank(resolve(8, [*writes, more], facts).value) <= rank(before)


def test_an_illegal_step_is_shown_and_flagged_but_not_dropped() -> None:
    write = CellWrite(["draft", "done"], 1, None, 1, 1, 0)
    assert resolve(8, [write], STATE[1]) == ("done", True)
    assert resolve(8, [write], STATE[0]) == ("done", False)


def test_unequal_ledger_entries_count_nothing_and_equal_ones_once() -> None:
    one = CellWrite(["chi", 500_000], 1, None, 1, 1, 0)
    assert resolve(7, [one, one._replace(device=2)], None) == (["chi", 500_000], False)
    assert resolve(7, [one, one._replace(device=2, value=["chi", 5])], None) == (None, True)


def test_absent_counts_as_the_declared_code() -> None:
    """DOMAIN: nothing known about safe contact means unsafe."""
    unsafe = Facts(("no", "only_as_agreed", "yes"), "no")
    yes = CellWrite("yes", 1, None, 1, 1, 0)
    unset = CellWrite(None, 2, None, 2, 1, 0)
    assert resolve(4, [], unsafe) == ("no", False)
    assert resolve(4, [yes, unset], unsafe) == ("no", True)
    assert resolve(4, [yes], unsafe) == ("yes", False)


@pytest.mark.parametrize("code", [0, 10, 15])
def test_an_unknown_resolver_shows_everything(code: int) -> None:
    one = CellWrite("a", 1, None, 1, 1, 0)
    assert resolve(code, [one], None) == ("a", False)
    assert resolve(code, [one, one._replace(device=2, value="b")], None) == (None, True)


@pytest.mark.parametrize("code", sorted(RESOLVERS))
def test_values_no_schema_allows_never_raise(code: int) -> None:
    """SECURITY attack 67: wrong types, deep nesting, floats, maps."""
    hostile = [
        1.5,
        float("nan"),
        {"a": 1},
        [[[[]]]],
        "\x1b[2J",
        "__class__",
        object,
        b"",
        [None] * 3,
    ]
    writes = [CellWrite(value, 1, 1, 1, n + 1, 0) for n, value in enumerate(hostile)]
    for facts in (None, *FACTS.get(code, (Facts(()),))):
        assert resolve(code, writes, facts) is not None
        assert presence.resolve_part(writes, facts) is not None
