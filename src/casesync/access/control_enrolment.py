"""What an enrolment must satisfy, and what it does (access floor).

``protocol/membership.md``, *Acts*, *Unit keys*; ``protocol/enrolment.md``. The founder's own
member and everybody enrolled later; called by ``control_rules`` with an authentic entry whose
signer may enrol.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from casesync.access.control_bodies import UNIT_OF_ONE_TYPE, UnitKeyRow
from casesync.access.control_facts import ControlFacts
from casesync.access.control_opened import EnrolAct, FoundAct, Unusable
from casesync.access.control_views import DeviceView, MemberView, Void
from casesync.access.enrolment_proof import verify_joiner
from casesync.access.roles import AUDITOR_ROLE, VISITOR_ROLE
from casesync.crypto.kem_keys import kem_check_public
from casesync.foundation.errors import CryptoError
from casesync.foundation.ids import FEED_ALL, DeviceNumber, FeedId
from casesync.translog.control_acts import ACTS_ADMINISTRATOR, ACTS_STAFF, KIND_STAFF
from casesync.translog.control_entry import ControlEntry

FOUNDER: Final = DeviceNumber(1)


def apply_found(
    facts: ControlFacts, entry: ControlEntry, act: FoundAct, *, check_keys: bool
) -> None:
    """The founder's own member, device and unit keys.

    Raises:
        Unusable: with the reason's code; the facts are unchanged.
    """
    if facts.genesis is None or FOUNDER in facts.devices:
        raise Unusable("out-of-place")
    public, keys = facts.genesis
    body, number = act.body, FOUNDER
    device = DeviceView(
        number=number,
        since=entry.index + 1,
        kind=KIND_STAFF,
        member=body.member,
        unit=body.unit,
        role=body.role,
        administrator=True,
        label=body.label,
        acts=public.acts,
        feeds=tuple(FeedId(feed) for feed in public.feeds),
        change_key=public.change_key,
        request_key=public.request_key,
        composite=keys.composite,
        kem=keys.kem,
        enrolment_hash=facts.network,
        enrolled_by=number,
        invitation=None,
    )
    _check_place(facts, device)
    _check_new_keys(facts, device, act.unit_keys, check_keys=check_keys)
    if {row.key.compartment for row in act.unit_keys} != _reads(facts, body.role):
        raise Unusable("keys-differ")
    _add_device(facts, device, body.name, entry.index)
    for row in act.unit_keys:
        facts.unit_keys.add(row, entry.index, {number})


def apply_enrol(
    facts: ControlFacts, entry: ControlEntry, act: EnrolAct, *, check_keys: bool
) -> None:
    """A device that an administrator enrolled and that signed this itself.

    Raises:
        Unusable: with the reason's code; the facts are unchanged.
    """
    public, body = act.public, act.body
    number = DeviceNumber(entry.index + 1)
    device = DeviceView(
        number=number,
        since=number,
        kind=public.kind,
        member=body.member,
        unit=body.unit,
        role=body.role,
        administrator=body.administrator,
        label=body.label,
        acts=public.acts,
        feeds=tuple(FeedId(feed) for feed in public.feeds),
        change_key=public.change_key,
        request_key=public.request_key,
        composite=act.keys.composite,
        kem=act.keys.kem,
        enrolment_hash=entry.entry_hash,
        enrolled_by=DeviceNumber(entry.signer),
        invitation=body.invitation,
    )
    if body.invitation in facts.invitations:
        raise Unusable("invitation-used")
    if facts.signing_keys & {public.change_key, public.request_key}:
        raise Unusable("key-taken")
    _check_acts(device)
    _check_place(facts, device)
    _check_member(facts, device, body.name)
    _check_new_keys(facts, device, act.unit_keys, check_keys=check_keys)
    if check_keys:
        try:
            act.keys.check()
            verify_joiner(facts.network, body, act.keys, act.unit_keys)
        except CryptoError as error:
            raise Unusable("joiner-signature") from error
    _add_device(facts, device, body.name, entry.index)
    facts.invitations[body.invitation] = number
    facts.signing_keys |= {public.change_key, public.request_key}
    _give_first_keys(facts, entry, device, act.unit_keys)


def _give_first_keys(
    facts: ControlFacts, entry: ControlEntry, device: DeviceView, rows: Sequence[UnitKeyRow]
) -> None:
    """Keys the joiner made count where the unit had none; the inviter passes on what it holds."""
    keys = facts.unit_keys
    inviter = facts.devices.get(entry.signer)
    if inviter is not None and inviter.unit == device.unit:
        for compartment in facts.reads(device.number):
            newest = keys.newest(device.unit, compartment)
            if newest is not None and keys.holds(inviter.number, newest.id):
                keys.give(device.number, newest.id)
    for row in rows:
        if keys.newest(device.unit, row.key.compartment) is None:
            keys.add(row, entry.index, {device.number})
        else:
            facts.voids.append(
                Void(entry.index, entry.act, entry.signer, "epoch-not-next", partial=True)
            )


# -- what an enrolment must satisfy -----------------------------------------------------------


def _check_acts(device: DeviceView) -> None:
    """The relay lets a device sign what its mask says: it must be the one its right implies."""
    if device.kind != KIND_STAFF:
        expected = 0
        if device.administrator:
            raise Unusable("acts-differ")
    else:
        expected = ACTS_ADMINISTRATOR if device.administrator else ACTS_STAFF
    if device.acts != expected:
        raise Unusable("acts-differ")


def _check_place(facts: ControlFacts, device: DeviceView) -> None:
    """Unit, role and feeds fit together."""
    unit, table = facts.units.get(device.unit), facts.role_table()
    if unit is None:
        raise Unusable("unit-unknown")
    if table is None or not table.known(device.role):
        raise Unusable("role-unknown")
    if (unit.type == UNIT_OF_ONE_TYPE) != (device.role == VISITOR_ROLE):
        raise Unusable("role-differs")
    served = [FEED_ALL, unit.feed] if device.role == AUDITOR_ROLE else [unit.feed]
    if list(device.feeds[:-1]) != served:
        raise Unusable("feeds-differ")
    if device.access_feed == FEED_ALL or device.access_feed in facts.feeds:
        raise Unusable("feed-taken")


def _check_member(facts: ControlFacts, device: DeviceView, name: str) -> None:
    """A further device of a known member changes nothing about the member."""
    member = facts.members.get(device.member)
    if member is None:
        unit = facts.units[device.unit]
        others = any(m.unit == device.unit for m in facts.members.values())
        if unit.type == UNIT_OF_ONE_TYPE and others:
            raise Unusable("unit-of-one-taken")
        return
    known = (member.name, member.unit, member.role, member.administrator)
    if known != (name, device.unit, device.role, device.administrator):
        raise Unusable("member-differs")


def _check_new_keys(
    facts: ControlFacts, device: DeviceView, rows: Sequence[UnitKeyRow], *, check_keys: bool
) -> None:
    """First keys are the unit's own, of compartments the role reads."""
    reads = _reads(facts, device.role)
    for row in rows:
        first = row.key.epoch == 1 and row.predecessor is None
        if row.key.unit != device.unit or row.key.compartment not in reads or not first:
            raise Unusable("keys-differ")
    if check_keys:
        check_publics(rows)


def check_publics(rows: Sequence[UnitKeyRow]) -> None:
    """Refuse unit keys that nothing can be sealed to. Raises: Unusable: ``keys-unfit``."""
    try:
        for row in rows:
            kem_check_public(row.public)
    except CryptoError as error:
        raise Unusable("keys-unfit") from error


def _reads(facts: ControlFacts, role: str) -> frozenset[int]:
    table = facts.role_table()
    return frozenset() if table is None else table.reads(role)


def _add_device(facts: ControlFacts, device: DeviceView, name: str, index: int) -> None:
    facts.devices[device.number] = device
    facts.feeds.add(device.access_feed)
    facts.members.setdefault(
        device.member,
        MemberView(
            member=device.member,
            name=name,
            unit=device.unit,
            role=device.role,
            administrator=device.administrator,
            control_index=index,
        ),
    )
