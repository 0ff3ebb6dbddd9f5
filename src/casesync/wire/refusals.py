"""What the relay may answer instead of service (wire; ``protocol/relay-http.md``).

A closed table: code, HTTP status, and the error a client makes of it. Codes are the strings on
the wire; they never carry content. What does not exist and what is not allowed answer alike.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from casesync.foundation.errors import (
    AccessDenied,
    CasesyncError,
    LocalStateError,
    NetworkError,
    RelayMisbehaviour,
)


class Refusal(StrEnum):
    """Every reason a relay gives; its value is the string on the wire."""

    # the request
    MALFORMED = "malformed"
    CLOCK_SKEW = "clock-skew"
    COUNTER_REPLAYED = "counter-replayed"
    DEVICE_SUSPENDED = "device-suspended"
    NOT_FOUND = "not-found"
    HEAD_MOVED = "head-moved"
    RELAY_BEHIND = "relay-behind"
    SLOT_FILLED = "slot-filled"
    SLOT_EARLY = "slot-early"
    ENTRY_REFUSED = "entry-refused"
    NETWORKS_FULL = "networks-full"
    TOO_LARGE = "too-large"
    ENCODING_REFUSED = "encoding-refused"
    TOO_SLOW = "too-slow"
    QUOTA = "quota"
    BUSY = "busy"
    INTERNAL = "internal"
    LOG_DAMAGED = "log-damaged"
    STORE_DAMAGED = "store-damaged"
    # a pushed change (inside a sync answer)
    DEVICE_FORKED = "device-forked"
    NUMBER_GAP = "number-gap"
    SIGNATURE_INVALID = "signature-invalid"
    VERSION_REFUSED = "version-refused"
    CONTROL_AHEAD = "control-ahead"
    STREAM_UNKNOWN = "stream-unknown"
    FEEDS_EXCEEDED = "feeds-exceeded"


HTTP_STATUS: Final[dict[Refusal, int]] = {
    Refusal.MALFORMED: 400,
    Refusal.CLOCK_SKEW: 401,
    Refusal.COUNTER_REPLAYED: 401,
    Refusal.DEVICE_SUSPENDED: 403,
    Refusal.NETWORKS_FULL: 403,
    Refusal.NOT_FOUND: 404,
    Refusal.TOO_SLOW: 408,
    Refusal.HEAD_MOVED: 409,
    Refusal.RELAY_BEHIND: 409,
    Refusal.SLOT_FILLED: 409,
    Refusal.SLOT_EARLY: 409,
    Refusal.TOO_LARGE: 413,
    Refusal.ENCODING_REFUSED: 415,
    Refusal.ENTRY_REFUSED: 422,
    Refusal.QUOTA: 429,
    Refusal.INTERNAL: 500,
    Refusal.LOG_DAMAGED: 500,
    Refusal.STORE_DAMAGED: 500,
    Refusal.BUSY: 503,
}
"""Status of each refusal of a request; refusals of a pushed change have none."""

PUSH_REFUSALS: Final = frozenset(
    {
        Refusal.DEVICE_FORKED,
        Refusal.NUMBER_GAP,
        Refusal.SIGNATURE_INVALID,
        Refusal.VERSION_REFUSED,
        Refusal.CONTROL_AHEAD,
        Refusal.STREAM_UNKNOWN,
        Refusal.FEEDS_EXCEEDED,
        Refusal.MALFORMED,
        Refusal.QUOTA,
    }
)
"""What may stand beside a number in a sync answer."""

TEMPORARY: Final = frozenset({Refusal.QUOTA, Refusal.BUSY, Refusal.TOO_SLOW, Refusal.INTERNAL})
"""Refusals that pass by themselves; a pushed change refused otherwise leaves the outbox."""


class RequestRefused(CasesyncError):
    """A request the relay does not serve; at the relay itself, before it becomes an answer."""

    exit_code = 4

    def __init__(self, refusal: Refusal, *, retry_after_s: int | None = None) -> None:
        """Args: refusal: the reason; retry_after_s: when asking again may help."""
        super().__init__("relay-refused", reason=refusal.value)
        self.refusal = refusal
        self.retry_after_s = retry_after_s


class HeadMoved(NetworkError):
    """Somebody appended to the control log first: sync, sign over the new head, append again."""

    def __init__(self) -> None:
        """An append whose first entry no longer extends the head."""
        super().__init__("head-moved")


_ERRORS: Final[dict[Refusal, tuple[type[CasesyncError], str]]] = {
    Refusal.CLOCK_SKEW: (NetworkError, "relay-clock-skew"),
    Refusal.COUNTER_REPLAYED: (LocalStateError, "counter-replayed"),
    Refusal.DEVICE_SUSPENDED: (AccessDenied, "device-suspended"),
    Refusal.NOT_FOUND: (NetworkError, "relay-other-network"),
    Refusal.RELAY_BEHIND: (RelayMisbehaviour, "relay-behind"),
    Refusal.NETWORKS_FULL: (NetworkError, "relay-networks-full"),
    Refusal.QUOTA: (NetworkError, "relay-quota"),
    Refusal.TOO_SLOW: (NetworkError, "relay-unreachable"),
    Refusal.BUSY: (NetworkError, "relay-busy"),
    Refusal.INTERNAL: (NetworkError, "relay-busy"),
    Refusal.LOG_DAMAGED: (RelayMisbehaviour, "relay-log-damaged"),
    Refusal.STORE_DAMAGED: (NetworkError, "relay-damaged"),
    Refusal.SLOT_FILLED: (AccessDenied, "invitation-used"),
    Refusal.SLOT_EARLY: (AccessDenied, "invitation-gone"),
}
"""Nothing here stops a replica: a refusal proves nothing, and one of a pushed change says nothing
in the place of a request's."""


def refusal_of(code: object) -> Refusal:
    """The refusal a relay named, or INTERNAL for anything the table does not hold."""
    try:
        return Refusal(code) if isinstance(code, str) else Refusal.INTERNAL
    except ValueError:
        return Refusal.INTERNAL


def error_for(refusal: Refusal) -> CasesyncError:
    """The error a client raises when the relay answers with ``refusal``."""
    if refusal is Refusal.HEAD_MOVED:
        return HeadMoved()
    family, code = _ERRORS.get(refusal, (NetworkError, "relay-refused"))
    return family(code, reason=refusal.value)


def rendezvous_error_for(refusal: Refusal) -> CasesyncError:
    """As ``error_for``, for a rendezvous: what is not there was used up, cancelled or expired."""
    if refusal is Refusal.NOT_FOUND:
        return AccessDenied("invitation-gone")
    return error_for(refusal)


def blob_error_for(refusal: Refusal) -> CasesyncError:
    """As ``error_for``, for a blob the control log names but the relay does not hand out."""
    if refusal is Refusal.NOT_FOUND:
        return NetworkError("relay-refused", reason=refusal.value)
    return error_for(refusal)
