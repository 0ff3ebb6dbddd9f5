"""An open replica: its store, its engine, its way to the relay (client).

The parts of ``Replica`` share one ``Core``. Every write goes through ``transaction``: one durable
step, then the anchor. Nothing is shown that was not logged first: ``reading`` writes the access
entry in a transaction of its own before its block runs.

A replica that was rolled back, restored or copied is stopped. Where only the relay says so, which
it cannot prove, looking goes on (``protocol/sync.md``, *Restored or copied*).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casesync.access.access_entry import Outcome, Shown
from casesync.access.body_shapes import WORD_BYTES_MAX
from casesync.access.control_opened import NetworkOpener
from casesync.access.control_state import ControlState
from casesync.client import anchor
from casesync.client.helper_process import HelperProcess
from casesync.codec import canonical
from casesync.crypto.device_keys import DeviceSecrets
from casesync.foundation.errors import CasesyncError, LocalStateError, UsageError
from casesync.foundation.ids import (
    BlobHash,
    Compartment,
    DeviceNumber,
    NetworkId,
    RecordId,
    StreamId,
)
from casesync.foundation.ports import Clock, Entropy
from casesync.sync.access_log import log_access
from casesync.sync.author import OWN_CHAIN, own_chain
from casesync.sync.context import Engine
from casesync.sync.control_flow import network_keys_of
from casesync.sync.held_log import (
    CHANGE_RANGE,
    CONTROL_RANGE,
    CONTROL_VOIDS,
    load_log_time,
    load_range,
)
from casesync.sync.keyring import KeyRing
from casesync.sync.ports import ReplicaStore, Transaction
from casesync.sync.relay_port import RelayChannel

IDENTITY = "identity"
"""Stored value: canonical [network, device, relay url, relay key, plain http allowed, secrets]."""
JOINER = "joiner"
"""Stored value: ``Joiner`` state, until the enrolment was checked."""
COUNTER = "request-counter"
"""Stored value: canonical, the largest request counter that may have been used."""
COUNTER_BLOCK = 1000
"""Counters reserved at a time, so that a request does not cost a transaction."""

FAILED = "failed"
"""Stored value: code of the error that stopped this replica for good, absent while it works."""
STOPPING = frozenset({"device-restored", "device-forked"})
"""What the relay's answer shows of a replica that was restored or copied; the second stands only
in databases of earlier programs."""
SUSPENDED = "suspended"
"""Stored value: present while the relay says that this device is suspended. Its word stops
nothing: it is only shown, because a suspended device is not served the entry that says so."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this installation is, as it stands in its database."""

    network: NetworkId
    device: DeviceNumber
    relay_url: str
    relay_key: bytes
    plain_http: bool
    secrets: DeviceSecrets

    def to_bytes(self) -> bytes:
        """The stored form; the database is encrypted."""
        return canonical.pack(
            [
                self.network,
                int(self.device),
                self.relay_url,
                self.relay_key,
                self.plain_http,
                self.secrets.to_bytes(),
            ]
        )

    @classmethod
    def from_bytes(cls, stored: bytes) -> Identity:
        """What ``to_bytes`` made."""
        network, device, url, key, plain, secrets = canonical.unpack(stored)
        return cls(
            NetworkId(network),
            DeviceNumber(device),
            url,
            key,
            plain,
            DeviceSecrets.from_bytes(secrets),
        )


@dataclass(slots=True, kw_only=True)
class Core:
    """Everything the parts of an open replica share."""

    folder: Path | None
    """Where the anchor lies; None for a replica in memory (simulation)."""
    store: ReplicaStore
    identity: Identity
    engine: Engine
    channel: RelayChannel
    clock: Clock
    entropy: Entropy
    helper: HelperProcess = field(default_factory=HelperProcess)
    """Runs while a sync has much to take in; ``engine.helper`` is it, or None."""
    subscribers: list[Callable[[Sequence[Any]], None]] = field(default_factory=list)
    """See ``subscriptions``."""
    listing_progress: Callable[[int, int], None] | None = None
    """Told (done, all) after each transaction of bringing lists up to date."""
    failed: LocalStateError | None = None
    """Set when this replica must neither write changes nor send: rolled back or restored."""
    suspended: bool = False
    """What the relay said of this device last."""
    anchored: anchor.Slot | None = None
    """What this process wrote to the anchor last."""
    sizes: dict[str, tuple[bytes | None, int]] = field(default_factory=dict)
    """What was read of each range last, and its size."""

    @contextmanager
    def transaction(
        self, meanwhile: Callable[[], None] | None = None, *, looking: bool = False
    ) -> Iterator[Transaction]:
        """One atomic, durable step; afterwards the anchor follows.

        Args:
            meanwhile: called while the store makes the step durable.
            looking: it keeps what a look leaves behind, and writes no change.

        Raises:
            LocalStateError: this replica was rolled back or restored; or what the store raises,
                and then the engine is loaded again from what stands.
        """
        if not (looking and self._may_look()):
            self.require_writable()
        try:
            with self.store.transaction(meanwhile) as tx:
                yield tx
                moment = self._moment(tx)
        except BaseException:
            self.reload()
            raise
        self.engine.keys.trim()
        if self.folder is not None and (self.anchored is None or self.anchored.anchor != moment):
            newest, self.anchored = self.anchored, None  # unknown, should the write fail
            self.anchored = anchor.write(self.folder, moment, newest)

    def require_writable(self) -> None:
        """Raises: LocalStateError: this replica was rolled back or restored, as far as it knows."""
        if self.failed is not None:
            raise self.failed

    def _may_look(self) -> bool:
        """Not where the anchor says it: a step would move the anchor back to this database."""
        return self.failed is None or self.failed.code in STOPPING

    def _moment(self, tx: Transaction) -> anchor.Anchor:
        written = tx.value(OWN_CHAIN) is not None
        number, link = own_chain(tx, self.engine) if written else (0, bytes(32))
        sizes = [self._size(tx, key) for key in (CONTROL_RANGE, CHANGE_RANGE)]
        return anchor.Anchor(number, link, *sizes)

    def _size(self, tx: Transaction, key: str) -> int:
        """The size of a stored range; only a sync moves it, and every save asks."""
        stored = tx.value(key)
        known = self.sizes.get(key)
        if known is None or known[0] != stored:
            known = self.sizes[key] = (stored, load_range(tx, key).size)
        return known[1]

    def reload(self) -> None:
        """Fold the control log and the keys again from the store, after a failed step."""
        try:
            with self.store.transaction() as tx:
                load_engine(self.engine, tx)
        except CasesyncError:
            return

    @contextmanager
    def reading(
        self,
        action: str,
        *,
        stream: StreamId | None = None,
        records: Sequence[RecordId] = (),
        compartments: Sequence[Compartment] = (),
        purpose: str | None = None,
        basis: bytes | None = None,
        detail: Shown | str | None = None,
    ) -> Iterator[Transaction]:
        """Log a look durably, then give a transaction to look with."""
        self.log(
            action,
            stream=stream,
            records=records,
            compartments=compartments,
            purpose=purpose,
            basis=basis,
            detail=detail,
        )
        with self.store.transaction() as tx:
            yield tx

    def log(
        self,
        action: str,
        *,
        stream: StreamId | None = None,
        records: Sequence[RecordId] = (),
        compartments: Sequence[Compartment] = (),
        purpose: str | None = None,
        basis: bytes | None = None,
        outcome: Outcome = Outcome.SUCCESS,
        detail: Shown | str | None = None,
    ) -> None:
        """Write one access entry, durably, before the caller goes on."""
        with self.transaction(looking=True) as tx:
            log_access(
                self.engine,
                tx,
                action,
                stream=stream,
                records=records,
                compartments=compartments,
                purpose=self.purpose(purpose),
                basis=basis,
                outcome=outcome,
                detail=detail,
            )

    def purpose(self, given: str | None) -> str:
        """The purpose of an access: as given, else the role's default.

        Raises: UsageError: ``purpose-invalid``: an entry with it would be malformed for auditors.
        """
        if given:
            if len(given.encode("utf-8", "replace")) > WORD_BYTES_MAX or not given.isprintable():
                raise UsageError("purpose-invalid")
            return given
        control = self.engine.control
        return control.roles().purpose(self.engine.member.role)

    def recover(self) -> None:
        """The relay does not say any more that this replica was restored: it had lied, or erred."""
        self.failed = None
        with self.store.transaction() as tx:
            tx.put_value(FAILED, None)

    def note_suspended(self, suspended: bool) -> None:
        """Remember what the relay says of this device, over restarts too."""
        if suspended == self.suspended:
            return
        self.suspended = suspended
        with self.store.transaction() as tx:
            tx.put_value(SUSPENDED, b"\x01" if suspended else None)

    def fail(self, error: LocalStateError) -> None:
        """Write no change and send nothing, over restarts too, until ``recover`` (attack 60)."""
        self.failed = error
        with self.store.transaction() as tx:
            tx.put_value(FAILED, error.code.encode())


def load_engine(engine: Engine, tx: Transaction) -> None:
    """Fold the stored control log and load the unit seeds."""
    voids = tx.value(CONTROL_VOIDS)
    if voids is not None:
        engine.control = ControlState.refold(
            tx.control_entries(), opener_of(engine.network, tx), stored_blobs(tx), voids
        )
    engine.log_time_ms = load_log_time(tx)
    engine.keys.load_seeds(tx)
    engine.keys.forget()


def stored_blobs(tx: Transaction) -> Callable[[BlobHash], bytes | None]:
    """Blobs by hash from the store."""
    return tx.blob


def opener_of(network: NetworkId, tx: Transaction) -> NetworkOpener:
    """What opens the seals of the control log, with the network keys held."""
    return NetworkOpener(network, network_keys_of(tx))


class RequestCounter:
    """Counters of signed requests: they only grow, over restarts too (``relay-http.md``)."""

    def __init__(self, store: ReplicaStore) -> None:
        """Args: store: where the reserved block is kept."""
        self._store = store
        self._next = 0
        self._reserved = 0

    def next(self) -> int:
        """The next counter; reserves a block durably before the first of it is used."""
        if self._next >= self._reserved:
            with self._store.transaction() as tx:
                stored = tx.value(COUNTER)
                first = 1 if stored is None else canonical.unpack(stored) + 1
                tx.put_value(COUNTER, canonical.pack(first + COUNTER_BLOCK))
            # Only now: a block whose reservation failed would be used again after a restart.
            self._next, self._reserved = first, first + COUNTER_BLOCK
        self._next += 1
        return self._next - 1


def make_engine(identity: Identity, clock: Clock, entropy: Entropy, store: ReplicaStore) -> Engine:
    """An engine on what the store holds."""
    engine = Engine(
        network=identity.network,
        device=identity.device,
        secrets=identity.secrets,
        control=ControlState(),
        keys=KeyRing(identity.network),
        clock=clock,
        entropy=entropy,
    )
    with store.transaction() as tx:
        load_engine(engine, tx)
    return engine
