"""Making a change: keys, segments, chain, signature, local merge, outbox (sync floor).

DESIGN.md 3 step 1: one transaction holds state, change and outbox entry. The change is judged with
the code that judges everybody's, as if appended now, before anything is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from casesync.access.base_acts import BaseAct, Opening, encode_acts
from casesync.access.stream_facts import END_OF_LOG, ChangeFacts
from casesync.access.stream_rights import StreamRights
from casesync.codec import canonical
from casesync.codec.padding import padded_length
from casesync.crypto.sealing import seal_segment
from casesync.crypto.signatures import ED25519_SIGNATURE_BYTES, change_message
from casesync.foundation.errors import UsageError
from casesync.foundation.ids import (
    UNSEALED_KIND,
    ChangeNumber,
    Compartment,
    FeedId,
    RecordId,
    StreamId,
    StreamKind,
)
from casesync.foundation.limits import CHANGE_BYTES_MAX, SEGMENT_BYTES_MAX
from casesync.sync.context import Engine
from casesync.sync.key_plan import KeyPlan, KeyPlanner, OwedBoxes
from casesync.sync.keyring import StreamKey
from casesync.sync.own_judgement import OwnChange, check_fetched, fold_own, judge_own
from casesync.sync.own_save import Place, note_save, sealed_save
from casesync.sync.ports import (
    OutboxRow,
    StreamFlag,
    Transaction,
    UnsignedChange,
)
from casesync.sync.stream_row import StreamRow
from casesync.sync.usual_keys import usual_keys
from casesync.translog.chain import link as chain_link
from casesync.translog.header import NO_KEY_NAME, encode_header
from casesync.translog.unsealed import (
    FeedLink,
    decode_unsealed,
    encode_unsealed,
    stream_id,
)

OWN_CHAIN = "own-chain"
"""Stored value: canonical [number, link] of this device's newest change."""
PUSHED_CHECKPOINT = "pushed-checkpoint"
"""Stored value: canonical [size, root] to go into the next change, absent once it has gone."""


_TableRow = tuple[int, bytes, int, bytes]
"""Kind, key name, length, SHA-256 of a segment."""


class _Made(NamedTuple):
    """A change but for its signature."""

    header: bytes
    link: bytes
    segments: tuple[bytes, ...]
    named: Sequence[tuple[int, bytes]] = ()
    """Kind and key name of each segment, where it is still to be judged."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """What a change is to say; the engine adds keys, order and signature."""

    stream: StreamId
    bodies: dict[int, bytes] = field(default_factory=dict)
    """Content and access segments' bodies by compartment."""
    decoded: dict[int, list[Any]] = field(default_factory=dict)
    """The same content bodies decoded, to be merged here."""
    acts: list[BaseAct] = field(default_factory=list)
    feed_links: list[tuple[FeedId, bool]] = field(default_factory=list)
    random16: bytes | None = None
    fresh: set[int] = field(default_factory=set)
    """Compartments that must start a key."""
    history_boxes: bool = False
    """Box every key held of the fresh compartments to the units entitled now (``--history``)."""
    owed: Sequence[OwedBoxes] = ()
    """Further boxes to make (``KeyPlanner.owed_boxes``)."""
    keep_base: bool = False
    """Seal the base segment under the newest base key held, whoever else reads it."""
    number: int | None = None
    """Set where the stream id was derived from it."""


def own_chain(tx: Transaction, engine: Engine) -> tuple[int, bytes]:
    """(number, link) of this device's newest change; (0, enrolment entry hash) at first."""
    stored = tx.value(OWN_CHAIN)
    if stored is None:
        enrolled = engine.control.enrolment_hash(engine.device)
        return 0, bytes(32) if enrolled is None else enrolled  # zeros: not seen in the log yet
    if engine.own_chain is None or engine.own_chain[0] != stored:
        engine.own_chain = (stored, *canonical.unpack_fast(stored))
    _, number, link = engine.own_chain
    return number, link


def continue_chain(tx: Transaction, engine: Engine, number: int, link: bytes) -> None:
    """The change with this link is the newest one of this device."""
    stored = canonical.pack_flat([number, link])
    engine.own_chain = (stored, number, link)
    tx.put_value(OWN_CHAIN, stored)


def open_stream(
    engine: Engine, tx: Transaction, kind: StreamKind, record: RecordId | None, feed: FeedId
) -> Draft:
    """A draft that opens a new stream owned by this device's unit and linked to ``feed``."""
    number = own_chain(tx, engine)[0] + 1
    random16 = engine.entropy.bytes(16)
    stream = stream_id(engine.network, engine.device, number, random16)
    return Draft(
        stream=stream,
        acts=[Opening(kind=kind, owner=engine.unit, record=record)],
        feed_links=[(feed, True)],
        random16=random16,
        number=number,
    )


def write_change(
    engine: Engine, tx: Transaction, draft: Draft, row: StreamRow | None = None
) -> tuple[int, StreamRow]:
    """Seal, sign, merge and queue one change.

    Args:
        engine: identity, keys and control log.
        tx: the running transaction.
        draft: what to say.
        row: the stream's row, if it was read in this transaction; changed in place.

    Returns:
        Its number and the stream's row after it.

    Raises:
        AccessDenied: the author's role or grant does not allow it, or a key is missing; nothing
            was written.
        CannotDecide: ``case-incomplete``: a key is to be started, and earlier changes of the
            stream are still to be fetched.
        UsageError: ``change-too-large``.
    """
    if row is None:
        row = StreamRow(tx.stream_rows([draft.stream]).get(draft.stream))
    engine.keys.load(tx, [draft.stream])
    previous_number, previous_link = own_chain(tx, engine)
    number = previous_number + 1
    assert draft.number in (None, number), "another change was written since the stream was named"
    plan, unsealed = _planned(engine, draft, row, number)
    if plan.made:
        check_fetched(tx, draft.stream)
    after = row.after(engine.device)
    place = _place(engine, draft, row, number, previous_link)
    made = _made(tx, draft, place, after, plan, unsealed)
    message = change_message(engine.network, made.link)
    unsigned = UnsignedChange(previous_link, made.header, made.segments, message)
    location = tx.append_own(unsigned, engine.signer)
    if not plan.usual:
        facts = _facts(engine, draft, number, location, made.named, unsealed)
        judge_own(engine, tx, draft.stream, row, facts, OwnChange(unsigned, made.link))
        fold_own(engine, row, facts)
    for key in plan.made:
        engine.keys.add(tx, draft.stream, key)
    note_save(row, place.device, number, made.link, location, draft.decoded, after)
    tx.put_stream_rows({draft.stream: row.row}, row.kind_number)
    tx.mark_streams([draft.stream], StreamFlag.LISTING_STALE, on=True)
    size = len(made.header) + ED25519_SIGNATURE_BYTES + sum(map(len, made.segments))
    tx.put_outbox(OutboxRow(ChangeNumber(number), draft.stream, location, size, None))
    continue_chain(tx, engine, number, made.link)
    tx.put_value(PUSHED_CHECKPOINT, None)
    return number, row


def refuse_unwritable(engine: Engine, tx: Transaction, draft: Draft, row: StreamRow) -> None:
    """Raise what ``write_change`` would raise now; nothing is written, and ``row`` stays.

    Args:
        engine: identity, keys and control log.
        tx: the running transaction.
        draft: content alone, for a stream that is here.
        row: the stream's row.

    Raises:
        AccessDenied, CannotDecide, UsageError: as ``write_change``.
    """
    engine.keys.load(tx, [draft.stream])
    previous_number, previous_link = own_chain(tx, engine)
    number = previous_number + 1
    plan, unsealed = _planned(engine, draft, row, number)
    if plan.usual:
        return
    if plan.made:
        check_fetched(tx, draft.stream)
    place = _place(engine, draft, row, number, previous_link)
    made = _made(tx, draft, place, row.after(engine.device), plan, unsealed)
    unsigned = UnsignedChange(previous_link, made.header, made.segments, b"")
    facts = _facts(engine, draft, number, 0, made.named, unsealed)
    judge_own(engine, tx, draft.stream, row, facts, OwnChange(unsigned, made.link))


def _place(engine: Engine, draft: Draft, row: StreamRow, number: int, link: bytes) -> Place:
    """Where the change stands that follows the one with this link."""
    size, random = engine.control.size, engine.entropy.bytes(8)
    return Place(int(engine.device), number, draft.stream, row.own_previous, size, random, link)


def _rights_with(engine: Engine, draft: Draft, rights: StreamRights, number: int) -> StreamRights:
    """The fold with the draft's acts taken in, to see who is entitled then."""
    if not draft.acts:
        return rights
    future = StreamRights.from_row(rights.to_row())
    future.fold_acts(_facts(engine, draft, number, 0, (), None), engine.control)
    return future


def _facts(
    engine: Engine,
    draft: Draft,
    number: int,
    location: int,
    segments: Sequence[tuple[int, bytes]],
    unsealed: bytes | None,
) -> ChangeFacts:
    """What the change is judged by: as if it were appended now."""
    return ChangeFacts(
        device=int(engine.device),
        number=number,
        control_size=engine.control.size,
        log_index=END_OF_LOG + number,
        log_time_ms=engine.log_now_ms(),
        location=location,
        segments=segments,
        unsealed=None if unsealed is None else decode_unsealed(unsealed),
        base=draft.acts or None,
        base_sealed=False,
    )


def _planned(
    engine: Engine, draft: Draft, row: StreamRow, number: int
) -> tuple[KeyPlan, bytes | None]:
    """The change's keys, and the unsealed segment that goes with them, if any."""
    if _is_content_alone(draft):
        keys = usual_keys(engine, draft.stream, row, draft.bodies)
        if keys is not None:
            return KeyPlan(keys, usual=True), None
    future = _rights_with(engine, draft, row.rights, number)
    return _unsealed(engine, draft, future, number)


def _is_content_alone(draft: Draft) -> bool:
    """Whether a draft asks for nothing beside its bodies."""
    return not (
        draft.acts
        or draft.feed_links
        or draft.fresh
        or draft.history_boxes
        or draft.owed
        or draft.keep_base
        or draft.random16
    )


def _unsealed(
    engine: Engine, draft: Draft, future: StreamRights, number: int
) -> tuple[KeyPlan, bytes | None]:
    planner = KeyPlanner(engine, draft.stream, future, number, draft.random16)
    for compartment in sorted(draft.fresh):
        planner.use(compartment, fresh=True)
    for compartment in sorted(draft.bodies):
        planner.use(compartment)
    if draft.keep_base:
        planner.use_held(Compartment.BASE)
    elif draft.acts or not any(s.compartment == Compartment.BASE for s in future.statements):
        planner.use(Compartment.BASE)
    else:
        planner.refresh_base()
    if draft.history_boxes:
        planner.box_history(draft.fresh)
    for owed in draft.owed:
        planner.add_boxes(*owed)
    plan = planner.plan
    links = [FeedLink(feed, linked) for feed, linked in draft.feed_links]
    if draft.random16 is None and not plan.statements and not plan.boxes and not links:
        return plan, None
    return plan, encode_unsealed(draft.random16, plan.statements, plan.boxes, links)


def _made(
    tx: Transaction,
    draft: Draft,
    place: Place,
    after: Sequence[tuple[int, int, bytes]],
    plan: KeyPlan,
    unsealed: bytes | None,
) -> _Made:
    """The change but for its signature."""
    checkpoint = tx.value(PUSHED_CHECKPOINT)
    if checkpoint is None and plan.usual and len(draft.bodies) == 1:
        [(compartment, body)] = draft.bodies.items()
        header, link, segment = sealed_save(place, after, plan.keys[compartment], body)
        return _Made(header, link, (segment,))
    size, root = (0, b"") if checkpoint is None else canonical.unpack(checkpoint)
    head = place.head(after, size, root if size else b"")
    bodies = dict(draft.bodies)
    if draft.acts:
        bodies[int(Compartment.BASE)] = encode_acts(draft.acts)
    table, segments = _sealed(head, place.previous_link, unsealed, bodies, plan.keys)
    header = encode_header(head, table)
    link = chain_link(place.previous_link, header)
    return _Made(header, link, segments, [row[:2] for row in table])


def _sealed(
    head: bytes,
    previous_link: bytes,
    unsealed: bytes | None,
    bodies: dict[int, bytes],
    keys: Mapping[int, StreamKey],
) -> tuple[list[_TableRow], tuple[bytes, ...]]:
    """The segment table and the segments."""
    head_hash = sha256(head).digest()
    table: list[_TableRow] = []
    segments: list[bytes] = []
    if unsealed is not None:
        table.append((UNSEALED_KIND, NO_KEY_NAME, len(unsealed), sha256(unsealed).digest()))
        segments.append(unsealed)
    for compartment in sorted(bodies):
        body = bodies[compartment]
        if padded_length(len(body) + 17) > SEGMENT_BYTES_MAX:
            raise UsageError("change-too-large")
        key = keys[compartment]
        sealed = seal_segment(
            key.cipher, previous_link, head, head_hash, len(segments), key.commitment, body
        )
        table.append((compartment, key.commitment[:8], len(sealed), sha256(sealed).digest()))
        segments.append(sealed)
    if sum(map(len, segments)) > CHANGE_BYTES_MAX - 16384:
        raise UsageError("change-too-large")
    return table, tuple(segments)
