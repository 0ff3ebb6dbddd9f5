"""Taking pushed changes into the change log (relay; ``protocol/sync.md``, *Push rules*).

Judges what can be judged blind: shape, chain, signature, whose stream it is, quota. The first
change that fails ends the push; what came before it stands. Whether a change *counts* is for the
members' clients, who can read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple, final

from casesync.crypto.signatures import verify_change
from casesync.foundation.errors import CryptoError, RemoteProtocolError
from casesync.foundation.ids import UNSEALED_KIND, Compartment
from casesync.foundation.limits import (
    QUOTA_BYTES_PER_DEVICE_DAY,
    QUOTA_BYTES_PER_NETWORK,
)
from casesync.relay.merkle_log import StoredNodes
from casesync.relay.relay_store import ChangeRow, LinkRow, Log
from casesync.relay.session import Session
from casesync.relay.stream_feeds import Placed, StreamFeeds
from casesync.translog.chain import change_leaf
from casesync.translog.header import SUITE, Header, head_length, parse_header
from casesync.translog.unsealed import UnsealedItems, decode_unsealed
from casesync.wire.messages import PushRefusal, Receipt
from casesync.wire.refusals import Refusal, RequestRefused

SEGMENT_ROW_BYTES: Final = 45
"""Kind, key name, length and digest of one segment in a header."""
SIGNATURE_BYTES: Final = 64
_GENERATION: Final = b"\0\0"
"""Until the first cut."""
_KIND_MAX: Final = max(Compartment)
"""No compartment has a larger number in this version."""
_DAY_MS: Final = 24 * 3600 * 1000


class _Pushed(NamedTuple):
    """One well-formed change of an outbox."""

    header: Header
    header_bytes: bytes
    signature: bytes
    segments: bytes
    unsealed: UnsealedItems | None


class Outcome(NamedTuple):
    """What became of an outbox."""

    receipts: tuple[Receipt, ...]
    refusal: PushRefusal | None


class _Accepted(NamedTuple):
    """A change that may be taken if its run's signature holds."""

    row: ChangeRow
    placed: Placed
    size_bytes: int


def take_outbox(session: Session, outbox: Sequence[bytes], before: tuple[int, bytes]) -> Outcome:
    """Append what may be appended; ``session.row`` and ``session.asking`` say where it ended.

    Args:
        session: The pushing device's.
        outbox: ``header | signature | segments`` each, in the order of numbers.
        before: Number and link of the device's newest change before the outbox, as it says.
    """
    if not outbox:
        return Outcome((), None)
    first = before[0] + 1
    if _is_forked(session, before):
        return Outcome((), PushRefusal(first, Refusal.DEVICE_FORKED))
    push = _Push(session)
    refusal = None
    for position, raw in enumerate(outbox):
        try:
            push.judge(raw)
        except RequestRefused as refused:
            refusal = PushRefusal(first + position, refused.refusal)
            break
        except RemoteProtocolError:
            refusal = PushRefusal(first + position, Refusal.MALFORMED)
            break
    proven = push.proven()
    if proven < len(push.accepted):
        refusal = PushRefusal(push.accepted[proven].row.number, Refusal.SIGNATURE_INVALID)
    return Outcome((*push.repeated, *push.append(proven)), refusal)


def _is_forked(session: Session, before: tuple[int, bytes]) -> bool:
    """Whether the relay holds another change under the number the device builds on."""
    number, given = before
    if number == session.asking.newest_number:
        return given != session.asking.newest_link
    if number == 0 or number > session.asking.newest_number:
        return False
    held = session.tx.receipt(session.handle, session.device, number)
    return held is None or held[2] != given


@final
class _Push:
    """The changes of one outbox, judged one after the other."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._streams = StreamFeeds(session)
        self._number = session.asking.newest_number
        self._link = session.asking.newest_link
        self._index = session.row.change_size
        self._day = session.now_ms // _DAY_MS
        same_day = session.asking.quota_day == self._day
        self._day_bytes = session.asking.quota_bytes if same_day else 0
        self._network_bytes = session.row.stored_bytes
        self.repeated: list[Receipt] = []
        self.accepted: list[_Accepted] = []

    def judge(self, raw: bytes) -> None:
        """Everything but the signature.

        Raises:
            RequestRefused: why the change is not taken.
            RemoteProtocolError: ``malformed``.
        """
        pushed = _parse(raw)
        header = pushed.header
        if header.device != self._session.device:
            raise RequestRefused(Refusal.MALFORMED)
        if header.number <= self._session.asking.newest_number:
            self.repeated.append(self._receipt(pushed))
            return
        if header.number != self._number + 1:
            raise RequestRefused(Refusal.NUMBER_GAP)
        if header.control_size > self._session.row.control_size:
            raise RequestRefused(Refusal.CONTROL_AHEAD)
        placed = self._streams.place(header, pushed.unsealed)
        self._count(len(raw))
        row = ChangeRow(
            self._index,
            self._session.now_ms,
            header.device,
            header.number,
            header.stream,
            self._link,
            pushed.header_bytes,
            pushed.signature,
            pushed.segments,
        )
        self.accepted.append(_Accepted(row, placed, len(raw)))
        self._number, self._link, self._index = header.number, row.link, self._index + 1

    def proven(self) -> int:
        """How many of the accepted changes their signatures prove (``change.md``, *Chain*)."""
        if not self.accepted or self._verifies(self.accepted[-1].row):
            return len(self.accepted)
        failing = (i for i, one in enumerate(self.accepted) if not self._verifies(one.row))
        return next(failing)

    def append(self, count: int) -> list[Receipt]:
        """Store the first ``count`` accepted changes; their receipts."""
        taken = self.accepted[:count]
        if not taken:
            return []
        session, tx, handle = self._session, self._session.tx, self._session.handle
        for row, placed, _size in taken:
            if placed.opens:
                tx.open_stream(handle, row.stream, row.device)
        tx.append_changes(handle, [(one.row, one.placed.feeds) for one in taken])
        for row, placed, _size in taken:
            for item in placed.links:
                tx.put_link(handle, item.feed, LinkRow(row.stream, row.log_index, item.linked))
        leaves = [
            change_leaf(row.log_time_ms, row.previous_link, row.header, row.signature)
            for row, _placed, _size in taken
        ]
        StoredNodes(tx, handle, Log.CHANGE).append(session.row.change_size, leaves)
        self._advance(taken)
        return [Receipt(one.row.number, one.row.log_index, one.row.log_time_ms) for one in taken]

    def _advance(self, taken: Sequence[_Accepted]) -> None:
        session, last = self._session, taken[-1].row
        size_bytes = sum(one.size_bytes for one in taken)
        same_day = session.asking.quota_day == self._day
        session.row = session.row._replace(
            change_size=last.log_index + 1,
            log_time_ms=last.log_time_ms,
            stored_bytes=session.row.stored_bytes + size_bytes,
        )
        session.asking = session.asking._replace(
            newest_number=last.number,
            newest_link=last.link,
            quota_day=self._day,
            quota_bytes=(session.asking.quota_bytes if same_day else 0) + size_bytes,
        )

    def _receipt(self, pushed: _Pushed) -> Receipt:
        session, number = self._session, pushed.header.number
        held = session.tx.receipt(session.handle, session.device, number)
        assert held is not None
        if session.tx.header(session.handle, session.device, number) != pushed.header_bytes:
            raise RequestRefused(Refusal.DEVICE_FORKED)
        return Receipt(number, held[0], held[1])

    def _count(self, size_bytes: int) -> None:
        self._day_bytes += size_bytes
        self._network_bytes += size_bytes
        if (
            self._day_bytes > QUOTA_BYTES_PER_DEVICE_DAY
            or self._network_bytes > QUOTA_BYTES_PER_NETWORK
        ):
            raise RequestRefused(Refusal.QUOTA)

    def _verifies(self, row: ChangeRow) -> bool:
        key = self._session.directory.change_key(row.device)
        try:
            verify_change(key, self._session.network, row.link, row.signature)
        except CryptoError:
            return False
        return True


def _parse(raw: bytes) -> _Pushed:
    """Take one pushed change apart; every segment must be the one its header names.

    Raises:
        RequestRefused: ``version-refused``.
        RemoteProtocolError: ``malformed``.
    """
    if raw[:1] != bytes((SUITE,)) or raw[1:3] != _GENERATION:
        raise RequestRefused(Refusal.VERSION_REFUSED)
    table_at = head_length(raw)
    if table_at >= len(raw):
        raise RemoteProtocolError("malformed", what="pushed change")
    header_end = table_at + 1 + raw[table_at] * SEGMENT_ROW_BYTES
    header = parse_header(raw[:header_end])
    segments = raw[header_end + SIGNATURE_BYTES :]
    if len(segments) != sum(entry.length for entry in header.segments):
        raise RemoteProtocolError("malformed", what="pushed change")
    unsealed = None
    start = 0
    for entry in header.segments:
        segment = segments[start : start + entry.length]
        start += entry.length
        if entry.kind > _KIND_MAX or sha256(segment).digest() != entry.digest:
            raise RemoteProtocolError("malformed", what="segment")
        if entry.kind == UNSEALED_KIND:
            unsealed = decode_unsealed(segment)
    return _Pushed(
        header,
        raw[:header_end],
        raw[header_end : header_end + SIGNATURE_BYTES],
        segments,
        unsealed,
    )
