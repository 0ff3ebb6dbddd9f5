"""Identifiers and closed sets of the vocabulary, as distinct types (foundation).

See ``protocol/conventions.md``. Every id is bytes of a fixed length under a type of its own, so
that mypy refuses one in the place of another; parsers check the length once, at the border.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NewType

NetworkId = NewType("NetworkId", bytes)
"""32 bytes: SHA-256 of the whole genesis entry."""
StreamId = NewType("StreamId", bytes)
"""16 bytes, derived from its opening."""
UnitId = NewType("UnitId", bytes)
"""16 random bytes."""
MemberId = NewType("MemberId", bytes)
"""16 random bytes."""
RecordId = NewType("RecordId", bytes)
"""16 random bytes."""
GrantId = NewType("GrantId", bytes)
"""16 random bytes."""
InvitationId = NewType("InvitationId", bytes)
"""First 16 bytes of H("invitation-id", secret)."""
FeedId = NewType("FeedId", bytes)
"""16 random bytes."""
BlobHash = NewType("BlobHash", bytes)
"""32 bytes: SHA-256 of the blob."""
Link = NewType("Link", bytes)
"""32 bytes: one step of a device's chain."""
KeyName = NewType("KeyName", bytes)
"""First 8 bytes of a key's commitment."""
DeviceNumber = NewType("DeviceNumber", int)
"""u32: size of the control log once the enrolment stands in it; 0 = none."""
ChangeNumber = NewType("ChangeNumber", int)
"""u48: 1, 2, 3... per device; 0 = none."""

FEED_ALL: Final = FeedId(b"\xff" * 16)
"""The feed of audit devices: every leaf, content withheld."""


class Compartment(IntEnum):
    """A named set of fields with readers of its own; the numbers are permanent."""

    BASE = 1
    IDENTITY = 2
    PROTECTION = 3
    HEALTH = 4
    LIVELIHOOD = 5
    CONTACT = 6
    OPERATIONS = 7
    STATISTICS = 8
    ACCESS = 9

    @property
    def word(self) -> str:
        """The compartment's name as users write it, lower case."""
        return self.name.lower()


UNSEALED_KIND: Final = 0
"""Segment kind of key statements, boxes, feed links and opening randomness."""

AUDITED_KINDS: Final = frozenset({UNSEALED_KIND, int(Compartment.BASE), int(Compartment.ACCESS)})
"""What the feed ``all`` is served in full; content is withheld."""

CONTENT_COMPARTMENTS: Final = tuple(
    c for c in Compartment if c not in (Compartment.BASE, Compartment.ACCESS)
)
"""Compartments that hold records' fields."""


class StreamKind(IntEnum):
    """What a stream holds (``protocol/change.md``, base segment)."""

    CASE = 1
    REGISTER = 2
    INBOX = 3
    ACCESS = 4


def compartment_by_word(word: str) -> Compartment | None:
    """The compartment that users call ``word`` (lower case), or None."""
    return next((c for c in Compartment if c.word == word), None)
