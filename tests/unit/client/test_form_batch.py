"""Many forms saved at once leave what the same edits one by one leave, or nothing, or a part that
is whole."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attack_world import AttackWorld
from casesync.access.access_entry import Outcome, decode_entry
from casesync.access.control_state import ControlState
from casesync.client import anchor, form_batch
from casesync.client.core import Core
from casesync.client.form_batch import CaseForm, FormsRefused, SavingInterrupted
from casesync.client.replica import Replica
from casesync.client.views import Assignment
from casesync.foundation.errors import (
    AccessDenied,
    CasesyncError,
    ConflictStop,
    LocalStateError,
    UsageError,
)
from casesync.foundation.ids import StreamId
from casesync.sync import form_saves
from simulation.faults import Crash, Trouble, TroubledStore
from simulation.founding import copied

CASES = 3


def said(path: str, text: str, op: str = "set") -> Assignment:
    kind, field = path.split(".", 1)
    element, _, part = field.removesuffix("]").partition("].")
    name, _, element = element.partition("[")
    return Assignment(kind, None, name, element or None, part or None, op, text)  # type: ignore[arg-type]


def entries(replica: Replica) -> list:
    with replica.core.store.transaction() as tx:
        return [decode_entry(row.entry) for row in tx.access_rows()]


def told(replica: Replica, outcome: Outcome = Outcome.SUCCESS) -> list[tuple[object, set[int]]]:
    """(case, compartments) of each entry of an update."""
    return [
        (entry.stream, {int(c) for c in entry.compartments})
        for entry in entries(replica)
        if entry.action == "update" and entry.outcome is outcome
    ]


def unsent(replica: Replica) -> int:
    return len(replica.outbox())


def shown(replica: Replica, cases: list[StreamId]) -> list[object]:
    """What a person sees of the cases, but for who wrote it when."""
    return [
        {
            (record.type, record.id_hex, name): (
                field.value,
                field.conflict,
                [(e.element, e.value, {n: p.value for n, p in e.parts.items()}) for e in
                 field.elements or ()],
            )
            for record in replica.show(case).records
            for name, field in record.fields.items()
        }
        for case in cases
    ]  # fmt: skip


class World:
    """One prepared office; every example works on copies of Lan's replica."""

    def __init__(self) -> None:
        self.world = AttackWorld()
        self.cases = [self.world.case(given_name=f"Hoa {n}") for n in range(CASES)]
        self.world.sync()

    def copy(self) -> Replica:
        return self.world.open("lan", store=copied(self.world.stores["lan"]))


WORLD = World()
VALUES = st.sampled_from(
    [
        said("person.given_name", "Hòa"),
        said("person.given_name", "Lý"),
        said("person.address", "Xóm Ví Dụ 1"),
        said("person.date_of_birth", "02/03/1990"),
        said("person.date_of_birth", "30/02/1990"),
        said("person.safe_to_contact", "no"),
        said("person.contact_rule", "chỉ nhắn tin"),
        said("case.risk_level", "high"),
        said("case.status", "follow_up"),
        said("case.status", "closed"),
        said("case.status", "draft"),
        said("case.kinds", "gbv", "add"),
        said("person.phones", "+84000900111", "add"),
        said("person.phones", "+84000900111", "remove"),
        said("person.phones[+84000900111].whose", "self"),
        said("case.opened_at", "2026-01-01T00:00:00Z"),
        said("person.nothing", "x"),
        said("note.text", "x"),
    ]
)
FORMS = st.lists(
    st.tuples(st.integers(0, CASES - 1), st.lists(VALUES, max_size=3)), min_size=1, max_size=7
)


def one_by_one(replica: Replica, forms: list[CaseForm]) -> list[tuple[int, str]]:
    """(form, code) of each edit that is refused; the others are saved."""
    refused = []
    for at, form in enumerate(forms):
        try:
            with replica.edit(form.case) as edit:
                edit.apply_each(form.values)
        except CasesyncError as error:
            refused.append((at, error.code))
    return refused


VALID = said("person.given_name", "Hạ")
STEP, PHONE = said("case.status", "follow_up"), said("person.phones", "+84000900111", "add")
PART = said("person.phones[+84000900111].whose", "self")


@given(FORMS)
@example([(0, [STEP]), (0, [said("case.status", "open")]), (0, [STEP])])
@example([(0, [STEP]), (1, [STEP]), (0, [STEP])])
@example([(0, [PHONE]), (1, [PART]), (0, [PART])])
@example([(0, [VALID]), (1, [PHONE, VALID]), (0, [PHONE, VALID])])
@settings(max_examples=60, deadline=None)
def test_forms_are_saved_as_edits_one_by_one_save_them(drawn):
    forms = [CaseForm(WORLD.cases[case], values) for case, values in drawn]
    edited, batch = WORLD.copy(), WORLD.copy()
    before = Counter(case for case, _ in told(batch))
    refused = one_by_one(edited, forms)
    if refused:
        with pytest.raises(FormsRefused) as stopped:
            batch.save_forms(forms)
        firsts: dict[int, str] = {}
        for problem in stopped.value.problems:
            firsts.setdefault(problem.form, problem.error.code)
        assert list(firsts.items()) == refused
        assert unsent(batch) == unsent(WORLD.copy())
        forms = [form for at, form in enumerate(forms) if at not in firsts]
    report = batch.save_forms(forms)
    kept = [form for form in forms if form.values]
    assert report == (len(kept), len({form.case for form in kept}))
    assert unsent(batch) == unsent(edited)
    assert Counter(c for c, _ in told(batch)) - before == Counter({f.case: 1 for f in kept})
    by_case: dict[object, set[int]] = {}
    for case, compartments in told(edited):
        by_case.setdefault(case, set()).update(compartments)
    assert {case: named for case, named in told(batch) if case in dict(told(edited))} == by_case
    assert shown(batch, WORLD.cases) == shown(edited, WORLD.cases)


def many(count: int) -> list[CaseForm]:
    return [
        CaseForm(WORLD.cases[at % CASES], [said("person.given_name", f"Hoa {at}")])
        for at in range(count)
    ]


def test_at_most_500_forms_go_to_a_transaction_and_progress_follows_each(monkeypatch):
    replica = WORLD.copy()
    before = unsent(replica)
    transactions, progress = [], []
    whole = Core.transaction
    monkeypatch.setattr(Core, "transaction", lambda core: transactions.append(1) or whole(core))
    report = replica.save_forms(many(1201), progress=lambda *step: progress.append(step))
    assert report == (1201, CASES)
    assert len(transactions) == 3
    assert progress == [(500, 1201), (1000, 1201), (1201, 1201)]
    assert unsent(replica) == before + 1201


def test_usual_forms_are_written_together(monkeypatch):
    """Else they would cost what edits cost."""
    replica, sizes = WORLD.copy(), []
    whole = form_batch.write_forms
    monkeypatch.setattr(
        form_batch, "write_forms", lambda e, tx, some: sizes.append(len(some)) or whole(e, tx, some)
    )
    replica.save_forms(many(600))
    assert sizes == [500, 100]


@pytest.mark.skipif(form_saves.form_saver is None, reason="not compiled here")
def test_of_usual_forms_one_alone_is_made_as_every_change_is(monkeypatch):
    """It tells the relay its checkpoint; the twin makes the others."""
    replica, made = WORLD.copy(), []
    general = form_saves.write_change
    monkeypatch.setattr(form_saves, "write_change", lambda *args: made.append(1) or general(*args))
    replica.save_forms(many(50))
    assert len(made) == 1


def test_an_entry_is_written_with_the_first_form_of_a_case_and_names_what_is_written():
    replica = WORLD.copy()
    before = len(told(replica))
    forms = many(501)
    forms.append(CaseForm(WORLD.cases[0], [said("case.status", "follow_up")]))
    replica.save_forms(forms)
    identity = {c for _, c in told(replica)[before:][:1] for c in c}
    entries_here = told(replica)[before:]
    assert [case for case, _ in entries_here] == [*WORLD.cases, WORLD.cases[0]]
    assert all(named == identity for _, named in entries_here[:CASES])
    assert entries_here[CASES][1] - identity  # the later transaction's own compartment


def test_one_bad_value_keeps_all_forms_from_being_saved():
    replica = WORLD.copy()
    before, entries_before = unsent(replica), len(entries(replica))
    forms = many(3)
    bad = [said("person.given_name", "Lý"), said("person.date_of_birth", "31/02/1990")]
    forms += [CaseForm(WORLD.cases[1], [*bad, said("person.nothing", "x")])]
    forms += [CaseForm(StreamId(bytes(16)), [said("person.given_name", "Lý")])]
    with pytest.raises(FormsRefused) as refused:
        replica.save_forms(forms)
    places = [(p.form, p.assignment, p.error.code) for p in refused.value.problems]
    assert places[0][:2] == (3, 1)
    assert places[1:] == [(3, 2, "field-unknown"), (4, None, "case-unknown")]
    assert refused.value.exit_code == 2
    assert unsent(replica) == before
    assert len(entries(replica)) == entries_before


def test_a_form_that_is_too_large_for_a_change_is_refused_before_anything_is_written():
    replica = WORLD.copy()
    before = unsent(replica)
    phones = [said("person.phones", f"+84000{n:06d}", "add") for n in range(257)]
    assert replica.save_forms([CaseForm(WORLD.cases[0], phones[:256])], dry_run=True).saved == 1
    with pytest.raises(FormsRefused) as refused:
        replica.save_forms([*many(1), CaseForm(WORLD.cases[0], phones)])
    [problem] = refused.value.problems
    assert (problem.form, problem.assignment, problem.error.code) == (1, None, "change-too-large")
    assert unsent(replica) == before


def test_a_dry_run_checks_and_writes_nothing():
    replica = WORLD.copy()
    before, entries_before = unsent(replica), len(entries(replica))
    assert replica.save_forms(many(5), dry_run=True) == (5, CASES)
    assert unsent(replica) == before
    assert len(entries(replica)) == entries_before
    with pytest.raises(FormsRefused):
        replica.save_forms([CaseForm(WORLD.cases[0], [said("person.x", "y")])], dry_run=True)


def test_a_form_is_also_made_of_paths_and_text_as_an_edit_takes_them():
    values = {"person.given_name": "Hạ", "person.phones[+84000900111].whose": "self"}
    form = CaseForm.of(WORLD.cases[0], values)
    assert form.values == [
        said("person.given_name", "Hạ"),
        said("person.phones[+84000900111].whose", "self"),
    ]
    with pytest.raises(UsageError):
        CaseForm.of(WORLD.cases[0], {"given_name": "Hạ"})


def test_more_forms_than_one_call_takes_are_refused(monkeypatch):
    replica = WORLD.copy()
    monkeypatch.setattr(form_batch, "FORMS_PER_CALL_MAX", 4)
    assert replica.save_forms(many(4)).saved == 4
    with pytest.raises(UsageError, match="More than 4"):
        replica.save_forms(many(5))


def test_an_interruption_between_transactions_leaves_whole_ones_with_their_entries():
    replica = WORLD.copy()
    before, entries_before = unsent(replica), len(told(replica))

    def interrupt(saved: int, _: int) -> None:
        if saved == 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replica.save_forms(many(1201), progress=interrupt)
    assert unsent(replica) == before + 1000
    assert len(told(replica)) == entries_before + CASES
    replica.save_forms(many(1))  # and it goes on


def test_a_crash_leaves_no_change_without_its_entry(monkeypatch):
    """At every operation of the store: none, or whole transactions, each case with its entry."""
    monkeypatch.setattr(form_batch, "FORMS_PER_TRANSACTION", 2)
    saved, operations, struck = set(), 0, True
    while struck:
        operations += 1
        store, trouble = copied(WORLD.world.stores["lan"]), Trouble()
        replica = WORLD.world.open("lan", store=TroubledStore(store, trouble))
        before, entries_before = unsent(replica), len(told(replica))
        trouble.arm(operations, crashes=True)
        with suppress(Crash):
            replica.save_forms(many(CASES + 2))
        struck = trouble.disarm()
        again = WORLD.world.open("lan", store=store)
        count = unsent(again) - before
        assert count in {0, 2, 4, 5}
        assert len(told(again)) - entries_before == min(count, CASES)
        saved.add(count)
    assert saved >= {0, 2, 4, 5}


def test_a_full_disk_says_how_many_are_saved(monkeypatch):
    monkeypatch.setattr(form_batch, "FORMS_PER_TRANSACTION", 2)
    found, operations = set(), 0
    while None not in found:
        operations += 1
        store, trouble = copied(WORLD.world.stores["lan"]), Trouble()
        replica = WORLD.world.open("lan", store=TroubledStore(store, trouble))
        before = unsent(replica)
        trouble.arm(operations, crashes=False)
        said_saved = saved_before_it_failed(replica)
        trouble.disarm()
        here = unsent(WORLD.world.open("lan", store=store)) - before
        assert here == (5 if said_saved is None else said_saved)
        found.add(said_saved)
    assert found == {0, 2, 4, None}


def saved_before_it_failed(replica: Replica) -> object:
    """What the error says, None if there was none; while it is still checked it says nothing."""
    try:
        replica.save_forms(many(5))
    except CasesyncError as error:
        return error.params.get("saved", 0)
    return None


def test_who_may_not_write_a_field_is_refused_and_one_entry_for_each_case_says_so():
    world = AttackWorld()
    cases = [world.case(given_name="Hoa") for _ in range(2)]
    for case in cases:
        world.share(case)
    world.sync(rounds=2)
    value = [said("person.given_name", "Hạ")]
    with pytest.raises(AccessDenied), world.oanh.edit(cases[0]) as edit:
        edit.apply_each(value)
    [as_edited] = told(world.oanh, Outcome.REFUSED)
    before = unsent(world.oanh)
    with pytest.raises(FormsRefused) as refused:
        world.oanh.save_forms([CaseForm(cases[at], value) for at in (0, 1, 0)])
    codes = [(p.form, p.error.code) for p in refused.value.problems]
    assert codes == [(at, "compartment-not-written") for at in range(3)]
    assert all(isinstance(p.error, AccessDenied) for p in refused.value.problems)
    assert told(world.oanh, Outcome.REFUSED) == [as_edited, as_edited, (cases[1], as_edited[1])]
    assert {e.detail for e in entries(world.oanh) if e.outcome is Outcome.REFUSED} == {
        "compartment-not-written"
    }
    assert unsent(world.oanh) == before


def test_a_field_in_conflict_stops_all_as_an_edit_is_stopped():
    world = AttackWorld()
    stream, other = world.case(given_name="Hòa"), world.case(given_name="Lý")
    world.sync()
    world.set("lan", stream, "person.given_name", "Hoa")
    world.set("mai", stream, "person.given_name", "Hà")
    world.sync(rounds=2)
    before = unsent(world.lan)
    value = [said("person.given_name", "Hạ")]
    with pytest.raises(ConflictStop), world.lan.edit(stream) as edit:
        edit.apply_each(value)
    with pytest.raises(FormsRefused) as refused:
        world.lan.save_forms([CaseForm(other, value), CaseForm(stream, value)])
    [problem] = refused.value.problems
    assert (problem.form, problem.assignment, problem.error.code) == (1, 0, "conflict-open")
    assert isinstance(problem.error, ConflictStop)
    assert unsent(world.lan) == before


def test_subscribers_hear_of_every_case_once_a_transaction():
    replica, heard = WORLD.copy(), []
    replica.subscribe(lambda changed: heard.append([one.stream for one in changed]))
    replica.save_forms(many(501))
    assert heard[0] == WORLD.cases
    assert len(heard) == 2


# -- rights and keys that only the writing would ask for ------------------------------------------


def refusal_of_an_edit(replica: Replica, form: CaseForm) -> CasesyncError:
    with pytest.raises(CasesyncError) as refused, replica.edit(form.case) as edit:
        edit.apply_each(form.values)
    return refused.value


def test_a_key_that_cannot_be_started_is_found_before_anything_is_written(monkeypatch):
    """While earlier changes of one case are still to be fetched."""
    monkeypatch.setattr(form_batch, "FORMS_PER_TRANSACTION", 2)
    replica = WORLD.copy()
    with replica.core.store.transaction() as tx:
        tx.put_owed(WORLD.cases[2], 0, 1)
    held, lacking = said("person.given_name", "Hạ"), said("case.risk_level", "high")
    forms = [CaseForm(case, [lacking]) for case in WORLD.cases]
    forms += [CaseForm(WORLD.cases[2], [held]), CaseForm(WORLD.cases[2], [held, lacking])]
    as_edited = refusal_of_an_edit(replica, forms[2])
    before, entries_before = unsent(replica), len(entries(replica))
    for dry_run in (True, False):
        with pytest.raises(FormsRefused) as refused:
            replica.save_forms(forms, dry_run=dry_run)
        problems = [(p.form, p.assignment, p.error.code) for p in refused.value.problems]
        assert problems == [(2, None, as_edited.code), (4, None, as_edited.code)]
        assert {type(p.error) for p in refused.value.problems} == {type(as_edited)}
    assert (unsent(replica), len(entries(replica))) == (before, entries_before)
    assert replica.save_forms([*forms[:2], forms[3]]) == (3, 3)


def suspend(replica: Replica, monkeypatch) -> None:
    """As if the control log said so of every device."""
    monkeypatch.setattr(ControlState, "suspended_from", lambda *_: 0)
    replica.core.engine.authorship = None


def test_what_everybody_would_refuse_is_refused_by_the_check_as_by_an_edit(monkeypatch):
    replica, forms = WORLD.copy(), many(CASES)
    suspend(replica, monkeypatch)
    as_edited = refusal_of_an_edit(replica, forms[0])
    assert isinstance(as_edited, AccessDenied)
    [entry] = told(replica, Outcome.REFUSED)
    with pytest.raises(FormsRefused) as refused:
        replica.save_forms(forms)
    assert [p.error.code for p in refused.value.problems] == [as_edited.code] * CASES
    assert told(replica, Outcome.REFUSED)[1:] == [(case, entry[1]) for case in WORLD.cases]


@pytest.mark.parametrize("usual", [True, False], ids=["one compartment", "two"])
def test_a_right_that_is_lost_after_the_check_leaves_an_entry_of_the_refusal(monkeypatch, usual):
    monkeypatch.setattr(form_batch, "FORMS_PER_TRANSACTION", 2)
    replica = WORLD.copy()
    before, entries_before = unsent(replica), len(told(replica))
    values = [said("person.given_name", "Hạ"), said("case.status", "follow_up")]
    forms = [CaseForm(case, values[: 1 if usual else 2]) for case in WORLD.cases]
    with pytest.raises(AccessDenied) as refused:
        replica.save_forms(forms, progress=lambda *_: suspend(replica, monkeypatch))
    assert (refused.value.code, refused.value.params["saved"]) == ("suspended", 2)
    as_edited = refusal_of_an_edit(replica, forms[2])
    assert as_edited.code == "suspended"
    first, second = told(replica, Outcome.REFUSED)
    assert first == second
    assert first[0] == WORLD.cases[2]
    assert (unsent(replica), len(told(replica))) == (before + 2, entries_before + 2)


def test_the_entry_of_a_refusal_names_the_case_at_which_it_came(monkeypatch):
    replica = WORLD.copy()
    general = form_saves._written

    def refuse_the_second(engine, tx, save):
        if save.stream == WORLD.cases[1]:
            raise AccessDenied("suspended")
        return general(engine, tx, save)

    monkeypatch.setattr(form_saves, "_written", refuse_the_second)
    monkeypatch.setattr(form_saves, "form_saver", None)
    with pytest.raises(AccessDenied):
        replica.save_forms(many(CASES))
    assert [case for case, _ in told(replica, Outcome.REFUSED)] == [WORLD.cases[1]]


# -- what is saved, however the writing ends -------------------------------------------------------


@pytest.mark.parametrize("failure", [LocalStateError("disk-full"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_what_ends_the_call_behind_a_commit_says_what_is_saved(monkeypatch, tmp_path, failure, at):
    """The anchor follows the commit; what was committed stays."""
    monkeypatch.setattr(form_batch, "FORMS_PER_TRANSACTION", 2)
    replica, calls = WORLD.copy(), []
    before = unsent(replica)
    replica.core.folder = tmp_path

    def failing(_folder, moment, _newest):
        calls.append(moment)
        if len(calls) == at:
            raise failure
        return anchor.Slot(0, len(calls), moment)

    monkeypatch.setattr(anchor, "write", failing)
    with pytest.raises(type(failure)) as ended:
        replica.save_forms(many(5))
    error = ended.value
    said_saved = error.saved if isinstance(error, SavingInterrupted) else error.params["saved"]
    assert said_saved == unsent(replica) - before == min(2 * at, 5)


def test_what_a_subscriber_saves_is_not_counted(monkeypatch):
    monkeypatch.setattr(form_batch, "FORMS_PER_TRANSACTION", 2)
    replica, heard = WORLD.copy(), []

    def save_once(changed: object) -> None:
        heard.append(changed)
        if len(heard) == 1:
            with replica.edit(WORLD.cases[2]) as edit:
                edit.set("person.given_name", "Lý")

    replica.subscribe(save_once)

    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SavingInterrupted) as ended:
        replica.save_forms(many(5), progress=interrupt)
    assert ended.value.saved == 2
    assert len(heard) == 2


# -- what is kept of many problems -----------------------------------------------------------------


def test_of_many_problems_the_first_are_kept_and_all_are_counted(monkeypatch):
    monkeypatch.setattr(form_batch, "FORM_PROBLEMS_KEPT_MAX", 4)
    bad = [said("person.nothing", "x")]
    forms = [CaseForm(WORLD.cases[at % CASES], bad) for at in range(11)]
    with pytest.raises(FormsRefused) as refused:
        WORLD.copy().save_forms(forms)
    assert [problem.form for problem in refused.value.problems] == [0, 1, 2, 3]
    assert (refused.value.count, refused.value.params["count"]) == (11, 11)
    assert refused.value.params["form"] == 1


def test_a_kept_problem_holds_no_frames():
    """On them hangs what was at work, some 12 kB each."""
    bad = [said("person.date_of_birth", "31/02/1990"), said("person.nothing", "x")]
    phones = [said("person.phones", f"+84000{n:06d}", "add") for n in range(257)]
    forms = [CaseForm(WORLD.cases[0], bad), CaseForm(WORLD.cases[1], phones)]
    forms += [CaseForm(StreamId(bytes(16)), bad)]
    replica = WORLD.copy()
    with replica.core.store.transaction() as tx:
        tx.put_owed(WORLD.cases[2], 0, 1)
    forms += [CaseForm(WORLD.cases[2], [said("case.risk_level", "high")])]
    with pytest.raises(FormsRefused) as refused:
        replica.save_forms(forms)
    errors = [problem.error for problem in refused.value.problems]
    assert len(errors) == 5
    for error in errors:
        assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)
