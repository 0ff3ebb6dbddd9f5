"""What administrators and devices write into the control log, act by act (access floor).

``protocol/membership.md``. Each function adds entries and blobs to a ``ControlWriter``; the rules
that judge them are in ``control_rules``, and what is written here always counts over the head it
was written for. Nothing is decided here: who may be invited or suspended the caller has asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from casesync.access.body_shapes import ID_BYTES
from casesync.access.control_bodies import (
    EMPTY_BODY,
    UNIT_OF_ONE_TYPE,
    EnrolBody,
    NetworkBox,
    UnitBody,
    UnitKeyRow,
    encode_admit,
    encode_enrol,
    encode_network_boxes,
    encode_suspend,
    encode_unit,
    encode_unit_keys,
)
from casesync.access.control_opened import BLOB_ROLES, BLOB_SCHEMAS, BLOB_UNIT_KEYS
from casesync.access.control_state import ControlState
from casesync.access.control_writer import ControlWriter
from casesync.access.enrolment_proof import JoinerProof
from casesync.access.names import usable_name
from casesync.access.roles import AUDITOR_ROLE, RoleTable
from casesync.crypto.kem_keys import unit_key_from_seed
from casesync.crypto.key_schedule import KEY_BYTES
from casesync.crypto.key_wrap import StatementId, UnitKeyId, box_public, seal_predecessor
from casesync.crypto.sealing import segment_keys
from casesync.foundation.errors import CannotDecide, UsageError
from casesync.foundation.ids import (
    FEED_ALL,
    ChangeNumber,
    Compartment,
    DeviceNumber,
    FeedId,
    MemberId,
    NetworkId,
    StreamId,
    UnitId,
)
from casesync.foundation.ports import Entropy
from casesync.translog.control_acts import (
    ACTS_ADMINISTRATOR,
    ACTS_STAFF,
    KIND_STAFF,
    AdmitPublic,
    BlobPublic,
    EmptyPublic,
    EnrolPublic,
    RotatePublic,
    SuspendPublic,
    WrapFor,
)
from casesync.translog.control_entry import (
    Act,
)

Seeds = Mapping[UnitKeyId, bytes]
"""Unit seeds this device holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a newcomer was invited to."""

    unit: UnitId
    """For a visitor the unit of one that the enrolment makes under ``parent``."""
    role: str
    administrator: bool
    parent: UnitId | None = None
    member: MemberId | None = None
    """A known member; None for a new one."""


def replace_roles(writer: ControlWriter, table: RoleTable) -> None:
    """A role table, from here on."""
    blob = writer.sealed_blob(BLOB_ROLES, table.to_bytes())
    writer.write(Act.ROLES, BlobPublic(blob), EMPTY_BODY)


def replace_schemas(writer: ControlWriter, schema: bytes) -> None:
    """A schema, from here on; older versions stay readable."""
    blob = writer.sealed_blob(BLOB_SCHEMAS, schema)
    writer.write(Act.SCHEMAS, BlobPublic(blob), EMPTY_BODY)


def add_unit(
    writer: ControlWriter,
    *,
    name: str,
    unit_type: str,
    parent: UnitId | None,
    unit: UnitId | None = None,
) -> UnitBody:
    """A new unit; its keys are made by its first devices.

    Args:
        writer: over the head.
        name: as people call it.
        unit_type: see ``control_bodies.UNIT_TYPES``.
        parent: the unit above.
        unit: its id; random if not given.

    Raises:
        UsageError: ``name-invalid``.
    """
    body = UnitBody(
        unit=UnitId(writer.entropy.bytes(ID_BYTES)) if unit is None else unit,
        type=unit_type,
        name=usable_name(name),
        parent=parent,
        feed=FeedId(writer.entropy.bytes(ID_BYTES)),
    )
    writer.write(Act.UNIT, EmptyPublic(), encode_unit(body))
    return body


def enrol(
    writer: ControlWriter,
    state: ControlState,
    proof: JoinerProof,
    place: Place,
    seeds: Seeds,
) -> DeviceNumber:
    """A device, with everything its member reads and this device holds; gives its number.

    Args:
        writer: over the head of ``state``.
        state: the control log.
        proof: what the joiner revealed and signed.
        place: as invited.
        seeds: unit seeds this device holds.

    Raises:
        CannotDecide: ``unit-seed-missing``: this device was given a key it does not hold.
        UsageError: ``unit-unknown``.
    """
    unit, role, parent = place.unit, place.role, place.parent
    known = state.unit(unit)
    if known is not None:
        feed = known.feed
    elif parent is not None:
        feed = add_unit(
            writer, name=proof.name, unit_type=UNIT_OF_ONE_TYPE, parent=parent, unit=unit
        ).feed
    else:
        raise UsageError("unit-unknown", unit=unit.hex())
    number = DeviceNumber(writer.index + 1)
    given = _passed_on(writer, state, unit, state.roles().reads(role), seeds)
    keys_blob = writer.blob(proof.public.blob())
    unit_keys_blob = None
    if proof.unit_keys:
        unit_keys_blob = writer.sealed_blob(BLOB_UNIT_KEYS, encode_unit_keys(proof.unit_keys))
    public = EnrolPublic(
        kind=KIND_STAFF,
        change_key=proof.public.change,
        request_key=proof.public.request,
        keys_blob=keys_blob,
        acts=ACTS_ADMINISTRATOR if place.administrator else ACTS_STAFF,
        feeds=tuple(device_feeds(role, feed, writer.entropy)),
        wrap_blob=writer.wrap(proof.public.kem, number, writer.network_keys, given),
        unit_keys_blob=unit_keys_blob,
    )
    body = EnrolBody(
        member=MemberId(writer.entropy.bytes(ID_BYTES)) if place.member is None else place.member,
        name=proof.name,
        unit=unit,
        role=role,
        administrator=place.administrator,
        label=proof.label,
        invitation=proof.invitation,
        inviter_nonce=proof.inviter_nonce,
        joiner_nonce=proof.joiner_nonce,
        signature=proof.signature,
    )
    writer.write(Act.ENROL, public, encode_enrol(body))
    return number


def admit(writer: ControlWriter, state: ControlState, device: int, seeds: Seeds) -> list[UnitKeyId]:
    """Pass on what a colleague waits for and this device holds; gives the keys, newest epochs.

    Raises:
        CannotDecide: ``nothing-to-admit``: the device waits for nothing this one holds.
    """
    view = state.device(device)
    keys: dict[UnitKeyId, bytes] = {}
    if view is not None and view.active and view.unit == state.unit_of(writer.device):
        for waiting in state.who_lacks_keys(view.unit):
            newest = state.newest_unit_key(view.unit, waiting.compartment)
            if waiting.device != device or newest is None or newest.id not in seeds:
                continue
            if state.holds_key(writer.device, view.unit, waiting.compartment):
                keys[newest.id] = seeds[newest.id]
    if not keys or view is None:
        raise CannotDecide("nothing-to-admit", device=device)
    public = AdmitPublic(device=device, wrap_blob=writer.wrap(view.kem, device, [], keys))
    writer.write(Act.ADMIT, public, encode_admit(keys))
    return sorted(keys)


def suspend(
    writer: ControlWriter, state: ControlState, device: int, reason: str, seeds: Seeds
) -> set[int]:
    """Suspend a device and, for what this device holds of that unit, replace the keys at once.

    Gives the compartments whose keys were replaced.
    """
    view = state.device(device)
    assert view is not None
    compartments: set[int] = set()
    if view.unit == state.unit_of(writer.device):
        retired = state.rotation_due(view.unit) | set(state.roles().reads(view.role))
        compartments = _replaceable(writer, state, retired, seeds, excluded=device)
    blob: bytes | None = None
    wraps: tuple[WrapFor, ...] = ()
    if compartments:
        blob, wraps = _new_keys(writer, state, compartments, seeds, excluded=device)
    writer.write(Act.SUSPEND, SuspendPublic(device, blob, wraps), encode_suspend(reason))
    return compartments


def rotate(
    writer: ControlWriter, state: ControlState, compartments: Iterable[int], seeds: Seeds
) -> None:
    """Replace this device's unit's keys of these compartments (see ``rotation_for``)."""
    blob, wraps = _new_keys(writer, state, set(compartments), seeds, excluded=None)
    writer.write(Act.ROTATE, RotatePublic(blob, wraps), EMPTY_BODY)


def network_boxes(writer: ControlWriter, state: ControlState, units: Iterable[UnitId]) -> None:
    """Box the network key to the current ``base`` keys of these units."""
    boxes = []
    for unit in units:
        key = state.current_unit_key(unit, Compartment.BASE)
        if key is None:
            continue
        statement = network_box_statement(writer.network)
        _, commitment = segment_keys(writer.network_keys[0], statement.context())
        body = box_public(key.public, statement, key.id, commitment, writer.network_keys[0])
        boxes.append(NetworkBox(unit, key.epoch, body))
    writer.write(Act.NETWORK_BOX, EmptyPublic(), encode_network_boxes(boxes))


def network_box_statement(network: NetworkId) -> StatementId:
    """What a network box is bound to: a statement that no device can make."""
    return StatementId(
        network, StreamId(bytes(16)), Compartment.BASE, DeviceNumber(0), ChangeNumber(0), 0
    )


def device_feeds(role: str, unit_feed: FeedId, entropy: Entropy) -> list[FeedId]:
    """A device's feeds: an auditor's ``all``, the unit's, its own for its access stream."""
    own = FeedId(entropy.bytes(ID_BYTES))
    return [FEED_ALL, unit_feed, own] if role == AUDITOR_ROLE else [unit_feed, own]


def _passed_on(
    writer: ControlWriter,
    state: ControlState,
    unit: UnitId,
    reads: Iterable[int],
    seeds: Seeds,
) -> dict[UnitKeyId, bytes]:
    """Exactly what the log will say the newcomer was given: newest epochs that we hold."""
    given = {}
    if unit == state.unit_of(writer.device):
        for compartment in reads:
            key = state.newest_unit_key(unit, compartment)
            if key is not None and state.holds_key(writer.device, unit, compartment):
                given[key.id] = _held(seeds, key.id)
    return given


def _held(seeds: Seeds, key: UnitKeyId) -> bytes:
    seed = seeds.get(key)
    if seed is None:
        raise CannotDecide("unit-seed-missing", compartment=key.compartment, epoch=key.epoch)
    return seed


def _remaining(
    state: ControlState, unit: UnitId, compartment: int, excluded: int | None
) -> set[int]:
    return {d.number for d in state.key_holders(unit, compartment) if d.number != excluded}


def _replaceable(
    writer: ControlWriter,
    state: ControlState,
    compartments: Iterable[int],
    seeds: Seeds,
    excluded: int | None,
) -> set[int]:
    """Of ``compartments`` those whose keys this device may replace and can."""
    unit, reads = state.unit_of(writer.device), state.reads_mask(writer.device)
    assert unit is not None
    chosen = set()
    for compartment in compartments:
        newest = state.newest_unit_key(unit, compartment)
        if newest is None or not reads >> compartment & 1:
            continue
        holders = _remaining(state, unit, compartment, excluded)
        if not holders or (writer.device in holders and newest.id in seeds):
            chosen.add(compartment)
    return chosen


def _new_keys(
    writer: ControlWriter,
    state: ControlState,
    compartments: Iterable[int],
    seeds: Seeds,
    excluded: int | None,
) -> tuple[bytes, tuple[WrapFor, ...]]:
    """The next epoch of each compartment's key, wrapped to those that held the last one."""
    unit = state.unit_of(writer.device)
    assert unit is not None
    rows: list[UnitKeyRow] = []
    given: dict[int, dict[UnitKeyId, bytes]] = {}
    for compartment in sorted(compartments):
        newest = state.newest_unit_key(unit, compartment)
        key = UnitKeyId(unit, compartment, 1 if newest is None else newest.epoch + 1)
        seed = writer.entropy.bytes(KEY_BYTES)
        holders = _remaining(state, unit, compartment, excluded)
        predecessor = None
        if newest is not None and writer.device in holders:
            predecessor = seal_predecessor(seed, writer.network, key, _held(seeds, newest.id))
        rows.append(UnitKeyRow(key, unit_key_from_seed(seed), predecessor))
        writer.seeds[key] = seed
        for device in holders | {writer.device}:
            given.setdefault(device, {})[key] = seed
    wraps = []
    for device, keys in sorted(given.items()):
        view = state.device(device)
        assert view is not None
        wraps.append(WrapFor(device, writer.wrap(view.kem, device, [], keys)))
    blob = writer.sealed_blob(BLOB_UNIT_KEYS, encode_unit_keys(rows))
    return blob, tuple(wraps)
