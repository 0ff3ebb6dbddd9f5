"""The workloads by name (testing)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from casesync.testing.workloads import case_load, forms
from casesync.testing.workloads.saves import Workload

Maker = Callable[[int, int], Workload]
"""(cell writes, seed) -> workload."""

WORKLOADS: Final[dict[str, Maker]] = {
    "form-saves": forms.form_saves,
    "form-saves-5": partial(forms.form_saves, fields=5),
    "form-saves-2": partial(forms.form_saves, fields=2),
    "form-saves-3-compartments": forms.three_compartments,
    "entries": case_load.entries,
    "hot-record": forms.hot_record,
    "conflict-storm": forms.conflict_storm,
    "first-sync": case_load.first_sync,
    "month-away": case_load.month_away,
}
SEED: Final = 2026
