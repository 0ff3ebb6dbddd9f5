"""Views of membership, sync, health and audit; the rules of ``client/views.py`` hold (client)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from casesync.client.views import Fact

# -- membership --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UnitView:
    """An office."""

    id_hex: str
    name: str
    type: str
    parent: str | None
    devices: int
    keys_current: bool


@dataclass(frozen=True, slots=True)
class MemberView:
    """A person with a role at a unit."""

    id_hex: str
    name: str
    role: str
    unit: str
    administrator: bool
    devices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DeviceView:
    """An installation enrolled for one member."""

    number: int
    label: str | None
    member: str
    unit: str
    role: str
    state: Literal["active", "waiting-for-colleague", "suspended"]
    reason: str = ""
    """Why it is suspended, as whoever did it wrote it."""


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """This device in its network."""

    network: str
    network_id_hex: str
    member: str
    role: str
    unit: str
    device: int
    administrator: bool
    relay_url: str
    relay_key_hex: str


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation; ``text`` is None where only its administrator's device knows it."""

    id_hex: str
    text: str | None
    unit: str
    role: str
    administrator: bool
    expires_ms: int
    state: Literal["open", "used", "cancelled", "expired"] = "open"


@dataclass(frozen=True, slots=True)
class JoinStatus:
    """Where the joining side stands; ``code`` is what the inviter types."""

    state: Literal["posted", "code", "waiting", "joined"]
    code: str | None = None


@dataclass(frozen=True, slots=True)
class ApproveStatus:
    """Where the inviting side stands; at ``code`` the other screen's code is to be typed."""

    state: Literal["waiting", "nonce", "code", "joined"]
    member: str | None = None
    device: int | None = None
    code: str | None = None
    admitted: bool = False
    """Nobody new: a colleague who was waiting for keys has them now."""


@dataclass(frozen=True, slots=True)
class SuspendResult:
    """A suspension with a receipt."""

    device: int
    unit: str
    unit_rotated: bool
    sole_device: bool


# -- sync and health ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """Given to ``sync(progress=...)`` after each committed page."""

    received: int
    expected: int
    pushed: int
    outbox: int


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one sync did; ``synced`` only when nothing is owed in either direction."""

    pushed: int
    received: int
    """Changes of other devices."""
    pages: int
    round_trips: int
    conflicts: int
    quarantined: int
    """Changes that do not count (yet), as ``quarantine`` lists them."""
    synced: bool
    missing: tuple[Fact, ...] = ()
    confirmed: int = 0
    """Own changes that came back proven; only then do they leave the outbox."""
    awaiting: int = 0
    """Of the ``quarantined`` those that need no decision: a key or an earlier change comes."""


@dataclass(frozen=True, slots=True)
class OutboxView:
    """An own change the relay has not acknowledged and proven yet."""

    number: int
    case: str | None
    what: Literal["case", "access", "register"]
    size_bytes: int
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class StatusView:
    """Where this replica stands."""

    network: str
    unit: str
    relay_url: str
    synced: bool
    last_sync_ms: int | None
    cases: int
    changes: int
    outbox: int
    conflicts: int
    quarantined: int
    unsettled: int
    """Streams (of cases, registers, logs) in which the ``quarantined`` stand."""
    missing: tuple[Fact, ...]
    warnings: tuple[Fact, ...]
    control_checkpoint: str
    """``size root``."""
    change_checkpoint: str
    comparison_code: str
    """Both checkpoints in thirty digits, to be compared by telephone."""
    awaiting: int = 0
    """As in ``SyncReport``."""


@dataclass(frozen=True, slots=True)
class QuarantineView:
    """A change that does not count (yet), and why (``reason`` as in membership.md, *Verdict*)."""

    id: str
    """``device.number``."""
    state: Literal["waiting", "unreadable", "quarantined", "refused"]
    reason: str
    case: str | None
    author: str
    unit: str
    device: int
    number: int
    noticed_ms: int
    log_index: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``doctor``; texts are ``finding.CODE`` in the command line's catalogue."""

    level: Literal["ok", "warning", "error"]
    code: str
    params: Mapping[str, object] = field(default_factory=dict)


# -- audit -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AuditEntryView:
    """One access entry."""

    time_ms: int
    action: str
    outcome: Literal["success", "refused", "unknown"]
    """Unknown: the entry is malformed (action ``malformed``), at the time of the one before it."""
    member: str
    role: str
    unit: str
    device: int
    sequence: int
    case: str | None
    compartments: tuple[str, ...]
    records: tuple[str, ...]
    purpose: str | None
    basis_hex: str | None
    detail: str | None
    """A reason; of a refusal its code."""
    late: bool = False
    hits: int | None = None
    """Of a list or a search how many there were."""
    about: str | None = None
    """Of a refused control act ``device NUMBER`` or ``unit NAME``, as typed."""
    look: bool | None = None
    """Whether something was shown; false: written, or refused to be; None: malformed."""


@dataclass(frozen=True, slots=True)
class AuditDevice:
    """What the verification found for one device."""

    device: int
    member: str
    unit: str
    entries: int
    state: Literal["verified", "nothing", "failed"]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class AuditReport:
    """A finished verification without contradiction (one with raises ``AuditFailed``)."""

    entries: int
    control_entries: int
    control_checkpoint: str
    change_checkpoint: str
    offline: bool
    devices: tuple[AuditDevice, ...]
