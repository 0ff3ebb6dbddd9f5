"""Workloads in which people save forms about a person (testing)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from casesync.testing.workloads.saves import Save, Workload
from casesync.testing.workloads.values import Values

PERSON: Final = "person"
IN_ONE_COMPARTMENT: Final = (
    "family_name",
    "middle_name",
    "given_name",
    "date_of_birth",
    "sex_on_file",
    "gender",
    "address",
    "address_area",
    "current_area",
    "religion",
)
IN_THREE_COMPARTMENTS: Final = (
    "family_name",
    "middle_name",
    "given_name",
    "address",
    "marital_status",
    "marriage_abroad_status",
    "migration_status",
    "safe_to_contact",
    "contact_rule",
    "date_of_birth",
)
FIELDS_MAX: Final = len(IN_ONE_COMPARTMENT)
SAVES_PER_CASE: Final = 4
DEVICES: Final = 4
HOT_DEVICES: Final = 8
HOT_FIELDS: Final = 2
HOT_SAVES_PER_ROUND: Final = 5
"""Saves of a device before it exchanges, on the hot record."""
STORM_SHARE: Final = 20
"""One save in so many has a concurrent twin on the same fields."""


def form_saves(size: int, seed: int, fields: int = FIELDS_MAX) -> Workload:
    """Forms of ``fields`` fields in one compartment; each save has seen the one before."""
    chosen = IN_ONE_COMPARTMENT[:fields]
    return _forms(
        "form-saves" if fields == FIELDS_MAX else f"form-saves-{fields}",
        f"form saves of {fields} fields, {DEVICES} devices",
        chosen,
        size // fields,
        seed,
    )


def three_compartments(size: int, seed: int) -> Workload:
    """Forms of ten fields that lie in three compartments."""
    return _forms(
        "form-saves-3-compartments",
        f"form saves of 10 fields in 3 compartments, {DEVICES} devices",
        IN_THREE_COMPARTMENTS,
        size // len(IN_THREE_COMPARTMENTS),
        seed,
    )


def conflict_storm(size: int, seed: int) -> Workload:
    """Form saves of which one in twenty meets a concurrent one on the same fields."""
    saves = size * STORM_SHARE // (STORM_SHARE + 1) // FIELDS_MAX
    return _forms(
        "conflict-storm",
        f"form saves of {FIELDS_MAX} fields, 5 % concurrent on the same fields",
        IN_ONE_COMPARTMENT,
        max(1, saves),
        seed,
        storm=True,
    )


def hot_record(size: int, seed: int) -> Workload:
    """Eight devices save two fields at a time on one record, five saves between exchanges."""
    return Workload(
        name="hot-record",
        text=f"{HOT_DEVICES} devices on one record, saves of {HOT_FIELDS} fields",
        devices=HOT_DEVICES,
        seed=seed,
        before=partial(_opened, 1),
        rounds=partial(_hot, max(1, size // HOT_FIELDS), seed),
    )


def cases_opened(cases: int) -> Iterator[Sequence[Save]]:
    """Every case with its person, as it is before forms are saved."""
    return _opened(cases)


def _forms(
    name: str,
    text: str,
    fields: tuple[str, ...],
    saves: int,
    seed: int,
    *,
    storm: bool = False,
) -> Workload:
    cases = max(1, saves // SAVES_PER_CASE)
    return Workload(
        name=name,
        text=text,
        devices=DEVICES,
        seed=seed,
        before=partial(_opened, cases),
        rounds=partial(_rounds, fields, max(1, saves), cases, seed, storm=storm),
    )


def _opened(cases: int) -> Iterator[Sequence[Save]]:
    yield [Save(case, 1, 0, PERSON, ("family_name",), ("x",)) for case in range(cases)]


def _rounds(
    fields: tuple[str, ...], saves: int, cases: int, seed: int, *, storm: bool
) -> Iterator[Sequence[Save]]:
    """Round by round every case is saved once, by another device than before."""
    values = Values(seed)
    for start in range(0, saves, cases):
        chosen = []
        for at in range(start, min(start + cases, saves)):
            case = at % cases
            device = (at // cases + case) % DEVICES
            chosen.append(Save(case, 1, device, PERSON, fields, values.all(fields)))
            if storm and at % STORM_SHARE == 0:
                other = (device + 1) % DEVICES
                chosen.append(Save(case, 1, other, PERSON, fields, values.all(fields)))
        yield chosen


def _hot(saves: int, seed: int) -> Iterator[Sequence[Save]]:
    values = Values(seed)
    per_round = HOT_DEVICES * HOT_SAVES_PER_ROUND
    for start in range(0, saves, per_round):
        chosen = []
        for at in range(start, min(start + per_round, saves)):
            fields = tuple(sorted(values.random.sample(IN_ONE_COMPARTMENT, HOT_FIELDS)))
            chosen.append(Save(0, 1, at % HOT_DEVICES, PERSON, fields, values.all(fields)))
        yield chosen
