"""The answer to a sync request (relay; ``protocol/sync.md``)."""

from __future__ import annotations

from typing import Final

from casesync.crypto.signatures import Ed25519Signer
from casesync.foundation.limits import ANSWER_BYTES_MAX, CHANGE_BYTES_MAX
from casesync.relay.pages import backfill_page, change_page, empty_page
from casesync.relay.push import take_outbox
from casesync.relay.relay_store import Log
from casesync.relay.session import Session
from casesync.relay.signed_checkpoint import signed_checkpoint
from casesync.translog.chain import control_leaf
from casesync.wire.messages import (
    Backfill,
    ControlPage,
    SyncAnswer,
    SyncRequest,
)
from casesync.wire.refusals import Refusal, RequestRefused

_ROOM_MIN: Final = 64 * 1024
"""However little a device asks for, it gets further."""
_ROOM_MAX: Final = ANSWER_BYTES_MAX // 2 - CHANGE_BYTES_MAX
"""Hashes and framing take their part of an answer too."""


def answer_sync(session: Session, request: SyncRequest, signer: Ed25519Signer) -> SyncAnswer:
    """Serve one request; ``session`` carries what the push changed.

    Raises:
        RequestRefused: ``relay-behind`` if the device holds more of a log than there is here.
    """
    _check_sizes(session, request)
    outcome = take_outbox(session, request.outbox, request.newest)
    row = session.row
    room = min(max(request.answer_bytes_max, _ROOM_MIN), _ROOM_MAX)
    control = _control_page(session, request.control_size, room)
    control_end = control.first + len(control.leaves)
    behind = control_end < row.control_size
    room -= sum(map(len, control.leaves))
    target = request.target or row.change_size
    if behind:
        served = empty_page(session, request.cursor, target)
        backfills: list[Backfill] = []
    else:
        served = change_page(session, request.cursor, target, room)
        backfills = _backfills(session, request, target, room - served.size_bytes)
    return SyncAnswer(
        newest=(session.asking.newest_number, session.asking.newest_link),
        receipts=outcome.receipts,
        refusal=outcome.refusal,
        control=control,
        control_checkpoint=_checkpoint(session, Log.CONTROL, control_end, signer),
        change_checkpoint=_checkpoint(session, Log.CHANGE, target, signer),
        page=served.page,
        backfills=tuple(backfills),
        more=behind or served.end < target or _is_owing(request, backfills),
        log_time_ms=session.now_ms,
    )


def _checkpoint(session: Session, log: Log, size: int, signer: Ed25519Signer) -> bytes:
    return signed_checkpoint(session.tx, session.network, session.handle, log, size, signer)


def _check_sizes(session: Session, request: SyncRequest) -> None:
    held = max(request.cursor, request.target)
    if request.control_size > session.row.control_size or held > session.row.change_size:
        raise RequestRefused(Refusal.RELAY_BEHIND)


def _control_page(session: Session, first: int, bytes_max: int) -> ControlPage:
    leaves: list[bytes] = []
    size_bytes = 0
    end = session.row.control_size
    for log_time_ms, entry in session.tx.control_leaves(session.handle, first, end):
        size_bytes += len(entry)
        if leaves and size_bytes > bytes_max:
            break
        leaves.append(control_leaf(log_time_ms, entry))
    return ControlPage(first, tuple(leaves))


def _backfills(
    session: Session, request: SyncRequest, target: int, bytes_max: int
) -> list[Backfill]:
    """The owed back-fills, in the order asked, as far as there is room."""
    answers: list[Backfill] = []
    for owed in request.owed:
        if bytes_max <= 0:
            break
        served = backfill_page(session, owed, request.cursor, target, bytes_max)
        bytes_max -= served.size_bytes
        answers.append(Backfill(owed.position, served.page))
        if served.end < request.cursor:
            break
    return answers


def _is_owing(request: SyncRequest, backfills: list[Backfill]) -> bool:
    if len(backfills) < len(request.owed):
        return True
    return any(backfill.page[0] < request.cursor for backfill in backfills)
