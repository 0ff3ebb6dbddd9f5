"""What stands inside the seal of a control entry and of a unit keys blob (access floor).

``protocol/membership.md``, *Acts*, and ``protocol/keys.md``, *Unit key*. Shapes only: whether the
signer may do it, and whether it counts, is for ``control_state``. The public half of an entry is
``translog.control_entry``'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from casesync.access.body_shapes import (
    HASH_BYTES,
    ID_BYTES,
    NAME_BYTES_MAX,
    REASON_BYTES_MAX,
    U32_MAX,
    WORD_BYTES_MAX,
    array,
    binary,
    binary_or_none,
    boolean,
    integer,
    items,
    malformed,
    text,
)
from casesync.codec import canonical
from casesync.crypto.kem_keys import KEM_PUBLIC_BYTES
from casesync.crypto.key_wrap import HPKE_BOX_BYTES, SYMMETRIC_BOX_BYTES, UnitKeyId
from casesync.crypto.signatures import COMPOSITE_SIGNATURE_BYTES
from casesync.foundation.ids import Compartment, FeedId, InvitationId, MemberId, UnitId

UNIT_TYPES: Final = ("shelter", "osso", "union", "provider", "audit", "one")
"""What an office can be; ``one`` is a unit of one."""
AUDIT_TYPE: Final = "audit"
UNIT_OF_ONE_TYPE: Final = "one"
UNIT_KEYS_MAX: Final = 64
"""Compartments of one unit, with room for as many again."""
NETWORK_BOXES_MAX: Final = 4096
EMPTY_BODY: Final = canonical.pack([])
"""Body of an act that has nothing to hide; it is sealed all the same."""
_PREDECESSOR_BYTES: Final = 48


class UnitBody(NamedTuple):
    """Act 5: a new office."""

    unit: UnitId
    type: str
    name: str
    parent: UnitId | None
    feed: FeedId


class EnrolBody(NamedTuple):
    """Act 6: a device of a new or known member, with the joiner's own signature."""

    member: MemberId
    name: str
    unit: UnitId
    role: str
    administrator: bool
    label: str
    invitation: InvitationId
    inviter_nonce: bytes
    joiner_nonce: bytes
    signature: bytes


class FoundBody(NamedTuple):
    """Act 10: the founder's own member."""

    member: MemberId
    name: str
    unit: UnitId
    role: str
    label: str


class NetworkBox(NamedTuple):
    """The network key for a unit's ``base`` key."""

    unit: UnitId
    epoch: int
    body: bytes


class UnitKeyRow(NamedTuple):
    """One public unit key, as a unit keys blob and a reveal hold it."""

    key: UnitKeyId
    public: bytes
    predecessor: bytes | None
    """The seed of the epoch before, sealed under this one (48 bytes)."""


def encode_charter(name: str) -> bytes:
    """Body of act 2."""
    return canonical.pack([name])


def decode_charter(body: bytes) -> str:
    """Network name. Raises: RemoteProtocolError: ``malformed``, as all decoders here do."""
    (name,) = array(canonical.unpack(body), 1, "charter")
    return text(name, NAME_BYTES_MAX, "network name")


def encode_unit(body: UnitBody) -> bytes:
    """Body of act 5."""
    return canonical.pack(list(body))


def decode_unit(body: bytes) -> UnitBody:
    """Read the body of act 5."""
    unit, type_word, name, parent, feed = array(canonical.unpack(body), 5, "unit")
    if type_word not in UNIT_TYPES:
        raise malformed("type of unit")
    parent = binary_or_none(parent, ID_BYTES, "parent")
    return UnitBody(
        unit=UnitId(binary(unit, ID_BYTES, "unit")),
        type=type_word,
        name=text(name, NAME_BYTES_MAX, "name of unit"),
        parent=None if parent is None else UnitId(parent),
        feed=FeedId(binary(feed, ID_BYTES, "feed")),
    )


def encode_enrol(body: EnrolBody) -> bytes:
    """Body of act 6."""
    return canonical.pack(list(body))


def decode_enrol(body: bytes) -> EnrolBody:
    """Read the body of act 6."""
    fields = array(canonical.unpack(body), 10, "enrolment")
    member, name, unit, role, administrator, label, invitation, inviter, joiner, signed = fields
    return EnrolBody(
        member=MemberId(binary(member, ID_BYTES, "member")),
        name=text(name, NAME_BYTES_MAX, "name"),
        unit=UnitId(binary(unit, ID_BYTES, "unit")),
        role=text(role, WORD_BYTES_MAX, "role"),
        administrator=boolean(administrator, "administrator"),
        label=text(label, NAME_BYTES_MAX, "device label", empty=True),
        invitation=InvitationId(binary(invitation, ID_BYTES, "invitation")),
        inviter_nonce=binary(inviter, HASH_BYTES, "nonce"),
        joiner_nonce=binary(joiner, HASH_BYTES, "nonce"),
        signature=binary(signed, COMPOSITE_SIGNATURE_BYTES, "signature"),
    )


def encode_admit(keys: Iterable[UnitKeyId]) -> bytes:
    """Body of act 7."""
    return canonical.pack([list(key) for key in sorted(keys)])


def decode_admit(body: bytes) -> tuple[UnitKeyId, ...]:
    """Read the body of act 7: the unit keys in the wrap, ascending, each once, at least one."""
    keys = tuple(_key_id(row) for row in items(canonical.unpack(body), UNIT_KEYS_MAX, "admission"))
    if not keys or list(keys) != sorted(set(keys)):
        raise malformed("admission")
    return keys


def encode_suspend(reason: str) -> bytes:
    """Body of act 8."""
    return canonical.pack([reason])


def decode_suspend(body: bytes) -> str:
    """Reason of a suspension."""
    (reason,) = array(canonical.unpack(body), 1, "suspension")
    return text(reason, REASON_BYTES_MAX, "reason", empty=True)


def encode_found(body: FoundBody) -> bytes:
    """Body of act 10."""
    return canonical.pack(list(body))


def decode_found(body: bytes) -> FoundBody:
    """Read the body of act 10."""
    member, name, unit, role, label = array(canonical.unpack(body), 5, "founding")
    return FoundBody(
        member=MemberId(binary(member, ID_BYTES, "member")),
        name=text(name, NAME_BYTES_MAX, "name"),
        unit=UnitId(binary(unit, ID_BYTES, "unit")),
        role=text(role, WORD_BYTES_MAX, "role"),
        label=text(label, NAME_BYTES_MAX, "device label", empty=True),
    )


def encode_network_boxes(boxes: Sequence[NetworkBox]) -> bytes:
    """Body of act 11."""
    return canonical.pack([list(box) for box in boxes])


def decode_network_boxes(body: bytes) -> tuple[NetworkBox, ...]:
    """Read the body of act 11."""
    boxes = []
    for row in items(canonical.unpack(body), NETWORK_BOXES_MAX, "network boxes"):
        unit, epoch, box = array(row, 3, "network box")
        if not isinstance(box, bytes) or len(box) not in (SYMMETRIC_BOX_BYTES, HPKE_BOX_BYTES):
            raise malformed("network box")
        unit = UnitId(binary(unit, ID_BYTES, "unit"))
        boxes.append(NetworkBox(unit, integer(epoch, U32_MAX, "epoch", smallest=1), box))
    if not boxes:
        raise malformed("network boxes")
    return tuple(boxes)


def check_empty(body: bytes) -> None:
    """Refuse anything but the empty array (acts 3, 4 and 9)."""
    if body != EMPTY_BODY:
        raise malformed("control body")


def encode_unit_keys(rows: Iterable[UnitKeyRow]) -> bytes:
    """The plaintext of a unit keys blob, and the unit keys of a reveal inside its array."""
    return canonical.pack(unit_keys_value(rows))


def unit_keys_value(rows: Iterable[UnitKeyRow]) -> list[object]:
    """The array ``[[unit, compartment, epoch, public key, predecessor or nil], ...]``."""
    return [[*row.key, row.public, row.predecessor] for row in sorted(rows)]


def decode_unit_keys(body: bytes) -> tuple[UnitKeyRow, ...]:
    """Read the plaintext of a unit keys blob."""
    return read_unit_keys(canonical.unpack(body))


def read_unit_keys(value: object) -> tuple[UnitKeyRow, ...]:
    """Rows of a decoded array; ascending, each key once. Lengths are checked, keys are not."""
    rows = []
    for row in items(value, UNIT_KEYS_MAX, "unit keys"):
        fields = array(row, 5, "unit key")
        rows.append(
            UnitKeyRow(
                key=_key_id(fields[:3]),
                public=binary(fields[3], KEM_PUBLIC_BYTES, "unit key"),
                predecessor=binary_or_none(fields[4], _PREDECESSOR_BYTES, "predecessor"),
            )
        )
    names = [row.key for row in rows]
    if names != sorted(set(names)):
        raise malformed("unit keys")
    return tuple(rows)


def _key_id(value: object) -> UnitKeyId:
    unit, compartment, epoch = array(value, 3, "unit key")
    return UnitKeyId(
        UnitId(binary(unit, ID_BYTES, "unit")),
        Compartment(
            integer(compartment, max(Compartment), "compartment", smallest=min(Compartment))
        ),
        integer(epoch, U32_MAX, "epoch", smallest=1),
    )
