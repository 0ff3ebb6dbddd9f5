"""Chain of a device's changes and the leaf of the change log (translog).

Specification: ``protocol/change.md``, *Chain and signature*. The first previous link of a device
is the hash of its enrolment entry. Signatures are made and checked in ``crypto``.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from casesync.crypto.key_schedule import label

LINK_LABEL: Final = label("link")
"""What a link's hash starts with; for readers that inline ``link``."""


def header_hash(header: bytes) -> bytes:
    """SHA-256 of a header's bytes: what a bridge shows of a skipped change."""
    return sha256(header).digest()


def link(previous: bytes, header: bytes) -> bytes:
    """The 32-byte link that ``header`` makes after ``previous``."""
    return sha256(LINK_LABEL + previous + sha256(header).digest()).digest()


def bridge(previous: bytes, skipped_header_hash: bytes) -> bytes:
    """As ``link``, over a skipped change of which only the header's hash is known."""
    return sha256(LINK_LABEL + previous + skipped_header_hash).digest()


def change_leaf(log_time_ms: int, previous: bytes, header: bytes, signature: bytes) -> bytes:
    """The change log's leaf: log time, previous link, header, signature."""
    return b"".join((log_time_ms.to_bytes(6, "big"), previous, header, signature))


def control_leaf(log_time_ms: int, entry: bytes) -> bytes:
    """The control log's leaf: log time, entry (``protocol/membership.md``)."""
    return log_time_ms.to_bytes(6, "big") + entry
