"""A relay in memory and channels to it, with faults a test steers (testing).

The relay's own mailbox runs here over in-memory SQLite; only HTTP and its signatures are left out.
A channel keeps the contract of ``relay_port.RelayChannel`` and raises what ``HttpChannel`` raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final, Protocol, TypeVar, final

from casesync.foundation.errors import CasesyncError, NetworkError, RemoteProtocolError
from casesync.foundation.ids import BlobHash, DeviceNumber
from casesync.foundation.ports import Clock, Entropy
from casesync.relay.mailbox import Caller, Mailbox
from casesync.relay.sqlite_store import SqliteStore
from casesync.wire.messages import (
    ControlAppend,
    decode_appended,
    decode_created,
    encode_expiry,
)
from casesync.wire.refusals import (
    Refusal,
    RequestRefused,
    blob_error_for,
    error_for,
    rendezvous_error_for,
)

_T = TypeVar("_T")


class Fault(Enum):
    """What happens to one exchange."""

    NONE = "none"
    DROP_REQUEST = "drop-request"
    """The relay never hears of it."""
    DROP_ANSWER = "drop-answer"
    """The relay acts, the device never hears of it."""
    DUPLICATE = "duplicate"
    """The relay hears it twice; the second answer arrives."""


FaultOf = Callable[[str], Fault]
"""Asked once per exchange with the name of the channel's method."""


class Relay(Protocol):
    """What a channel needs of a relay: a ``Mailbox``, or a hostile one."""

    @property
    def relay_key(self) -> bytes:
        """Public log key."""
        ...

    def create_network(self, body: bytes) -> bytes:
        """See ``Mailbox``."""
        ...

    def append_control(self, caller: Caller, body: bytes) -> bytes:
        """See ``Mailbox``."""
        ...

    def blob(self, caller: Caller, name: bytes) -> bytes:
        """See ``Mailbox``."""
        ...

    def sync(self, caller: Caller, body: bytes) -> bytes:
        """See ``Mailbox``."""
        ...

    def rendezvous_open(self, caller: Caller, invitation: bytes, body: bytes) -> None:
        """See ``Mailbox``."""
        ...

    def rendezvous_cancel(self, caller: Caller, invitation: bytes) -> None:
        """See ``Mailbox``."""
        ...

    def rendezvous_get(self, network: bytes, invitation: bytes, slot: int) -> bytes | None:
        """See ``Mailbox``."""
        ...

    def rendezvous_put(
        self, network: bytes, invitation: bytes, slot: int, message: bytes, caller: Caller | None
    ) -> None:
        """See ``Mailbox``."""
        ...


def no_faults(_method: str) -> Fault:
    """A network that works."""
    return Fault.NONE


@final
class MemoryNetwork:
    """One relay; hands out channels."""

    def __init__(self, clock: Clock, entropy: Entropy, relay: Relay | None = None) -> None:
        """Start a relay.

        Args:
            clock: The relay's clock.
            entropy: For its log key.
            relay: Another one, such as ``HostileRelay``; default an honest one in memory.
        """
        self.clock: Final = clock
        self.relay: Relay = relay or Mailbox(SqliteStore(":memory:"), clock, entropy)

    def channel(
        self,
        network: bytes | None = None,
        device: int | None = None,
        counter_next: Callable[[], int] | None = None,
        *,
        clock: Clock | None = None,
        fault_of: FaultOf = no_faults,
    ) -> MemoryChannel:
        """A channel of one device.

        Args:
            network: Network id, None before there is one.
            device: Device number, None before enrolment.
            counter_next: As for ``HttpChannel``; default counts within this channel, which is
                right only if the device has no other.
            clock: The device's clock, default the relay's.
            fault_of: What happens to each exchange.
        """
        return MemoryChannel(
            self, network, device, counter_next or _counting(), clock or self.clock, fault_of
        )


@final
class MemoryChannel:
    """``sync.relay_port.RelayChannel`` without a wire."""

    def __init__(
        self,
        world: MemoryNetwork,
        network: bytes | None,
        device: int | None,
        counter_next: Callable[[], int],
        clock: Clock,
        fault_of: FaultOf,
    ) -> None:
        """See ``MemoryNetwork.channel``."""
        self._world = world
        self._network = network
        self._device = device
        self._counter_next = counter_next
        self._clock = clock
        self.fault_of = fault_of
        self.round_trips = 0
        """Exchanges begun, for tests that count."""

    def relay_key(self) -> bytes:
        """The relay's log key."""
        return self._exchange("relay_key", lambda: self._world.relay.relay_key)

    def create_network(self, entries: Sequence[bytes], blobs: Sequence[bytes]) -> dict[int, Any]:
        """As ``HttpChannel``."""
        body = ControlAppend(entries=tuple(entries), blobs=tuple(blobs)).encode()
        answer = self._exchange("create_network", lambda: self._world.relay.create_network(body))
        return decode_created(answer)

    def sync(self, request: bytes, patience_s: float | None = None) -> bytes:
        """As ``HttpChannel``; nothing takes time here."""
        return self._exchange("sync", lambda: self._world.relay.sync(self._caller(), request))

    def append_control(self, entries: Sequence[bytes], blobs: Sequence[bytes]) -> dict[int, Any]:
        """As ``HttpChannel``."""
        body = ControlAppend(entries=tuple(entries), blobs=tuple(blobs)).encode()
        answer = self._exchange(
            "append_control", lambda: self._world.relay.append_control(self._caller(), body)
        )
        return decode_appended(answer)

    def blob(self, name: BlobHash) -> bytes:
        """As ``HttpChannel``."""
        return self._exchange(
            "blob", lambda: self._world.relay.blob(self._caller(), name), blob_error_for
        )

    def rendezvous_open(self, invitation: bytes, expires_ms: int) -> None:
        """As ``HttpChannel``."""
        body = encode_expiry(expires_ms)
        self._exchange(
            "rendezvous_open",
            lambda: self._world.relay.rendezvous_open(self._caller(), invitation, body),
            rendezvous_error_for,
        )

    def rendezvous_cancel(self, invitation: bytes) -> None:
        """As ``HttpChannel``."""
        self._exchange(
            "rendezvous_cancel",
            lambda: self._world.relay.rendezvous_cancel(self._caller(), invitation),
            rendezvous_error_for,
        )

    def rendezvous_put(self, invitation: bytes, slot: int, message: bytes) -> None:
        """As ``HttpChannel``."""

        def put() -> None:
            caller = self._caller() if slot in {2, 4} else None
            self._world.relay.rendezvous_put(self._network_id(), invitation, slot, message, caller)

        self._exchange("rendezvous_put", put, rendezvous_error_for)

    def rendezvous_get(self, invitation: bytes, slot: int) -> bytes | None:
        """As ``HttpChannel``."""
        return self._exchange(
            "rendezvous_get",
            lambda: self._world.relay.rendezvous_get(self._network_id(), invitation, slot),
            rendezvous_error_for,
        )

    def now_offset_ms(self) -> int:
        """Relay's clock minus the device's."""
        return self._world.clock.now_ms() - self._clock.now_ms() if self.round_trips else 0

    def close(self) -> None:
        """Nothing to close."""

    def _exchange(
        self,
        method: str,
        act: Callable[[], _T],
        error_of: Callable[[Refusal], CasesyncError] = error_for,
    ) -> _T:
        fault = self.fault_of(method)
        self.round_trips += 1
        if fault is Fault.DROP_REQUEST:
            raise NetworkError("relay-unreachable")
        try:
            answer = act()
            if fault is Fault.DUPLICATE:
                answer = act()
        except RequestRefused as refused:
            if fault is Fault.DROP_ANSWER:
                raise NetworkError("relay-unreachable") from None
            raise error_of(refused.refusal) from None
        except RemoteProtocolError:
            raise error_of(Refusal.MALFORMED) from None
        if fault is Fault.DROP_ANSWER:
            raise NetworkError("relay-unreachable")
        return answer

    def _caller(self) -> Caller:
        assert self._device is not None
        return Caller(self._network_id(), DeviceNumber(self._device), self._counter_next())

    def _network_id(self) -> bytes:
        assert self._network is not None
        return self._network


def _counting() -> Callable[[], int]:
    count = 0

    def following() -> int:
        nonlocal count
        count += 1
        return count

    return following
