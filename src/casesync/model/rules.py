"""Rules over changes: what a person should know although every cell merged (model).

Specified in ``protocol/schemas.md``, *Rules*. Resolvers look at one cell; these rules look at
which change had seen which: an entry written while a case was being closed, a plan edited since
it was approved, a risk level that rests on no assessment. They add flags beside values, change
nothing and refuse nothing. Pure functions of the live writes and of causality; clocks play no
part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from casesync.foundation.ids import Compartment
from casesync.model.schema_types import Labels, Rule, RuleKind, Schema


class ChangeRef(NamedTuple):
    """One change: which device wrote it and under which number."""

    device: int
    number: int


class LiveWrite(NamedTuple):
    """One live write of a stream, whatever cell it stands in (element and part included)."""

    record: bytes
    type: int
    field: int
    value: object
    """As it stands in the cell; of a state ``[from, to]``."""
    change: ChangeRef


class HappenedAfter(Protocol):
    """Causality as the headers' ``after`` carries it."""

    def __call__(self, later: ChangeRef, earlier: ChangeRef, /) -> bool:
        """Whether the author of ``later`` had applied ``earlier`` when writing; not if equal."""
        ...


class Flag(NamedTuple):
    """Something to show beside a field."""

    record: bytes
    type: int
    field: int
    rule: str
    """Name of the rule in the schema: stable, for programs."""
    labels: Labels
    """What people read."""
    change: ChangeRef
    """The change that wrote the flagged value."""
    causes: tuple[bytes, ...]
    """Records that caused it, ascending: the late entries; the record itself for edits; ()."""


def flags(
    schema: Schema,
    writes: Iterable[LiveWrite],
    happened_after: HappenedAfter,
    readable: Collection[Compartment],
) -> list[Flag]:
    """All flags of a stream, ordered by record, field, rule and change.

    Args:
        schema: whose rules apply.
        writes: the live writes this replica can read, in any order.
        happened_after: which change had seen which.
        readable: the compartments this replica reads in this stream.
    """
    by_type: dict[int, list[LiveWrite]] = {}
    for write in writes:
        by_type.setdefault(write.type, []).append(write)
    found: list[Flag] = []
    for number, record_type in schema.types.items():
        for rule in record_type.rules:
            anchors = [w for w in by_type.get(number, ()) if _in_force(rule, w)]
            if anchors and _judgeable(schema, rule, readable):
                found += _JUDGES[rule.kind](rule, anchors, by_type, happened_after)
    return sorted(found, key=lambda f: (f.record, f.type, f.field, f.rule, f.change))


def _in_force(rule: Rule, write: LiveWrite) -> bool:
    """Whether ``write`` gives the rule's anchor a value for which the rule is in force."""
    value = write.value
    if isinstance(value, list | tuple):
        value = value[-1] if value else None
    if write.field != rule.anchor or value is None:
        return False
    return not rule.values or (isinstance(value, str) and value in rule.values)


def _judgeable(schema: Schema, rule: Rule, readable: Collection[Compartment]) -> bool:
    """Whether what this replica cannot read could make the flag wrong."""
    if rule.kind is not RuleKind.NEEDS_ENTRY:
        return True
    needed = {c for number in rule.types for c in schema.compartments_of(number)}
    return needed <= set(readable)


def _concurrent_entry(
    rule: Rule,
    anchors: Sequence[LiveWrite],
    by_type: dict[int, list[LiveWrite]],
    happened_after: HappenedAfter,
) -> Iterator[Flag]:
    for anchor in anchors:
        late = {
            entry.record
            for entry in _entries(rule, by_type)
            if not _sees(happened_after, anchor.change, entry.change)
            and not _sees(happened_after, entry.change, anchor.change)
        }
        if late:
            yield _flag(rule, anchor, late)


def _unseen_edit(
    rule: Rule,
    anchors: Sequence[LiveWrite],
    by_type: dict[int, list[LiveWrite]],
    happened_after: HappenedAfter,
) -> Iterator[Flag]:
    for anchor in anchors:
        unseen = any(
            edit.field in rule.fields
            and edit.record == anchor.record
            and not _sees(happened_after, anchor.change, edit.change)
            for edit in by_type[anchor.type]
        )
        if unseen:
            yield _flag(rule, anchor, {anchor.record})


def _needs_entry(
    rule: Rule,
    anchors: Sequence[LiveWrite],
    by_type: dict[int, list[LiveWrite]],
    happened_after: HappenedAfter,
) -> Iterator[Flag]:
    for anchor in anchors:
        seen = (
            _sees(happened_after, anchor.change, entry.change) for entry in _entries(rule, by_type)
        )
        if not any(seen):
            yield _flag(rule, anchor, ())


def _entries(rule: Rule, by_type: dict[int, list[LiveWrite]]) -> Iterator[LiveWrite]:
    for number in rule.types:
        yield from by_type.get(number, ())


def _sees(happened_after: HappenedAfter, one: ChangeRef, other: ChangeRef) -> bool:
    return one == other or happened_after(one, other)


def _flag(rule: Rule, anchor: LiveWrite, causes: Iterable[bytes]) -> Flag:
    return Flag(
        anchor.record,
        anchor.type,
        anchor.field,
        rule.name,
        rule.labels,
        anchor.change,
        tuple(sorted(causes)),
    )


_Judge = Callable[
    [Rule, Sequence[LiveWrite], dict[int, list[LiveWrite]], HappenedAfter], Iterator[Flag]
]
_JUDGES: Final[dict[RuleKind, _Judge]] = {
    RuleKind.CONCURRENT_ENTRY: _concurrent_entry,
    RuleKind.UNSEEN_EDIT: _unseen_edit,
    RuleKind.NEEDS_ENTRY: _needs_entry,
}
