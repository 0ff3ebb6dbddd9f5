"""Whether an entry is the next one and its signer signed it (access floor).

``protocol/membership.md``, *Entry*. Only keys and chain: a device whose enrolment turned out void
still signs its own entries, so that those are void and not forged.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from casesync.access.control_opened import Blobs
from casesync.crypto.signatures import COMPOSITE_PUBLIC_BYTES, composite_verify
from casesync.foundation.errors import (
    CannotDecide,
    CryptoError,
    RelayMisbehaviour,
    RemoteProtocolError,
)
from casesync.foundation.ids import BlobHash
from casesync.translog.control_acts import EnrolPublic, GenesisPublic, decode_public
from casesync.translog.control_entry import (
    GENESIS_NETWORK,
    GENESIS_PREVIOUS,
    Act,
    ControlEntry,
    parse_entry,
)


class Authentic(NamedTuple):
    """An entry that its signer signed as the next one."""

    entry: ControlEntry
    new_key: bytes | None
    """Composite key of the device it would enrol."""


class ControlSigners:
    """The chain of entries and the composite keys of everybody who was ever enrolled."""

    def __init__(self) -> None:
        self._size = 0
        self._head = GENESIS_PREVIOUS
        self._network = GENESIS_NETWORK
        self._keys: dict[int, bytes] = {}

    def authenticate(self, index: int, data: bytes, blobs: Blobs, *, verify: bool) -> Authentic:
        """The entry, if it is the next one and its signer signed it.

        Raises:
            RelayMisbehaviour: ``control-log-forged``.
            CannotDecide: ``blob-missing``.
        """
        try:
            entry = parse_entry(data)
        except RemoteProtocolError as error:
            raise RelayMisbehaviour("control-log-forged", index=index) from error
        place = (entry.index, entry.previous, entry.network)
        if index != self._size or place != (index, self._head, self._network):
            raise RelayMisbehaviour("control-log-forged", index=index)
        new_key = _composite(_keys_blob(entry), blobs)
        key = new_key if entry.act == Act.GENESIS else self._keys.get(entry.signer)
        if key is None:
            raise RelayMisbehaviour("control-log-forged", index=index)
        if verify:
            try:
                composite_verify(key, entry.signed_bytes, entry.signature)
            except CryptoError as error:
                raise RelayMisbehaviour("control-log-forged", index=index) from error
        return Authentic(entry, new_key)

    def accept(self, authentic: Authentic) -> None:
        """Take in an entry that was authenticated and judged."""
        entry = authentic.entry
        self._size, self._head = entry.index + 1, entry.entry_hash
        if entry.act == Act.GENESIS:
            self._network = entry.entry_hash
        if authentic.new_key is not None:
            self._keys[entry.index + 1] = authentic.new_key


def _keys_blob(entry: ControlEntry) -> BlobHash | None:
    try:
        public = decode_public(entry.act, entry.public)
    except RemoteProtocolError:
        return None
    if isinstance(public, GenesisPublic | EnrolPublic):
        return BlobHash(public.keys_blob)
    return None


def _composite(name: BlobHash | None, blobs: Blobs) -> bytes | None:
    if name is None:
        return None
    blob = blobs(name)
    if blob is None:
        raise CannotDecide("blob-missing", blob=name.hex())
    if sha256(blob).digest() != name:
        raise RelayMisbehaviour("blob-differs", blob=name.hex())
    return blob[:COMPOSITE_PUBLIC_BYTES] if len(blob) >= COMPOSITE_PUBLIC_BYTES else None
