"""Builder of pages, the relay's side (translog; ``protocol/sync.md``, *Page*).

Given the leaves to serve in log order, it writes frames, names the stretches between by their
subtrees, and saves the receiver signature checks: the chain of a device is bridged over one or two
skipped changes, which is cheaper than a new run. Which leaves a device is served is not decided
here.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, Final, final

from casesync.foundation.limits import PAGE_ITEMS_MAX
from casesync.merkle.proofs import NodeReader
from casesync.merkle.subtrees import aligned_subtrees
from casesync.translog.chain import header_hash
from casesync.translog.frame import encode_frame, encode_own_frame
from casesync.translog.page import OWN_FRAMES_MAX, REFERENCES_MAX

BRIDGED_MAX: Final = 2
"""A bridge costs 32 bytes and two hashes, a new run 32 bytes and a signature check."""

_ITEMS_PER_LEAF_MAX: Final = 4
"""Gap, bridge, frame; and the gap to the page's end."""

HeaderReader = Callable[[int, int], bytes]
"""(device, number) to the header of a change that the log holds."""


@final
class PageBuilder:
    """A page over [first, t) against a target, for one receiver."""

    __slots__ = (
        "_devices",
        "_header_of",
        "_items",
        "_log_time",
        "_newest",
        "_nodes",
        "_own_frames",
        "_position",
        "_skipped",
        "_streams",
        "_target",
        "size_bytes",
    )

    def __init__(self, first: int, target: int, nodes: NodeReader, header_of: HeaderReader) -> None:
        """Start an empty page.

        Args:
            first: the receiver's cursor m.
            target: size n of the target checkpoint.
            nodes: subtree hashes of the log up to the target.
            header_of: headers of changes that are not served, for bridges.
        """
        self._position = first
        self._target = target
        self._nodes = nodes
        self._header_of = header_of
        self._items: list[Any] = []
        self._streams: dict[bytes, int] = {}
        self._devices: dict[int, int] = {}
        self._newest: dict[int, tuple[int, bytes]] = {}  # per device: number and link
        self._log_time = 0
        self._own_frames = 0
        self._skipped: list[tuple[int, int]] = []
        self.size_bytes = 0
        """About the bytes of the page so far, the tail's hashes apart."""

    @property
    def full(self) -> bool:
        """There may be no room for a further leaf: the page ends here."""
        return (
            len(self._items) > PAGE_ITEMS_MAX - _ITEMS_PER_LEAF_MAX
            or len(self._streams) == REFERENCES_MAX
            or len(self._devices) == REFERENCES_MAX
            or self._own_frames == OWN_FRAMES_MAX - 1
        )

    def add_change(  # noqa: PLR0913 - one argument per column of the leaf
        self,
        index: int,
        log_time_ms: int,
        *,
        device: int,
        number: int,
        stream: bytes,
        previous_link: bytes,
        link: bytes,
        header: bytes,
        signature: bytes,
        segments: bytes,
        withheld_kinds: Container[int] = (),
    ) -> None:
        """Serve the leaf at ``index``; segments one after the other, as their table has them.

        Raises: ValueError: not in order, or a stamp before the last one's.
        """
        self._skip_to(index)
        device_ref = self._devices.setdefault(device, len(self._devices))
        stream_ref = self._streams.setdefault(stream, len(self._streams))
        explicit = None if self._continues(device, number, previous_link) else previous_link
        frame = encode_frame(
            self._since(log_time_ms),
            (stream_ref, device_ref),
            explicit,
            header,
            signature,
            segments,
            withheld_kinds,
        )
        self._items.append(frame)
        self._newest[device] = (number, link)
        self._position = index + 1
        self.size_bytes += len(frame) + 5

    def add_own(self, index: int, log_time_ms: int, number: int) -> None:
        """Serve the leaf at ``index`` as the receiver's own change ``number``.

        Raises: ValueError: not in order, or a stamp before the last one's.
        """
        self._skip_to(index)
        frame = encode_own_frame(self._since(log_time_ms), number)
        self._items.append(frame)
        self._own_frames += 1
        self._position = index + 1
        self.size_bytes += len(frame) + 2

    def finish(self, end: int) -> list[Any]:
        """The page ``[t, streams, devices, items, hashes]`` with t = ``end``."""
        self._skip_to(end)
        spans = [*self._skipped, (end, self._target)]
        hashes = [
            self._nodes.node(level, index)
            for low, high in spans
            for level, index in aligned_subtrees(low, high)
        ]
        return [end, b"".join(self._streams), list(self._devices), self._items, b"".join(hashes)]

    def _skip_to(self, index: int) -> None:
        if not self._position <= index <= self._target:
            raise ValueError("leaves are added in order, up to the target")
        if index > self._position:
            self._items.append(index - self._position)
            self._skipped.append((self._position, index))
            self.size_bytes += 5 + 32 * len(aligned_subtrees(self._position, index))
            self._position = index

    def _since(self, log_time_ms: int) -> int:
        """Milliseconds from the frame before to this one."""
        since = log_time_ms - self._log_time
        if since < 0:
            raise ValueError("a relay never stamps backwards")
        self._log_time = log_time_ms
        return since

    def _continues(self, device: int, number: int, previous_link: bytes) -> bool:
        """Whether the receiver knows ``previous_link``, if need be by a bridge added here."""
        newest = self._newest.get(device)
        if newest is None:
            return False
        last_number, last_link = newest
        if last_link == previous_link:
            return True
        skipped = range(last_number + 1, number)
        if not 1 <= len(skipped) <= BRIDGED_MAX:
            return False
        hashes = [header_hash(self._header_of(device, between)) for between in skipped]
        self._items.append([self._devices[device], *hashes])
        self.size_bytes += 4 + 34 * len(hashes)
        return True
