"""The key ring: what is read once, prepared when asked, and never mixed up (sync/keyring.py)."""

from __future__ import annotations

from casesync.foundation.ids import NetworkId, StreamId
from casesync.storage.sql_store import open_plain
from casesync.sync import keyring
from casesync.sync.keyring import KeyRing, StreamKey

STREAM = StreamId(b"s" * 16)
OTHER = StreamId(b"o" * 16)


def kept(store, *compartments: int) -> list[StreamKey]:
    """Keys of ``STREAM``, stored by another ring."""
    ring = KeyRing(NetworkId(bytes(32)))
    keys = [
        ring.prepare(STREAM, compartment, (1, 1, position), bytes([position + 1]) * 32)
        for position, compartment in enumerate(compartments)
    ]
    with store.transaction() as tx:
        for key in keys:
            ring.add(tx, STREAM, key)
    return keys


def names(ring: KeyRing) -> set[tuple[int, bytes]]:
    return set(ring.stream(STREAM))


def test_a_key_is_found_by_compartment_and_name_after_it_was_loaded():
    store = open_plain()
    keys = kept(store, 1, 2, 1)
    ring = KeyRing(NetworkId(bytes(32)))
    assert all(ring.get(STREAM, key.compartment, key.commitment[:8]) is None for key in keys)
    with store.transaction() as tx:
        ring.load(tx, [STREAM, OTHER])
    for key in keys:
        found = ring.get(STREAM, key.compartment, key.commitment[:8])
        assert found is not None
        assert found[1:] == key[1:]
        assert ring.get(STREAM, key.compartment + 1, key.commitment[:8]) is None
        assert ring.get(OTHER, key.compartment, key.commitment[:8]) is None


def test_only_the_compartment_that_is_asked_for_is_prepared(monkeypatch):
    store = open_plain()
    keys = kept(store, 1, 2, 1)
    ring = KeyRing(NetworkId(bytes(32)))
    prepared = []
    compartments = {key.sealing: key.compartment for key in keys}
    monkeypatch.setattr(
        keyring, "prepare", lambda sealing: prepared.append(compartments[sealing]) or sealing
    )
    with store.transaction() as tx:
        ring.load(tx, [STREAM])
    assert prepared == []
    ring.get(STREAM, 1, keys[0].commitment[:8])
    ring.get(STREAM, 1, keys[2].commitment[:8])
    assert prepared == [1, 1]
    assert names(ring) == {(key.compartment, key.commitment[:8]) for key in keys}
    assert prepared == [1, 1, 2]


def test_every_key_of_a_stream_is_listed_whatever_was_asked_before():
    store = open_plain()
    keys = kept(store, 1, 2)
    ring = KeyRing(NetworkId(bytes(32)))
    assert names(ring) == set()
    with store.transaction() as tx:
        ring.load(tx, [STREAM])
    assert names(ring) == {(key.compartment, key.commitment[:8]) for key in keys}


def test_a_key_that_is_added_first_hides_none_that_are_stored():
    store = open_plain()
    keys = kept(store, 1)
    ring = KeyRing(NetworkId(bytes(32)))
    fresh = ring.prepare(STREAM, 2, (1, 2, 0), bytes([9]) * 32)
    with store.transaction() as tx:
        ring.add(tx, STREAM, fresh)
        ring.add(tx, STREAM, keys[0])
        assert len(tx.stream_keys([STREAM])[STREAM]) == 2
    assert names(ring) == {(1, keys[0].commitment[:8]), (2, fresh.commitment[:8])}


def test_what_is_forgotten_is_read_again():
    store = open_plain()
    [key] = kept(store, 1)
    ring = KeyRing(NetworkId(bytes(32)))
    for forget in (ring.forget, lambda: ring.forget(STREAM)):
        with store.transaction() as tx:
            ring.load(tx, [STREAM])
        assert ring.get(STREAM, 1, key.commitment[:8]) is not None
        forget()
        assert ring.get(STREAM, 1, key.commitment[:8]) is None


def test_a_key_is_held_before_and_after_it_is_prepared(monkeypatch):
    store = open_plain()
    keys = kept(store, 1, 2)
    with store.transaction() as tx:  # the older form, whose name is not stored
        tx.put_stream_key(STREAM, 3, (1, 1, 5), bytes([7]) * 32)
    ring = KeyRing(NetworkId(bytes(32)))
    older = ring.prepare(STREAM, 3, (1, 1, 5), bytes([7]) * 32)
    names = [key.commitment[:8] for key in (*keys, older)]
    assert not ring.holds(STREAM, 1, names[0])
    with store.transaction() as tx:
        ring.load(tx, [STREAM])
    prepared = []
    monkeypatch.setattr(keyring, "prepare", lambda sealing: prepared.append(sealing) or sealing)
    for _ in range(2):
        assert ring.holds(STREAM, 1, names[0])
        assert not ring.holds(STREAM, 2, names[0])
        assert not ring.holds(OTHER, 1, names[0])
    assert prepared == []
    assert ring.holds(STREAM, 3, names[2])
    assert ring.get(STREAM, 1, names[0]) is not None
    assert ring.holds(STREAM, 1, names[0])


def test_once_more_keys_are_prepared_than_remembered_all_are_forgotten(monkeypatch):
    monkeypatch.setattr(keyring, "KEYS_REMEMBERED_MAX", 2)
    store = open_plain()
    keys = kept(store, 1, 2, 3)
    ring = KeyRing(NetworkId(bytes(32)))
    with store.transaction() as tx:
        ring.load(tx, [STREAM])
    for key, kept_after in zip(keys, (True, True, False), strict=True):
        assert ring.get(STREAM, key.compartment, key.commitment[:8]) is not None
        ring.trim()
        assert bool(ring.prepared(STREAM)) is kept_after
    with store.transaction() as tx:
        ring.load(tx, [STREAM])
        ring.add(tx, STREAM, ring.prepare(STREAM, 4, (1, 1, 9), bytes([9]) * 32))
    ring.forget(STREAM)
    with store.transaction() as tx:
        ring.load(tx, [STREAM])
    assert len(names(ring)) == 4
    ring.trim()
    assert names(ring) == set()


def test_a_key_that_an_older_replica_stored_alone_is_derived_again():
    store = open_plain()
    [key] = kept(store, 1)
    with store.transaction() as tx:
        tx.put_stream_key(STREAM, key.compartment, key.statement, key.key)
    ring = KeyRing(NetworkId(bytes(32)))
    with store.transaction() as tx:
        ring.load(tx, [STREAM])
    found = ring.get(STREAM, 1, key.commitment[:8])
    assert found is not None
    assert found[1:] == key[1:]


def test_more_keys_than_remembered_are_prepared_again_not_lost(monkeypatch):
    """A page may touch any number of streams: ``trim`` comes behind it, too late for memory."""
    monkeypatch.setattr(keyring, "KEYS_REMEMBERED_MAX", 2)
    store = open_plain()
    keys = kept(store, 1, 2, 3)
    ring = KeyRing(NetworkId(bytes(32)))
    with store.transaction() as tx:
        ring.load(tx, [STREAM])
        at_work = ring.stream(STREAM)
        assert len(at_work) == 3
        ring.load(tx, [OTHER])
    assert ring.prepared(STREAM) == {}
    assert len(at_work) == 3, "whoever works with them goes on"
    for key in keys:
        name = key.commitment[:8]
        assert ring.holds(STREAM, key.compartment, name)
        found = ring.get(STREAM, key.compartment, name)
        assert found is not None
        assert found[1:] == key[1:]
