"""Ids of conflicts (record-model.md, Conflict id)."""

from __future__ import annotations

from hashlib import sha256

import pytest

from casesync.codec.canonical import pack
from casesync.codec.crockford import ALPHABET
from casesync.crypto.key_schedule import H
from casesync.model.cells import CellId
from casesync.model.conflict_id import conflict_id

STREAM = b"s" * 16
CELL = CellId(b"r" * 16, 2, 3, None, 0)


def test_a_conflict_id_is_the_first_40_bits_of_the_labelled_hash() -> None:
    digest = sha256(b"casesync/v1/conflict\x00" + STREAM + pack([*CELL])).digest()
    bits = int.from_bytes(digest[:5], "big")
    expected = "".join(ALPHABET[bits >> shift & 31] for shift in range(35, -1, -5))
    assert conflict_id(STREAM, CELL) == expected
    assert len(expected) == 8


def test_the_label_is_that_of_the_key_schedule() -> None:
    """This floor cannot import it; the two must not drift apart."""
    assert H("conflict", b"x") == sha256(b"casesync/v1/conflict\x00x").digest()


@pytest.mark.parametrize(
    "other",
    [
        CELL._replace(record=b"q" * 16),
        CELL._replace(type=1),
        CELL._replace(field=4),
        CELL._replace(element="a"),
        CELL._replace(element="a", part=1),
    ],
)
def test_every_part_of_a_cell_tells_ids_apart(other: CellId) -> None:
    assert conflict_id(STREAM, other) != conflict_id(STREAM, CELL)
    assert conflict_id(b"t" * 16, CELL) != conflict_id(STREAM, CELL)
