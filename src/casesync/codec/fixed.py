"""Fixed big-endian layouts (codec; ``protocol/conventions.md``, *Bytes*).

A cursor that never reads past the end, and the writers of the same integers. No meaning, no
bounds beyond the number of bytes: those belong to the format that is read.
"""

from __future__ import annotations

from casesync.foundation.errors import RemoteProtocolError


def u8(number: int) -> bytes:
    """One byte. Raises: OverflowError if it does not fit."""
    return number.to_bytes(1, "big")


def u16(number: int) -> bytes:
    """Two bytes. Raises: OverflowError if it does not fit."""
    return number.to_bytes(2, "big")


def u32(number: int) -> bytes:
    """Four bytes. Raises: OverflowError if it does not fit."""
    return number.to_bytes(4, "big")


def u48(number: int) -> bytes:
    """Six bytes. Raises: OverflowError if it does not fit."""
    return number.to_bytes(6, "big")


def u64(number: int) -> bytes:
    """Eight bytes. Raises: OverflowError if it does not fit."""
    return number.to_bytes(8, "big")


class Reader:
    """Reads a fixed layout from the front; ``what`` names the format in errors.

    Every reading method raises ``RemoteProtocolError("malformed")`` where the bytes end too soon.
    """

    __slots__ = ("_data", "_what", "position")

    def __init__(self, data: bytes, what: str = "fixed layout") -> None:
        self._data = data
        self._what = what
        self.position = 0

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        end = self.position + count
        if count < 0 or end > len(self._data):
            raise RemoteProtocolError("malformed", what=self._what)
        piece = self._data[self.position : end]
        self.position = end
        return piece

    def _integer(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def u8(self) -> int:
        """The next byte as an integer."""
        return self._integer(1)

    def u16(self) -> int:
        """The next 2 bytes as an integer."""
        return self._integer(2)

    def u32(self) -> int:
        """The next 4 bytes as an integer."""
        return self._integer(4)

    def u48(self) -> int:
        """The next 6 bytes as an integer."""
        return self._integer(6)

    def u64(self) -> int:
        """The next 8 bytes as an integer."""
        return self._integer(8)

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(len(self._data) - self.position)

    def done(self) -> None:
        """Raises: RemoteProtocolError: bytes are left over."""
        if self.position != len(self._data):
            raise RemoteProtocolError("malformed", what=self._what)
