"""The acts of a base segment: opening, grant, revocation, receipt (access floor).

``protocol/change.md``, *Base segment*. Only shapes are checked here: whether the author may write
an act is for ``stream_rights``. Codes 5 to 8 are reserved; a segment that holds one of them, or
anything else that the specification forbids, is malformed as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from casesync.access.body_shapes import (
    ID_BYTES,
    REASON_BYTES_MAX,
    U32_MAX,
    U48_MAX,
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
from casesync.access.roles import compartment_list
from casesync.codec import canonical
from casesync.foundation.ids import (
    CONTENT_COMPARTMENTS,
    ChangeNumber,
    Compartment,
    DeviceNumber,
    GrantId,
    RecordId,
    StreamKind,
    UnitId,
)

ACTS_MAX: Final = 64
"""Acts in one segment; people do one at a time."""
COVERS_MAX: Final = 4096
"""Devices that ever wrote to one stream."""

_OPENING, _GRANT, _REVOCATION, _RECEIPT = 1, 2, 3, 4
_CASE_OPENING: Final = (b"\x91\x94\x01\x01\xc4\x10", b"\xc4\x10")
"""The canonical opening of a case, whose ids stand behind each of these: a first sync reads one
for every case."""
_CASE_OPENING_BYTES: Final = 6 + ID_BYTES + 2 + ID_BYTES
_GRANTABLE: Final = frozenset(CONTENT_COMPARTMENTS)

Dot = tuple[DeviceNumber, ChangeNumber]
"""A change, named by its author's device and its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The first act of a stream: what it is and whose."""

    kind: StreamKind
    owner: UnitId
    record: RecordId | None
    """The case's record; None for every other kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Access of another unit to compartments of this stream (``keys.md``, *Grants*)."""

    grant: GrantId
    to_unit: UnitId
    compartments: tuple[Compartment, ...]
    """Content compartments, ascending; ``base`` goes with every grant."""
    write: bool
    history: bool
    purpose: str
    expires_ms: int | None
    consent: RecordId
    revocation: Dot | None
    """The latest earlier revocation of that unit in this stream."""
    covers: tuple[Dot, ...]
    """Per device the last number the snapshot absorbs, ascending by device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """The end of a grant."""

    grant: GrantId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DestructionReceipt:
    """A device of the revoked unit destroyed its copy."""

    grant: GrantId


BaseAct = Opening | Grant | Revocation | DestructionReceipt


def encode_acts(acts: Sequence[BaseAct]) -> bytes:
    """The body of a base segment: canonical array of acts."""
    return canonical.pack([_encoded(act) for act in acts])


def decode_acts(body: bytes) -> tuple[BaseAct, ...]:
    """The acts of a base segment.

    Raises:
        RemoteProtocolError: ``malformed``.
    """
    if len(body) == _CASE_OPENING_BYTES and (body[:6], body[22:24]) == _CASE_OPENING:
        owner, record = UnitId(body[6:22]), RecordId(body[24:])
        return (Opening(kind=StreamKind.CASE, owner=owner, record=record),)
    return tuple(_act(item) for item in items(canonical.unpack(body), ACTS_MAX, "base acts"))


def _encoded(act: BaseAct) -> list[Any]:
    match act:
        case Opening():
            return [_OPENING, int(act.kind), act.owner, act.record]
        case Grant():
            return [
                _GRANT,
                act.grant,
                act.to_unit,
                [int(c) for c in act.compartments],
                act.write,
                act.history,
                act.purpose,
                act.expires_ms,
                act.consent,
                None if act.revocation is None else list(act.revocation),
                [list(dot) for dot in act.covers],
            ]
        case Revocation():
            return [_REVOCATION, act.grant, act.reason]
        case DestructionReceipt():
            return [_RECEIPT, act.grant]


def _act(item: object) -> BaseAct:
    if not isinstance(item, list) or not item or isinstance(item[0], bool):
        raise malformed("base act")
    code, fields = item[0], item[1:]
    if code == _OPENING:
        return _opening(fields)
    if code == _GRANT:
        return _grant(fields)
    if code == _REVOCATION:
        grant, reason = array(fields, 2, "revocation")
        return Revocation(
            grant=GrantId(binary(grant, ID_BYTES, "grant")),
            reason=text(reason, REASON_BYTES_MAX, "reason", empty=True),
        )
    if code == _RECEIPT:
        (grant,) = array(fields, 1, "receipt")
        return DestructionReceipt(grant=GrantId(binary(grant, ID_BYTES, "grant")))
    raise malformed("base act")


def _opening(fields: list[Any]) -> Opening:
    kind, owner, record = array(fields, 3, "opening")
    kind = StreamKind(integer(kind, max(StreamKind), "stream kind", smallest=min(StreamKind)))
    record = binary_or_none(record, ID_BYTES, "record")
    if (record is None) == (kind is StreamKind.CASE):
        raise malformed("opening")
    return Opening(
        kind=kind,
        owner=UnitId(binary(owner, ID_BYTES, "owner")),
        record=None if record is None else RecordId(record),
    )


def _grant(fields: list[Any]) -> Grant:
    array(fields, 10, "grant")
    grant, unit, compartments, write, history, purpose, expires, consent, revocation, covers = (
        fields
    )
    granted = tuple(compartment_list(compartments, "granted compartments"))
    if not granted or not _GRANTABLE.issuperset(granted):
        raise malformed("granted compartments")
    covered = tuple(_dot(dot) for dot in items(covers, COVERS_MAX, "covers"))
    if any(a[0] >= b[0] for a, b in pairwise(covered)):
        raise malformed("covers")
    return Grant(
        grant=GrantId(binary(grant, ID_BYTES, "grant")),
        to_unit=UnitId(binary(unit, ID_BYTES, "unit")),
        compartments=granted,
        write=boolean(write, "write"),
        history=boolean(history, "history"),
        purpose=text(purpose, WORD_BYTES_MAX, "purpose"),
        expires_ms=None if expires is None else integer(expires, U48_MAX, "expires"),
        consent=RecordId(binary(consent, ID_BYTES, "consent")),
        revocation=None if revocation is None else _dot(revocation),
        covers=covered,
    )


def _dot(value: object) -> Dot:
    device, number = array(value, 2, "change named")
    return (
        DeviceNumber(integer(device, U32_MAX, "device", smallest=1)),
        ChangeNumber(integer(number, U48_MAX, "number", smallest=1)),
    )
