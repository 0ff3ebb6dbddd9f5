"""Opening one segment of a stored change, for who reads many of them again (sync floor)."""

from __future__ import annotations

from hashlib import sha256

from casesync.crypto.sealing import open_segment
from casesync.foundation.errors import CasesyncError
from casesync.foundation.ids import StreamId
from casesync.sync.keyring import KeyRing
from casesync.sync.plain_path import plain_kernel
from casesync.sync.ports import StoredChange
from casesync.translog.header import segment_place


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
    if plain_kernel is not None:
        ring = keys.prepared(stream)
        body: bytes | None = plain_kernel.open_stored(change, compartment, ring, keys.get, stream)
        if body is not None:
            return body
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
