"""What the control log says, as values that are handed out (access floor).

``protocol/membership.md``. Every fact keeps the control index at which it became true, and ended
if it ended, so that "what the author had seen" is a comparison and never a second state: a fact
with index i is known at control size s exactly if i < s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from casesync.access.control_bodies import AUDIT_TYPE
from casesync.crypto.key_wrap import UnitKeyId
from casesync.foundation.ids import DeviceNumber, FeedId, InvitationId, MemberId, UnitId
from casesync.model.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitView:
    """An office."""

    unit: UnitId
    type: str
    name: str
    parent: UnitId | None
    feed: FeedId
    control_index: int

    @property
    def is_audit(self) -> bool:
        """Whether access segments are boxed to it."""
        return self.type == AUDIT_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """A person with a role at a unit."""

    member: MemberId
    name: str
    unit: UnitId
    role: str
    administrator: bool
    control_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """An installation with its own keys; its member, unit and role never change."""

    number: DeviceNumber
    since: int
    """Control size from which member, unit and role are known."""
    kind: int
    member: MemberId
    unit: UnitId
    role: str
    administrator: bool
    label: str
    acts: int
    feeds: tuple[FeedId, ...]
    change_key: bytes
    request_key: bytes
    composite: bytes
    kem: bytes
    enrolment_hash: bytes
    """Hash of its enrolment entry: the previous link of its first change."""
    enrolled_by: DeviceNumber
    invitation: InvitationId | None
    """None for the founder's device."""
    suspended_at: int | None = None
    """Change-log size from which its changes are quarantined."""
    suspended_index: int | None = None
    """Control index of the suspension."""

    @property
    def active(self) -> bool:
        """Not suspended, as far as this log goes."""
        return self.suspended_index is None

    @property
    def access_feed(self) -> FeedId:
        """The feed of its own access stream."""
        return self.feeds[-1]


class UnitKey(NamedTuple):
    """One epoch of a unit key."""

    unit: UnitId
    compartment: int
    epoch: int
    public: bytes
    name: bytes
    predecessor: bytes | None
    """The seed of the epoch before, sealed under this one."""
    control_index: int
    """Where it appeared."""
    retired_index: int | None = None
    """Control index at which it was retired."""

    @property
    def id(self) -> UnitKeyId:
        """Unit, compartment and epoch."""
        return UnitKeyId(self.unit, self.compartment, self.epoch)


class SchemaVersion(NamedTuple):
    """A schema entry that counts."""

    control_index: int
    name: bytes
    """SHA-256 of the sealed blob."""
    body: bytes
    schema: Schema | None
    """None if its format is newer than this version of the program reads."""


class Suspension(NamedTuple):
    """A suspension that counts."""

    device: DeviceNumber
    change_size: int
    control_index: int
    reason: str


class Void(NamedTuple):
    """An entry, or with ``partial`` its unit keys, that does nothing."""

    control_index: int
    act: int
    signer: int
    reason: str
    partial: bool = False


class Applied(NamedTuple):
    """What an entry did: ``void`` is empty if it counts."""

    control_index: int
    act: int
    signer: int
    change_size: int
    """Where it takes effect; verdicts on changes at or behind it may change."""
    void: str


class Waiting(NamedTuple):
    """A device that reads a compartment and was not given its unit's newest key."""

    device: DeviceNumber
    unit: UnitId
    compartment: int
