"""What one stream's base segments and statements say, folded in log order (access floor).

``protocol/membership.md`` (Verdict on a change) and ``protocol/keys.md`` (Entitled units). The fold
is a pure function of the control log and of the base and unsealed segments in the order of their
indexes; it never looks at content, so every replica that is served the stream reaches the same
verdicts, whatever it can read. It opens nothing itself: acts arrive decoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from casesync.access.base_acts import DestructionReceipt, Grant, Opening, Revocation
from casesync.access.statement_folding import boxed, stated
from casesync.access.stream_facts import (
    ChangeFacts,
    ControlView,
    GrantFact,
    Seen,
    StatementFact,
    mask_of,
)
from casesync.access.verdicts import COUNTS, VERDICTS, State, verdict_code
from casesync.foundation.ids import Compartment, StreamId, StreamKind, UnitId
from casesync.translog.unsealed import Statement, stream_id


class StreamRights:
    """The fold. ``judge`` and ``fold`` are called change by change in log order."""

    __slots__ = ("grants", "hidden", "opening", "statements")

    def __init__(self) -> None:
        self.opening: tuple[int, bytes, bytes | None, int, int] | None = None
        """(stream kind, owner unit, record or None, device, number)."""
        self.grants: list[GrantFact] = []
        self.statements: list[StatementFact] = []
        self.hidden: list[tuple[int, int]] = []
        """(device, number) of changes with acts that may count and cannot be read here (yet)."""

    # -- row form ----------------------------------------------------------------------------

    def to_row(self) -> list[Any]:
        """A plain list for the store."""
        return [self.opening, self.grants, self.statements, self.hidden]

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> StreamRights:
        """The fold that ``to_row`` stored."""
        rights = cls()
        if row:
            opening, grants, statements, hidden = row
            rights.hidden = [(device, number) for device, number in hidden or ()]
            rights.opening = None if opening is None else tuple(opening)
            rights.grants = [
                GrantFact._make(
                    [*g[:-2], None if g[-2] is None else tuple(g[-2]), tuple(map(tuple, g[-1]))]
                )
                for g in grants
            ]
            rights.statements = [StatementFact.from_row(s) for s in statements]
        return rights

    # -- questions ----------------------------------------------------------------------------

    @property
    def owner(self) -> UnitId | None:
        """The owning unit, None before the opening is known."""
        return None if self.opening is None else UnitId(self.opening[1])

    @property
    def kind(self) -> StreamKind | None:
        """What the stream holds, None before the opening is known."""
        return None if self.opening is None else StreamKind(self.opening[0])

    def grants_in_force(self, index: int, log_time_ms: int) -> list[GrantFact]:
        """Grants that hold for a change at ``index``."""
        return [g for g in self.grants if g.in_force(index, log_time_ms)]

    def statement(self, compartment: int, key_name: bytes) -> StatementFact | None:
        """The first valid statement of this compartment and key name, else the first of all."""
        name = (compartment, key_name)
        found = [s for s in self.statements if (s.compartment, s.key_name) == name]
        return next((s for s in found if s.valid), found[0] if found else None)

    def entitled(
        self,
        compartment: int,
        control: ControlView,
        control_size: int,
        grants: Iterable[GrantFact],
    ) -> list[UnitId]:
        """Units that a key of ``compartment`` must reach (``protocol/keys.md``)."""
        assert self.opening is not None
        kind, owner = self.opening[0], UnitId(self.opening[1])
        units: list[UnitId] = []
        if compartment == Compartment.ACCESS:
            units = list(control.audit_units_at(control_size)) if kind == StreamKind.ACCESS else []
        elif compartment == Compartment.BASE:
            units = [owner, *(UnitId(g.unit) for g in grants)]
            units += control.audit_units_at(control_size)
        else:
            bit = 1 << compartment
            units = [owner, *(UnitId(g.unit) for g in grants if g.mask & bit)]
        return list(dict.fromkeys(units))

    # -- the fold -----------------------------------------------------------------------------

    def judge(
        self, facts: ChangeFacts, control: ControlView, stream: StreamId, network: bytes, seen: Seen
    ) -> int:
        """Verdict code of one change, judged on what was folded so far; changes nothing."""
        reason = (
            self._author_reason(facts, control)
            or self._opening_reason(facts, control, stream, network)
            or self._hidden_reason(facts, control, seen)
            or self._unit_reason(facts, control)
            or self._keys_reason(facts, control, seen)
        )
        if reason == "statement-invalid" and self.hidden:
            reason = "base-missing"  # perhaps only because of a grant that a hidden act undoes
        return verdict_code(reason) if reason else COUNTS

    def _author_reason(self, facts: ChangeFacts, control: ControlView) -> str:
        if facts.control_size > control.size:
            return "control-missing"
        if facts.device > facts.control_size or control.unit_of(facts.device) is None:
            return "device-unknown"
        suspended = control.suspended_from(facts.device)
        return "suspended" if suspended is not None and facts.log_index >= suspended else ""

    def _opening_reason(
        self, facts: ChangeFacts, control: ControlView, stream: StreamId, network: bytes
    ) -> str:
        opening = next((a for a in facts.base or () if isinstance(a, Opening)), None)
        if self.opening is not None:
            return "opening-invalid" if opening is not None else ""
        random16 = None if facts.unsealed is None else facts.unsealed.random16
        derives = random16 is not None and stream == stream_id(
            network, facts.device, facts.number, random16
        )
        if opening is None:
            hidden = self.hidden or (facts.base_sealed and derives)
            return "base-missing" if hidden else "stream-unopened"
        owner_is_own = opening.owner == control.unit_of(facts.device)
        return "" if derives and owner_is_own else "opening-invalid"

    def _hidden_reason(self, facts: ChangeFacts, control: ControlView, seen: Seen) -> str:
        """Whether it takes acts that cannot be read here to judge the change.

        An office's own colleagues depend on grants only through the keys they state, and for those
        counts what they had seen: a member who writes acts that nobody can open stops, among them,
        only those who say that they saw them.
        """
        if self.opening is None:
            return ""
        if facts.base_sealed and self._may_act(facts, control):
            return "base-unreadable"
        if not self.hidden:
            return ""
        if control.unit_of(facts.device) != self.opening[1]:
            return "base-missing"
        vector = seen()
        known = any(vector.get(device, 0) >= number for device, number in self.hidden)
        return "base-missing" if known else ""

    def _unit_reason(self, facts: ChangeFacts, control: ControlView) -> str:
        if self.opening is None:
            return self._compartments_reason(facts, control, None)
        unit = control.unit_of(facts.device)
        if unit == self.opening[1]:
            return self._compartments_reason(facts, control, None)
        content = any(kind > Compartment.BASE for kind, _ in facts.segments)
        if not content and any(isinstance(act, DestructionReceipt) for act in facts.base or ()):
            return ""
        of_unit = [g for g in self.grants if g.unit == unit and g.write]
        in_force = [g for g in of_unit if g.in_force(facts.log_index, facts.log_time_ms)]
        if not in_force:
            return "grant-revoked" if of_unit else "no-grant"
        reason = self._compartments_reason(facts, control, mask_of(in_force))
        ended = reason and not self._compartments_reason(facts, control, mask_of(of_unit))
        return "grant-revoked" if ended else reason

    def _compartments_reason(
        self, facts: ChangeFacts, control: ControlView, granted_mask: int | None
    ) -> str:
        writes = control.writes_mask(facts.device)
        kind = self._kind_with(facts)
        for segment_kind, _ in facts.segments:
            if segment_kind <= Compartment.BASE:
                continue
            if segment_kind == Compartment.ACCESS:
                own = self.opening is None or self.opening[3] == facts.device
                if kind != StreamKind.ACCESS or not own:
                    return "compartment-not-allowed"
                continue
            allowed = writes if granted_mask is None else writes & granted_mask
            if kind == StreamKind.ACCESS or not allowed >> segment_kind & 1:
                return "compartment-not-allowed"
        return ""

    def _kind_with(self, facts: ChangeFacts) -> int | None:
        if self.opening is not None:
            return self.opening[0]
        opening = next((a for a in facts.base or () if isinstance(a, Opening)), None)
        return None if opening is None else int(opening.kind)

    def _keys_reason(self, facts: ChangeFacts, control: ControlView, seen: Seen) -> str:
        introduced: set[tuple[int, bytes]] = set()
        if facts.unsealed is not None and facts.unsealed.statements:
            trial = self._with_acts(facts)
            grants = trial.grants_seen(seen) if trial.grants else []
            # Only one's own: else who copies a pending commitment and is logged first could have
            # the honest change refused. A copy opens nothing: it is bound to the statement's place.
            taken = {s.key_name for s in self.statements if s.device == facts.device}
            for statement in facts.unsealed.statements:
                name = statement.commitment[:8]
                key = (statement.compartment, name)
                if (
                    name in taken
                    or key in introduced
                    or not self._statement_holds(facts, statement, control, trial, grants)
                ):
                    return "statement-invalid"
                introduced.add(key)
        for kind, name in facts.segments:
            if kind == 0 or (kind, name) in introduced:
                continue
            known = self.statement(kind, name)
            if known is None:
                return "statement-missing"
            if not known.valid:
                return "statement-invalid"
        return ""

    def _statement_holds(
        self,
        facts: ChangeFacts,
        statement: Statement,
        control: ControlView,
        trial: StreamRights,
        grants: Sequence[GrantFact],
    ) -> bool:
        """``trial`` has the change's own acts; ``grants`` are those its author had seen."""
        compartment = statement.compartment
        content = Compartment.BASE < compartment < Compartment.ACCESS
        if content and not control.reads_mask(facts.device) >> compartment & 1:
            return False
        if trial.opening is None or not self._may_state(facts, compartment, control, trial):
            return False
        units = trial.entitled(compartment, control, facts.control_size, grants)
        labels = {box.key_name for box in statement.boxes}
        for unit in units:
            name = control.unit_key_name_at(unit, compartment, facts.control_size)
            if name is not None and name not in labels:
                return False
        return True

    def _may_state(
        self, facts: ChangeFacts, compartment: int, control: ControlView, trial: StreamRights
    ) -> bool:
        """Whether the author may start a key here: who makes a key can read under it."""
        assert trial.opening is not None
        if compartment == Compartment.ACCESS:
            return trial.opening[0] == StreamKind.ACCESS and trial.opening[3] == facts.device
        unit = control.unit_of(facts.device)
        if compartment == Compartment.BASE or unit == trial.opening[1]:
            return True
        in_force = self.grants_in_force(facts.log_index, facts.log_time_ms)
        return any(g.unit == unit and g.write and g.mask >> compartment & 1 for g in in_force)

    def grants_seen(self, seen: Seen) -> list[GrantFact]:
        """Grants that an author who had seen ``seen`` must have taken for standing.

        One with an expiry is not among them: whether it was over depends on the author's clock, and
        clocks decide nothing. An honest author boxes to its unit all the same until it expires.
        """
        vector = seen()

        def known(device: int, number: int) -> bool:
            return vector.get(device, 0) >= number

        return [
            g
            for g in self.grants
            if g.expires_ms is None
            and known(g.device, g.number)
            and not any(known(device, number) for device, number, _ in g.revocations)
        ]

    def _with_acts(self, facts: ChangeFacts) -> StreamRights:
        trial = StreamRights()
        trial.opening, trial.grants = self.opening, list(self.grants)
        trial.fold_acts(facts)
        return trial

    def fold(self, facts: ChangeFacts, code: int, control: ControlView) -> None:
        """Take in what a judged change says; only one that counts says anything."""
        if self._hides_acts(facts, code, control):
            self.hidden.append((facts.device, facts.number))
        if VERDICTS[code].state is not State.COUNTS:
            if VERDICTS[code].reason == "statement-invalid" and facts.unsealed is not None:
                self.statements += stated(facts, facts.unsealed, valid=False)
            return
        self.fold_acts(facts, control)
        if facts.unsealed is not None:
            self.statements += stated(facts, facts.unsealed, valid=True)
            self.statements = boxed(self.statements, facts.device, facts.unsealed)

    def _hides_acts(self, facts: ChangeFacts, code: int, control: ControlView) -> bool:
        """Whether a change holds acts that are not void, perhaps, and cannot be told here.

        Nobody else's can: an opening by the device whose stream it is, then what a device of the
        owning unit whose role may grant wrote.
        """
        state, reason = VERDICTS[code]
        if state is not State.WAITING or not (facts.base_sealed or (facts.base and self.hidden)):
            return False
        if self.opening is None:
            return reason == "base-missing"
        return self._may_act(facts, control)

    def fold_acts(self, facts: ChangeFacts, control: ControlView | None = None) -> None:
        """Take in the acts alone; with ``control`` only those the author may write."""
        for act in facts.base or ():
            if isinstance(act, Opening) and self.opening is None:
                record = None if act.record is None else bytes(act.record)
                self.opening = (
                    int(act.kind),
                    bytes(act.owner),
                    record,
                    facts.device,
                    facts.number,
                )
            elif isinstance(act, Grant) and self._may_grant(facts, act, control):
                self._fold_grant(facts, act)
            elif isinstance(act, Revocation) and self._may_act(facts, control):
                self._fold_revocation(facts, act)

    def _may_act(self, facts: ChangeFacts, control: ControlView | None) -> bool:
        if control is None:
            return True
        own = self.opening is not None and control.unit_of(facts.device) == self.opening[1]
        return own and control.may_grant(facts.device)

    def _may_grant(self, facts: ChangeFacts, act: Grant, control: ControlView | None) -> bool:
        mask = sum(1 << int(c) for c in set(act.compartments))
        if mask >> Compartment.IDENTITY & 1 and not mask >> Compartment.CONTACT & 1:
            return False
        if not self._may_act(facts, control):
            return False
        if control is not None and mask & ~control.reads_mask(facts.device):
            return False
        revoked = [r for g in self.grants if g.unit == act.to_unit for r in g.revocations]
        latest = max(revoked, key=lambda r: r[2])[:2] if revoked else None
        named = None if act.revocation is None else tuple(act.revocation)
        return named == latest

    def _fold_grant(self, facts: ChangeFacts, act: Grant) -> None:
        if any(g.grant == act.grant for g in self.grants):
            return
        self.grants.append(
            GrantFact(
                grant=bytes(act.grant),
                unit=bytes(act.to_unit),
                mask=sum(1 << int(c) for c in set(act.compartments)),
                write=act.write,
                history=act.history,
                purpose=act.purpose,
                expires_ms=act.expires_ms,
                consent=bytes(act.consent),
                device=facts.device,
                number=facts.number,
                log_index=facts.log_index,
                log_time_ms=facts.log_time_ms,
                covers={int(device): int(number) for device, number in act.covers},
                revoked=None,
            )
        )

    def _fold_revocation(self, facts: ChangeFacts, act: Revocation) -> None:
        revoked = (facts.device, facts.number, facts.log_index)
        self.grants = [
            g if g.grant != act.grant else g.with_revocation(revoked) for g in self.grants
        ]

    def recorded(self, device: int, number: int, index: int) -> StreamRights:
        """The fold after this device's own change got its log index."""

        def moved(fact_index: int, dot: tuple[int, int]) -> int:
            return index if dot == (device, number) else fact_index

        self.statements = [
            s._replace(log_index=moved(s.log_index, (s.device, s.number))) for s in self.statements
        ]
        self.grants = [
            g._replace(log_index=moved(g.log_index, (g.device, g.number))) for g in self.grants
        ]
        return self
