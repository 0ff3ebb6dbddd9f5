"""Creating networks and appending to control logs (relay; ``protocol/membership.md``, *Entry*).

Compare and set: an entry is taken only if it extends the head. What the relay verifies is chain,
signature, whether the signer is active and may sign this act, where the entry takes effect, and
that the blobs it names are here. What is sealed in it, the relay cannot judge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple, final

from casesync.crypto.signatures import Ed25519Signer
from casesync.foundation.errors import (
    AccessDenied,
    CannotDecide,
    CryptoError,
    RemoteProtocolError,
    Violation,
)
from casesync.foundation.limits import QUOTA_BYTES_PER_NETWORK
from casesync.relay.merkle_log import StoredNodes
from casesync.relay.relay_store import DeviceRow, Log, NetworkRow, RelayTransaction, is_stamp
from casesync.relay.session import Session
from casesync.relay.signed_checkpoint import signed_checkpoint
from casesync.translog.chain import control_leaf
from casesync.translog.control_acts import blobs_named, decode_public
from casesync.translog.control_entry import Act, ControlEntry, parse_entry
from casesync.translog.control_public import PublicDirectory
from casesync.wire.messages import ControlAppend
from casesync.wire.refusals import Refusal, RequestRefused


class _Target(NamedTuple):
    """The log an append goes to."""

    tx: RelayTransaction
    network: bytes
    row: NetworkRow
    now_ms: int


@final
class ControlAppender:
    """Keeps each network's public directory at hand; the store stays the truth."""

    def __init__(self, signer: Ed25519Signer) -> None:
        """Args: signer: the relay's log key."""
        self._signer = signer
        self._directories: dict[int, PublicDirectory] = {}

    def directory(self, tx: RelayTransaction, row: NetworkRow) -> PublicDirectory:
        """The public directory at the network's control size; not to be changed.

        Raises:
            RequestRefused: ``log-damaged``: what was verified when it came does not read any more.
        """
        known = self._directories.get(row.handle)
        if known is not None and known.size == row.control_size:
            return known
        directory = (
            known.copy()
            if known is not None and known.size < row.control_size
            else PublicDirectory()
        )
        blobs = _blob_reader(tx, row.handle, {})
        entries = tx.control_leaves(row.handle, directory.size, row.control_size)
        try:
            for log_time_ms, entry in entries:
                if type(entry) is not bytes or not is_stamp(log_time_ms):
                    raise RequestRefused(Refusal.LOG_DAMAGED)
                directory.apply(entry, blobs, trusted=True)
        except (Violation, CannotDecide, AccessDenied) as error:
            raise RequestRefused(Refusal.LOG_DAMAGED) from error
        if directory.size != row.control_size:
            raise RequestRefused(Refusal.LOG_DAMAGED)
        self._directories[row.handle] = directory
        return directory

    def forget(self) -> None:
        """Fold again at the next use: a transaction did not commit."""
        self._directories.clear()

    def create(
        self, tx: RelayTransaction, request: ControlAppend, networks_max: int, now_ms: int
    ) -> tuple[bytes, bytes, list[int]]:
        """A new network from its first entries: both checkpoints and the log times.

        Raises:
            RequestRefused: ``networks-full``, ``entry-refused``; ``head-moved`` if the network
                is there and did not begin with exactly these entries.
        """
        network = sha256(request.entries[0]).digest()
        row = tx.network(network)
        if row is not None:
            if row.control_size != len(request.entries):
                raise RequestRefused(Refusal.HEAD_MOVED)
            return self._created(tx, network, row, _repeated(tx, row, request.entries, 0))
        if tx.network_count() >= networks_max:
            raise RequestRefused(Refusal.NETWORKS_FULL)
        target = _Target(tx, network, tx.add_network(network), now_ms)
        directory = PublicDirectory()
        row, times = self._extend(target, directory, request)
        if directory.network != network or directory.relay_key != self._signer.public:
            raise RequestRefused(Refusal.ENTRY_REFUSED)
        tx.put_network(row)
        return self._created(tx, network, row, times)

    def append(self, session: Session, request: ControlAppend) -> tuple[bytes, list[int]]:
        """Append entries: the control checkpoint and the log times.

        Raises:
            RequestRefused: ``head-moved`` if the first does not extend the head (unless they all
                stand there already), ``entry-refused``, ``quota``.
        """
        row = session.row
        first = _parse(request.entries[0])
        if first.index < row.control_size:
            times = _repeated(session.tx, row, request.entries, first.index)
        else:
            directory = session.directory.copy()
            if first.index != row.control_size or first.previous != directory.head:
                raise RequestRefused(Refusal.HEAD_MOVED)
            target = _Target(session.tx, session.network, row, session.now_ms)
            session.row, times = self._extend(target, directory, request)
        checkpoint = self._checkpoint(session.tx, session.network, session.row, Log.CONTROL)
        return checkpoint, times

    def _extend(
        self, target: _Target, directory: PublicDirectory, request: ControlAppend
    ) -> tuple[NetworkRow, list[int]]:
        """Check all entries, then store them with their blobs."""
        tx, handle = target.tx, target.row.handle
        sent = {sha256(blob).digest(): blob for blob in request.blobs}
        blobs = _blob_reader(tx, handle, sent)
        named: set[bytes] = set()
        for data in request.entries:
            entry = _folded(directory, data, blobs, target.row.change_size)
            _check_root(target, entry)
            if entry.act in {Act.GENESIS, Act.ENROL}:
                remembered = DeviceRow(0, entry.entry_hash, 0, 0, 0)
                tx.put_device(handle, entry.index + 1, remembered)
            named.update(blobs_named(decode_public(entry.act, entry.public)))
        if not sent.keys() <= named or any(blobs(name) is None for name in named):
            raise RequestRefused(Refusal.ENTRY_REFUSED)
        row = self._store(target, request, sent)
        self._directories[handle] = directory
        return row, [row.log_time_ms] * len(request.entries)

    def _store(
        self, target: _Target, request: ControlAppend, sent: dict[bytes, bytes]
    ) -> NetworkRow:
        tx, old = target.tx, target.row
        added = sum(map(len, request.entries)) + sum(map(len, request.blobs))
        log_time_ms = max(target.now_ms, old.log_time_ms)
        row = old._replace(
            control_size=old.control_size + len(request.entries),
            log_time_ms=log_time_ms,
            stored_bytes=old.stored_bytes + added,
        )
        if row.stored_bytes > QUOTA_BYTES_PER_NETWORK:
            raise RequestRefused(Refusal.QUOTA)
        for name, blob in sent.items():
            tx.put_blob(old.handle, name, blob)
        leaves = [(log_time_ms, entry) for entry in request.entries]
        tx.append_control(old.handle, old.control_size, leaves)
        nodes = StoredNodes(tx, old.handle, Log.CONTROL)
        nodes.append(old.control_size, [control_leaf(*leaf) for leaf in leaves])
        return row

    def _created(
        self, tx: RelayTransaction, network: bytes, row: NetworkRow, times: list[int]
    ) -> tuple[bytes, bytes, list[int]]:
        control = self._checkpoint(tx, network, row, Log.CONTROL)
        return control, self._checkpoint(tx, network, row, Log.CHANGE), times

    def _checkpoint(self, tx: RelayTransaction, network: bytes, row: NetworkRow, log: Log) -> bytes:
        size = row.control_size if log is Log.CONTROL else row.change_size
        return signed_checkpoint(tx, network, row.handle, log, size, self._signer)


def _repeated(
    tx: RelayTransaction, row: NetworkRow, entries: Sequence[bytes], first: int
) -> list[int]:
    """The log times of entries that stand in the log already, exactly these."""
    held = list(tx.control_leaves(row.handle, first, first + len(entries)))
    if [entry for _log_time_ms, entry in held] != list(entries):
        raise RequestRefused(Refusal.HEAD_MOVED)
    return [log_time_ms for log_time_ms, _entry in held]


def _folded(
    directory: PublicDirectory,
    data: bytes,
    blobs: Callable[[bytes], bytes | None],
    change_size: int,
) -> ControlEntry:
    try:
        return directory.apply(data, blobs, change_size_max=change_size)
    except (RemoteProtocolError, CryptoError, AccessDenied, CannotDecide):
        raise RequestRefused(Refusal.ENTRY_REFUSED) from None


def _parse(data: bytes) -> ControlEntry:
    try:
        return parse_entry(data)
    except RemoteProtocolError:
        raise RequestRefused(Refusal.ENTRY_REFUSED) from None


def _check_root(target: _Target, entry: ControlEntry) -> None:
    """The change log its signer saw must be this one."""
    nodes = StoredNodes(target.tx, target.row.handle, Log.CHANGE)
    if nodes.root(entry.change_size) != entry.change_root:
        raise RequestRefused(Refusal.ENTRY_REFUSED)


def _blob_reader(
    tx: RelayTransaction, handle: int, sent: dict[bytes, bytes]
) -> Callable[[bytes], bytes | None]:
    """Blobs by name: those that came with the request, then the stored ones."""

    def read(name: bytes) -> bytes | None:
        return sent.get(name) or tx.blob(handle, name)

    return read
