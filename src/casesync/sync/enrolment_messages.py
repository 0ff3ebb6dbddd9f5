"""What both sides of an enrolment exchange beside the reveal (sync; ``protocol/enrolment.md``)."""

from __future__ import annotations

from typing import NamedTuple, Self

from casesync.access.body_shapes import HASH_BYTES, U48_MAX, array, binary, integer
from casesync.codec import canonical


class Put(NamedTuple):
    """A message for a slot of the rendezvous; slots are written once."""

    slot: int
    message: bytes


class EnrolmentResult(NamedTuple):
    """Slot 4: where the enrolment stands."""

    control_index: int
    log_time_ms: int
    checkpoint_size: int
    """Of the control log, once the entry stood in it."""
    checkpoint_root: bytes

    @property
    def device(self) -> int:
        """The new device's number."""
        return self.control_index + 1

    def encode(self) -> bytes:
        """The body of slot 4."""
        return canonical.pack(list(self))

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body of slot 4.

        Raises:
            RemoteProtocolError: ``malformed``.
        """
        index, log_time, size, root = array(canonical.unpack(body), 4, "enrolment result")
        index = integer(index, U48_MAX - 1, "control index", smallest=1)
        return cls(
            index,
            integer(log_time, U48_MAX, "log time"),
            integer(size, U48_MAX, "checkpoint size", smallest=index + 1),
            binary(root, HASH_BYTES, "root"),
        )
