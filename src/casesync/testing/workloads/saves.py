"""What a workload is: who saves what, in which order, seen by whom (testing).

No engine stands in here: the same saves are played on casesync and on the systems it is measured
beside. A workload is a sequence of *rounds*. Within a round a device sees its own saves only, so
that saves of two devices are concurrent; between rounds everybody exchanges everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

Value = str | int | bool | list[str | None]
"""As it stands in a cell; a list holds codes, or a state's step ``[from, to]``."""

NOTHING: Final[Sequence[Sequence[Save]]] = ()


class Save(NamedTuple):
    """One press of "save": fields of one record of one case."""

    case: int
    """Which case; its first save opens it."""
    record: int
    """Which record of the case; 0 is the case's own."""
    device: int
    """Which device saves, from 0."""
    type: str
    """Record type by name."""
    fields: tuple[str, ...]
    """Field names; ``name[element]`` is an element's presence."""
    values: tuple[Value, ...]


Rounds = Callable[[], Iterator[Sequence[Save]]]
"""Makes the rounds from the seed, each time the same ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Saves to be made, and what everybody holds before them."""

    name: str
    text: str
    """One line for tables."""
    devices: int
    seed: int
    before: Rounds
    """What every device has already; not measured."""
    rounds: Rounds
    """What is measured."""

    def saves(self) -> Iterator[Save]:
        """The measured saves in order."""
        for chosen in self.rounds():
            yield from chosen

    def cells(self) -> int:
        """Cell writes that are measured."""
        return sum(len(save.fields) for save in self.saves())


def nothing() -> Iterator[Sequence[Save]]:
    """No rounds."""
    return iter(NOTHING)


def in_rounds(saves: Sequence[Save], per_round: int) -> Iterator[Sequence[Save]]:
    """``saves`` cut into rounds."""
    for at in range(0, len(saves), per_round):
        yield saves[at : at + per_round]
