"""Keys and places for tests of the crypto floor."""

from __future__ import annotations

from hashlib import sha256

import pytest

from casesync.crypto.key_wrap import StatementId, UnitKeyId


class CountedEntropy:
    """Bytes that look random, never repeat and are the same in each run."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn = 0

    def bytes(self, count: int) -> bytes:
        out = b""
        while len(out) < count:
            self._drawn += 1
            out += sha256(f"{self._seed}/{self._drawn}".encode()).digest()
        return out[:count]


@pytest.fixture
def entropy(request):
    return CountedEntropy(request.node.name)


@pytest.fixture
def network(entropy):
    return entropy.bytes(32)


@pytest.fixture
def statement(entropy, network):
    return StatementId(network, entropy.bytes(16), 2, 3, 9, 1)


@pytest.fixture
def unit_key(entropy):
    return UnitKeyId(entropy.bytes(16), 2, 1)
