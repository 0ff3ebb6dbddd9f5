"""Creating, joining and opening a replica's folder (client).

A folder is made only when the network exists or the invitation's text was understood; a failure on
the way leaves nothing behind.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from casesync.client import anchor
from casesync.client.core import (
    FAILED,
    IDENTITY,
    JOINER,
    SUSPENDED,
    Core,
    Identity,
    RequestCounter,
    make_engine,
)
from casesync.client.durable_file import move_durably
from casesync.client.helper_process import processors
from casesync.client.home import Home
from casesync.client.new_network import NewNetwork
from casesync.client.system_ports import SystemClock, SystemEntropy
from casesync.client.unlock_agent import fetch_key
from casesync.client.vault import create_vault, open_vault, refuse_short
from casesync.codec import canonical
from casesync.foundation.errors import LocalStateError, RelayMisbehaviour, UsageError
from casesync.foundation.ports import Clock, Entropy
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.space import reserve_of
from casesync.storage.sql_store import open_encrypted
from casesync.sync.author import OWN_CHAIN
from casesync.sync.held_log import (
    CHANGE_RANGE,
    CONTROL_RANGE,
    load_range,
)
from casesync.sync.ports import ReplicaStore, Transaction
from casesync.sync.relay_port import RelayChannel
from casesync.transport.http_channel import HttpChannel

ChannelMaker = Callable[[Identity, Callable[[], int]], RelayChannel]
"""(identity, request counter) -> a channel to the relay."""


def http_channel(clock: Clock) -> ChannelMaker:
    """Channels over HTTP."""

    def make(identity: Identity, counter_next: Callable[[], int]) -> RelayChannel:
        return HttpChannel(
            identity.relay_url,
            identity.network,
            int(identity.device),
            identity.secrets.request_signer().sign,
            clock,
            counter_next,
            allow_plain_http=identity.plain_http,
        )

    return make


def found(
    folder: Path,
    passphrase: str,
    network: NewNetwork,
    relay_url: str,
    relay_key: bytes | None,
    *,
    plain_http: bool,
) -> None:
    """Create the network at the relay, then the folder of its founder.

    Raises:
        UsageError: ``home-exists``, ``passphrase-short``, ``relay-not-https``,
            ``unit-type-unknown``, ``role-unknown``.
        LocalStateError: ``database-missing``.
        RelayMisbehaviour: ``relay-key-differs``.
    """
    refuse_existing(folder)
    refuse_short(passphrase)
    network.check()
    channel = HttpChannel(
        relay_url, None, None, None, network.clock, lambda: 0, allow_plain_http=plain_http
    )
    try:
        key = channel.relay_key()
        if relay_key is not None and relay_key != key:
            raise RelayMisbehaviour("relay-key-differs")
        _, fill = network.create(channel, relay_url, key, plain_http=plain_http)
    finally:
        channel.close()
    create_folder(folder, passphrase, network.entropy, fill)


# -- folders -----------------------------------------------------------------------------------


def refuse_existing(folder: Path) -> None:
    """A folder that holds a replica already is left alone.

    Raises:
        UsageError: ``home-exists``.
        LocalStateError: ``database-missing``.
    """
    home = Home(folder)
    home.refuse_lost_database()
    if home.exists():
        raise UsageError("home-exists", folder=str(folder))


def create_folder(
    folder: Path, passphrase: str, entropy: Entropy, fill: Callable[[Transaction], None]
) -> None:
    """Make a replica's folder, vault and database; on failure nothing stays behind.

    The database gets its name when all is in it: cut off anywhere before, the folder holds no
    replica, and the next start takes away what is left.

    Raises: as ``refuse_existing`` (of two starts at once the second) and ``Home.locked``.
    """
    home = Home(folder)
    existed = folder.exists()
    with home.locked("casesync"):
        refuse_existing(folder)
        if home.starting.exists():
            _take_away(home)
        try:
            home.starting.touch()
            key = create_vault(folder, passphrase, entropy)
            anchor.write(folder, anchor.EMPTY)
            store = open_encrypted(home.unfinished, key)
            try:
                with store.transaction() as tx:
                    fill(tx)
            finally:
                store.close()
            reserve_of(home.unfinished).unlink(missing_ok=True)  # opening makes one
            move_durably(home.unfinished, home.database)
            home.starting.unlink()
        except BaseException:
            remove_start(folder, existed=existed)
            raise


def remove_start(folder: Path, *, existed: bool) -> None:
    """Take away what ``create_folder`` made, for a start that came to nothing.

    The caller holds the folder and made what is in it; ``existed``: not the folder itself.
    """
    home = Home(folder)
    if not existed:
        shutil.rmtree(folder, ignore_errors=True)
        return
    _take_away(home)
    home.lock_file.unlink(missing_ok=True)


def _take_away(home: Home) -> None:
    """What a start made; last what says that one was begun."""
    made = (home.vault, home.anchor, *home.folder.glob(home.database.name + "*"))
    for path in (*made, home.starting):
        path.unlink(missing_ok=True)


def database_key(folder: Path, passphrase: str | None) -> SecretBytes:
    """The key from the passphrase, or from the unlock agent where there is none.

    Raises:
        LocalStateError: ``locked``, ``passphrase-wrong``, ``home-missing``, ``database-missing``,
            ``vault-missing``.
    """
    home = Home(folder)
    home.require()
    with suppress(OSError):  # a start that was cut off behind its last commit
        home.starting.unlink()
    if passphrase is None:
        key = fetch_key(folder)
        if key is None:
            raise LocalStateError("locked")
        return key
    return open_vault(folder, passphrase)


def open_core(
    folder: Path,
    passphrase: str | None,
    *,
    command: str = "casesync",
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    channel_maker: ChannelMaker | None = None,
) -> tuple[Core, ExitStack]:
    """Open a replica's folder; the stack releases the lock, the store and the channel.

    Raises:
        LocalStateError: locked, wrong passphrase, held by another process, corrupt, newer, not
            joined yet.
    """
    clock = clock or SystemClock()
    entropy = entropy or SystemEntropy()
    home = Home(folder)
    key = database_key(folder, passphrase)
    with ExitStack() as stack:
        stack.enter_context(home.locked(command))
        store = open_encrypted(home.database, key, create=False)
        stack.callback(store.close)
        core = core_on(store, clock, entropy, channel_maker or http_channel(clock), folder=folder)
        close = getattr(core.channel, "close", None)
        if close is not None:
            stack.callback(close)
        core.failed = _rolled_back(folder, store) or core.failed
        return core, stack.pop_all()
    raise AssertionError("unreachable")


def core_on(
    store: ReplicaStore,
    clock: Clock,
    entropy: Entropy,
    channel_maker: ChannelMaker,
    *,
    folder: Path | None = None,
    unchecked: bool = False,
) -> Core:
    """A core on an open store.

    Args:
        store: of a replica.
        clock: the time.
        entropy: randomness.
        channel_maker: makes the way to the relay.
        folder: where the anchor lies; None in memory.
        unchecked: for the join itself: the log was not held against the invitation yet.

    Raises:
        LocalStateError: ``not-joined``, also where a join was cut off before its last checks.
    """
    with store.transaction() as tx:
        stored, joiner = tx.value(IDENTITY), tx.value(JOINER)
    if stored is None or (joiner is not None and not unchecked):
        raise LocalStateError("not-joined")
    identity = Identity.from_bytes(stored)
    counter = RequestCounter(store)
    with store.transaction() as tx:
        failed, suspended = tx.value(FAILED), tx.value(SUSPENDED)
    core = Core(
        failed=None if failed is None else LocalStateError(failed.decode()),
        suspended=suspended is not None,
        folder=folder,
        store=store,
        identity=identity,
        engine=make_engine(identity, clock, entropy, store),
        channel=channel_maker(identity, counter.next),
        clock=clock,
        entropy=entropy,
    )
    core.engine.helper = core.helper
    core.engine.second_thread = processors() > 1
    return core


def _rolled_back(folder: Path, store: ReplicaStore) -> LocalStateError | None:
    """The error that keeps a rolled-back database from sending, None if it is current."""
    with store.transaction() as tx:
        stored = tx.value(OWN_CHAIN)
        number, link = (0, bytes(32)) if stored is None else canonical.unpack(stored)
        held = anchor.Anchor(
            number, link, load_range(tx, CONTROL_RANGE).size, load_range(tx, CHANGE_RANGE).size
        )
    try:
        anchor.check(anchor.read(folder), held)
    except LocalStateError as error:
        return error
    return None
