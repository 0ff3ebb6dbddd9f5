"""From a verified change to what it says: unsealed items, base acts, content (sync floor).

``protocol/change.md``. Decoding failures of an authentic change are its author's fault: they make
the change or the segment not count, and never stop the rest of a sync.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

from casesync.access.base_acts import BaseAct, decode_acts
from casesync.access.stream_facts import ChangeFacts, opens_from
from casesync.access.stream_rights import StreamRights
from casesync.crypto.sealing import open_segment
from casesync.foundation.errors import CasesyncError
from casesync.foundation.ids import UNSEALED_KIND, Compartment, StreamId
from casesync.model.cells import FORMS_INTERNED_MAX, Form
from casesync.model.segment_body import decode_content, is_copies
from casesync.sync.context import Engine
from casesync.sync.ports import StoredChange, Transaction
from casesync.translog.header import Header, head_bytes, parse_header
from casesync.translog.unsealed import UnsealedItems, decode_unsealed


class ReadChange(NamedTuple):
    """A stored change with its header parsed and its place in the log."""

    header: Header
    head: bytes
    link: bytes
    stored: StoredChange
    location: int
    log_index: int
    log_time_ms: int


def read_change(
    stored: StoredChange, link: bytes, location: int, index: int, log_time_ms: int
) -> ReadChange:
    """Parse the header of a stored change. Raises: RemoteProtocolError."""
    header = parse_header(stored.header)
    head = head_bytes(stored.header, header)
    return ReadChange(header, head, link, stored, location, index, log_time_ms)


def facts_of(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    change: ReadChange,
    unsealed: UnsealedItems | None = None,
) -> ChangeFacts:
    """Everything a verdict depends on; opens the boxes meant for this device on the way.

    Args:
        engine: with the unit seeds.
        tx: the running transaction; keys that open are stored through it.
        stream: the change's stream.
        change: the change.
        unsealed: its unsealed segment, if it was read before.

    Raises:
        RemoteProtocolError: the unsealed or the base segment is malformed.
    """
    header, stored = change.header, change.stored
    base: tuple[BaseAct, ...] | None = None
    base_sealed = False
    for position, segment in enumerate(header.segments):
        body = stored.segments[position]
        if segment.kind == UNSEALED_KIND and body is not None:
            unsealed = decode_unsealed(body) if unsealed is None else unsealed
            open_statements(engine, tx, stream, header.device, header.number, unsealed)
        elif segment.kind == Compartment.BASE:
            plain = None if body is None else open_at(engine, stream, change, position)
            if plain is None:
                base_sealed = True
            else:
                base = decode_acts(plain)
        elif segment.kind > Compartment.BASE:
            break
    return ChangeFacts(
        device=header.device,
        number=header.number,
        control_size=header.control_size,
        log_index=change.log_index,
        log_time_ms=change.log_time_ms,
        location=change.location,
        segments=[(segment.kind, segment.key_name) for segment in header.segments],
        unsealed=unsealed,
        base=base,
        base_sealed=base_sealed,
    )


def open_statements(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    device: int,
    number: int,
    items: UnsealedItems,
) -> None:
    """Open what boxes for this device the statements carry, and keep the keys."""
    engine.keys.load(tx, [stream])
    for statement in items.statements:
        key = engine.keys.open_boxes(
            engine.control,
            stream,
            statement.compartment,
            (device, number, statement.position),
            statement.commitment,
            statement.boxes,
        )
        if key is not None:
            engine.keys.add(tx, stream, key)


def open_at(engine: Engine, stream: StreamId, change: ReadChange, position: int) -> bytes | None:
    """The body of one sealed segment.

    Returns None if the key is not here, the segment is withheld, or it does not open: an outsider
    cannot tell these apart (attack 48).
    """
    segment = change.header.segments[position]
    sealed = change.stored.segments[position]
    key = engine.keys.get(stream, segment.kind, segment.key_name)
    if key is None or sealed is None:
        return None
    try:
        return open_segment(
            key.cipher,
            change.stored.previous_link,
            change.head,
            sha256(change.head).digest(),
            position,
            key.commitment,
            sealed,
        )
    except CasesyncError:
        return None


def should_open(engine: Engine, rights: StreamRights, compartment: int, key_name: bytes) -> bool:
    """Whether a key that is not here should be: it is our unit's stream, or a box is for us."""
    if not engine.reads(compartment):
        return False
    if rights.owner == engine.unit:
        return True
    fact = rights.statement(compartment, key_name)
    if fact is None or fact.log_index < opens_from(rights.grants, engine.unit, compartment):
        return False
    for at in range(0, len(fact.labels), 8):
        named = engine.control.unit_key_by_name(fact.labels[at : at + 8])
        if named is not None and named.unit == engine.unit:
            return True
    return False


class OpenedSegment(NamedTuple):
    """A content segment that opened and has the shape of one."""

    compartment: int
    position: int
    body: list[Any]
    """As ``model.segment_body.decode_content`` gives it."""
    allowed: bool
    """It keeps to the schema it names; if not it is transparent (``record-model.md``, Cell)."""


class SegmentFault(NamedTuple):
    """A content segment that does not count, with the reason."""

    compartment: int
    reason: str


def content_of(
    engine: Engine, stream: StreamId, change: ReadChange, rights: StreamRights
) -> tuple[list[OpenedSegment], list[SegmentFault], bool]:
    """Opened content, faults, and whether something that should be readable is not."""
    opened: list[OpenedSegment] = []
    faults: list[SegmentFault] = []
    unreadable = False
    for position, segment in enumerate(change.header.segments):
        kind = segment.kind
        if not Compartment.BASE < kind < Compartment.ACCESS:
            continue
        if change.stored.segments[position] is None:  # withheld, or destroyed here
            continue
        if engine.keys.get(stream, kind, segment.key_name) is None:
            unreadable = unreadable or should_open(engine, rights, kind, segment.key_name)
            continue
        plain = open_at(engine, stream, change, position)
        if plain is None:
            faults.append(SegmentFault(kind, "segment-does-not-open"))
            continue
        try:
            body = decode_content(plain)
        except CasesyncError:
            faults.append(SegmentFault(kind, "segment-malformed"))
            continue
        if is_copies(body) and not may_copy(engine, rights, change.header.device):
            faults.append(SegmentFault(kind, "copies-not-allowed"))
            continue
        allowed = fields_allowed(engine, kind, body)
        if not allowed:
            faults.append(SegmentFault(kind, "field-not-allowed"))
        opened.append(OpenedSegment(kind, position, body, allowed))
    return opened, faults, unreadable


def may_copy(engine: Engine, rights: StreamRights, device: int) -> bool:
    """Whether a device's copies count: they speak in others' names, as only the owner's may."""
    return rights.owner is not None and engine.control.unit_of(device) == rights.owner


def fields_allowed(engine: Engine, compartment: int, body: list[Any]) -> bool:
    """Whether every cell's field belongs to this compartment in the schema the segment names."""
    version, forms = body[1], body[4]
    if forms.__class__ is Form:  # one simple group: the hot path
        return _form_checked(engine, version, compartment, forms)
    return all(_form_checked(engine, version, compartment, form) for form in forms)


def _form_checked(engine: Engine, version: int, compartment: int, form: Form) -> bool:
    name = (version, compartment, form)
    allowed = engine.forms_checked.get(name)
    if allowed is None:
        keys = form.keys + tuple(element[0] for element in form.elements)
        allowed = _form_allowed(engine, version, compartment, form.type, keys)
        if len(engine.forms_checked) >= FORMS_INTERNED_MAX:
            engine.forms_checked.clear()
        engine.forms_checked[name] = allowed
    return allowed


def _form_allowed(
    engine: Engine, version: int, compartment: int, type_number: int, keys: tuple[int, ...]
) -> bool:
    schema = engine.control.schema_version(version)
    record_type = None if schema is None else schema.types.get(type_number)
    if record_type is None:
        return False
    for key in keys:
        field = record_type.fields.get(key >> 4)
        if field is None or field.compartment != compartment or field.resolver != key & 15:
            return False
    return True
