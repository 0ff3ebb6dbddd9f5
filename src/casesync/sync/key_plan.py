"""Which stream keys a change is sealed under, and which boxes go with it (sync floor).

``protocol/keys.md``, *Entitled units*: a writer uses the newest valid statement whose boxes reach
nobody who is no longer entitled, adds the boxes that are missing, and else starts a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from casesync.access.stream_facts import END_OF_LOG, GrantFact, StatementFact, opens_from
from casesync.access.stream_rights import StreamRights
from casesync.crypto.key_wrap import seal_base_predecessor
from casesync.foundation.errors import AccessDenied
from casesync.foundation.ids import Compartment, StreamId, StreamKind, UnitId
from casesync.sync.context import Engine, Standing, standing_name
from casesync.sync.keyring import Dot, StreamKey
from casesync.sync.statement_keys import believed_boxes, reached
from casesync.sync.stream_past import StreamPast
from casesync.translog.unsealed import (
    Box,
    MoreBoxes,
    Predecessor,
    Statement,
    first_statement_position,
)

_BEHIND_THE_LOG = END_OF_LOG * 2
STANDINGS_MAX: Final = 1024
"""Of a device, a compartment and the unit keys boxed to: an office has some dozens."""

OwedBoxes = tuple[StatementFact, StreamKey, list[UnitId]]
"""A key that is held, and units that lack it."""
Past = Callable[[], StreamPast]
"""The stream's past, read when it is asked for."""


@dataclass(slots=True)
class KeyPlan:
    """Keys by compartment for one change, and the unsealed items they bring along."""

    keys: dict[int, StreamKey] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    boxes: list[MoreBoxes] = field(default_factory=list)
    made: list[StreamKey] = field(default_factory=list)
    usual: bool = False
    """Nothing is planned, and the change is known to count (``usual_keys``)."""


class KeyPlanner:
    """Plans the keys of one change of ``stream`` with number ``number``."""

    def __init__(
        self,
        engine: Engine,
        stream: StreamId,
        rights: StreamRights,
        number: int,
        random16: bytes | None,
    ) -> None:
        """Args: rights: the fold as it will be once this change's own acts are taken in."""
        self._engine = engine
        self._stream = stream
        self._rights = rights
        self._number = number
        self._position = first_statement_position(random16)
        self._grants = rights.grants_in_force(_BEHIND_THE_LOG, engine.log_now_ms())
        self._units: dict[int, list[UnitId]] = {}
        self._current: dict[int, dict[UnitId, bytes]] = {}
        self._standings: dict[tuple[Any, ...], Standing] = {}
        self.plan = KeyPlan()

    def units(self, compartment: int) -> list[UnitId]:
        """Units entitled to the compartment's key now."""
        found = self._units.get(compartment)
        if found is None:
            control = self._engine.control
            found = self._rights.entitled(compartment, control, control.size, self._grants)
            self._units[compartment] = found
        return found

    def _current_names(self, compartment: int) -> dict[UnitId, bytes]:
        """Entitled units that have a key to box to, with its name."""
        found = self._current.get(compartment)
        if found is None:
            found = self._current[compartment] = {}
            for unit in self.units(compartment):
                key = self._engine.control.current_unit_key(unit, compartment)
                if key is not None:
                    found[unit] = key.name
        return found

    @property
    def grants(self) -> list[GrantFact]:
        """Grants in force now."""
        return self._grants

    def use(self, compartment: int, *, fresh: bool = False) -> None:
        """Make sure that the change has a key for ``compartment``.

        Raises:
            AccessDenied: ``no-key-for-compartment``: this device holds no key it may use and its
                unit has none to start one under.
        """
        if compartment in self.plan.keys:
            return
        fact = None if fresh else self._newest_usable(compartment)
        key = None if fact is None else self._key(fact)
        if fact is None or key is None:
            self._start(compartment)
            return
        self.plan.keys[compartment] = key
        self._box_lacking(fact)

    def _key(self, fact: StatementFact) -> StreamKey | None:
        return self._engine.keys.get(self._stream, fact.compartment, fact.key_name)

    def _box_lacking(self, fact: StatementFact) -> None:
        """Box an existing key to entitled units that it has not reached."""
        units = self._standing(fact).lacking
        key = self._key(fact) if units else None
        if key is not None:
            self.add_boxes(fact, key, units)

    def add_boxes(self, fact: StatementFact, key: StreamKey, units: Iterable[UnitId]) -> None:
        """Box an existing key to ``units``."""
        dot = _dot(fact)
        planned = {box.key_name for more in self.plan.boxes if more[:3] == dot for box in more[3]}
        boxes = []
        for unit in units:
            box = self._engine.keys.make_box(self._engine.control, self._stream, unit, key)
            if box is not None and box.key_name not in planned:
                boxes.append(box)
        if boxes:
            self.plan.boxes.append(MoreBoxes(*dot, tuple(boxes)))

    def use_held(self, compartment: int) -> None:
        """Use the newest key that is held, whoever else reads it (a receipt's base segment)."""
        for fact in sorted(self._rights.statements, key=lambda s: s.log_index, reverse=True):
            key = self._key(fact)
            if fact.compartment == compartment and fact.valid and key is not None:
                self.plan.keys[compartment] = key
                return
        raise AccessDenied("no-key-for-compartment", compartment=Compartment(compartment).word)

    def refresh_base(self) -> None:
        """Box the newest base key to units entitled since, or start one if readers left."""
        fact = self._newest_usable(Compartment.BASE)
        if fact is not None:
            self._box_lacking(fact)
        else:
            self._start(Compartment.BASE)
        for owed in self._base_forks():
            self.add_boxes(*owed)

    def box_history(self, compartments: set[int]) -> None:
        """Box every older key of ``compartments`` that is held to the units entitled now."""
        for fact in self._rights.statements:
            if fact.compartment in compartments and fact.valid:
                self._box_lacking(fact)

    def owed_boxes(self, past: Past) -> list[OwedBoxes]:
        """Keys with the units to which a holder owes a box, beside those of its next change.

        The owner's devices box the newest keys to units entitled since; who lacked a key of its own
        when another was made gets that one now. A grantee's devices only see to it that the owner
        reads what they wrote.
        """
        owed: list[OwedBoxes] = []
        if self._engine.unit == self._rights.owner:
            for compartment in {fact.compartment for fact in self._rights.statements}:
                newest = self._newest_usable(compartment)
                lacking = () if newest is None else self._standing(newest).lacking
                if newest is not None and lacking and (key := self._key(newest)) is not None:
                    owed.append((newest, key, list(lacking)))
            owed += self._base_forks()
        for fact in self._rights.statements:
            key = self._key(fact)
            if key is not None and fact.valid and (units := self._left_out(fact, past)):
                owed.append((fact, key, units))
        return owed

    def _left_out(self, fact: StatementFact, past: Past) -> list[UnitId]:
        """Units that are to have a key that they were not given when it was made."""
        owner, compartment = self._rights.owner, fact.compartment
        content = Compartment.BASE < compartment < Compartment.ACCESS
        shared = self._engine.unit == owner and content
        # Under another grantee's base key lie only its receipts: nobody boxes that to the owner.
        ours = content or self._engine.control.unit_of(fact.device) == self._engine.unit
        found = []
        for unit in self._current_names(compartment):
            if unit == owner:
                due = ours and not reached(self._engine, fact, owner, owner)
            else:
                due = shared and self._due_to_grantee(fact, unit, past)
            if due:
                found.append(unit)
        return found

    def _due_to_grantee(self, fact: StatementFact, unit: UnitId, past: Past) -> bool:
        """Whether a grant in force gives a content key to a unit that lacks it.

        A grant with history gives every key. Any other one those whose makers had seen it: they
        left the unit out because it had no key of its own.
        """
        grants = [g for g in self._grants if g.unit == unit and g.mask >> fact.compartment & 1]
        begin = opens_from(self._rights.grants, unit, fact.compartment)
        if any(grant.history for grant in grants):
            since = past().boxed_since(_dot(fact), begin)
            believed = believed_boxes(self._engine, fact, self._rights.owner)
            return unit not in {named for label, named in believed.items() if label in since}
        if fact.log_index < begin or reached(self._engine, fact, self._rights.owner, unit):
            return False
        seen = past().seen_by(fact.device, fact.number)
        return any(seen.get(grant.device, 0) >= grant.number for grant in grants)

    def _base_forks(self) -> list[OwedBoxes]:
        """Base keys that no chain of predecessors brings to a unit that is to read all acts.

        Two colleagues who start one at the same time both continue the same; the next continues
        only one of them.
        """
        if self._engine.unit != self._rights.owner:
            return []
        bases = {_dot(fact): fact for fact in self._owners_bases()}
        if len(bases) < 2:
            return []
        planned = [more[:3] for more in self.plan.boxes]
        for statement in self.plan.statements:
            if statement.predecessor is not None:
                planned.append(statement.predecessor[:3])
        owed: dict[Dot, list[UnitId]] = {}
        for unit in self._current_names(Compartment.BASE):
            boxed = [
                dot
                for dot, fact in bases.items()
                if reached(self._engine, fact, self._rights.owner, unit)
            ]
            opened = _chained(bases, planned + boxed)
            for dot in sorted(bases, key=lambda dot: bases[dot].log_index, reverse=True):
                if dot not in opened:
                    owed.setdefault(dot, []).append(unit)
                    opened |= _chained(bases, [dot])
        keys = {dot: self._key(bases[dot]) for dot in owed}
        return [(bases[dot], key, owed[dot]) for dot, key in keys.items() if key is not None]

    def _owners_bases(self) -> list[StatementFact]:
        """Base statements of the owner's devices, whose chains open all acts."""
        owner, unit_of = self._rights.owner, self._engine.control.unit_of
        return [
            fact
            for fact in self._rights.statements
            if fact.compartment == Compartment.BASE and fact.valid and unit_of(fact.device) == owner
        ]

    def _lacking(self, fact: StatementFact) -> list[UnitId]:
        """Entitled units with a key that have no box of the statement, or gave theirs up."""
        labels = believed_boxes(self._engine, fact, self._rights.owner)
        found = []
        for unit, name in self._current_names(fact.compartment).items():
            # The owner, and outside the content everybody, keeps what it was ever given.
            content = Compartment.BASE < fact.compartment < Compartment.ACCESS
            kept = unit == self._rights.owner or not content
            gave_up = not kept and fact.log_index < opens_from(
                self._rights.grants, unit, fact.compartment
            )
            if gave_up or name not in labels:
                found.append(unit)
        return found

    def _newest_usable(self, compartment: int) -> StatementFact | None:
        """The newest statement of a key, if that is held here and may be written under."""
        facts = [
            fact
            for fact in self._rights.statements
            if fact.compartment == compartment and fact.valid
        ]
        if not facts:
            return None
        newest = max(facts, key=lambda fact: (fact.log_index, fact.number, fact.position))
        held = self._engine.keys.holds(self._stream, compartment, newest.key_name)
        return newest if held and self._standing(newest).usable else None

    def _standing(self, fact: StatementFact) -> Standing:
        """What the control log and the grants say of a key.

        Without grants it is the same for every stream of an office whose keys were boxed alike.
        """
        opening = self._rights.opening
        assert opening is not None
        alone = opening[0] == StreamKind.CASE and not self._rights.grants
        known = self._engine.standings if alone else self._standings
        name = standing_name(
            self._engine.control.head_hash,
            opening[1],
            *(fact.device, fact.compartment, fact.labels, fact.boxers),
        )
        if not alone:
            name = (*name, fact.log_index)
        found = known.get(name)
        if found is None:
            usable = self._may_know(fact) and self._reaches_only_entitled(fact)
            found = Standing(usable, tuple(self._lacking(fact)))
            if len(known) >= STANDINGS_MAX:
                known.clear()
            known[name] = found
        return found

    def _may_know(self, fact: StatementFact) -> bool:
        """Whether the device that made the key may read what is sealed under it now.

        Whoever makes a key knows it, whatever its boxes say: an office that was not given the
        compartment, one that was revoked, a reader whom no holder of the unit key has let in.
        """
        engine, maker = self._engine, self._engine.control.device(fact.device)
        if maker is None or not maker.active:
            return False
        if maker.number == engine.device:
            return True
        if fact.compartment == Compartment.BASE and maker.unit != self._rights.owner:
            return False  # the owner's own chain of base keys is what opens all its base segments
        return maker.unit in self.units(fact.compartment) and engine.control.holds_key(
            maker.number, maker.unit, fact.compartment
        )

    def _reaches_only_entitled(self, fact: StatementFact) -> bool:
        return _labels(fact).issubset(self._current_names(fact.compartment).values())

    def _start(self, compartment: int) -> None:
        engine = self._engine
        dot = (int(engine.device), self._number, self._position)
        key = engine.keys.prepare(self._stream, compartment, dot, engine.entropy.bytes(32))
        boxes: list[Box] = []
        for unit in self.units(compartment):
            box = engine.keys.make_box(engine.control, self._stream, unit, key)
            if box is not None:
                boxes.append(box)
        if not boxes and compartment != Compartment.ACCESS:
            raise AccessDenied("no-key-for-compartment", compartment=Compartment(compartment).word)
        predecessor = self._predecessor(key) if compartment == Compartment.BASE else None
        self.plan.statements.append(
            Statement(self._position, compartment, key.commitment, tuple(boxes), predecessor)
        )
        self.plan.keys[compartment] = key
        self.plan.made.append(key)
        self._position += 1

    def _predecessor(self, key: StreamKey) -> Predecessor | None:
        held = [
            (fact, previous)
            for fact in sorted(self._owners_bases(), key=lambda s: (s.log_index, s.number))
            if (previous := self._engine.keys.get(self._stream, Compartment.BASE, fact.key_name))
        ]
        if not held:
            return None
        fact, previous = held[-1]
        identity = self._engine.keys.statement(self._stream, Compartment.BASE, previous.statement)
        sealed = seal_base_predecessor(key.key, key.commitment, identity, previous.key)
        return Predecessor(fact.device, fact.number, fact.position, sealed)


def _dot(fact: StatementFact) -> Dot:
    return fact.device, fact.number, fact.position


def _chained(bases: Mapping[Dot, StatementFact], dots: Iterable[Dot]) -> set[Dot]:
    """The base keys that these open: themselves and all that they continue."""
    found: set[Dot] = set()
    for dot in dots:
        at: Dot | None = dot
        while at is not None and at in bases and at not in found:
            found.add(at)
            at = bases[at].predecessor
    return found


def _labels(fact: StatementFact) -> set[bytes]:
    return {fact.labels[at : at + 8] for at in range(0, len(fact.labels), 8)}
