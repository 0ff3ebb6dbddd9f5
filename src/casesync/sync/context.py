"""What the engine knows while a replica is open (sync floor).

One object passed to every engine function: identity, keys, the folded control log, the ports of
time and randomness. It holds no connection and no file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from casesync.access.control_state import ControlState
from casesync.access.control_views import DeviceView, MemberView
from casesync.crypto.device_keys import DeviceSecrets
from casesync.crypto.signatures import Ed25519Signer
from casesync.foundation.errors import AuditFailed
from casesync.foundation.ids import CONTENT_COMPARTMENTS, DeviceNumber, NetworkId, UnitId
from casesync.foundation.ports import Clock, Entropy
from casesync.model.cells import Form
from casesync.model.schema import Schema
from casesync.sync.helper_port import Helper
from casesync.sync.keyring import KeyRing


class Standing(NamedTuple):
    """How a stream key stands under the control log."""

    usable: bool
    """Its maker may read what is sealed under it, and nobody has it who may not."""
    lacking: tuple[UnitId, ...]
    """Entitled units that are owed a box."""


def standing_name(
    head_hash: bytes, owner: bytes, device: int, compartment: int, labels: bytes, boxers: bytes
) -> tuple[Any, ...]:
    """Under what a standing is remembered, for keys of a case that never had a grant.

    Args:
        head_hash: of the control log.
        owner: the owning unit.
        device: which made the key.
        compartment: of the key.
        labels: names of the unit keys it was boxed to.
        boxers: the devices that wrote these boxes.
    """
    return head_hash, owner, device, compartment, labels, boxers


class Authorship(NamedTuple):
    """What the control log with this head says of this device as an author."""

    head_hash: bytes
    unit: UnitId
    writes_mask: int
    """Bit c is set if its role writes compartment c."""


@dataclass(slots=True, kw_only=True)
class Engine:
    """An open replica's engine state; the driver owns it, engine functions read and refresh it."""

    network: NetworkId
    device: DeviceNumber
    secrets: DeviceSecrets
    control: ControlState
    keys: KeyRing
    clock: Clock
    entropy: Entropy
    forms_checked: dict[tuple[int, int, Form], bool] = field(default_factory=dict)
    """Cache of ``change_reader.fields_allowed``: (schema version, compartment, form)."""

    standings: dict[tuple[Any, ...], Standing] = field(default_factory=dict)
    """Cache of ``key_plan.KeyPlanner``, for cases that never had a grant."""
    authorship: Authorship | None = None
    """Cache of ``usual_keys``."""
    own_chain: tuple[bytes, int, bytes] | None = None
    """Cache of ``author``: the stored value of its chain, and what stands in it."""
    log_time_ms: int = 0
    """The largest log time that was proven here."""
    second_thread: bool = False
    """Whether there is a processor for one."""
    helper: Helper | None = None
    """A process that may take streams in beside this one; None: this one does everything."""
    _signer: Ed25519Signer | None = None

    def log_now_ms(self) -> int:
        """Log time as far as this device knows it, for what ends at a date.

        Its own clock may only make things stricter: it counts where it is ahead (DESIGN.md 4).
        """
        return max(self.clock.now_ms(), self.log_time_ms)

    @property
    def signer(self) -> Ed25519Signer:
        """Signs this device's changes; made once, which costs as much as a signature."""
        if self._signer is None:
            self._signer = self.secrets.change_signer()
        return self._signer

    @property
    def me(self) -> DeviceView:
        """This device as the control log has it.

        Raises: AuditFailed: ``audit-log-differs``: the stored log does not name it any more.
        """
        device = self.control.device(self.device)
        if device is None:
            raise AuditFailed("audit-log-differs", log="control", index=self.control.size)
        return device

    @property
    def member(self) -> MemberView:
        """The member this device is enrolled for."""
        return self.control.member(self.me.member)

    @property
    def unit(self) -> UnitId:
        """The unit of this device's member."""
        return self.me.unit

    @property
    def schema(self) -> Schema:
        """The newest schema in the control log."""
        return self.control.schema()

    def reads(self, compartment: int) -> bool:
        """Whether this member's role reads the compartment."""
        return bool(self.control.reads_mask(self.device) >> compartment & 1)

    def writes(self, compartment: int) -> bool:
        """Whether this member's role writes the compartment."""
        return bool(self.control.writes_mask(self.device) >> compartment & 1)

    def readable_compartments(self) -> list[int]:
        """Content compartments that the role reads."""
        return [int(c) for c in CONTENT_COMPARTMENTS if self.reads(c)]
