"""Which acts of the control log count, and what they do (access floor).

``protocol/membership.md``, *Acts* and *Unit keys*. Each function judges one act on the facts so
far and, only if nothing is against it, changes them; otherwise it raises ``Unusable`` with the
reason's code and the facts stay as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from casesync.access.control_bodies import (
    UNIT_OF_ONE_TYPE,
    UnitKeyRow,
)
from casesync.access.control_enrolment import FOUNDER, apply_enrol, apply_found, check_publics
from casesync.access.control_facts import ControlFacts
from casesync.access.control_opened import (
    AdmitAct,
    CharterAct,
    EnrolAct,
    FoundAct,
    GenesisAct,
    NetworkBoxAct,
    OpenedAct,
    RolesAct,
    RotateAct,
    SchemasAct,
    SuspendAct,
    UnitAct,
    Unusable,
)
from casesync.access.control_views import (
    DeviceView,
    SchemaVersion,
    Suspension,
    UnitView,
    Void,
)
from casesync.access.unit_keys import RotationRefused
from casesync.foundation.errors import CryptoError, UsageError
from casesync.foundation.ids import FEED_ALL, NetworkId
from casesync.model.schema import check_successor
from casesync.translog.control_acts import (
    ACTS_FOUNDER,
)
from casesync.translog.control_entry import Act, ControlEntry

_FOUNDER_ACTS = frozenset({Act.CHARTER, Act.FOUND})
_PlainAct = CharterAct | RolesAct | SchemasAct | UnitAct | AdmitAct | NetworkBoxAct


def check_signer(facts: ControlFacts, entry: ControlEntry) -> None:
    """Whether the signer may do such an act at all.

    Raises:
        Unusable: ``signer-unknown``, ``signer-suspended``, ``act-not-allowed``,
            ``position-backwards``.
    """
    if entry.change_size < facts.change_size:
        raise Unusable("position-backwards")
    founder = entry.signer == FOUNDER
    device = facts.devices.get(entry.signer)
    if device is None:
        if not founder:
            raise Unusable("signer-unknown")
    elif not device.active:
        raise Unusable("signer-suspended")
    # An enrolment counts only with the acts that its administrator right implies.
    acts = ACTS_FOUNDER if device is None else device.acts
    if not acts >> entry.act & 1:
        raise Unusable("act-not-allowed")
    if entry.act in _FOUNDER_ACTS and not founder:
        raise Unusable("act-not-allowed")


def apply_act(
    facts: ControlFacts, entry: ControlEntry, act: OpenedAct, *, check_keys: bool = True
) -> None:
    """Judge an act and let it take effect.

    Args:
        facts: changed only if the act counts.
        entry: authentic, signer checked.
        act: its opened form.
        check_keys: False for an entry whose keys and inner signature were verified before.

    Raises:
        Unusable: with the reason's code.
    """
    match act:
        case GenesisAct():
            _genesis(facts, entry, act, check_keys=check_keys)
        case FoundAct():
            apply_found(facts, entry, act, check_keys=check_keys)
        case EnrolAct():
            apply_enrol(facts, entry, act, check_keys=check_keys)
        case SuspendAct():
            _suspend(facts, entry, act, check_keys=check_keys)
        case RotateAct():
            wraps = [wrap.device for wrap in act.public.wraps]
            _replace_keys(facts, entry, act.unit_keys, wraps, check_keys=check_keys)
        case _:
            _apply_plain(facts, entry, act)


def _apply_plain(facts: ControlFacts, entry: ControlEntry, act: _PlainAct) -> None:
    """Acts that bring no keys to check."""
    match act:
        case CharterAct():
            _charter(facts, entry, act)
        case RolesAct():
            _roles(facts, entry, act)
        case SchemasAct():
            _schemas(facts, entry, act)
        case UnitAct():
            _unit(facts, entry, act)
        case AdmitAct():
            _admit(facts, entry, act)
        case NetworkBoxAct():
            _network_box(facts, act)
        case _:
            assert_never(act)


def _genesis(
    facts: ControlFacts, entry: ControlEntry, act: GenesisAct, *, check_keys: bool
) -> None:
    public = act.public
    if public.acts != ACTS_FOUNDER or FEED_ALL in public.feeds[-1:] or len(public.feeds) < 2:
        raise Unusable("acts-differ")
    if check_keys:
        try:
            act.keys.check()
        except CryptoError as error:
            raise Unusable("keys-unfit") from error
    facts.network = NetworkId(entry.entry_hash)
    facts.relay_key = public.relay_key
    facts.genesis = (public, act.keys)
    facts.signing_keys |= {public.change_key, public.request_key}


def _charter(facts: ControlFacts, entry: ControlEntry, act: CharterAct) -> None:
    if entry.index != 1:
        raise Unusable("out-of-place")
    facts.name = act.name


def _roles(facts: ControlFacts, entry: ControlEntry, act: RolesAct) -> None:
    if facts.role_table() is not None:
        # A change must be judged by the table of its place in the log; until verdicts and unit
        # keys follow a second table, none counts (membership.md, *Roles*).
        raise Unusable("roles-fixed")
    facts.role_tables.append((entry.index, act.table))


def _schemas(facts: ControlFacts, entry: ControlEntry, act: SchemasAct) -> None:
    before = next((s.schema for s in reversed(facts.schemas) if s.schema is not None), None)
    if before is not None and act.schema is not None:
        try:
            check_successor(before, act.schema)
        except UsageError as error:
            raise Unusable("schema-invalid") from error
    facts.schemas.append(SchemaVersion(entry.index, act.blob, act.body, act.schema))


def _unit(facts: ControlFacts, entry: ControlEntry, act: UnitAct) -> None:
    body = act.body
    if body.unit in facts.units:
        raise Unusable("unit-exists")
    if body.feed == FEED_ALL or body.feed in facts.feeds:
        raise Unusable("feed-taken")
    if body.parent is None:
        if body.type == UNIT_OF_ONE_TYPE:
            raise Unusable("unit-unknown")
    elif body.parent not in facts.units:
        raise Unusable("unit-unknown")
    facts.feeds.add(body.feed)
    facts.units[body.unit] = UnitView(
        unit=body.unit,
        type=body.type,
        name=body.name,
        parent=body.parent,
        feed=body.feed,
        control_index=entry.index,
    )


def _admit(facts: ControlFacts, entry: ControlEntry, act: AdmitAct) -> None:
    admitted = facts.devices.get(act.public.device)
    signer = facts.devices.get(entry.signer)
    if admitted is None or signer is None or not admitted.active:
        raise Unusable("device-unknown")
    if admitted.unit != signer.unit:
        raise Unusable("unit-differs")
    for key in act.keys:
        if key.unit != admitted.unit or key.compartment not in facts.reads(admitted.number):
            raise Unusable("keys-differ")
        if not facts.unit_keys.holds(signer.number, key):
            raise Unusable("keys-not-held")
    for key in act.keys:
        facts.unit_keys.give(admitted.number, key)


def _suspend(
    facts: ControlFacts, entry: ControlEntry, act: SuspendAct, *, check_keys: bool
) -> None:
    device = facts.devices.get(act.public.device)
    if device is None:
        raise Unusable("device-unknown")
    if not device.active:
        raise Unusable("device-suspended")
    if device.administrator:
        raise Unusable("target-administrator")
    number = device.number
    facts.devices[number] = replace(
        device, suspended_at=entry.change_size, suspended_index=entry.index
    )
    facts.suspensions.append(Suspension(number, entry.change_size, entry.index, act.reason))
    for compartment in facts.reads(number):
        facts.unit_keys.retire(device.unit, compartment, entry.index)
    if act.public.unit_keys_blob is None and not act.public.wraps:
        return
    try:
        _rotate_after(facts, entry, act, device, check_keys=check_keys)
    except Unusable as refused:
        reason = str(refused.args[0])
        facts.voids.append(Void(entry.index, entry.act, entry.signer, reason, partial=True))


def _rotate_after(
    facts: ControlFacts,
    entry: ControlEntry,
    act: SuspendAct,
    suspended: DeviceView,
    *,
    check_keys: bool,
) -> None:
    """New keys in the suspension itself: only for the suspended device's unit, by a colleague."""
    signer = facts.devices.get(entry.signer)
    if act.unit_keys is None or signer is None or signer.unit != suspended.unit:
        raise Unusable("keys-differ")
    wraps = [wrap.device for wrap in act.public.wraps]
    _replace_keys(facts, entry, act.unit_keys, wraps, check_keys=check_keys)


def _replace_keys(
    facts: ControlFacts,
    entry: ControlEntry,
    rows: Sequence[UnitKeyRow],
    wraps: Sequence[int],
    *,
    check_keys: bool,
) -> None:
    signer = facts.devices.get(entry.signer)
    if signer is None:
        raise Unusable("signer-unknown")
    try:
        rotation = facts.unit_keys.judge_rotation(
            signer.number,
            signer.unit,
            rows,
            wraps,
            facts.reads,
            lambda number: facts.devices[number].active,
        )
    except RotationRefused as refused:
        raise Unusable(str(refused.args[0])) from refused
    if check_keys:
        check_publics(rows)
    for row, holders in zip(rotation.rows, rotation.holders, strict=True):
        facts.unit_keys.add(row, entry.index, holders)


def _network_box(facts: ControlFacts, act: NetworkBoxAct) -> None:
    if any(box.unit not in facts.units for box in act.boxes):
        raise Unusable("unit-unknown")
