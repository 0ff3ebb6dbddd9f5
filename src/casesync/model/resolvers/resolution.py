"""What every resolver takes and gives (model).

Specified in ``protocol/record-model.md``, *Resolvers*. A resolver is a pure function of the live
writes of one cell and of what the schema says about its field; it never looks at other cells,
never changes the merge, and answers the same whatever the order of the writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from casesync.codec.canonical import pack


class CellWrite(NamedTuple):
    """One live write of a cell, as far as resolving it goes."""

    value: Any
    """None = absent."""
    clock_ms: int
    """The author's clock, as claimed."""
    log_time_ms: int | None
    """The relay's time of the leaf; None = not sent yet."""
    device: int
    number: int
    position: int


class Effective(NamedTuple):
    """What a field means now, and whether a person has to look at it."""

    value: Any
    """None = absent, or undecided while ``conflict``."""
    conflict: bool


class FieldFacts(Protocol):
    """What resolvers need of a field or part; ``schema_types.Field`` has it."""

    @property
    def order(self) -> tuple[str, ...]:
        """protective: codes, the most protective first; state: states, the winner first."""
        ...

    @property
    def absent_as(self) -> str | None:
        """protective: absent counts as this code; None = absent ranks below every code."""
        ...


class StateFacts(FieldFacts, Protocol):
    """What the resolver ``state`` needs besides."""

    @property
    def steps(self) -> Collection[tuple[str | None, str]]:
        """The legal (from, to); from None = nothing was set before."""
        ...


class Resolve(Protocol):
    """The function a resolver is."""

    def __call__(self, writes: Sequence[CellWrite], facts: FieldFacts | None) -> Effective:
        """The effective value of a cell with these live writes; facts None = unknown field."""
        ...


def canonical_bytes(value: Any) -> bytes:  # noqa: ANN401
    """Bytes that are equal for equal values; a value no honest author writes has some too."""
    try:
        return pack(value)
    except (TypeError, ValueError):
        return b"\xc1" + repr(value).encode("utf-8", "backslashreplace")


def differ(values: Iterable[Any]) -> bool:
    """Whether two or more different canonical values are among ``values``."""
    listed = list(values)
    return len(listed) > 1 and len({canonical_bytes(value) for value in listed}) > 1


def by_clock(write: CellWrite) -> tuple[int, int, int, int]:
    """Order by the claimed clock: for the earliest write."""
    return write.clock_ms, write.device, write.number, write.position


def by_time(write: CellWrite) -> tuple[int, int, int, int]:
    """The order of writes: a clock that runs ahead does not beat the time of the log."""
    time_ms = write.clock_ms
    if write.log_time_ms is not None:
        time_ms = min(time_ms, write.log_time_ms)
    return time_ms, write.device, write.number, write.position
