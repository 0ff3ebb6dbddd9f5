"""Many forms saved at once: all are checked, then written some hundred to a transaction (client).

A form is what one edit of one case would say; each becomes one change. Nothing is written unless
all of them may be, by values, rights and keys as they are when they are checked. Whatever ends the
writing leaves whole transactions, and says how many forms they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from casesync.access.access_entry import Outcome
from casesync.access.stream_facts import END_OF_LOG
from casesync.client.case_cells import parse_path
from casesync.client.case_reader import CaseReader
from casesync.client.core import Core
from casesync.client.form_check import CheckedForm, FormCheck, Refusal
from casesync.client.subscriptions import notify
from casesync.client.views import Assignment
from casesync.foundation.errors import AccessDenied, CasesyncError, UsageError
from casesync.foundation.ids import Compartment, StreamId
from casesync.foundation.kept_first import KeptFirst
from casesync.foundation.limits import FORM_PROBLEMS_KEPT_MAX, FORMS_PER_CALL_MAX
from casesync.model.own_content import made_content, made_form
from casesync.sync.access_log import log_access
from casesync.sync.author import Draft, own_chain, write_change
from casesync.sync.form_saves import FormSave, write_forms
from casesync.sync.ports import Transaction
from casesync.sync.stream_merge import state_of
from casesync.sync.stream_row import StreamRow

FORMS_PER_TRANSACTION: Final = 500
_ACTION: Final = "update"

Progress = Callable[[int, int], None]
"""Told (saved, all) after each transaction; it must not use the replica."""


class CaseForm(NamedTuple):
    """What one edit of a case would say."""

    case: StreamId
    values: Sequence[Assignment]
    """Each field once; with none the form is passed over, as an edit without any is."""

    @classmethod
    def of(cls, case: StreamId, values: Mapping[str, str]) -> CaseForm:
        """Text as people type it by ``TYPE.FIELD``, as ``CaseEdit.set`` takes both.

        Raises: UsageError: ``assignment-malformed``.
        """
        return cls(case, [parse_path(path, "set", text) for path, text in values.items()])


class FormProblem(NamedTuple):
    """One thing that keeps the forms from being saved."""

    form: int
    """Which of the call's, from 0."""
    assignment: int | None
    """Which of its values, from 0; None: the case, or the form as a whole."""
    error: CasesyncError
    """What ``edit`` would have raised."""


class FormsSaved(NamedTuple):
    """What a call has saved."""

    saved: int
    """Forms, each one change; those without values are not among them."""
    cases: int
    """Cases that they are of."""


class FormsRefused(UsageError):
    """Forms of which nothing was written, since not all of them may be."""

    def __init__(self, problems: Sequence[FormProblem], count: int) -> None:
        """Args: problems: at least one, in the order of the forms; count: of all there are."""
        first = problems[0]
        form, why = first.form + 1, first.error.code
        super().__init__("forms-refused", count=count, form=form, why=why)
        self.problems = tuple(problems)
        """Of the first forms, at most 1,000."""
        self.count = count
        """With those that are not among ``problems``."""


class SavingInterrupted(KeyboardInterrupt):
    """Ctrl-C while forms were written."""

    def __init__(self, saved: int) -> None:
        """Args: saved: forms that are saved and stay."""
        super().__init__()
        self.saved = saved


class FormBatch:
    """The part of a replica that saves many forms at once."""

    def __init__(self, core: Core) -> None:
        """Args: core: the open replica."""
        self._core = core

    def save(
        self,
        forms: Iterable[CaseForm],
        *,
        purpose: str | None = None,
        progress: Progress | None = None,
        dry_run: bool = False,
    ) -> FormsSaved:
        """Check all forms, then write them in their order, each one change as of ``edit``.

        Each replaces what this replica holds of its cells. An entry of the access log is written
        for each case, with its first form; one more where a later transaction writes compartments
        of the case that it does not name. An interruption leaves whole transactions.

        Args:
            forms: at most 100,000; several may be of one case, and are judged in their order.
            purpose: of all of them; default: the role's.
            progress: told (saved, all) after each transaction of at most 500 forms; it must not
                use the replica. What it raises ends the call, and what is saved stays.
            dry_run: check only.

        Raises:
            FormsRefused: nothing was written; ``problems`` says what ``edit`` would have raised.
            UsageError: ``forms-too-many``, ``purpose-invalid``: nothing was written.
            CasesyncError: what else ends a write (a full disk, a right or key lost since the
                check); its ``params["saved"]`` forms are saved.
            SavingInterrupted: Ctrl-C while writing; its ``saved`` forms are saved.
        """
        purpose = self._core.purpose(purpose)
        given = list(forms)
        if len(given) > FORMS_PER_CALL_MAX:
            raise UsageError("forms-too-many", most=FORMS_PER_CALL_MAX)
        self._core.require_writable()
        checked = self._checked(given, purpose)
        if not dry_run:
            _Writing(self._core, given, purpose).write(checked, progress)
        return FormsSaved(len(checked), len({given[form.place].case for form in checked}))

    def _checked(self, given: Sequence[CaseForm], purpose: str) -> list[CheckedForm]:
        """All forms with values, in their order.

        Raises: FormsRefused: with what is wrong; refused rights stand in the access log.
        """
        places: dict[StreamId, list[int]] = {}
        for place, form in enumerate(given):
            if form.values:
                places.setdefault(form.case, []).append(place)
        checked: list[CheckedForm] = []
        problems = KeptFirst[FormProblem](FORM_PROBLEMS_KEPT_MAX, lambda problem: problem.form)
        denied: dict[StreamId, str] = {}
        with self._core.store.transaction() as tx:
            for case, of_case in places.items():
                for place, found in self._check_case(tx, case, of_case, given):
                    if isinstance(found, CheckedForm):
                        checked.append(found)
                        continue
                    for refusal in found:
                        problems.add(FormProblem(place, *refusal))
                        if isinstance(refusal.error, AccessDenied):
                            denied.setdefault(case, refusal.error.code)
                self._core.engine.keys.trim()
        if problems.count:
            self._log_refusals(denied, purpose)
            raise FormsRefused(problems.first(), problems.count)
        return sorted(checked, key=lambda form: form.place)

    def _check_case(
        self, tx: Transaction, case: StreamId, places: Sequence[int], given: Sequence[CaseForm]
    ) -> list[tuple[int, CheckedForm | list[Refusal]]]:
        try:
            row = CaseReader(self._core, tx, case).row
        except UsageError as unknown:
            return [(place, [Refusal(None, unknown.untraced())]) for place in places]
        check = FormCheck(self._core, tx, case, row)
        return [(place, check.take(place, given[place].values)) for place in places]

    def _log_refusals(self, refused: Mapping[StreamId, str], purpose: str) -> None:
        """An entry with the reason for each case, as ``refusals_logged`` leaves."""
        cases = list(refused)
        for at in range(0, len(cases), FORMS_PER_TRANSACTION):
            with self._core.transaction(looking=True) as tx:
                for case in cases[at : at + FORMS_PER_TRANSACTION]:
                    log_access(
                        self._core.engine,
                        tx,
                        _ACTION,
                        stream=case,
                        purpose=purpose,
                        outcome=Outcome.REFUSED,
                        detail=refused[case],
                    )


class _Writing:
    """The forms of one call on their way into the store."""

    def __init__(self, core: Core, given: Sequence[CaseForm], purpose: str) -> None:
        self._core = core
        self._given = given
        self._purpose = purpose
        self._logged: dict[StreamId, set[int]] = {}
        """Compartments that entries of this call name."""
        self._begun = (0, 0, 0)
        """Of the newest transaction: forms before it, own changes before it, its forms.

        Set at once, since Ctrl-C may come anywhere."""
        self._refused: StreamId | None = None
        """The case at which a right or a key turned out to be missing."""

    def write(self, forms: Sequence[CheckedForm], progress: Progress | None) -> None:
        """All of them; what ends it says how many stayed, and a refusal stands in the log."""
        try:
            for at in range(0, len(forms), FORMS_PER_TRANSACTION):
                some = forms[at : at + FORMS_PER_TRANSACTION]
                self._write_transaction(at, some)
                if progress is not None:
                    progress(at + len(some), len(forms))
        except KeyboardInterrupt as interrupt:
            raise SavingInterrupted(self._stayed()) from interrupt
        except CasesyncError as error:
            error.params["saved"] = self._stayed()
            if self._refused is not None:
                self._log_refusal(error)
            raise

    def _write_transaction(self, saved: int, some: Sequence[CheckedForm]) -> None:
        with self._core.transaction() as tx:
            before = self._newest(tx)
            self._begun = (saved, before, len(some))
            self._log(tx, some)
            try:
                numbers = self._write_some(tx, some)
            except AccessDenied:
                at = self._newest(tx) - before
                self._refused = self._given[some[at].place].case
                raise
        cases = list(dict.fromkeys(self._given[form.place].case for form in some))
        notify(self._core, cases, END_OF_LOG + min(numbers))

    def _newest(self, tx: Transaction) -> int:
        """The number of this device's newest change; each form is one."""
        return own_chain(tx, self._core.engine)[0]

    def _stayed(self) -> int:
        """Forms that are saved, also where the failure came behind the commit."""
        saved, before, forms = self._begun
        try:
            with self._core.store.transaction() as tx:
                written = self._newest(tx) - before
        except CasesyncError:  # the store cannot even be read: what is known for sure
            return saved
        return saved + min(written, forms)  # a subscriber may have saved, too

    def _log_refusal(self, error: CasesyncError) -> None:
        """The entry that ``refusals_logged`` leaves of an edit."""
        self._core.log(
            _ACTION,
            stream=self._refused,
            purpose=self._purpose,
            outcome=Outcome.REFUSED,
            detail=error.code,
        )

    def _log(self, tx: Transaction, forms: Sequence[CheckedForm]) -> None:
        """An entry for each case, unless one of this call names all its compartments already."""
        written: dict[StreamId, set[int]] = {}
        for form in forms:
            written.setdefault(self._given[form.place].case, set()).update(form.compartments)
        for case, compartments in written.items():
            logged = self._logged.setdefault(case, set())
            if compartments <= logged:
                continue
            logged |= compartments
            log_access(
                self._core.engine,
                tx,
                _ACTION,
                stream=case,
                compartments=[Compartment(number) for number in sorted(compartments)],
                purpose=self._purpose,
            )

    def _write_some(self, tx: Transaction, forms: Sequence[CheckedForm]) -> list[int]:
        """Neighbours of one compartment each are written together; returns all numbers."""
        engine = self._core.engine
        numbers: list[int] = []
        together: list[FormSave] = []
        for form in forms:
            if len(form.saves) == 1:
                together += form.saves
                continue
            numbers += write_forms(engine, tx, together)
            together = []
            numbers.append(self._write_one(tx, form))
        return numbers + write_forms(engine, tx, together)

    def _write_one(self, tx: Transaction, form: CheckedForm) -> int:
        """A form of several compartments, or with elements; it replaces what is held now."""
        engine, stream = self._core.engine, self._given[form.place].case
        row = StreamRow(tx.stream_rows([stream])[stream])
        state = state_of(row)
        clock_ms, version = engine.clock.now_ms(), engine.schema.version
        draft = Draft(stream=stream)
        for _, record, compartment, shape, values in form.saves:
            replaced = state.replaces_for_form(record, shape, compartment)
            made = made_form(clock_ms, version, replaced, record, shape, values)
            draft.bodies[compartment], draft.decoded[compartment] = made
        for compartment, writes in sorted(form.writes.items()):
            replaced = state.replaces_for(writes, compartment)
            made = made_content(clock_ms, version, replaced, writes.values())
            draft.bodies[compartment], draft.decoded[compartment] = made
        return write_change(engine, tx, draft, row)[0]
