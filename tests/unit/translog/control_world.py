"""A control log of real signatures and sealed parts of no meaning, for tests."""

from __future__ import annotations

from hashlib import sha256

from casesync.crypto.device_keys import DeviceSecrets
from casesync.merkle.hashing import EMPTY_ROOT
from casesync.translog.control_acts import (
    ACTS_FOUNDER,
    ACTS_STAFF,
    KIND_STAFF,
    EnrolPublic,
    GenesisPublic,
    encode_public,
)
from casesync.translog.control_entry import (
    GENESIS_NETWORK,
    GENESIS_PREVIOUS,
    Act,
    complete_entry,
    entry_hash,
    entry_prefix,
)

SEALED = b"n" * 8 + b"c" * 64
HASH = b"h" * 32


class CountingEntropy:
    """Deterministic bytes: each call differs."""

    def __init__(self, seed):
        self._state = sha256(seed).digest()

    def bytes(self, count):
        out = b""
        while len(out) < count:
            self._state = sha256(self._state).digest()
            out += self._state
        return out[:count]


def secrets_of(name):
    return DeviceSecrets.generate(CountingEntropy(name))


FOUNDER = secrets_of(b"founder")
STAFF = secrets_of(b"staff")
OTHER = secrets_of(b"other")
BLOBS = {s.public().blob_hash(): s.public().blob() for s in (FOUNDER, STAFF, OTHER)}


def genesis_public(**changed):
    public = FOUNDER.public()
    fields = {
        "relay_key": OTHER.public().change,
        "change_key": public.change,
        "request_key": public.request,
        "keys_blob": public.blob_hash(),
        "acts": ACTS_FOUNDER,
        "feeds": (b"f" * 16, b"a" * 16),
        "random32": bytes(32),
    }
    return GenesisPublic(**{**fields, **changed})


def enrol_public(secrets=STAFF, **changed):
    public = secrets.public()
    fields = {
        "kind": KIND_STAFF,
        "change_key": public.change,
        "request_key": public.request,
        "keys_blob": public.blob_hash(),
        "acts": ACTS_STAFF,
        "feeds": (b"f" * 16, b"b" * 16),
        "wrap_blob": HASH,
        "unit_keys_blob": None,
    }
    return EnrolPublic(**{**fields, **changed})


def entry_of(directory, act, public, *, signer=1, secrets=FOUNDER, sealed=SEALED, **changed):
    """The next entry after ``directory``, with fields bent by ``changed``."""
    fields = {
        "network": directory.network,
        "index": directory.size,
        "previous": directory.head,
        "signer": signer,
        "change_size": directory.change_size,
        "change_root": directory.change_root,
        "act": act,
        "public": public if isinstance(public, bytes) else encode_public(public),
    }
    prefix = entry_prefix(**{**fields, **changed})
    return complete_entry(prefix, sealed, secrets.composite_signer().sign)


def genesis(public=None, secrets=FOUNDER):
    prefix = entry_prefix(
        network=GENESIS_NETWORK,
        index=0,
        previous=GENESIS_PREVIOUS,
        signer=1,
        change_size=0,
        change_root=EMPTY_ROOT,
        act=Act.GENESIS,
        public=encode_public(public or genesis_public()),
    )
    return complete_entry(prefix, b"", secrets.composite_signer().sign)


GENESIS = genesis()
NETWORK = entry_hash(GENESIS)
