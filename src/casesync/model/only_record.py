"""The id of the one record of a type that a case usually has (model).

Specified in ``protocol/record-model.md``, *Record id*. Two colleagues who write the first word of a
person while neither has seen the other's must write into one record: in two of them no value would
meet the other, and "unsafe to contact" would not count before "safe".
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from casesync.model.cells import RECORD_BYTES

_LABEL: Final = b"casesync/v1/record\x00"
"""The use ``record`` of ``conventions.md``; this floor does not know the key schedule."""


def only_record(case: bytes, record_type: int) -> bytes:
    """16 bytes, the same on every device.

    Args:
        case: the case's record id, 16 random bytes that stand in its opening.
        record_type: the type's number, below 2^16.
    """
    return sha256(_LABEL + case + record_type.to_bytes(2, "big")).digest()[:RECORD_BYTES]
