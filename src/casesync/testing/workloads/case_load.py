"""Workloads of an office's whole case load: its first sync, a month away, its entries (testing).

The shares are those of the 10,000-case tier of a shelter network, as far as the shipped schemas
have the records: 3.55 consultations, 3.2 consents and 1.5 notes (home visits) a case, a risk
assessment for four in ten; about 90 cell writes a case, written by four devices over the year.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from casesync.testing.workloads.forms import IN_ONE_COMPARTMENT, PERSON, cases_opened
from casesync.testing.workloads.saves import Save, Value, Workload, in_rounds, nothing
from casesync.testing.workloads.values import Values

CELLS_PER_CASE: Final = 90
DEVICES: Final = 4
SAVES_PER_ROUND: Final = 1_000
"""Of all devices together, about a working day of an office of this size."""
CASE: Final = (
    "opened_at",
    "kinds[returning_migrant]",
    "status",
    "legal_basis",
    "risk_level",
    "next_assessment_due",
    "next_follow_up_due",
)
PERSONAL: Final = (
    *IN_ONE_COMPARTMENT,
    "ethnicity",
    "language",
    "children_count",
    "role_in_case",
    "marital_status",
    "migration_status",
    "education",
    "safe_to_contact",
    "contact_rule",
)
CONSULTATION: Final = (
    "held_on",
    "minutes",
    "mode",
    "topics",
    "provider",
    "outcome",
    "text",
    "protection_text",
)
CONSENT: Final = (
    "purpose",
    "recipient_class",
    "compartments",
    "notice_version",
    "notice_language",
    "form",
    "given_by",
    "given_at",
    "expires_on",
    "permission",
)
NOTE: Final = ("written_on", "text")
ASSESSMENT: Final = ("assessed_on", "assessed_by", "tool", "judgement", "reason")
ENTRIES_PER_CASE: Final = 8
MONTH_SHARE: Final = 100
"""One cell write in so many is new after a month."""


def first_sync(size: int, seed: int) -> Workload:
    """A new laptop takes in the whole case load of its office."""
    cases = max(1, size // CELLS_PER_CASE)
    return Workload(
        name="first-sync",
        text=f"a new laptop, {cases:,} cases with consultations, consents, notes, assessments",
        devices=DEVICES,
        seed=seed,
        before=nothing,
        rounds=partial(_case_load, cases, seed),
    )


def month_away(size: int, seed: int) -> Workload:
    """The same laptop a month later: one cell write in a hundred is new."""
    load = first_sync(size, seed)
    return Workload(
        name="month-away",
        text="the same laptop after a month, 1 % changed",
        devices=DEVICES,
        seed=seed,
        before=load.rounds,
        rounds=partial(_month, max(1, size // CELLS_PER_CASE), size // MONTH_SHARE, seed),
    )


def entries(size: int, seed: int) -> Workload:
    """Consultations are appended, eight to a case; nothing is ever replaced."""
    saves = max(1, size // len(CONSULTATION))
    cases = max(1, saves // ENTRIES_PER_CASE)
    return Workload(
        name="entries",
        text=f"append-only consultations of {len(CONSULTATION)} fields, {DEVICES} devices",
        devices=DEVICES,
        seed=seed,
        before=partial(cases_opened, cases),
        rounds=partial(_entries, saves, cases, seed),
    )


class _Cases:
    """Makes the saves of a case load; numbers the records of each case."""

    def __init__(self, values: Values, *, first_record: int) -> None:
        self._values = values
        self._next: dict[int, int] = {}
        self._first = first_record

    def save(self, case: int, type_name: str, fields: tuple[str, ...], device: int) -> Save:
        """A new record of a case."""
        record = self._next.get(case, self._first)
        self._next[case] = record + 1
        return Save(case, record, device, type_name, fields, self._values.all(fields))

    def opened(self, case: int, device: int) -> list[Save]:
        """Case and client."""
        fixed: dict[str, Value] = {"kinds[returning_migrant]": True, "status": [None, "open"]}
        values = tuple(fixed[f] if f in fixed else self._values.of(f) for f in CASE)
        return [
            Save(case, 0, device, "case", CASE, values),
            self.save(case, PERSON, PERSONAL, device),
        ]

    def later(self, case: int, device: int) -> list[Save]:
        """What is added to a case over the year."""
        chance = self._values.random
        found: list[Save] = []
        for type_name, fields, mean in (
            ("consent", CONSENT, 3.2),
            ("consultation", CONSULTATION, 3.55),
            ("note", NOTE, 1.5),
            ("risk_assessment", ASSESSMENT, 0.4),
        ):
            count = int(mean) + (chance.random() < mean % 1)
            found += [self._added(case, type_name, fields, device) for _ in range(count)]
        return found

    def _added(self, case: int, type_name: str, fields: tuple[str, ...], device: int) -> Save:
        if type_name != "consent":
            return self.save(case, type_name, fields, device)
        save = self.save(case, type_name, fields, device)
        return save._replace(values=(*save.values[:-1], True))  # in force


def _case_load(cases: int, seed: int) -> Iterator[Sequence[Save]]:
    """Cases are opened one after another; what follows comes in between, by the same office."""
    values = Values(seed)
    made = _Cases(values, first_record=1)
    timed: list[tuple[float, int, Save]] = []
    for case in range(cases):
        device = case % DEVICES
        opened_at = case / cases
        timed += [(opened_at, len(timed), save) for save in made.opened(case, device)]
        for save in made.later(case, device):
            timed.append((opened_at + values.random.random(), len(timed), save))
    timed.sort(key=lambda row: row[:2])
    yield from in_rounds([save for _, _, save in timed], SAVES_PER_ROUND)


def _month(cases: int, size: int, seed: int) -> Iterator[Sequence[Save]]:
    values = Values(f"{seed}/month")
    made = _Cases(values, first_record=1_000)
    chosen: list[Save] = []
    written = 0
    while written < size:
        case = values.random.randrange(cases)
        form = IN_ONE_COMPARTMENT[:5]
        chosen.append(Save(case, 1, case % DEVICES, PERSON, form, values.all(form)))
        chosen.append(made.save(case, "consultation", CONSULTATION, case % DEVICES))
        written += len(form) + len(CONSULTATION)
    yield from in_rounds(chosen, SAVES_PER_ROUND)


def _entries(saves: int, cases: int, seed: int) -> Iterator[Sequence[Save]]:
    made = _Cases(Values(seed), first_record=2)
    yield from in_rounds(
        [
            made.save(at % cases, "consultation", CONSULTATION, (at // cases + at) % DEVICES)
            for at in range(saves)
        ],
        cases,
    )
