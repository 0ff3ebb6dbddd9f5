"""Checkpoints of a network's logs at any size (relay; ``protocol/transparency-log.md``)."""

from __future__ import annotations

from typing import Final, Literal

from casesync.crypto.signatures import Ed25519Signer
from casesync.relay.merkle_log import StoredNodes
from casesync.relay.relay_store import Log, RelayTransaction
from casesync.translog.checkpoint import Checkpoint, LogName

_NAMES: Final[dict[Log, Literal["control", "change"]]] = {
    Log.CONTROL: "control",
    Log.CHANGE: "change",
}


def signed_checkpoint(
    tx: RelayTransaction, network: bytes, handle: int, log: Log, size: int, signer: Ed25519Signer
) -> bytes:
    """The 102 bytes for the first ``size`` leaves, which exist.

    Signing an older size again says nothing new: the log only grows, its prefixes are fixed.
    """
    root = StoredNodes(tx, handle, log).root(size)
    name = LogName(network, _NAMES[log])
    return Checkpoint.make(name, size, root, signer.sign).to_binary()
