"""The engine's door to a relay (sync floor).

``transport`` implements it over HTTP, ``casesync.testing.memory_network`` without a wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from casesync.foundation.ids import BlobHash


class RelayChannel(Protocol):
    """Signed requests to one relay; implemented by ``transport`` and the memory network.

    Raises: NetworkError: ``relay-unreachable``, ``relay-refused`` (with the relay's code).
    """

    def relay_key(self) -> bytes:
        """Its log key (32 bytes), as it says."""
        ...

    def create_network(self, entries: Sequence[bytes], blobs: Sequence[bytes]) -> dict[int, Any]:
        """``{0: control checkpoint, 1: change checkpoint, 2: [log time, ...]}``."""
        ...

    def sync(self, request: bytes, patience_s: float | None = None) -> bytes:
        """The answer to a request.

        Raises: AnswerTooSlow: more than ``patience_s`` would go by until all of it is here.
        """
        ...

    def append_control(self, entries: Sequence[bytes], blobs: Sequence[bytes]) -> dict[int, Any]:
        """``{0: control checkpoint, 1: [log time, ...]}``."""
        ...

    def blob(self, name: BlobHash) -> bytes:
        """The blob of that name."""
        ...

    def rendezvous_open(self, invitation: bytes, expires_ms: int) -> None:
        """Give an invitation its slots."""
        ...

    def rendezvous_cancel(self, invitation: bytes) -> None:
        """Take them away."""
        ...

    def rendezvous_put(self, invitation: bytes, slot: int, message: bytes) -> None:
        """Fill a slot, once."""
        ...

    def rendezvous_get(self, invitation: bytes, slot: int) -> bytes | None:
        """What lies in a slot; None if nothing does."""
        ...

    def now_offset_ms(self) -> int:
        """Relay's clock minus ours, as learned from its answers; 0 before the first."""
        ...
