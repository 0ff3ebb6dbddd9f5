"""The control log, folded: who belongs, with which rights, and which keys count (access floor).

``protocol/membership.md``. A pure fold over the entries in their order. Bytes that nobody signed
as the next entry are the relay's fault and raise; an authentic entry that its signer's rights do
not cover, or whose body is malformed, is *void*: it keeps its index and does nothing, on every
replica alike. "What the author had seen" is asked with the control size the author knew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from casesync.access.control_facts import ControlFacts
from casesync.access.control_opened import Blobs, SealOpener, Unusable, open_act
from casesync.access.control_rules import apply_act, check_signer
from casesync.access.control_signers import ControlSigners
from casesync.access.control_views import (
    Applied,
    DeviceView,
    MemberView,
    SchemaVersion,
    Suspension,
    UnitKey,
    UnitView,
    Void,
    Waiting,
)
from casesync.access.roles import RoleTable
from casesync.codec import canonical
from casesync.crypto.key_wrap import UnitKeyId
from casesync.foundation.errors import CannotDecide
from casesync.foundation.ids import InvitationId, MemberId, NetworkId, UnitId
from casesync.model.schema import Schema
from casesync.translog.control_entry import Act, ControlEntry


class ControlState:
    """Everything the first ``size`` entries say."""

    def __init__(self) -> None:
        self._facts = ControlFacts()
        self._signers = ControlSigners()
        self._masks: dict[int, tuple[int, int, bool]] = {}

    @classmethod
    def refold(
        cls,
        entries: Iterable[tuple[int, int, bytes]],
        opener: SealOpener,
        blobs: Blobs,
        voids: bytes,
    ) -> Self:
        """The state of entries that this replica verified and stored before.

        Args:
            entries: (index, log time, entry) from genesis.
            opener: see ``apply``.
            blobs: see ``apply``.
            voids: ``voids_bytes()`` of the state that verified them.
        """
        state = cls()
        trusted = read_voids(voids)
        for index, log_time_ms, entry in entries:
            state.apply(index, log_time_ms, entry, opener, blobs, trusted=trusted)
        return state

    def apply(
        self,
        index: int,
        log_time_ms: int,
        entry: bytes,
        opener: SealOpener,
        blobs: Blobs,
        *,
        trusted: Mapping[int, str] | None = None,
    ) -> Applied:
        """Fold the next entry.

        Args:
            index: its place in the log, proven under a checkpoint; must be ``size``.
            log_time_ms: when the relay appended it.
            entry: its bytes.
            opener: opens seals with the network keys.
            blobs: blobs by name; those that ``state_blobs(entry)`` names must be there.
            trusted: for entries verified before, their void reasons by index
                (``read_voids``): signatures and keys are not verified again.

        Raises:
            RelayMisbehaviour: ``control-log-forged``: nobody signed this as the next entry;
                ``blob-differs``.
            CannotDecide: ``blob-missing``; the state is unchanged.
        """
        del log_time_ms  # Positions take effect by change-log size; the time is for people.
        authentic = self._signers.authenticate(index, entry, blobs, verify=trusted is None)
        parsed = authentic.entry
        reason = "" if trusted is None else trusted.get(index, "")
        if not reason:
            reason = self._count(parsed, opener, blobs, check_keys=trusted is None)
        if reason:
            self._facts.voids.append(Void(index, parsed.act, parsed.signer, reason))
        self._advance(parsed, counts=not reason)
        self._signers.accept(authentic)
        return Applied(index, parsed.act, parsed.signer, parsed.change_size, reason)

    def _count(
        self, entry: ControlEntry, opener: SealOpener, blobs: Blobs, *, check_keys: bool
    ) -> str:
        """Let the entry take effect; the reason's code if it is void."""
        try:
            if entry.act != Act.GENESIS:
                check_signer(self._facts, entry)
            act = open_act(entry, opener, blobs)
            apply_act(self._facts, entry, act, check_keys=check_keys)
        except Unusable as unusable:
            return str(unusable.args[0])
        return ""

    def _advance(self, entry: ControlEntry, *, counts: bool) -> None:
        facts = self._facts
        facts.size = entry.index + 1
        facts.head_hash = entry.entry_hash
        facts.head_change_size = entry.change_size
        if counts:
            facts.change_size, facts.change_root = entry.change_size, entry.change_root
        self._masks.clear()

    # -- the log -------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Entries folded so far."""
        return self._facts.size

    @property
    def head_hash(self) -> bytes:
        """Hash of the newest entry; the next one names it as its previous."""
        return self._facts.head_hash

    @property
    def head_change_size(self) -> int:
        """Effective position of the newest entry; the next one must not be below it."""
        return self._facts.head_change_size

    @property
    def network(self) -> NetworkId:
        """SHA-256 of the genesis entry."""
        return self._facts.network

    @property
    def network_name(self) -> str:
        """As the founder named it."""
        return self._facts.name

    @property
    def relay_key(self) -> bytes:
        """Ed25519 key of the relay's logs, pinned in genesis."""
        return self._facts.relay_key

    @property
    def voids(self) -> Sequence[Void]:
        """Entries that do nothing, and why."""
        return tuple(self._facts.voids)

    def voids_bytes(self) -> bytes:
        """Void entries for ``refold``, to be stored in the transaction that stores the entries."""
        return canonical.pack(
            [[v.control_index, v.reason] for v in self._facts.voids if not v.partial]
        )

    # -- offices and people --------------------------------------------------------------------

    def units(self) -> list[UnitView]:
        """All units in the order they were made."""
        return list(self._facts.units.values())

    def unit(self, unit: UnitId) -> UnitView | None:
        """A unit by its id."""
        return self._facts.units.get(unit)

    def units_named(self, name: str) -> list[UnitView]:
        """Units that people call ``name``."""
        return [unit for unit in self._facts.units.values() if unit.name == name]

    def audit_units(self) -> list[UnitId]:
        """Units of type audit."""
        return self.audit_units_at(self.size)

    def audit_units_at(self, size: int) -> list[UnitId]:
        """Units of type audit that stand in the first ``size`` entries."""
        return [
            unit.unit
            for unit in self._facts.units.values()
            if unit.is_audit and unit.control_index < size
        ]

    def members(self) -> list[MemberView]:
        """All members in the order they were enrolled."""
        return list(self._facts.members.values())

    def member(self, member: MemberId) -> MemberView:
        """A member by id. Raises: KeyError for one that no device names."""
        return self._facts.members[member]

    # -- devices -------------------------------------------------------------------------------

    def devices(self) -> list[DeviceView]:
        """All devices in the order of their numbers."""
        return [self._facts.devices[number] for number in sorted(self._facts.devices)]

    def device(self, number: int) -> DeviceView | None:
        """A device that counts, suspended or not."""
        return self._facts.devices.get(number)

    def device_at(self, number: int, size: int) -> DeviceView | None:
        """The device, if it was enrolled within the first ``size`` entries."""
        device = self._facts.devices.get(number)
        return device if device is not None and device.since <= size else None

    def devices_of(self, unit: UnitId) -> list[DeviceView]:
        """Active devices of a unit."""
        return [device for device in self.devices() if device.unit == unit and device.active]

    def unit_of(self, device: int) -> UnitId | None:
        """The unit of an enrolled device."""
        view = self._facts.devices.get(device)
        return None if view is None else view.unit

    def change_key(self, device: int) -> bytes | None:
        """The Ed25519 key that signs the device's changes."""
        view = self._facts.devices.get(device)
        return None if view is None else view.change_key

    def enrolment_hash(self, device: int) -> bytes | None:
        """The previous link of the device's first change."""
        view = self._facts.devices.get(device)
        return None if view is None else view.enrolment_hash

    def enrolled_by_invitation(self, invitation: InvitationId) -> int | None:
        """The device that an invitation enrolled, None if it was not used."""
        return self._facts.invitations.get(invitation)

    def suspended_from(self, device: int) -> int | None:
        """Change-log size from which the device's changes are quarantined, or None."""
        view = self._facts.devices.get(device)
        return None if view is None else view.suspended_at

    def suspensions(self) -> Sequence[Suspension]:
        """All suspensions that count, in log order."""
        return tuple(self._facts.suspensions)

    # -- rights --------------------------------------------------------------------------------

    def roles(self, size: int | None = None) -> RoleTable:
        """The role table in force, as of the first ``size`` entries.

        Raises:
            CannotDecide: ``control-incomplete``: no table stands there yet.
        """
        table = self._facts.role_table(size)
        if table is None:
            raise CannotDecide("control-incomplete")
        return table

    def reads_mask(self, device: int) -> int:
        """Bit c is set if the device's role reads compartment c."""
        return self._rights(device)[0]

    def writes_mask(self, device: int) -> int:
        """Bit c is set if the device's role writes compartment c."""
        return self._rights(device)[1]

    def may_grant(self, device: int) -> bool:
        """Whether the device's role may grant."""
        return self._rights(device)[2]

    def _rights(self, device: int) -> tuple[int, int, bool]:
        rights = self._masks.get(device)
        if rights is None:
            view, table = self._facts.devices.get(device), self._facts.role_table()
            role = None if view is None or table is None else table.role(view.role)
            rights = (0, 0, False)
            if role is not None:
                rights = (role.reads_mask, role.writes_mask, role.may_grant)
            self._masks[device] = rights
        return rights

    # -- unit keys -----------------------------------------------------------------------------

    def current_unit_key(
        self, unit: UnitId, compartment: int, at_size: int | None = None
    ) -> UnitKey | None:
        """The key to box to as of the first ``at_size`` entries; None if none or retired."""
        return self._facts.unit_keys.current(unit, compartment, at_size)

    def newest_unit_key(self, unit: UnitId, compartment: int) -> UnitKey | None:
        """The newest epoch, retired or not."""
        return self._facts.unit_keys.newest(unit, compartment)

    def unit_key_name_at(self, unit: UnitId, compartment: int, size: int) -> bytes | None:
        """Name of the unit's current (not retired) key as of the first ``size`` entries."""
        key = self._facts.unit_keys.current(unit, compartment, size)
        return None if key is None else key.name

    def unit_key(self, key: UnitKeyId) -> UnitKey | None:
        """One epoch of a unit key."""
        return self._facts.unit_keys.get(key)

    def unit_key_by_name(self, name: bytes) -> UnitKey | None:
        """The key that boxes call ``name`` (8 bytes)."""
        return self._facts.unit_keys.by_name(name)

    def unit_key_epochs(self, unit: UnitId, compartment: int) -> Sequence[UnitKey]:
        """All epochs of a unit key, oldest first."""
        return self._facts.unit_keys.epochs(unit, compartment)

    def unit_key_publics(self) -> dict[UnitKeyId, bytes]:
        """Public keys by (unit, compartment, epoch), as ``crypto.key_wrap.check_wrap`` takes."""
        return {key.id: key.public for key in self._facts.unit_keys.all()}

    def keyless(self, unit: UnitId, role: str) -> list[int]:
        """Compartments that ``role`` reads and ``unit`` never had a key for, ascending."""
        return sorted(
            c for c in self.roles().reads(role) if self._facts.unit_keys.newest(unit, c) is None
        )

    def key_holders(self, unit: UnitId, compartment: int) -> list[DeviceView]:
        """Active devices that were given the newest epoch."""
        holders = self._facts.unit_keys.holders(unit, compartment)
        return [d for d in self.devices() if d.number in holders and d.active]

    def holds_key(self, device: int, unit: UnitId, compartment: int) -> bool:
        """Whether the log says that the device was given the newest epoch."""
        return self._facts.unit_keys.holds_newest(device, unit, compartment)

    def rotation_due(self, unit: UnitId) -> set[int]:
        """Compartments whose newest epoch is retired."""
        keys = self._facts.unit_keys
        return {c for c in keys.compartments(unit) if keys.current(unit, c) is None}

    def rotation_for(self, device: int) -> set[int]:
        """Of its unit's due rotations those that this device may do (and must, before it sends)."""
        view = self._facts.devices.get(device)
        if view is None or not view.active:
            return set()
        reads = self._facts.reads(device)
        return {
            c
            for c in self.rotation_due(view.unit) & reads
            if self.holds_key(device, view.unit, c) or not self.key_holders(view.unit, c)
        }

    def who_lacks_keys(self, unit: UnitId | None = None) -> list[Waiting]:
        """Active devices that wait for a colleague: they read what they were given no key for."""
        return [
            Waiting(device.number, device.unit, compartment)
            for device in self.devices()
            if device.active and unit in (None, device.unit)
            for compartment in sorted(self._facts.reads(device.number))
            if self._facts.unit_keys.newest(device.unit, compartment) is not None
            and not self.holds_key(device.number, device.unit, compartment)
        ]

    # -- schemas -------------------------------------------------------------------------------

    def schema(self) -> Schema:
        """The newest schema this program can read.

        Raises:
            CannotDecide: ``control-incomplete``: none stands in the log yet.
        """
        for version in reversed(self._facts.schemas):
            if version.schema is not None:
                return version.schema
        raise CannotDecide("control-incomplete")

    def schema_version(self, version: int) -> Schema | None:
        """The schema of that version, None if it is not here or cannot be read."""
        for kept in self._facts.schemas:
            if kept.schema is not None and kept.schema.version == version:
                return kept.schema
        return None

    def schemas(self) -> Sequence[SchemaVersion]:
        """All schema entries that count, in log order."""
        return tuple(self._facts.schemas)

    @property
    def has_newer_schema(self) -> bool:
        """The newest schema has a format that this program cannot read: it must be updated."""
        return bool(self._facts.schemas) and self._facts.schemas[-1].schema is None


def read_voids(voids: bytes) -> dict[int, str]:
    """What ``ControlState.voids_bytes`` stored: reason by control index."""
    return dict(canonical.unpack(voids))
