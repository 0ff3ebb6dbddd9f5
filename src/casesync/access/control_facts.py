"""The folded control log as plain containers (access floor).

``control_rules`` changes them, ``control_state`` answers questions about them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from casesync.access.control_views import (
    DeviceView,
    MemberView,
    SchemaVersion,
    Suspension,
    UnitView,
    Void,
)
from casesync.access.roles import RoleTable
from casesync.access.unit_keys import UnitKeys
from casesync.crypto.device_keys import DevicePublic
from casesync.foundation.ids import FeedId, InvitationId, MemberId, NetworkId, UnitId
from casesync.merkle.hashing import EMPTY_ROOT
from casesync.translog.control_acts import GenesisPublic
from casesync.translog.control_entry import GENESIS_PREVIOUS

_NO_NETWORK: Final = NetworkId(bytes(32))


@dataclass(slots=True)
class ControlFacts:
    """Everything the entries so far say; ``size`` entries were folded."""

    size: int = 0
    head_hash: bytes = GENESIS_PREVIOUS
    head_change_size: int = 0
    """Of the newest entry, void or not: a new entry must not be below it."""
    change_size: int = 0
    """Largest effective position of an entry that counts."""
    change_root: bytes = EMPTY_ROOT
    network: NetworkId = _NO_NETWORK
    relay_key: bytes = b""
    genesis: tuple[GenesisPublic, DevicePublic] | None = None
    name: str = ""
    units: dict[UnitId, UnitView] = field(default_factory=dict)
    members: dict[MemberId, MemberView] = field(default_factory=dict)
    devices: dict[int, DeviceView] = field(default_factory=dict)
    unit_keys: UnitKeys = field(default_factory=UnitKeys)
    role_tables: list[tuple[int, RoleTable]] = field(default_factory=list)
    """(control index, table), ascending."""
    schemas: list[SchemaVersion] = field(default_factory=list)
    suspensions: list[Suspension] = field(default_factory=list)
    voids: list[Void] = field(default_factory=list)
    invitations: dict[InvitationId, int] = field(default_factory=dict)
    """Device that an invitation enrolled."""
    feeds: set[FeedId] = field(default_factory=set)
    """Feeds that are taken."""
    signing_keys: set[bytes] = field(default_factory=set)
    """Change and request keys that are taken."""

    def role_table(self, size: int | None = None) -> RoleTable | None:
        """The table in force as of the first ``size`` entries."""
        for index, table in reversed(self.role_tables):
            if size is None or index < size:
                return table
        return None

    def reads(self, device: int) -> frozenset[int]:
        """Compartments the device's role reads, ``base`` included; none if it is not enrolled."""
        view, table = self.devices.get(device), self.role_table()
        return frozenset() if view is None or table is None else table.reads(view.role)
