"""The peers that are there."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import NamedTuple

from peers.apart import Apart
from peers.node_peer import NodePeer
from peers.peer import Absent, Peer


class Found(NamedTuple):
    """Peers to measure beside, and why others are not."""

    peers: list[Peer]
    absent: dict[str, str]
    """Name -> what is missing."""


KNOWN = {
    "pycrdt": ("peers.pycrdt_peer", "Pycrdt"),
    "Loro": ("peers.loro_peer", "Loro"),
    "Yjs": ("peers.node_peer", "Yjs"),
    "Automerge": ("peers.node_peer", "Automerge"),
}
CELLS_MAX = {"Automerge": 10_000}
"""Measured on fewer writes where a whole run would take an hour; its rate is per write anyway."""


def find_peers(names: Iterable[str] = KNOWN) -> Found:
    """Those of ``names`` that are installed; those in node are installed if npm is there."""
    found = Found([], {})
    for name in names:
        module, kind = KNOWN[name]
        try:
            peer = getattr(import_module(module), kind)
            found.peers.append(peer() if issubclass(peer, NodePeer) else Apart(peer))
        except Absent as absent:
            found.absent[name] = str(absent)
    return found
