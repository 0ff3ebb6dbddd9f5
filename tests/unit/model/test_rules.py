"""Rules over changes (protocol/schemas.md, *Rules*)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.foundation.ids import CONTENT_COMPARTMENTS, Compartment
from casesync.model.rules import ChangeRef, LiveWrite, flags
from unit.model.shipped import shipped_schema

SCHEMA = shipped_schema()
CASE, ASSESSMENT, CONSULTATION, NOTE = 1, 3, 4, 5
RECORD = {kind: bytes([kind]) * 16 for kind in (CASE, ASSESSMENT, CONSULTATION, NOTE)}
A1, A2, B1, B2 = (ChangeRef(device, number) for device in (1, 2) for number in (1, 2))


def write(name: str, value: object, change: ChangeRef, record: bytes | None = None) -> LiveWrite:
    kind, field = SCHEMA.field_by_name(name)
    return LiveWrite(record or RECORD[kind.number], kind.number, field.number, value, change)


def history(*seen: tuple[ChangeRef, ChangeRef]):
    """``happened_after`` for (later, earlier) pairs; each device sees its own previous changes."""
    known = {*seen, (A2, A1), (B2, B1)}
    while more := {(x, z) for x, y in known for y2, z in known if y == y2} - known:
        known |= more
    return lambda later, earlier: (later, earlier) in known


APART = history()


def names(writes, after=APART, readable=CONTENT_COMPARTMENTS) -> list[str]:
    return [flag.rule for flag in flags(SCHEMA, writes, after, readable)]


# -- late entry --------------------------------------------------------------------------------

CLOSED = write("case.status", ["open", "closed"], A1)
ENTRY = write("note.text", "x", B1)


def test_an_entry_written_while_the_case_was_being_closed_is_late():
    (flag,) = flags(SCHEMA, [CLOSED, ENTRY], history(), CONTENT_COMPARTMENTS)
    assert (flag.rule, flag.record, flag.change) == ("late_entry", RECORD[CASE], A1)
    assert flag.causes == (RECORD[NOTE],)
    assert flag.labels.vi


def test_an_entry_the_closing_had_seen_is_not_late():
    assert names([CLOSED, ENTRY], history((A1, B1))) == []


def test_an_entry_written_in_knowledge_of_the_closing_is_not_late():
    assert names([CLOSED, ENTRY], history((B1, A1))) == []


def test_an_entry_in_the_closing_change_itself_is_not_late():
    assert names([CLOSED, write("note.text", "x", A1)]) == []


def test_confirming_or_reopening_after_the_entry_ends_the_flag():
    for value in (["closed", "closed"], ["closed", "open"]):
        again = write("case.status", value, A2)
        assert names([again, ENTRY], history((A2, B1))) == []


def test_an_open_case_has_no_late_entries():
    assert names([write("case.status", ["draft", "open"], A1), ENTRY]) == []
    assert names([write("case.status", None, A1), ENTRY]) == []


def test_all_kinds_of_closing_and_of_entries_count():
    for closed in ("closed", "closed_referred", "closed_duplicate"):
        for entry in ("note.health_text", "consultation.minutes", "risk_assessment.reason"):
            writes = [write("case.status", ["open", closed], A1), write(entry, "x", B1)]
            assert names(writes) == ["late_entry"]
    assert names([CLOSED, write("person.address", "x", B1, bytes(16))]) == []


# -- approval ----------------------------------------------------------------------------------

APPROVED = write("case.plan_approval", ["requested", "approved"], A1)
EDIT = write("case.plan_goals", "other", B1)


@pytest.mark.parametrize("after", [history(), history((B1, A1))])
def test_an_edit_that_the_approval_has_not_seen_asks_for_approval_again(after):
    assert names([APPROVED, EDIT], after) == ["approval_requested_again"]


def test_an_approval_that_saw_the_edits_stands():
    assert names([APPROVED, EDIT], history((A1, B1))) == []
    assert names([APPROVED, write("case.plan_goals", "x", A1)]) == []


def test_edits_of_other_fields_and_cases_leave_the_approval():
    assert names([APPROVED, write("case.next_follow_up_due", "2026-01-01", B1)]) == []
    assert names([APPROVED, write("case.plan_goals", "x", B1, b"\x09" * 16)]) == []


def test_what_is_not_approved_is_not_flagged():
    assert names([write("case.plan_approval", [None, "requested"], A1), EDIT]) == []


# -- risk level --------------------------------------------------------------------------------

LEVEL = write("case.risk_level", "high", A1)


def test_a_risk_level_without_an_assessment_is_flagged_not_refused():
    assert names([LEVEL]) == ["risk_level_without_assessment"]


def test_a_risk_level_that_knows_an_assessment_is_not_flagged():
    assert names([LEVEL, write("risk_assessment.judgement", "high", A1)]) == []
    assert names([LEVEL, write("risk_assessment.judgement", "high", B1)], history((A1, B1))) == []


def test_an_assessment_its_author_had_not_seen_does_not_carry_it():
    assessment = write("risk_assessment.judgement", "high", B1)
    assert names([LEVEL, assessment]) == ["risk_level_without_assessment"]
    assert names([LEVEL, assessment], history((B1, A1))) == ["risk_level_without_assessment"]


def test_no_level_needs_no_assessment():
    assert names([write("case.risk_level", None, A1)]) == []


def test_who_may_not_read_assessments_is_not_told_there_is_none():
    readable = [c for c in CONTENT_COMPARTMENTS if c != Compartment.PROTECTION]
    assert names([LEVEL], readable=readable) == []


def test_each_of_two_concurrent_levels_is_judged_alone():
    assessment = write("risk_assessment.judgement", "high", B1)
    levels = [LEVEL, write("case.risk_level", "low", B2)]
    (flag,) = flags(SCHEMA, [assessment, *levels], history(), CONTENT_COMPARTMENTS)
    assert flag.change == A1


# -- all rules ---------------------------------------------------------------------------------

changes = st.sampled_from([A1, A2, B1, B2])
values = st.sampled_from(
    ["high", None, ["open", "closed"], ["requested", "approved"], [], 5, {}, [[]]]
)
fields = st.sampled_from(
    [f"{kind.name}.{f.name}" for kind in SCHEMA.types.values() for f in kind.fields.values()]
)
live_writes = st.lists(
    st.builds(
        lambda name, value, change: write(name, value, change, bytes(16)), fields, values, changes
    ),
    max_size=12,
)


@given(live_writes, st.randoms(use_true_random=False))
def test_flags_do_not_depend_on_the_order_of_writes_and_bear_any_value(writes, rng: random.Random):
    expected = flags(SCHEMA, writes, history((A2, B1)), CONTENT_COMPARTMENTS)
    shuffled = list(writes)
    rng.shuffle(shuffled)
    assert flags(SCHEMA, shuffled, history((A2, B1)), CONTENT_COMPARTMENTS) == expected


def test_types_of_a_newer_schema_are_left_alone():
    assert names([LiveWrite(bytes(16), 40_000, 1, "x", A1)]) == []
