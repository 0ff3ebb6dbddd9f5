"""Numbers of a frame: unsigned LEB128 in its shortest form (translog; ``protocol/sync.md``).

Seven bits a byte, the low ones first; every byte but the last has its high bit set. A number has
one form only, so that a frame has one, too.
"""

from __future__ import annotations

from casesync.foundation.errors import RelayMisbehaviour


def read_varint(data: bytes, at: int, bits: int) -> tuple[int, int]:
    """The number that begins at ``at``, and where what follows it begins.

    Args:
        data: a frame.
        at: not negative.
        bits: the number is below 2^bits.

    Raises:
        RelayMisbehaviour: ``page-contradicts-log``: too large, or not the shortest form.
        IndexError: the bytes end before the number does.
    """
    number = data[at]
    if number < 0x80:
        return number, at + 1
    high = data[at + 1]
    if 0 < high < 0x80:
        return number & 0x7F | high << 7, at + 2
    return _read_long(data, at, bits)


def _read_long(data: bytes, at: int, bits: int) -> tuple[int, int]:
    """As ``read_varint``, of any number of bytes from two on."""
    number = 0
    for shift in range(0, bits, 7):
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if not byte or number >> bits:
                break
            return number, at
    raise RelayMisbehaviour("page-contradicts-log", what="frame")


def put_varints(out: bytearray, *numbers: int) -> None:
    """Append numbers that are not negative."""
    for number in numbers:
        rest = number
        while rest > 0x7F:
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        out.append(rest)
