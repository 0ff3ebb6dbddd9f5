"""Opening segments of stored changes, for who reads many of them again (sync floor)."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from casesync.crypto.sealing import open_segment
from casesync.foundation.compiled import compiled
from casesync.foundation.errors import CasesyncError
from casesync.foundation.ids import StreamId
from casesync.sync.keyring import KeyRing
from casesync.sync.ports import StoredChange
from casesync.translog.header import segment_place

stored_kernel = compiled("casesync.sync._stored_key", 2) and compiled("casesync.sync._stored", 3)
"""Opens the segments of nearly every stream; without it ``open_segments`` opens each."""


def open_segments(
    keys: KeyRing,
    stream: StreamId,
    segments: list[tuple[int, int, int]],
    changes: Mapping[int, StoredChange],
) -> list[bytes | None]:
    """The bodies of segments of one stream; None = not readable here.

    Args:
        keys: with the stream's keys loaded.
        stream: the changes' stream.
        segments: (location, compartment, whatever) of each.
        changes: by location; their headers were parsed before they were stored.
    """
    return [
        open_stored(keys, stream, changes[location], compartment)
        for location, compartment, _ in segments
    ]


def open_stored(
    keys: KeyRing, stream: StreamId, change: StoredChange, compartment: int
) -> bytes | None:
    """The body of the segment of a compartment; None if it is not readable here.

    Args:
        keys: with the stream's keys loaded.
        stream: the change's stream.
        change: one whose header was parsed before it was stored.
        compartment: which segment.
    """
    place = segment_place(change.header, compartment)
    if place is None:
        return None
    head, position, key_name = place
    key = keys.get(stream, compartment, key_name)
    sealed = change.segments[position]
    if key is None or sealed is None:
        return None
    digest, link = sha256(head).digest(), change.previous_link
    try:
        return open_segment(key.cipher, link, head, digest, position, key.commitment, sealed)
    except CasesyncError:
        return None
