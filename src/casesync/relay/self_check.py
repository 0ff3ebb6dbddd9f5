"""What a relay looks after when it starts: that its networks are those of its logs (relay).

A network's id is the hash of its genesis entry, its sizes are those of its logs, and a device's
chain ends with its newest change. A row that says otherwise was changed or damaged: its devices
would be told that they are unknown here, that the relay fell behind, or that they were copied, and
would look for the fault in the wrong place.
"""

from __future__ import annotations

from hashlib import sha256

from casesync.relay.relay_store import NetworkRow, RelayTransaction

_END = 1 << 40


def damaged_networks(tx: RelayTransaction) -> frozenset[bytes]:
    """Ids (32 bytes) under which devices may ask for a network whose row contradicts its logs."""
    found: set[bytes] = set()
    for network, row in tx.networks():
        genesis = next(tx.control_leaves(row.handle, 0, 1), None)
        asked_for = network if genesis is None else sha256(genesis[1]).digest()
        if asked_for != network or not _has_its_sizes(tx, row):
            found |= {network, asked_for}
    return frozenset(found)


def broken_chains(tx: RelayTransaction) -> frozenset[bytes]:
    """Ids of networks with a device whose chain does not end with its newest change."""
    return frozenset(network for network, row in tx.networks() if not _has_its_ends(tx, row))


def _has_its_sizes(tx: RelayTransaction, row: NetworkRow) -> bool:
    last_entry, last_change = row.control_size - 1, row.change_size - 1
    if last_entry < 0 or last_change < -1:
        return False
    entries = tx.control_leaves(row.handle, last_entry, _END)
    changes = tx.change_indexes(row.handle, max(last_change, 0), _END)
    if next(entries, None) is None or next(entries, None) is not None:
        return False
    return next(changes, -1) == last_change and next(changes, None) is None


def _has_its_ends(tx: RelayTransaction, row: NetworkRow) -> bool:
    for device, known in tx.devices(row.handle):
        number = known.newest_number
        newest = tx.receipt(row.handle, device, number)
        if newest is not None and newest[2] != known.newest_link:
            return False
        if (newest is None and number) or tx.receipt(row.handle, device, number + 1) is not None:
            return False
    return True
