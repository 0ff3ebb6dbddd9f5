"""What a plain save is made of: one sealed segment, and the stream's row after it (sync floor).

Plain is a change of this device with content of one compartment and nothing unsealed, in a stream
that it only adds to. Both functions have a compiled twin, which does the common case and leaves
everything else to the Python here (``protocol/decisions/0020-saves-in-bulk.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from casesync.access.stream_facts import END_OF_LOG
from casesync.access.verdicts import COUNTS
from casesync.codec.padding import padded_length
from casesync.crypto.aead import TAG_BYTES
from casesync.crypto.sealing import seal_segment
from casesync.foundation.compiled import compiled
from casesync.foundation.errors import UsageError
from casesync.foundation.limits import SEGMENT_BYTES_MAX
from casesync.model.segment_body import Content
from casesync.sync.keyring import StreamKey
from casesync.sync.stream_merge import state_of
from casesync.sync.stream_row import HistoryEntry, StreamRow
from casesync.translog.chain import link as chain_link
from casesync.translog.header import encode_head, encode_header

save_kernel = compiled("casesync.sync._own_save", 2)
"""Seals plain saves and notes them in rows; without it Python does."""

After = Sequence[tuple[int, int, bytes]]
"""(device, number, first 8 bytes of the link), ascending by device."""


class Place(NamedTuple):
    """Where a change of this device stands, as far as its header says it."""

    device: int
    number: int
    stream: bytes
    previous_here: int
    control_size: int
    random8: bytes
    previous_link: bytes

    def head(self, after: After, checkpoint_size: int = 0, checkpoint_root: bytes = b"") -> bytes:
        """The head of the change's header; a checkpoint of size 0 is none."""
        return encode_head(
            device=self.device,
            number=self.number,
            stream=self.stream,
            previous_here=self.previous_here,
            after=after,
            control_size=self.control_size,
            random8=self.random8,
            checkpoint_size=checkpoint_size,
            checkpoint_root=checkpoint_root,
        )


class Sealed(NamedTuple):
    """A change but for its signature."""

    header: bytes
    link: bytes
    segment: bytes


def sealed_save(place: Place, after: After, key: StreamKey, body: bytes) -> Sealed:
    """The change that says ``body`` and nothing else, without a checkpoint.

    Args:
        place: where it stands.
        after: as ``StreamRow.after`` gives it.
        key: of the compartment.
        body: canonical msgpack, unpadded.

    Raises:
        UsageError: ``change-too-large``: over 1 MB.
    """
    if save_kernel is not None:
        made = save_kernel.sealed_save(place, after, key, body)
        if made is not None:
            return Sealed(*made)
    if padded_length(len(body) + 1 + TAG_BYTES) > SEGMENT_BYTES_MAX:
        raise UsageError("change-too-large")
    head = place.head(after)
    head_hash = sha256(head).digest()
    segment = seal_segment(
        key.cipher, place.previous_link, head, head_hash, 0, key.commitment, body
    )
    entry = (key.compartment, key.commitment[:8], len(segment), sha256(segment).digest())
    header = encode_header(head, [entry])
    return Sealed(header, chain_link(place.previous_link, header), segment)


def note_save(
    row: StreamRow,
    device: int,
    number: int,
    link: bytes,
    location: int,
    decoded: dict[int, Content],
    after: After,
) -> None:
    """Merge an own change that counts, and note it in the stream's row.

    Args:
        row: changed in place.
        device: this device.
        number: the change's, larger than every one of this device before.
        link: the change's.
        location: where it is stored.
        decoded: its content by compartment.
        after: what its header says.
    """
    if save_kernel is not None and save_kernel.note_save(
        row.row, device, number, link, location, decoded, after
    ):
        return
    state = state_of(row)
    for compartment, content in decoded.items():
        if content[2] is not None:
            state.apply(device, number, compartment, link[:8], content, location)
    row.merge_row = state.to_row()
    row.note_applied(device, number, link[:8])
    row.append(HistoryEntry(END_OF_LOG + number, device, number, location, COUNTS, 0))
    row.note_authored(number, list(after))
