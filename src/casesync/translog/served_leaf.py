"""One leaf of a page once it is proven (translog)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from casesync.foundation.compiled import compiled

leaf_kernel = compiled("casesync.translog._served_leaf", 1)
"""Its leaf points into the frame it was read from; without it ``PlainServedLeaf`` is all there
is. One program has leaves of one kind."""


class PlainServedLeaf(NamedTuple):
    """One leaf of the change log, proven to stand at its index."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls
    log_time_ms: int
    previous_link: bytes
    header: bytes
    """Its bytes; not parsed, and perhaps not valid."""
    signature: bytes
    """Not verified."""
    segments: tuple[bytes | None, ...]
    """None = withheld; the others match the header's hashes."""
    own: int | None
    """Number of the receiver's own change."""
    device: int
    link: bytes
    run_starts: bool
    """The previous link was taken as given: a signature further on proves nothing before."""


if TYPE_CHECKING:
    ServedLeaf = PlainServedLeaf
else:
    ServedLeaf = PlainServedLeaf if leaf_kernel is None else leaf_kernel.ServedLeaf
