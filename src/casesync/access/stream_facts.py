"""What a verdict rests on, as plain values (access floor; ``protocol/membership.md``, Verdict).

``stream_rights`` folds them. What the control log says is asked through ``ControlView``, which
``control_state.ControlState`` fulfils.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from casesync.access.base_acts import BaseAct
from casesync.foundation.ids import UnitId
from casesync.translog.unsealed import UnsealedItems

END_OF_LOG = 1 << 60
"""An unsent change is judged at this index plus its number: behind the log, in its order."""

NOTHING_OPENS = END_OF_LOG * 2
"""Behind every log index, those of unsent changes included."""

Seen = Callable[[], Mapping[int, int]]
"""Per device the newest number in this stream that the author had seen; computed on demand."""


class ControlView(Protocol):
    """What a verdict asks of the control log (implemented by ``ControlState``)."""

    @property
    def size(self) -> int:
        """Entries of the control log held."""
        ...

    def suspended_from(self, device: int) -> int | None:
        """Change-log size from which the device's changes are quarantined, or None."""
        ...

    def unit_of(self, device: int) -> UnitId | None:
        """The unit of an enrolled device."""
        ...

    def writes_mask(self, device: int) -> int:
        """Bit c is set if the device's role writes compartment c."""
        ...

    def reads_mask(self, device: int) -> int:
        """Bit c is set if the device's role reads compartment c."""
        ...

    def may_grant(self, device: int) -> bool:
        """Whether the device's role may grant."""
        ...

    def audit_units_at(self, size: int) -> Sequence[UnitId]:
        """Units of type audit that stand in the first ``size`` entries."""
        ...

    def unit_key_name_at(self, unit: UnitId, compartment: int, size: int) -> bytes | None:
        """Name of the unit's current (not retired) key as of the first ``size`` entries."""
        ...


class ChangeFacts(NamedTuple):
    """Everything a verdict depends on, of one verified change."""

    device: int
    number: int
    control_size: int
    log_index: int
    """Log index; END_OF_LOG + number for an unsent change."""
    log_time_ms: int
    location: int
    segments: Sequence[tuple[int, bytes]]
    """(kind, key name) in the order of the segment table."""
    unsealed: UnsealedItems | None
    base: Sequence[BaseAct] | None
    """Decoded acts; None if there is no base segment or it cannot be opened."""
    base_sealed: bool
    """There is a base segment and it cannot be opened here (yet)."""


class StatementFact(NamedTuple):
    """One statement as the fold keeps it; its boxes' bytes stay in the change at ``location``."""

    device: int
    number: int
    position: int
    compartment: int
    key_name: bytes
    location: int
    log_index: int
    valid: bool
    labels: bytes
    """Names (8 bytes each) of the unit keys it has been boxed to so far."""
    boxers: bytes = b""
    """Which device (u32) wrote each of these boxes."""
    predecessor: tuple[int, int, int] | None = None
    """Of a ``base`` key: (device, number, position) of the one it carries."""

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> StatementFact:
        """The fact as the store gives it back."""
        fact = cls._make(row)
        if fact.predecessor is None:
            return fact
        device, number, position = fact.predecessor
        return fact._replace(predecessor=(device, number, position))

    def boxes(self) -> list[tuple[bytes, int]]:
        """(name of the unit key, device that wrote the box), in log order."""
        return [
            (self.labels[2 * at : 2 * at + 8], int.from_bytes(self.boxers[at : at + 4], "big"))
            for at in range(0, len(self.boxers), 4)
        ]


class GrantFact(NamedTuple):
    """A grant that is not void."""

    grant: bytes
    unit: bytes
    mask: int
    write: bool
    history: bool
    purpose: str
    expires_ms: int | None
    consent: bytes
    device: int
    number: int
    log_index: int
    log_time_ms: int
    covers: Mapping[int, int]
    """Per device the newest number that its snapshot has taken in."""
    revoked: tuple[int, int, int] | None
    """(device, number, index) of the revocation."""
    revoked_again: tuple[tuple[int, int, int], ...] = ()
    """Likewise what others revoked who had not seen that one."""

    def in_force(self, index: int, log_time_ms: int) -> bool:
        """Whether the grant holds for a change at ``index`` stamped ``log_time_ms``."""
        if self.log_index >= index or (self.revoked is not None and self.revoked[2] < index):
            return False
        return self.expires_ms is None or log_time_ms < self.expires_ms

    @property
    def revocations(self) -> tuple[tuple[int, int, int], ...]:
        """Every revocation of the grant; the first counts, an author may have seen another."""
        return () if self.revoked is None else (self.revoked, *self.revoked_again)

    def with_revocation(self, revoked: tuple[int, int, int]) -> GrantFact:
        """The grant once (device, number, index) has revoked it too."""
        if self.revoked is None:
            return self._replace(revoked=revoked)
        return self._replace(revoked_again=(*self.revoked_again, revoked))

    def lies_behind(self, device: int, number: int) -> bool:
        """Whether the granting device had not seen this change: its snapshot lacks it.

        Wherever the relay put it: what was pushed first may have been unseen all the same.
        """
        return number > self.covers.get(device, 0)


def mask_of(grants: Iterable[GrantFact]) -> int:
    """Bit c is set if one of the grants names compartment c."""
    mask = 0
    for grant in grants:
        mask |= grant.mask
    return mask


def opens_from(grants: Sequence[GrantFact], unit: bytes, compartment: int) -> int:
    """Log index from which on a unit that is not the owner opens boxes of a compartment.

    Its newest grant of the compartment that counts and found none in force: what was revoked or
    lapsed is given up, also by who learns of end and new beginning together, and what a void grant
    boxed is left closed. ``NOTHING_OPENS`` without a grant that stands.
    """
    of_unit = [g for g in grants if g.unit == unit and g.mask >> compartment & 1]
    if all(grant.revoked is not None for grant in of_unit):
        return NOTHING_OPENS
    return max(
        grant.log_index
        for grant in of_unit
        if not any(other.in_force(grant.log_index, grant.log_time_ms) for other in of_unit)
    )
