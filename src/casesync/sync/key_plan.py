"""Which stream keys a change is sealed under, and which boxes go with it (sync floor).

``protocol/keys.md``, *Entitled units*: a writer uses the newest valid statement whose boxes reach
nobody who is no longer entitled, adds the boxes that are missing, and else starts a key.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from casesync.access.stream_facts import END_OF_LOG, GrantFact, StatementFact, opens_from
from casesync.access.stream_rights import StreamRights
from casesync.crypto.key_wrap import seal_base_predecessor
from casesync.foundation.errors import AccessDenied
from casesync.foundation.ids import Compartment, StreamId, UnitId
from casesync.sync.context import Engine
from casesync.sync.keyring import StreamKey
from casesync.translog.unsealed import (
    Box,
    MoreBoxes,
    Predecessor,
    Statement,
    first_statement_position,
)

_BEHIND_THE_LOG = END_OF_LOG * 2


@dataclass(slots=True)
class KeyPlan:
    """Keys by compartment for one change, and the unsealed items they bring along."""

    keys: dict[int, StreamKey] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    boxes: list[MoreBoxes] = field(default_factory=list)
    made: list[StreamKey] = field(default_factory=list)


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
        self._grants = rights.grants_in_force(_BEHIND_THE_LOG, engine.clock.now_ms())
        self._units: dict[int, list[UnitId]] = {}
        self.plan = KeyPlan()

    def units(self, compartment: int) -> list[UnitId]:
        """Units entitled to the compartment's key now."""
        found = self._units.get(compartment)
        if found is None:
            control = self._engine.control
            found = self._rights.entitled(compartment, control, control.size, self._grants)
            self._units[compartment] = found
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
        usable = None if fresh else self._newest_usable(compartment)
        if usable is None:
            self._start(compartment)
            return
        fact, key = usable
        self.plan.keys[compartment] = key
        self.add_boxes(fact, key)

    def add_boxes(self, fact: StatementFact, key: StreamKey) -> None:
        """Box an existing key to entitled units that it has not reached."""
        boxes = []
        for unit in self._lacking(fact):
            box = self._engine.keys.make_box(self._engine.control, self._stream, unit, key)
            if box is not None:
                boxes.append(box)
        if boxes:
            self.plan.boxes.append(MoreBoxes(fact.device, fact.number, fact.position, tuple(boxes)))

    def use_held(self, compartment: int) -> None:
        """Use the newest key that is held, whoever else reads it (a receipt's base segment)."""
        for fact in sorted(self._rights.statements, key=lambda s: s.log_index, reverse=True):
            key = self._engine.keys.get(self._stream, fact.compartment, fact.key_name)
            if fact.compartment == compartment and fact.valid and key is not None:
                self.plan.keys[compartment] = key
                return
        raise AccessDenied("no-key-for-compartment", compartment=Compartment(compartment).word)

    def box_all(self) -> None:
        """Box every newest key to the units that lack a box of it."""
        for fact, key in self.lacking_boxes():
            if fact.compartment not in self.plan.keys:
                self.plan.keys[fact.compartment] = key
                self.add_boxes(fact, key)

    def refresh_base(self) -> None:
        """Box the newest base key to units entitled since, or start one if readers left."""
        usable = self._newest_usable(Compartment.BASE)
        if usable is not None:
            self.add_boxes(*usable)
        else:
            self._start(Compartment.BASE)

    def box_history(self, compartments: set[int]) -> None:
        """Box every older key of ``compartments`` that is held to the units entitled now."""
        for fact in self._rights.statements:
            key = self._engine.keys.get(self._stream, fact.compartment, fact.key_name)
            if fact.compartment in compartments and fact.valid and key is not None:
                self.add_boxes(fact, key)

    def lacking_boxes(self) -> list[tuple[StatementFact, StreamKey]]:
        """Newest usable statements that a unit entitled since has no box of."""
        found = []
        for compartment in {fact.compartment for fact in self._rights.statements}:
            usable = self._newest_usable(compartment)
            if usable is None:
                continue
            if self._lacking(usable[0]):
                found.append(usable)
        return found

    def _lacking(self, fact: StatementFact) -> list[UnitId]:
        """Entitled units with a key that have no box of the statement, or gave theirs up."""
        labels = _labels(fact)
        found = []
        for unit in self.units(fact.compartment):
            current = self._engine.control.current_unit_key(unit, fact.compartment)
            if current is None:
                continue
            # The owner, and outside the content everybody, keeps what it was ever given.
            content = Compartment.BASE < fact.compartment < Compartment.ACCESS
            kept = unit == self._rights.owner or not content
            gave_up = not kept and fact.log_index < opens_from(
                self._rights.grants, unit, fact.compartment
            )
            if gave_up or current.name not in labels:
                found.append(unit)
        return found

    def _newest_usable(self, compartment: int) -> tuple[StatementFact, StreamKey] | None:
        facts = [
            fact
            for fact in self._rights.statements
            if fact.compartment == compartment and fact.valid
        ]
        if not facts:
            return None
        newest = max(facts, key=lambda fact: (fact.log_index, fact.number, fact.position))
        key = self._engine.keys.get(self._stream, compartment, newest.key_name)
        if key is None or not self._may_know(newest) or not self._reaches_only_entitled(newest):
            return None
        return newest, key

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
        control = self._engine.control
        entitled = set(self.units(fact.compartment))
        for label in _labels(fact):
            named = control.unit_key_by_name(label)
            if named is None or UnitId(named.unit) not in entitled:
                return False
            current = control.current_unit_key(UnitId(named.unit), fact.compartment)
            if current is None or current.name != label:
                return False
        return True

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
        owner, unit_of = self._rights.owner, self._engine.control.unit_of
        bases = [
            s
            for s in self._rights.statements
            if s.compartment == Compartment.BASE and s.valid and unit_of(s.device) == owner
        ]
        held = [
            (fact, previous)
            for fact in sorted(bases, key=lambda s: (s.log_index, s.number))
            if (previous := self._engine.keys.get(self._stream, Compartment.BASE, fact.key_name))
        ]
        if not held:
            return None
        fact, previous = held[-1]
        identity = self._engine.keys.statement(self._stream, Compartment.BASE, previous.statement)
        sealed = seal_base_predecessor(key.key, key.commitment, identity, previous.key)
        return Predecessor(fact.device, fact.number, fact.position, sealed)


def _labels(fact: StatementFact) -> set[bytes]:
    return {fact.labels[at : at + 8] for at in range(0, len(fact.labels), 8)}
