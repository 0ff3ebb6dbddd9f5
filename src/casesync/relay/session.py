"""One authenticated request under way (relay): what every step of it works on."""

from __future__ import annotations

from dataclasses import dataclass

from casesync.foundation.ids import FEED_ALL
from casesync.relay.relay_store import DeviceRow, NetworkRow, RelayTransaction
from casesync.translog.control_public import PublicDirectory


@dataclass(slots=True)
class Session:
    """A device, its network and the open transaction; steps replace ``row`` and ``asking``."""

    tx: RelayTransaction
    network: bytes
    """32 bytes."""
    row: NetworkRow
    directory: PublicDirectory
    """The control log's public side, at ``row.control_size``."""
    device: int
    asking: DeviceRow
    feeds: tuple[bytes, ...]
    """Feeds of the device."""
    now_ms: int
    """The relay's clock, never below the log time of the network."""

    @property
    def handle(self) -> int:
        """The store's number of the network."""
        return self.row.handle

    @property
    def sees_all(self) -> bool:
        """Whether the device is an audit device, with the feed ``all``."""
        return FEED_ALL in self.feeds
