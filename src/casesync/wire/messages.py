"""The bodies of requests and answers (wire; ``protocol/sync.md``, ``protocol/relay-http.md``).

Canonical msgpack maps both ways, read strictly: every key, type and bound is checked here, so that
what exists as a message is well formed. What pages, leaves and checkpoints *say* is checked by
``translog``; what a change means, by nobody on this floor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from casesync.codec.canonical import ARRAYS, pack, unpack_long
from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.limits import (
    ANSWER_BYTES_MAX,
    BLOB_BYTES_MAX,
    BLOBS_PER_REQUEST_MAX,
    CHANGE_BYTES_MAX,
    CHANGES_PER_PUSH_MAX,
    CONTROL_ENTRIES_PER_REQUEST_MAX,
    CONTROL_ENTRY_BYTES_MAX,
    OWED_PER_REQUEST_MAX,
    PAGE_BYTES_DEFAULT,
    PAGE_ITEMS_MAX,
    REQUEST_BODY_BYTES_MAX,
)
from casesync.wire.refusals import PUSH_REFUSALS, Refusal, refusal_of

CHECKPOINT_BYTES: Final = 102
"""size u48, root 32, signature 64."""
PROTOCOL_VERSION: Final = 1
_U48_MAX: Final = 2**48 - 1


class Owed(NamedTuple):
    """A back-fill a device asks for: leaves in [position, cursor of the request)."""

    position: int
    streams: tuple[bytes, ...] | None
    """Stream ids; None = everything the device's feeds show."""


class Receipt(NamedTuple):
    """Where a pushed change stands in the log."""

    number: int
    log_index: int
    log_time_ms: int


class PushRefusal(NamedTuple):
    """The first pushed change the relay did not take; nothing after it was taken."""

    number: int
    refusal: Refusal


class ControlPage(NamedTuple):
    """Consecutive leaves of the control log (``log time u48 | entry``)."""

    first: int
    leaves: tuple[bytes, ...]


class Backfill(NamedTuple):
    """The answer to one ``Owed``; ``page`` as in ``SyncAnswer``."""

    position: int
    page: list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRequest:
    """What a device holds and sends; the fields are the table of ``protocol/sync.md``."""

    control_size: int
    cursor: int
    target: int = 0
    """0 = the relay chooses its newest size."""
    outbox: tuple[bytes, ...] = ()
    newest: tuple[int, bytes]
    """Number and link (32 bytes) of the device's newest change before the outbox."""
    owed: tuple[Owed, ...] = ()
    answer_bytes_max: int = PAGE_BYTES_DEFAULT

    def encode(self) -> bytes:
        """The request body."""
        value: dict[int, object] = {
            0: self.control_size,
            1: self.cursor,
            2: self.target,
            3: list(self.outbox),
            4: list(self.newest),
        }
        if self.owed:
            value[5] = [
                [owed.position, None if owed.streams is None else list(owed.streams)]
                for owed in self.owed
            ]
        value[6] = self.answer_bytes_max
        return pack(value)

    @classmethod
    def decode(cls, body: bytes) -> SyncRequest:
        """Read a request body.

        Raises:
            RemoteProtocolError: ``malformed``.
        """
        value = _map(body, REQUEST_BODY_BYTES_MAX, {0, 1, 2, 3, 4, 6}, {5})
        cursor = _size(value[1])
        target = _size(value[2])
        if target and target < cursor:
            raise _malformed("target below cursor")
        owed = tuple(_owed(item, cursor) for item in _array(value.get(5, []), OWED_PER_REQUEST_MAX))
        return cls(
            control_size=_size(value[0]),
            cursor=cursor,
            target=target,
            outbox=_bins(value[3], CHANGES_PER_PUSH_MAX, CHANGE_BYTES_MAX + 64),
            newest=_number_and_link(value[4]),
            owed=owed,
            answer_bytes_max=_size(value[6]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncAnswer:
    """What the relay answers; pages stay plain values for ``translog.page`` to check."""

    newest: tuple[int, bytes]
    """Highest number the relay holds of this device, and its link (32 bytes)."""
    receipts: tuple[Receipt, ...] = ()
    refusal: PushRefusal | None = None
    control: ControlPage
    control_checkpoint: bytes
    """102 bytes, of the control size that ``control`` ends at."""
    change_checkpoint: bytes
    """102 bytes, of the target."""
    page: list[Any] = field(default_factory=list)
    """``[t, streams, devices, items, hashes]``."""
    backfills: tuple[Backfill, ...] = ()
    more: bool
    log_time_ms: int

    def encode(self) -> bytes:
        """The answer body."""
        return pack(
            {
                0: list(self.newest),
                1: [list(receipt) for receipt in self.receipts],
                2: None if self.refusal is None else [self.refusal.number, self.refusal[1].value],
                3: [self.control.first, list(self.control.leaves)],
                4: self.control_checkpoint,
                5: self.change_checkpoint,
                6: self.page,
                7: [[backfill.position, *backfill.page] for backfill in self.backfills],
                8: self.more,
                9: self.log_time_ms,
            }
        )

    @classmethod
    def decode(cls, body: bytes) -> SyncAnswer:
        """Read an answer body.

        Raises:
            RemoteProtocolError: ``malformed``.
        """
        value = _map(body, ANSWER_BYTES_MAX, set(range(10)), set())
        if type(value[8]) is not bool:
            raise _malformed("more")
        return cls(
            newest=_number_and_link(value[0]),
            receipts=tuple(_receipt(item) for item in _array(value[1], CHANGES_PER_PUSH_MAX)),
            refusal=_push_refusal(value[2]),
            control=_control_page(value[3]),
            control_checkpoint=_bin(value[4], CHECKPOINT_BYTES),
            change_checkpoint=_bin(value[5], CHECKPOINT_BYTES),
            page=_page(value[6]),
            backfills=tuple(_backfill(item) for item in _array(value[7], OWED_PER_REQUEST_MAX)),
            more=value[8],
            log_time_ms=_size(value[9]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlAppend:
    """Control entries and the blobs they name; also the body that creates a network."""

    entries: tuple[bytes, ...]
    blobs: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """The request body."""
        return pack({0: list(self.entries), 1: list(self.blobs)})

    @classmethod
    def decode(cls, body: bytes) -> ControlAppend:
        """Read a request body.

        Raises:
            RemoteProtocolError: ``malformed``; also if there is no entry in it.
        """
        value = _map(body, REQUEST_BODY_BYTES_MAX, {0, 1}, set())
        entries = _bins(value[0], CONTROL_ENTRIES_PER_REQUEST_MAX, CONTROL_ENTRY_BYTES_MAX)
        if not entries:
            raise _malformed("no entry")
        return cls(entries=entries, blobs=_bins(value[1], BLOBS_PER_REQUEST_MAX, BLOB_BYTES_MAX))


def encode_created(
    control_checkpoint: bytes, change_checkpoint: bytes, log_times_ms: list[int]
) -> bytes:
    """The answer to creating a network."""
    return pack({0: control_checkpoint, 1: change_checkpoint, 2: log_times_ms})


def decode_created(body: bytes) -> dict[int, Any]:
    """``{0: control checkpoint, 1: change checkpoint, 2: [log time, ...]}``.

    Raises:
        RemoteProtocolError: ``malformed``.
    """
    value = _map(body, ANSWER_BYTES_MAX, {0, 1, 2}, set())
    times = [_size(item) for item in _array(value[2], CONTROL_ENTRIES_PER_REQUEST_MAX)]
    return {0: _bin(value[0], CHECKPOINT_BYTES), 1: _bin(value[1], CHECKPOINT_BYTES), 2: times}


def encode_appended(control_checkpoint: bytes, log_times_ms: list[int]) -> bytes:
    """The answer to appending control entries."""
    return pack({0: control_checkpoint, 1: log_times_ms})


def decode_appended(body: bytes) -> dict[int, Any]:
    """``{0: control checkpoint, 1: [log time, ...]}``.

    Raises:
        RemoteProtocolError: ``malformed``.
    """
    value = _map(body, ANSWER_BYTES_MAX, {0, 1}, set())
    times = [_size(item) for item in _array(value[1], CONTROL_ENTRIES_PER_REQUEST_MAX)]
    return {0: _bin(value[0], CHECKPOINT_BYTES), 1: times}


def encode_key(relay_key: bytes) -> bytes:
    """The answer of ``/v1/key``."""
    return pack({0: relay_key, 1: PROTOCOL_VERSION})


def decode_key(body: bytes) -> bytes:
    """The relay's log key (32 bytes).

    Raises:
        RemoteProtocolError: ``malformed``; also for another protocol version.
    """
    value = _map(body, 1024, {0, 1}, set())
    if value[1] != PROTOCOL_VERSION:
        raise _malformed("protocol version")
    return _bin(value[0], 32)


def encode_expiry(expires_ms: int) -> bytes:
    """The body that opens a rendezvous."""
    return pack({0: expires_ms})


def decode_expiry(body: bytes) -> int:
    """When the rendezvous ends, ms since 1970.

    Raises:
        RemoteProtocolError: ``malformed``.
    """
    return _size(_map(body, 64, {0}, set())[0])


def encode_refusal(refusal: Refusal) -> bytes:
    """The body of an answer that refuses."""
    return pack({0: refusal.value})


def decode_refusal(body: bytes) -> Refusal:
    """The reason a relay gave; INTERNAL for anything that is no such body. Never raises."""
    try:
        return refusal_of(_map(body, 1024, {0}, set())[0])
    except RemoteProtocolError:
        return Refusal.INTERNAL


# -- shapes ------------------------------------------------------------------------------------


def _malformed(what: str) -> RemoteProtocolError:
    return RemoteProtocolError("malformed", what=what)


def _map(body: bytes, bytes_max: int, required: set[int], optional: set[int]) -> dict[int, Any]:
    if len(body) > bytes_max:
        raise _malformed("message length")
    value = unpack_long(body, array_max=PAGE_ITEMS_MAX)
    if type(value) is not dict:
        raise _malformed("message")
    keys = value.keys()
    if not required <= keys or not keys <= required | optional:
        raise _malformed("message keys")
    return value


def _array(value: object, count_max: int) -> list[Any]:
    if type(value) not in ARRAYS or len(value) > count_max:  # type: ignore[arg-type]
        raise _malformed("array")
    return value if type(value) is list else list(value)  # type: ignore[call-overload]


def _size(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _U48_MAX:
        raise _malformed("integer")
    return value


def _bin(value: object, length: int) -> bytes:
    if type(value) is not bytes or len(value) != length:
        raise _malformed("bin")
    return value


def _bins(value: object, count_max: int, length_max: int) -> tuple[bytes, ...]:
    items = _array(value, count_max)
    for item in items:
        if type(item) is not bytes or not 0 < len(item) <= length_max:
            raise _malformed("bin")
    return tuple(items)


def _number_and_link(value: object) -> tuple[int, bytes]:
    pair = _array(value, 2)
    if len(pair) != 2:
        raise _malformed("number and link")
    return _size(pair[0]), _bin(pair[1], 32)


def _owed(value: object, cursor: int) -> Owed:
    pair = _array(value, 2)
    if len(pair) != 2:
        raise _malformed("back-fill")
    position = _size(pair[0])
    if position > cursor:
        raise _malformed("back-fill behind the cursor")
    if pair[1] is None:
        return Owed(position, None)
    streams = _bins(pair[1], PAGE_ITEMS_MAX, 16)
    if not all(len(stream) == 16 for stream in streams):
        raise _malformed("stream")
    return Owed(position, streams)


def _receipt(value: object) -> Receipt:
    parts = _array(value, 3)
    if len(parts) != 3:
        raise _malformed("receipt")
    return Receipt(_size(parts[0]), _size(parts[1]), _size(parts[2]))


def _push_refusal(value: object) -> PushRefusal | None:
    if value is None:
        return None
    pair = _array(value, 2)
    if len(pair) != 2:
        raise _malformed("refusal")
    refusal = refusal_of(pair[1])
    if refusal not in PUSH_REFUSALS:
        raise _malformed("refusal")
    return PushRefusal(_size(pair[0]), refusal)


def _control_page(value: object) -> ControlPage:
    pair = _array(value, 2)
    if len(pair) != 2:
        raise _malformed("control page")
    return ControlPage(_size(pair[0]), _bins(pair[1], PAGE_ITEMS_MAX, CONTROL_ENTRY_BYTES_MAX + 6))


def _page(value: object) -> list[Any]:
    """``[t, streams, devices, items, hashes]``; ``items`` may stay in their message."""
    parts = list(_array(value, 5))
    if len(parts) != 5 or type(parts[3]) not in ARRAYS:
        raise _malformed("page")
    parts[2] = _array(parts[2], PAGE_ITEMS_MAX)
    if [type(parts[at]) for at in (1, 4)] != [bytes, bytes]:
        raise _malformed("page")
    _size(parts[0])
    return parts


def _backfill(value: object) -> Backfill:
    parts = _array(value, 6)
    if len(parts) != 6:
        raise _malformed("back-fill")
    return Backfill(_size(parts[0]), _page(parts[1:]))
