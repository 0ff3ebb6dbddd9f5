"""Entries written one behind the other over the head of the control log (access floor).

``protocol/membership.md``, *Entry*. Seals, chains and signs; which act says what is for
``control_acts``. Acts work on line only: the caller syncs, writes over the head it then holds,
appends, and writes again if the head moved. Nothing that is written counts before the receipt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from casesync.access.control_opened import (
    BLOB_ROLES,
    BLOB_SCHEMAS,
    BLOB_UNIT_KEYS,
    NetworkOpener,
)
from casesync.access.control_state import ControlState
from casesync.crypto.aead import NONCE_BYTES
from casesync.crypto.key_wrap import UnitKeyId, wrap_seeds
from casesync.crypto.sealing import seal_blob, seal_control
from casesync.crypto.signatures import CompositeSigner
from casesync.foundation.errors import CannotDecide
from casesync.foundation.ids import BlobHash, DeviceNumber, NetworkId
from casesync.foundation.ports import Entropy
from casesync.merkle.hashing import EMPTY_ROOT
from casesync.translog.control_acts import Public, encode_public
from casesync.translog.control_entry import Act, complete_entry, entry_prefix

BLOB_KINDS = (BLOB_UNIT_KEYS, BLOB_SCHEMAS, BLOB_ROLES)


class Position(NamedTuple):
    """The newest change-log checkpoint the signer verified: where its acts take effect."""

    size: int
    root: bytes


EMPTY_POSITION = Position(0, EMPTY_ROOT)
"""Before the first change."""


@dataclass(slots=True, kw_only=True)
class ControlWriter:
    """Acts not appended yet. ``entries``, ``blobs`` go to the relay in one request, in order."""

    network: NetworkId
    device: DeviceNumber
    signer: CompositeSigner
    network_keys: Sequence[bytes]
    """32 bytes each, newest first; the newest seals."""
    position: Position
    entropy: Entropy
    index: int
    """Of the entry that is written next."""
    previous: bytes
    entries: list[bytes] = field(default_factory=list)
    blobs: list[bytes] = field(default_factory=list)
    seeds: dict[UnitKeyId, bytes] = field(default_factory=dict)
    """Unit seeds made here, to be stored with the receipt."""
    opener: NetworkOpener = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the network keys."""
        self.opener = NetworkOpener(self.network, self.network_keys)

    @classmethod
    def over(
        cls,
        state: ControlState,
        *,
        device: DeviceNumber,
        signer: CompositeSigner,
        network_keys: Sequence[bytes],
        position: Position,
        entropy: Entropy,
    ) -> ControlWriter:
        """A writer over the head of ``state``.

        Raises:
            CannotDecide: ``change-log-behind``: the signer has verified less of the change log
                than the newest entry's signer had; sync first.
        """
        if position.size < state.head_change_size:
            raise CannotDecide("change-log-behind")
        return cls(
            network=state.network,
            device=device,
            signer=signer,
            network_keys=network_keys,
            position=position,
            entropy=entropy,
            index=state.size,
            previous=state.head_hash,
        )

    def write(self, act: Act, public: Public, body: bytes) -> int:
        """Write an entry; gives its index.

        Args:
            act: what it does.
            public: the part the relay reads.
            body: canonical msgpack to be sealed under the network key.
        """
        prefix = entry_prefix(
            network=self.network,
            index=self.index,
            previous=self.previous,
            signer=self.device,
            change_size=self.position.size,
            change_root=self.position.root,
            act=act,
            public=encode_public(public),
        )
        sealed = seal_control(self.opener.newest, prefix, body)
        entry = complete_entry(prefix, sealed, self.signer.sign)
        self.entries.append(entry)
        self.previous = sha256(entry).digest()
        self.index += 1
        return self.index - 1

    def blob(self, body: bytes) -> BlobHash:
        """Take along a blob as it is; gives its name."""
        self.blobs.append(body)
        return BlobHash(sha256(body).digest())

    def sealed_blob(self, kind: int, body: bytes) -> BlobHash:
        """Seal a body under the network key and take it along; gives its name."""
        assert kind in BLOB_KINDS
        nonce = self.entropy.bytes(NONCE_BYTES)
        return self.blob(seal_blob(self.opener.newest, kind, body, nonce))

    def wrap(
        self,
        kem_public: bytes,
        device: int,
        network_keys: Sequence[bytes],
        seeds: dict[UnitKeyId, bytes],
    ) -> BlobHash:
        """Wrap keys to a device, for the entry that is written next; gives the blob's name."""
        wrapped = wrap_seeds(
            kem_public, self.network, DeviceNumber(device), self.index, network_keys, seeds
        )
        return self.blob(wrapped)
