"""Short ids by which people name an open conflict (model).

Specified in ``protocol/record-model.md``, *Conflict id*. The same cell has the same id on every
device, whoever sees the conflict.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from casesync.codec.canonical import pack
from casesync.codec.crockford import short_code
from casesync.model.cells import CellId

CONFLICT_ID_BITS: Final = 40
"""Eight characters: among 1,000 open conflicts two share an id with probability 5e-7."""

_LABEL: Final = b"casesync/v1/conflict\x00"
"""The use ``conflict`` of ``conventions.md``; this floor does not know the key schedule."""


def conflict_id(stream: bytes, cell: CellId) -> str:
    """The id of the conflict in ``cell`` of ``stream`` (16 bytes): 8 Crockford characters."""
    return short_code(sha256(_LABEL + stream + pack(list(cell))).digest(), CONFLICT_ID_BITS)
