"""Joining a network from an invitation, step by step and resumable (client).

``protocol/enrolment.md``. Each ``step`` does what is possible now; the state lies in the replica's
own encrypted database, so that a closed laptop goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

from casesync.client import opening
from casesync.client.control_driver import pull
from casesync.client.core import IDENTITY, JOINER, Core, Identity
from casesync.client.home import Home
from casesync.client.network_views import JoinStatus
from casesync.client.system_ports import SystemClock, SystemEntropy
from casesync.client.vault import refuse_short
from casesync.crypto.enrolment import SLOT_COMMITMENT, SLOT_NONCE, SLOT_RESULT, SLOT_REVEAL
from casesync.foundation.errors import (
    AccessDenied,
    CryptoError,
    LocalStateError,
    NetworkError,
    UsageError,
)
from casesync.foundation.ids import DeviceNumber
from casesync.foundation.ports import Clock, Entropy
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import leaf_hash
from casesync.storage.sql_store import open_encrypted
from casesync.sync.enrolment_joiner import Joiner
from casesync.sync.invitation import Invitation, check_open, parse_invitation
from casesync.sync.ports import ReplicaStore, Transaction
from casesync.sync.relay_port import RelayChannel
from casesync.translog.chain import control_leaf
from casesync.transport.http_channel import HttpChannel

_SLOTS = (SLOT_COMMITMENT, SLOT_NONCE, SLOT_REVEAL, SLOT_RESULT)
PLAIN_HTTP = "plain-http"
JOINED_BY = "joined-by"
"""Stored value: id of the invitation that let this device in; absent at a founder's."""


class Joining:
    """A device that was invited and is not enrolled yet."""

    def __init__(
        self,
        folder: Path | None,
        store: ReplicaStore,
        stack: ExitStack,
        clock: Clock,
        entropy: Entropy,
        channel_maker: opening.ChannelMaker,
        rendezvous: RelayChannel,
    ) -> None:
        """Use ``start`` or ``resume``."""
        self._folder = folder
        self._store = store
        self._stack = stack
        self._clock = clock
        self._entropy = entropy
        self._channel_maker = channel_maker
        self._rendezvous = rendezvous

    @classmethod
    def start(
        cls,
        folder: Path,
        passphrase: str,
        invitation_text: str,
        *,
        name: str,
        device_label: str = "",
        plain_http: bool = False,
    ) -> Self:
        """Understand the invitation, make a folder with this device's keys, answer the invitation.

        Where it is over, or somebody else answers it first, no folder stays behind.

        Raises:
            UsageError: ``passphrase-short``, ``invitation-malformed``, ``home-exists``.
            LocalStateError: ``database-missing``.
            AccessDenied: ``invitation-expired``, ``invitation-used``, ``invitation-gone``.
            NetworkError: the relay cannot be reached; what was begun goes on with ``resume``.
        """
        opening.refuse_existing(folder)
        refuse_short(passphrase)
        existed = folder.exists()
        clock, entropy = SystemClock(), SystemEntropy()
        invitation = _usable(invitation_text, clock, plain_http=plain_http)
        joiner = Joiner.start(invitation, name, device_label, entropy)
        opening.create_folder(
            folder, passphrase, entropy, lambda tx: _keep(tx, joiner, plain_http=plain_http)
        )
        joining = cls.resume(folder, passphrase)
        with ExitStack() as stack:
            stack.callback(joining.close)
            try:
                joining._meet(joiner)
            except AccessDenied:  # somebody was faster, so nobody ever took these keys for ours
                opening.remove_start(folder, existed=existed)
                raise
            stack.pop_all()
        return joining

    @classmethod
    def resume(cls, folder: Path, passphrase: str | None) -> Self:
        """Go on with a join that was started here.

        Raises:
            LocalStateError: ``home-missing``, ``locked``, ``passphrase-wrong``.
            UsageError: ``joined-already``.
        """
        clock, entropy = SystemClock(), SystemEntropy()
        key = opening.database_key(folder, passphrase)
        with ExitStack() as stack:
            stack.enter_context(Home(folder).locked("casesync join"))
            store = open_encrypted(Home(folder).database, key, create=False)
            stack.callback(store.close)
            joiner = stored_joiner(store)
            with store.transaction() as tx:
                plain = tx.value(PLAIN_HTTP) is not None
            channel = HttpChannel(
                joiner.invitation.relay_url,
                joiner.invitation.network,
                None,
                None,
                clock,
                lambda: 0,
                allow_plain_http=plain,
            )
            stack.callback(channel.close)
            maker = opening.http_channel(clock)
            return cls(folder, store, stack.pop_all(), clock, entropy, maker, channel)
        raise AssertionError("unreachable")

    @classmethod
    def restart(
        cls,
        folder: Path,
        passphrase: str | None,
        invitation_text: str,
        *,
        name: str,
        device_label: str = "",
        plain_http: bool = False,
    ) -> Self:
        """Go on with a join that was started here; with another invitation than then, begin anew.

        A device that was let in already stays with the invitation that let it in.

        Raises:
            LocalStateError, UsageError: as ``start`` and ``resume``.
        """
        joining = cls.resume(folder, passphrase)
        with ExitStack() as stack:
            stack.callback(joining.close)
            old = stored_joiner(joining._store)
            invitation = parse_invitation(invitation_text)
            if old.invitation.id == invitation.id or joining._is_let_in(invitation.relay_url):
                stack.pop_all()
                return joining
            _usable(invitation_text, SystemClock(), plain_http=plain_http)
            joiner = Joiner.start(invitation, name, device_label, SystemEntropy())
            with joining._store.transaction() as tx:
                _keep(tx, joiner, plain_http=plain_http)
        return cls.resume(folder, passphrase)

    def _is_let_in(self, next_relay: str) -> bool:
        """Whether this device has been let in by the stored invitation, asked at its relay.

        Raises: NetworkError: nobody answers there, and the next invitation needs the same relay.
        """
        joiner = stored_joiner(self._store)
        try:
            return self._meet(joiner)[0].result is not None if joiner.result is None else True
        except (AccessDenied, CryptoError, UsageError):
            return False
        except NetworkError:
            if joiner.invitation.relay_url == next_relay:
                raise
            return False

    def close(self) -> None:
        """Release the folder."""
        self._stack.close()

    def step(self) -> JoinStatus:
        """Do what is possible now.

        Raises:
            AccessDenied: ``invitation-used``: somebody else answered it; ``invitation-expired``;
                ``invitation-gone``: cancelled, expired or burnt by a wrong code.
            CryptoError, RelayMisbehaviour: the enrolment is not what this device signed.
        """
        joiner = stored_joiner(self._store)
        if joiner.result is None:
            joiner, status = self._meet(joiner)
            if joiner.result is None:
                return status
        self._finish(joiner)
        return JoinStatus(state="joined")

    def _meet(self, joiner: Joiner) -> tuple[Joiner, JoinStatus]:
        invitation = joiner.invitation
        check_open(invitation, self._clock.now_ms() + self._rendezvous.now_offset_ms())
        slots: dict[int, bytes] = {}
        for slot in _SLOTS:
            message = self._rendezvous.rendezvous_get(invitation.id, slot)
            if message is not None:
                slots[slot] = message
        step = joiner.advance(slots)
        with self._store.transaction() as tx:
            tx.put_value(JOINER, step.state.to_bytes())
        for put in step.puts:
            self._rendezvous.rendezvous_put(invitation.id, put.slot, put.message)
        if step.status == "enrolled":
            return step.state, JoinStatus(state="waiting")
        if step.status == "code":
            return step.state, JoinStatus(state="code", code=step.code)
        return step.state, JoinStatus(state="posted")

    def _finish(self, joiner: Joiner) -> None:
        """Sync as the new device, and keep the identity only if everything is as signed."""
        invitation, result = joiner.invitation, joiner.result
        assert result is not None
        with self._store.transaction() as tx:
            plain = tx.value(PLAIN_HTTP) is not None
        identity = Identity(
            network=invitation.network,
            device=DeviceNumber(result.device),
            relay_url=invitation.relay_url,
            relay_key=invitation.relay_key,
            plain_http=plain,
            secrets=joiner.secrets,
        )
        finish_join(
            self._store,
            identity,
            joiner,
            self._folder,
            self._clock,
            self._entropy,
            self._channel_maker,
        )


def _usable(invitation_text: str, clock: Clock, *, plain_http: bool) -> Invitation:
    """The invitation, if it is open, at its relay too; nothing was written here yet."""
    invitation = parse_invitation(invitation_text)
    check_open(invitation, clock.now_ms())
    channel = HttpChannel(
        invitation.relay_url,
        invitation.network,
        None,
        None,
        clock,
        lambda: 0,
        allow_plain_http=plain_http,
    )
    with closing(channel):
        if channel.rendezvous_get(invitation.id, SLOT_COMMITMENT) is not None:
            raise AccessDenied("invitation-used")
        check_open(invitation, clock.now_ms() + channel.now_offset_ms())
    return invitation


def _keep(tx: Transaction, joiner: Joiner, *, plain_http: bool) -> None:
    tx.put_value(JOINER, joiner.to_bytes())
    tx.put_value(PLAIN_HTTP, b"\x01" if plain_http else None)


def stored_joiner(store: ReplicaStore) -> Joiner:
    """The stored state. Raises: UsageError: ``joined-already``; LocalStateError."""
    with store.transaction() as tx:
        stored, identity = tx.value(JOINER), tx.value(IDENTITY)
    if stored is None:
        if identity is not None:
            raise UsageError("joined-already")
        raise LocalStateError("not-joined")
    return Joiner.from_bytes(stored)


def finish_join(
    store: ReplicaStore,
    identity: Identity,
    joiner: Joiner,
    folder: Path | None,
    clock: Clock,
    entropy: Entropy,
    channel_maker: opening.ChannelMaker,
) -> None:
    """Fetch the control log as the new device, check it, then become that device.

    Raises:
        RelayMisbehaviour: the log is not the invitation's.
        CryptoError: ``enrolment-differs``.
    """
    with store.transaction() as tx:
        tx.put_value(IDENTITY, identity.to_bytes())
    try:
        core = opening.core_on(store, clock, entropy, channel_maker, folder=folder, unchecked=True)
        try:
            fetch_and_check(core, joiner)
        finally:
            close = getattr(core.channel, "close", None)
            if close is not None:
                close()
    except BaseException:
        with store.transaction() as tx:
            if tx.value(JOINER) is not None:
                tx.put_value(IDENTITY, None)
        raise
    with core.transaction() as tx:
        tx.put_value(JOINER, None)
        tx.put_value(JOINED_BY, joiner.invitation.id)


def joined_by(core: Core, invitation_text: str | None) -> bool:
    """Whether this device was let in by an invitation, by just this one if one is given.

    Raises: UsageError: ``invitation-malformed``.
    """
    with core.store.transaction() as tx:
        stored = tx.value(JOINED_BY)
    if stored is None or invitation_text is None:
        return stored is not None
    return stored == parse_invitation(invitation_text).id


def fetch_and_check(core: Core, joiner: Joiner) -> None:
    """First exchange as the new device, and the checks of step 6."""
    pull(core)
    joiner.check_enrolled(core.engine.control, _roots(core))
    with core.transaction() as tx:
        for key, seed in joiner.counting_seeds(core.engine.control).items():
            tx.put_seed(key.unit, key.compartment, key.epoch, seed)


def _roots(core: Core) -> Callable[[int], bytes]:
    """Roots of the verified control log by size, computed from the stored entries."""

    def root_at(size: int) -> bytes:
        log = CompactRange()
        with core.store.transaction() as tx:
            for index, time, entry in tx.control_entries():
                if index >= size:
                    break
                log.append(leaf_hash(control_leaf(time, entry)))
        return log.root()

    return root_at
