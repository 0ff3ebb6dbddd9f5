"""Attack 14: a box moved to another recipient, epoch, compartment, stream or network.

Refused by the crypto floor: the place is part of key and associated data, or of HPKE's info
(keys.md, Stream key, statement, box). The attacker here even holds every key it could want.
"""

from __future__ import annotations

import pytest

from casesync.crypto.kem_keys import kem_private, unit_key_from_seed
from casesync.crypto.key_wrap import (
    StatementId,
    UnitKeyId,
    box_cipher,
    box_public,
    box_symmetric,
    open_box_public,
    open_box_symmetric,
)
from casesync.crypto.sealing import segment_keys
from casesync.foundation.errors import CryptoError

SEED, OTHER_SEED = b"1" * 32, b"2" * 32
STREAM_KEY = b"k" * 32
STATEMENT = StatementId(b"n" * 32, b"s" * 16, 2, 5, 9, 1)
KEY = UnitKeyId(b"u" * 16, 2, 3)
SEALING, COMMITMENT = segment_keys(STREAM_KEY, STATEMENT.context())

MOVES = {
    "unit": (STATEMENT, KEY._replace(unit=b"v" * 16)),
    "epoch": (STATEMENT, KEY._replace(epoch=4)),
    "compartment of the key": (STATEMENT, KEY._replace(compartment=3)),
    "compartment": (STATEMENT._replace(compartment=3), KEY._replace(compartment=3)),
    "stream": (STATEMENT._replace(stream=b"t" * 16), KEY),
    "network": (STATEMENT._replace(network=b"m" * 32), KEY),
    "device": (STATEMENT._replace(device=6), KEY),
    "number": (STATEMENT._replace(number=10), KEY),
    "position": (STATEMENT._replace(position=0), KEY),
}


def _commitments(statement):
    """The one that came with the box, and one made to fit the new place."""
    return COMMITMENT, segment_keys(STREAM_KEY, statement.context())[1]


@pytest.mark.parametrize("move", MOVES)
def test_a_symmetric_box_opens_in_its_place_only(move):
    box = box_symmetric(
        box_cipher(SEED, STATEMENT.network, KEY), STATEMENT, KEY, COMMITMENT, STREAM_KEY
    )
    home = box_cipher(SEED, STATEMENT.network, KEY)
    assert open_box_symmetric(home, STATEMENT, KEY, COMMITMENT, box) == (STREAM_KEY, SEALING)
    statement, key = MOVES[move]
    for cipher in (home, box_cipher(SEED, statement.network, key)):
        for commitment in _commitments(statement):
            with pytest.raises(CryptoError):
                open_box_symmetric(cipher, statement, key, commitment, box)


@pytest.mark.parametrize("move", MOVES)
def test_a_public_box_opens_in_its_place_only(move):
    box = box_public(unit_key_from_seed(SEED), STATEMENT, KEY, COMMITMENT, STREAM_KEY)
    private = kem_private(SEED)
    assert open_box_public(private, STATEMENT, KEY, COMMITMENT, box) == (STREAM_KEY, SEALING)
    statement, key = MOVES[move]
    for commitment in _commitments(statement):
        with pytest.raises(CryptoError):
            open_box_public(private, statement, key, commitment, box)


def test_a_box_to_another_recipient_does_not_open():
    box = box_public(unit_key_from_seed(OTHER_SEED), STATEMENT, KEY, COMMITMENT, STREAM_KEY)
    with pytest.raises(CryptoError):
        open_box_public(kem_private(SEED), STATEMENT, KEY, COMMITMENT, box)
    symmetric = box_symmetric(
        box_cipher(OTHER_SEED, STATEMENT.network, KEY), STATEMENT, KEY, COMMITMENT, STREAM_KEY
    )
    with pytest.raises(CryptoError):
        open_box_symmetric(
            box_cipher(SEED, STATEMENT.network, KEY), STATEMENT, KEY, COMMITMENT, symmetric
        )


def test_a_box_with_another_key_than_the_statement_commits_to_is_refused():
    """An insider who gives two units different keys (attack 15) is found by each alone."""
    other = b"o" * 32
    cipher = box_cipher(SEED, STATEMENT.network, KEY)
    with pytest.raises(CryptoError):
        open_box_symmetric(
            cipher,
            STATEMENT,
            KEY,
            COMMITMENT,
            box_symmetric(cipher, STATEMENT, KEY, COMMITMENT, other),
        )
    with pytest.raises(CryptoError):
        open_box_public(
            kem_private(SEED),
            STATEMENT,
            KEY,
            COMMITMENT,
            box_public(unit_key_from_seed(SEED), STATEMENT, KEY, COMMITMENT, other),
        )
