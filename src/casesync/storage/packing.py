"""Rows as msgpack (storage floor): written here, read by msgpack itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgpack

from casesync.foundation.compiled import compiled

packing_kernel = compiled("casesync.storage._packing", 1)
"""Packs what our rows are made of; without it msgpack does."""


def pack_all(values: Iterable[Any]) -> list[bytes]:
    """Each value as one msgpack document.

    Args:
        values: of lists, tuples, dictionaries, integers below 2^64, bytes, text, booleans, None.
    """
    if packing_kernel is not None:
        packed: list[bytes] = packing_kernel.pack_all(values)
        return packed
    return list(map(msgpack.Packer().pack, values))
