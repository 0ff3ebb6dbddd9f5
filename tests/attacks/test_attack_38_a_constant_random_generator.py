"""Attack 38: a constant random generator.

Layers that must bear it: nonces come from chain and head, keys from the place of their statement
(``crypto/sealing``), ids from device and number. Nothing is sealed twice under one key and nonce;
what is written still syncs.
"""

from __future__ import annotations

from hashlib import sha256

import pytest

from attack_world import AttackWorld
from casesync.crypto import sealing
from casesync.sync import author
from casesync.testing.entropy import ConstantEntropy


@pytest.fixture
def broken(monkeypatch):
    """Mai's laptop always draws the same byte; every (key, nonce) it seals under is recorded."""
    world = AttackWorld()
    world.open("mai", entropy=ConstantEntropy())
    used: list[tuple[bytes, bytes]] = []
    honest = sealing.seal_segment

    def recorded(cipher, previous_link, head, head_hash, number, commitment, body):
        nonce = sealing.segment_nonce(previous_link, head, number)
        used.append((commitment, nonce))
        return honest(cipher, previous_link, head, head_hash, number, commitment, body)

    monkeypatch.setattr(author, "seal_segment", recorded)
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
