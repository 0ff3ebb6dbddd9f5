"""Units, invitations, approvals, suspension: what administrators do (client)."""

from __future__ import annotations

from casesync.access.control_acts import add_unit, suspend
from casesync.access.control_bodies import UNIT_TYPES
from casesync.access.control_views import DeviceView as ControlDevice
from casesync.access.control_writer import ControlWriter
from casesync.client.control_driver import append_act, pull, unit_seeds
from casesync.client.core import Core
from casesync.client.names import meant_by
from casesync.client.network_views import (
    DeviceView,
    MemberView,
    SuspendResult,
    UnitView,
    WhoAmI,
)
from casesync.client.refusals import refusals_logged
from casesync.client.views import Fact
from casesync.crypto.enrolment import SLOT_COMMITMENT, SLOT_NONCE, SLOT_RESULT, SLOT_REVEAL
from casesync.foundation.errors import AccessDenied, UsageError
from casesync.foundation.ids import Compartment, UnitId

INVITATIONS = "invitations"
"""Stored value: canonical array of ``Inviter`` states, oldest first."""
VISITOR = "visitor"
_SLOTS = (SLOT_COMMITMENT, SLOT_NONCE, SLOT_REVEAL, SLOT_RESULT)


def check_unit_type(unit_type: str) -> None:
    """Whether people may add an office of this type. Raises: UsageError: ``unit-type-unknown``."""
    known = [word for word in UNIT_TYPES if word != "one"]
    if unit_type not in known:
        raise UsageError("unit-type-unknown", type=unit_type, known=", ".join(known))


class NetworkAdmin:
    """The part of a replica that reads and changes who belongs."""

    def __init__(self, core: Core) -> None:
        """Args: core: the open replica."""
        self._core = core

    # -- who is there -------------------------------------------------------------------------

    def units(self) -> list[UnitView]:
        """Every office, in the order in which they were added."""
        control = self._core.engine.control
        names = {unit.unit: unit.name for unit in control.units()}
        return [
            UnitView(
                id_hex=unit.unit.hex(),
                name=unit.name,
                type=unit.type,
                parent=None if unit.parent is None else names.get(unit.parent),
                devices=sum(1 for d in control.devices_of(unit.unit) if d.active),
                keys_current=control.current_unit_key(unit.unit, Compartment.BASE) is not None,
            )
            for unit in control.units()
        ]

    def unit_named(self, name: str) -> UnitId:
        """The unit people mean by ``name``, accents or not, or by the beginning of its id in hex.

        Raises:
            UsageError: ``unit-unknown``, ``unit-ambiguous``.
        """
        control = self._core.engine.control
        found = meant_by(name, control.units(), lambda unit: unit.name)
        if not found and len(name) >= 6:
            found = [unit for unit in control.units() if unit.unit.hex().startswith(name.lower())]
        if not found:
            raise UsageError("unit-unknown", unit=name)
        if len(found) > 1:
            ids = ", ".join(unit.unit.hex()[:8] for unit in found)
            raise UsageError("unit-ambiguous", unit=name, known=ids)
        return found[0].unit

    def add_unit(self, name: str, unit_type: str, parent: str | None = None) -> UnitView:
        """A new office; its keys are made by its first device.

        Raises:
            AccessDenied: ``not-administrator``.
            UsageError: ``unit-exists``, ``unit-type-unknown``, ``unit-unknown``.
        """
        self.require_administrator(f"unit {name}")
        check_unit_type(unit_type)
        above = None if parent is None else self.unit_named(parent)

        def write(writer: ControlWriter) -> UnitId:
            if self._core.engine.control.units_named(name):
                raise UsageError("unit-exists", unit=name)
            return add_unit(writer, name=name, unit_type=unit_type, parent=above).unit

        unit = append_act(self._core, write)
        return next(view for view in self.units() if view.id_hex == unit.hex())

    def members(self) -> list[MemberView]:
        """Every person with a role."""
        control = self._core.engine.control
        return [
            MemberView(
                id_hex=member.member.hex(),
                name=member.name,
                role=member.role,
                unit=self.unit_name(member.unit),
                administrator=member.administrator,
                devices=tuple(
                    int(d.number) for d in control.devices() if d.member == member.member
                ),
            )
            for member in control.members()
        ]

    def devices(self) -> list[DeviceView]:
        """Every installation, by number."""
        control = self._core.engine.control
        waiting = {int(w.device) for w in control.who_lacks_keys()}
        reasons = {suspension.device: suspension.reason for suspension in control.suspensions()}
        return [
            DeviceView(
                number=int(device.number),
                label=device.label or None,
                member=control.member(device.member).name,
                unit=self.unit_name(device.unit),
                role=device.role,
                state="suspended"
                if not device.active
                else "waiting-for-colleague"
                if int(device.number) in waiting
                else "active",
                reason=reasons.get(device.number, ""),
            )
            for device in control.devices()
        ]

    def whoami(self) -> WhoAmI:
        """This device in its network."""
        engine, identity = self._core.engine, self._core.identity
        return WhoAmI(
            network=engine.control.network_name,
            network_id_hex=identity.network.hex(),
            member=engine.member.name,
            role=engine.member.role,
            unit=self.unit_name(engine.unit),
            device=int(engine.device),
            administrator=engine.member.administrator,
            relay_url=identity.relay_url,
            relay_key_hex=identity.relay_key.hex(),
        )

    def unit_name(self, unit: UnitId) -> str:
        """What people call the unit."""
        view = self._core.engine.control.unit(unit)
        return unit.hex()[:8] if view is None else view.name

    def require_administrator(self, about: str) -> None:
        """Raises: AccessDenied: ``not-administrator``; the attempt is logged, with what on."""
        with refusals_logged(self._core, "administer", about=about):
            if not self._core.engine.member.administrator:
                raise AccessDenied("not-administrator")

    # -- suspension -----------------------------------------------------------------------------

    def suspend_preview(self, number: int) -> list[Fact]:
        """What a suspension will mean, before it is done; raises as ``suspend_device``."""
        self.require_administrator(f"device {number}")
        with refusals_logged(self._core, "administer", about=f"device {number}"):
            view = self._suspendable(number)
        control = self._core.engine.control
        name = self.unit_name(view.unit)
        facts = [Fact("suspend-unsent-lost", {"device": number})]
        others = [d for d in control.devices_of(view.unit) if d.active and d.number != number]
        if not others:
            return [*facts, Fact("suspend-sole-device", {"unit": name})]
        same = view.unit == self._core.engine.unit
        code = "suspend-rotates-now" if same else "suspend-rotates-later"
        return [*facts, Fact(code, {"unit": name})]

    def suspend_device(self, number: int, *, reason: str = "") -> SuspendResult:
        """Suspend a device; what it has at or behind this change-log size is quarantined.

        Raises:
            AccessDenied: ``not-administrator``, ``suspend-administrator``.
            UsageError: ``device-unknown``, ``device-suspended-already``, ``device-is-own``.
        """
        core = self._core
        self.require_administrator(f"device {number}")
        pull(core)
        with refusals_logged(core, "administer", about=f"device {number}"):
            view = self._suspendable(number)

        def write(writer: ControlWriter) -> bool:
            self._suspendable(number)
            return bool(suspend(writer, core.engine.control, number, reason, unit_seeds(core)))

        rotated = append_act(core, write)
        others = [
            d for d in core.engine.control.devices_of(view.unit) if d.active and d.number != number
        ]
        return SuspendResult(
            device=number,
            unit=self.unit_name(view.unit),
            unit_rotated=rotated,
            sole_device=not others,
        )

    def _suspendable(self, number: int) -> ControlDevice:
        view = self._device(number)
        if number == self._core.engine.device:
            raise UsageError("device-is-own")
        if view.administrator:
            raise AccessDenied("suspend-administrator")
        if not view.active:
            raise UsageError("device-suspended-already", device=number)
        return view

    def _device(self, number: int) -> ControlDevice:
        view = self._core.engine.control.device(number)
        if view is None:
            raise UsageError("device-unknown", device=number)
        return view
