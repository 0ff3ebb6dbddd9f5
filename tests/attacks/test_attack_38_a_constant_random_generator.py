"""Attack 38: a constant random generator.

Layers that must bear it: nonces come from chain and head, keys from the place of their statement
(``crypto/sealing``), ids from device and number. Nothing is sealed twice under one key and nonce;
what is written still syncs.
"""

from __future__ import annotations

from hashlib import sha256

import pytest

from attack_world import AttackWorld
from casesync.crypto.aead import prepare
from casesync.sync import keyring
from casesync.testing.entropy import ConstantEntropy


class Recording:
    """A cipher that notes under which nonces it seals, whoever calls it, a compiled twin too."""

    def __init__(self, key: bytes, used: list[tuple[bytes, bytes]]) -> None:
        self._key, self._used = key, used
        self._cipher = prepare(key)

    def encrypt(self, nonce: bytes, data: bytes, aad: bytes) -> bytes:
        self._used.append((self._key, nonce))
        return self._cipher.encrypt(nonce, data, aad)

    def decrypt(self, nonce: bytes, data: bytes, aad: bytes) -> bytes:
        return self._cipher.decrypt(nonce, data, aad)


@pytest.fixture
def broken(monkeypatch):
    """Mai's laptop always draws the same byte; every (key, nonce) it seals under is recorded."""
    used: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr(keyring, "prepare", lambda key: Recording(key, used))
    world = AttackWorld()
    world.open("mai", entropy=ConstantEntropy())
    used.clear()
    return world, used


def test_no_key_and_nonce_are_used_twice(broken):
    world, used = broken
    for _ in range(3):
        stream = world.case("mai", given_name="Hòa", safe_to_contact="no")
        world.set("mai", stream, "person.given_name", "Hòa")
        world.set("mai", stream, "person.given_name", "Hòa")
    world.sync("mai")
    assert len(used) > 15
    assert len(set(used)) == len(used)
    assert len({key for key, _ in used}) > 6, "each stream and compartment has a key of its own"


def test_streams_of_one_office_stay_apart_and_everything_syncs(broken):
    world, _ = broken
    streams = [world.case("mai", given_name=name) for name in ("Hòa", "Lý", "Mơ")]
    assert len(set(streams)) == 3
    world.sync("mai", "lan", "dung")
    assert [world.values("lan", s, "person.given_name") for s in streams] == [
        ["Hòa"],
        ["Lý"],
        ["Mơ"],
    ]
    assert world.reasons("lan") == {}


def test_the_same_words_twice_look_different_at_the_relay(broken):
    world, _ = broken
    stream = world.case("mai", given_name="Hòa")
    for _ in range(4):
        world.set("mai", stream, "person.given_name", "Lý")
    with world.stores["mai"].transaction() as tx:
        changes = tx.changes_at([row.location for row in tx.outbox()])
    digests = [sha256(segment).digest() for change in changes for segment in change.segments]
    assert len(set(digests)) == len(digests)
