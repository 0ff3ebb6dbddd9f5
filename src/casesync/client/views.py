"""What the library hands out: plain frozen values, no behaviour, no secrets (client).

A field named ``*_ms`` is a time in milliseconds since 1970, ``*_hex`` bytes in lower-case hex.
Text of records is raw: whoever shows it to people escapes it first (``model.safe_text``). Facts are
codes with parameters (``FACTS``), never sentences: the command line says them in Vietnamese or
English. Views of the network, of sync and of audits stand in ``client/network_views.py``.
The command line's JSON follows these classes field by field (``casesync_cli.render_json``), so a
change here is a change of a contract.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeVar

Item = TypeVar("Item")

FACTS: Final[dict[str, tuple[str, ...]]] = {
    # a case is incomplete
    "waiting-for-change": ("number", "unit"),  # seen by others, not here yet
    "waiting-for-unit": ("unit",),  # a supplement or a key that this office owes us
    "waiting-for-control": (),  # a newer control log is needed first
    "waiting-for-stream": (),  # its opening or a base segment is not here yet
    "waiting-for-key": ("compartment", "unit"),  # a box that does not open, or none yet
    "backfill-owed": (),  # older changes are still to be fetched
    "before-grant": ("unit",),  # older history was not shared
    "reported-not-admitted": ("type", "field", "value"),  # quarantined but protective
    "newer-schema": ("type",),  # written by a newer version
    # what sync still owes
    "outbox-pending": ("count",),
    "access-pending": ("count",),  # access entries not sealed yet
    "behind-checkpoint": ("count",),
    "backfills-pending": ("count",),
    "push-stopped": ("reason",),
    "relay-contradicted": ("reason",),
    "device-suspended": (),  # as the relay says
    "colleague-needed": ("compartments",),  # keys that only a colleague can wrap for us
    # warnings about this disk
    "disk-nearly-full": ("megabytes",),
    "access-reserve-missing": (),
    # warnings about the network
    "folder-copied": (),
    "colleague-waits": ("member", "device"),
    "unit-one-device": ("unit",),
    "network-one-administrator": (),
    "no-witnesses": (),
    "no-audit-unit": (),
    "clock-skew": ("minutes",),
    "role-not-held": ("unit",),
    # about a suspension
    "suspend-sole-device": ("unit",),
    "suspend-rotates-now": ("unit",),
    "suspend-rotates-later": ("unit",),
    "suspend-unsent-lost": ("device",),
    # flags of records
    "risk-without-assessment": (),
    "late-entry": ("type",),
    "approval-again": (),
    "illegal-step": ("field",),
    "integrity-conflict": ("field",),
}
"""Every fact code with the parameters it carries."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing worth saying about a case, a sync or the network."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Only known codes with exactly their parameters exist."""
        assert set(self.params) == set(FACTS[self.code]), (self.code, self.params)


@dataclass(frozen=True, slots=True)
class Assignment:
    """``TYPE[/ID].FIELD[ELEMENT].PART op VALUE`` as the command line parsed it.

    ``op``: ``set`` (=), ``add`` (+=), ``remove`` (-=) or ``unset``. ``record`` is a prefix of the
    record's id in hex; None means the only record of the type (or a new one). ``text`` is the
    value as typed; ``model.values`` parses it by the field's type.
    """

    type: str
    record: str | None
    field: str
    element: str | None
    part: str | None
    op: Literal["set", "add", "remove", "unset"]
    text: str | None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a list: ``count`` hits in all; ``after`` continues it, None at its end."""

    items: tuple[Item, ...]
    count: int
    after: str | None = None

    def __getitem__(self, index: int) -> Item:
        """One of those on this page; with it and ``len`` a page is walked as a list is."""
        return self.items[index]

    def __len__(self) -> int:
        """How many are on this page."""
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        """Those on this page, in order."""
        return iter(self.items)


# -- cases -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CopierView:
    """Who copied a write for this office, with a grant or behind it; the original is not here."""

    author: str
    unit: str
    device: int


@dataclass(frozen=True, slots=True)
class ValueView:
    """One live write of a cell."""

    value: object
    author: str
    unit: str
    device: int
    time_ms: int
    dot: str
    """``device.number.position``."""
    sent: bool = True
    copied_by: CopierView | None = None


@dataclass(frozen=True, slots=True)
class FieldView:
    """What a field means now: effective value, open conflict, and the writes behind it."""

    value: object
    conflict: bool = False
    sealed: bool = False
    """This device may not read it."""
    values: tuple[ValueView, ...] = ()
    elements: tuple[ElementView, ...] | None = None
    """For set fields: the elements; None otherwise."""
    flags: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class ElementView:
    """One element of a set field, with its parts."""

    element: object
    value: object = True
    conflict: bool = False
    sealed: bool = False
    values: tuple[ValueView, ...] = ()
    parts: Mapping[str, FieldView] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record of a case; ``amends`` names the record that this one amends."""

    type: str
    id_hex: str
    fields: Mapping[str, FieldView]
    amends_hex: str | None = None
    flags: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseView:
    """A whole case as this device may see it."""

    case: str
    """The case's code."""
    stream_hex: str
    base: str
    """Token: what was read; an edit with it replaces exactly this (``--base``)."""
    owner: str
    records: tuple[RecordView, ...]
    incomplete: tuple[Fact, ...] = ()
    sealed_compartments: tuple[str, ...] = ()
    conflicts: int = 0
    unsent: int = 0


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """A line of ``case list`` or ``case find``; ``fields`` maps ``type.field`` to values."""

    case: str
    stream_hex: str
    owner: str
    changed_ms: int | None
    """Clock of the newest live write; None if nothing of the case can be read here."""
    fields: Mapping[str, object]
    conflicts: int = 0
    disputed: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    """Of those in conflict the values that stand against each other, oldest first."""


@dataclass(frozen=True, slots=True)
class HistoryView:
    """One write of a case's history, live or replaced."""

    type: str
    record_hex: str
    field: str
    element: object
    part: str | None
    value: object
    author: str
    unit: str
    device: int
    time_ms: int
    log_time_ms: int | None
    dot: str
    live: bool
    sent: bool
    copied_by: CopierView | None = None


@dataclass(frozen=True, slots=True)
class ConflictView:
    """An open conflict: its values and what counts until a person resolves it."""

    id: str
    case: str
    type: str
    record_hex: str
    field: str
    element: object
    part: str | None
    values: tuple[ValueView, ...]
    effective: object
    since_ms: int


# -- sharing -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConsentView:
    """A recorded consent; ``given`` is its effective value (a withdrawal counts at once).

    What was not written, or stands in conflict, is None.
    """

    id_hex: str
    case: str
    purpose: str | None
    unit: str | None
    compartments: tuple[str, ...]
    form: str | None
    notice: str | None
    given: bool
    given_at_ms: int | None
    until_ms: int | None
    author: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A consent that was withdrawn, and the active grants that rest on it: to be revoked."""

    withdrawn_hex: str
    grants: tuple[GrantView, ...]


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant of compartments of one case to a unit."""

    id_hex: str
    case: str
    unit: str
    compartments: tuple[str, ...]
    purpose: str
    consent_hex: str
    write: bool
    history: bool
    granted_ms: int
    until_ms: int | None
    state: Literal["active", "expired", "revoked"]
    author: str
