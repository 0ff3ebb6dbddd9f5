"""The relay's logic: a mailbox that cannot read (relay; ``protocol/relay-http.md``, ``sync.md``).

Pure but for its store: no HTTP, no clock or randomness of its own. Every method is one transaction
of the store and raises ``RequestRefused`` or ``RemoteProtocolError`` for what is not served. Who
calls is a ``Caller`` whose signature was verified (``authenticate``); that the device is active and
its counter new is checked here, in the same transaction as what it asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import NamedTuple, TypeVar, final

from casesync.crypto.signatures import Ed25519Signer
from casesync.foundation.errors import LocalStateError, RemoteProtocolError
from casesync.foundation.ids import DeviceNumber
from casesync.foundation.ports import Clock, Entropy
from casesync.foundation.secret_bytes import SecretBytes
from casesync.relay.control_append import ControlAppender
from casesync.relay.relay_store import NetworkRow, RelayStore, RelayTransaction
from casesync.relay.rendezvous import (
    cancel_rendezvous,
    get_message,
    open_rendezvous,
    put_message,
)
from casesync.relay.self_check import broken_chains, damaged_networks
from casesync.relay.session import Session
from casesync.relay.sync_answer import answer_sync
from casesync.wire.messages import (
    ControlAppend,
    SyncRequest,
    decode_expiry,
    encode_appended,
    encode_created,
)
from casesync.wire.refusals import Refusal, RequestRefused
from casesync.wire.request_signature import RequestClaim, verify_claim

_KEY_SEED = "log-key-seed"
_T = TypeVar("_T")


class Caller(NamedTuple):
    """Whose signature a request carried."""

    network: bytes
    """32 bytes."""
    device: DeviceNumber
    counter: int


@final
class Mailbox:
    """One relay: its networks, over one store."""

    def __init__(
        self, store: RelayStore, clock: Clock, entropy: Entropy, *, networks_max: int = 16
    ) -> None:
        """Open, making the log key at the first start.

        Args:
            store: Durable state; one mailbox at a time uses it.
            clock: The relay's; may jump, log time does not go back.
            entropy: For the log key, once.
            networks_max: How many networks may be created here.
        """
        self._store = store
        self._clock = clock
        self._networks_max = networks_max
        self._signer = Ed25519Signer(_key_seed(store, entropy))
        with store.transaction() as tx:
            self._damaged = damaged_networks(tx)
        # Torn pages are no contradiction: whoever asks for what they held is told of them.
        with suppress(LocalStateError), store.transaction() as tx:
            self._damaged |= broken_chains(tx)
        self._control = ControlAppender(self._signer)

    @property
    def relay_key(self) -> bytes:
        """Public half of the log key (32 bytes)."""
        return self._signer.public

    @property
    def is_damaged(self) -> bool:
        """Whether what the store says of a network contradicts its logs; it is not served."""
        return bool(self._damaged)

    def authenticate(self, network: bytes, claim: RequestClaim) -> None:
        """Verify a request's signature before its body is read; writes nothing.

        Raises:
            RequestRefused: ``not-found`` (no such network, device or signature, all alike),
                ``device-suspended``, ``counter-replayed``.
        """
        with self._store.transaction() as tx:
            key = self._request_key(tx, network, claim.device)
            verify_claim(claim, key)
            self._session(tx, Caller(network, claim.device, claim.counter))

    # -- networks and the control log ------------------------------------------------------------
    def create_network(self, body: bytes) -> bytes:
        """Create a network from its first entries; again with the same entries answers alike."""
        request = ControlAppend.decode(body)
        with self._guarded(), self._store.transaction() as tx:
            self._network(tx, sha256(request.entries[0]).digest())
            created = self._control.create(tx, request, self._networks_max, self._clock.now_ms())
            return encode_created(*created)

    def append_control(self, caller: Caller, body: bytes) -> bytes:
        """Append entries if the first extends the head; repeated ones are answered alike."""
        request = ControlAppend.decode(body)

        def append(session: Session) -> bytes:
            return encode_appended(*self._control.append(session, request))

        with self._guarded():
            return self._signed(caller, append)

    def blob(self, caller: Caller, name: bytes) -> bytes:
        """A blob the control log names."""

        def read(session: Session) -> bytes:
            body = session.tx.blob(session.handle, name)
            if body is None:
                raise RequestRefused(Refusal.NOT_FOUND)
            return body

        return self._signed(caller, read)

    # -- the change log --------------------------------------------------------------------------
    def sync(self, caller: Caller, body: bytes) -> bytes:
        """Take the outbox, answer with what the device is missing."""
        request = SyncRequest.decode(body)

        def answer(session: Session) -> bytes:
            return answer_sync(session, request, self._signer).encode()

        return self._signed(caller, answer)

    # -- rendezvous ------------------------------------------------------------------------------
    def rendezvous_open(self, caller: Caller, invitation: bytes, body: bytes) -> None:
        """Open the rendezvous of an invitation (16 bytes)."""
        expires = decode_expiry(body)

        def open_it(session: Session) -> None:
            open_rendezvous(
                session.tx,
                session.handle,
                invitation,
                session.device,
                now=self._clock.now_ms(),
                expires=expires,
            )

        self._signed(caller, open_it)

    def rendezvous_cancel(self, caller: Caller, invitation: bytes) -> None:
        """Remove it; only for the device that opened it."""

        def cancel(session: Session) -> None:
            cancel_rendezvous(session.tx, session.handle, invitation, session.device)

        self._signed(caller, cancel)

    def rendezvous_get(self, network: bytes, invitation: bytes, slot: int) -> bytes | None:
        """A message, None while the slot is empty; for anybody who knows the invitation."""
        with self._store.transaction() as tx:
            return get_message(
                tx, self._handle(tx, network), invitation, slot, self._clock.now_ms()
            )

    def rendezvous_put(
        self, network: bytes, invitation: bytes, slot: int, message: bytes, caller: Caller | None
    ) -> None:
        """Fill a slot; ``caller`` is None for the joiner's, who is no device yet."""
        now = self._clock.now_ms()
        if caller is None:
            with self._store.transaction() as tx:
                handle = self._handle(tx, network)
                put_message(tx, handle, invitation, slot, message, device=None, now=now)
            return

        def put(session: Session) -> None:
            put_message(
                session.tx,
                session.handle,
                invitation,
                slot,
                message,
                device=session.device,
                now=now,
            )

        self._signed(caller, put)

    # -- signed requests -------------------------------------------------------------------------
    def _signed(self, caller: Caller, work: Callable[[Session], _T]) -> _T:
        """One request of a device: its counter is used up even if the request is refused."""
        try:
            with self._store.transaction() as tx:
                session = self._session(tx, caller)
                session.asking = session.asking._replace(counter=caller.counter)
                answer = work(session)
                tx.put_device(session.handle, session.device, session.asking)
                tx.put_network(session.row)
                return answer
        except (RequestRefused, RemoteProtocolError):
            self._use_up(caller)
            raise

    def _use_up(self, caller: Caller) -> None:
        try:
            with self._store.transaction() as tx:
                session = self._session(tx, caller)
                asking = session.asking._replace(counter=caller.counter)
                tx.put_device(session.handle, session.device, asking)
        except RequestRefused:
            return

    def _session(self, tx: RelayTransaction, caller: Caller) -> Session:
        row = self._network(tx, caller.network)
        if row is None:
            raise RequestRefused(Refusal.NOT_FOUND)
        directory = self._control.directory(tx, row)
        device = directory.device(caller.device)
        asking = tx.device(row.handle, caller.device)
        if device is None or asking is None:
            raise RequestRefused(Refusal.NOT_FOUND)
        if not device.active:
            raise RequestRefused(Refusal.DEVICE_SUSPENDED)
        if caller.counter <= asking.counter:
            raise RequestRefused(Refusal.COUNTER_REPLAYED)
        return Session(
            tx=tx,
            network=caller.network,
            row=row,
            directory=directory,
            device=caller.device,
            asking=asking,
            feeds=tuple(device.feeds),
            now_ms=max(self._clock.now_ms(), row.log_time_ms),
        )

    def _request_key(
        self, tx: RelayTransaction, network: bytes, device: DeviceNumber
    ) -> bytes | None:
        row = self._network(tx, network)
        if row is None:
            return None
        known = self._control.directory(tx, row).device(device)
        return None if known is None else known.request_key

    def _network(self, tx: RelayTransaction, network: bytes) -> NetworkRow | None:
        if network in self._damaged:
            raise RequestRefused(Refusal.LOG_DAMAGED)
        return tx.network(network)

    def _handle(self, tx: RelayTransaction, network: bytes) -> int:
        row = self._network(tx, network)
        if row is None:
            raise RequestRefused(Refusal.NOT_FOUND)
        return row.handle

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Forget what was folded ahead of a transaction that did not commit."""
        try:
            yield
        except BaseException:
            self._control.forget()
            raise


def _key_seed(store: RelayStore, entropy: Entropy) -> SecretBytes:
    with store.transaction() as tx:
        seed = tx.value(_KEY_SEED)
        if seed is None:
            seed = entropy.bytes(32)
            tx.put_value(_KEY_SEED, seed)
    return SecretBytes(seed)
