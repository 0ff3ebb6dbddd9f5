"""Rendezvous of an enrolment: four sealed messages, written once each (relay).

``protocol/enrolment.md``, ``protocol/relay-http.md``. The relay sees neither what the messages say
nor who joins; it keeps them until they are over: cancelled, expired, or a day after the last one.
"""

from __future__ import annotations

from typing import Final

from casesync.foundation.limits import (
    RENDEZVOUS_LIFETIME_MS_MAX,
    RENDEZVOUS_MESSAGE_BYTES_MAX,
    RENDEZVOUS_PER_DEVICE_MAX,
    RENDEZVOUS_RESULT_MS,
)
from casesync.relay.relay_store import RelayTransaction, RendezvousRow
from casesync.wire.refusals import Refusal, RequestRefused

SLOTS: Final = 4
INVITER_SLOTS: Final = frozenset({2, 4})


def open_rendezvous(
    tx: RelayTransaction, handle: int, invitation: bytes, device: int, *, now: int, expires: int
) -> None:
    """Open it for ``device`` until ``expires`` (ms); the same again changes nothing.

    Raises:
        RequestRefused: ``malformed`` for a time that is over or too far, ``slot-filled`` if
            another device or time holds it, ``quota``.
    """
    tx.drop_expired(now)
    if not now < expires <= now + RENDEZVOUS_LIFETIME_MS_MAX:
        raise RequestRefused(Refusal.MALFORMED)
    row = tx.rendezvous(handle, invitation)
    if row is not None:
        if (row.device, row.expires_ms) != (device, expires):
            raise RequestRefused(Refusal.SLOT_FILLED)
        return
    if tx.rendezvous_count(handle, device) >= RENDEZVOUS_PER_DEVICE_MAX:
        raise RequestRefused(Refusal.QUOTA)
    tx.put_rendezvous(handle, invitation, RendezvousRow(device, expires, (None,) * SLOTS))


def cancel_rendezvous(tx: RelayTransaction, handle: int, invitation: bytes, device: int) -> None:
    """Remove it; of another device or not there: ``not-found``."""
    row = tx.rendezvous(handle, invitation)
    if row is None or row.device != device:
        raise RequestRefused(Refusal.NOT_FOUND)
    tx.drop_rendezvous(handle, invitation)


def put_message(
    tx: RelayTransaction,
    handle: int,
    invitation: bytes,
    slot: int,
    message: bytes,
    *,
    device: int | None,
    now: int,
) -> None:
    """Fill ``slot`` (1 to 4) once; the same message again changes nothing.

    Args:
        tx: The request's transaction.
        handle: The network's.
        invitation: 16 bytes.
        slot: 1 and 3 by anybody who knows the invitation, 2 and 4 by the device that opened it.
        message: At most 16 kB.
        device: Who signed the request, None if nobody did.
        now: The relay's time, ms.

    Raises:
        RequestRefused: ``not-found``, ``slot-filled``, ``slot-early``, ``too-large``.
    """
    row = _current(tx, handle, invitation, now)
    if slot in INVITER_SLOTS and device != row.device:
        raise RequestRefused(Refusal.NOT_FOUND)
    if not 0 < len(message) <= RENDEZVOUS_MESSAGE_BYTES_MAX:
        raise RequestRefused(Refusal.TOO_LARGE)
    held = row.slots[slot - 1]
    if held is not None:
        if held != message:
            raise RequestRefused(Refusal.SLOT_FILLED)
        return
    if None in row.slots[: slot - 1]:
        raise RequestRefused(Refusal.SLOT_EARLY)
    slots = (*row.slots[: slot - 1], message, *row.slots[slot:])
    expires = row.expires_ms
    if slot == SLOTS:
        expires = min(expires, now + RENDEZVOUS_RESULT_MS)
    tx.put_rendezvous(handle, invitation, RendezvousRow(row.device, expires, slots))


def get_message(
    tx: RelayTransaction, handle: int, invitation: bytes, slot: int, now: int
) -> bytes | None:
    """The message in ``slot``, None while it is empty.

    Raises:
        RequestRefused: ``not-found``.
    """
    return _current(tx, handle, invitation, now).slots[slot - 1]


def _current(tx: RelayTransaction, handle: int, invitation: bytes, now: int) -> RendezvousRow:
    row = tx.rendezvous(handle, invitation)
    if row is None or row.expires_ms <= now:
        raise RequestRefused(Refusal.NOT_FOUND)
    return row
