"""A network that is being founded: what its founder says, sends and keeps (client)."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files

from casesync.access.control_founding import NetworkPlan, create_network
from casesync.access.control_state import ControlState
from casesync.access.roles import ROLE_TABLE_V1, VISITOR_ROLE
from casesync.client.core import IDENTITY, Identity, opener_of
from casesync.client.network_admin import check_unit_type
from casesync.codec import canonical
from casesync.crypto.device_keys import DeviceSecrets
from casesync.crypto.key_wrap import UnitKeyId
from casesync.foundation.errors import RelayMisbehaviour, UsageError
from casesync.foundation.ids import BlobHash, DeviceNumber, NetworkId
from casesync.foundation.ports import Clock, Entropy
from casesync.merkle.compact_range import CompactRange
from casesync.merkle.hashing import leaf_hash
from casesync.model.schema import schema_to_bytes
from casesync.model.schema_toml import load_toml
from casesync.sync.control_flow import NETWORK_KEYS
from casesync.sync.held_log import (
    CHANGE_RANGE,
    CHECKED_CHECKPOINT,
    CONTROL_CHECKPOINT,
    CONTROL_RANGE,
    CONTROL_VOIDS,
)
from casesync.sync.ports import Transaction
from casesync.sync.relay_port import RelayChannel
from casesync.translog.chain import control_leaf
from casesync.translog.checkpoint import Checkpoint, LogName


def shipped_schema() -> bytes:
    """The schema that new networks begin with, from the files shipped with the package."""
    folder = files("casesync.model").joinpath("schemas")
    texts = {
        entry.name: entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }
    return schema_to_bytes(load_toml(texts))


class NewNetwork:
    """What ``network create`` asks for, and the request that makes it."""

    def __init__(
        self,
        *,
        name: str,
        unit: str,
        unit_type: str,
        role: str,
        member_name: str,
        device_label: str,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Args: as ``Replica.create_network``."""
        self.clock = clock
        self.entropy = entropy
        self._secrets = DeviceSecrets.generate(entropy)
        self._words = (name, unit, unit_type, role, member_name, device_label)

    def check(self) -> None:
        """Raises: UsageError: ``unit-type-unknown``, ``role-unknown``: nothing was sent yet."""
        _, _, unit_type, role, *_ = self._words
        check_unit_type(unit_type)
        known = [word for word in ROLE_TABLE_V1.words() if word != VISITOR_ROLE]
        if role not in known:  # a visitor stands under an office, and there is none yet
            raise UsageError("role-unknown", role=role, known=", ".join(known))

    def create(
        self, channel: RelayChannel, relay_url: str, relay_key: bytes, *, plain_http: bool
    ) -> tuple[Identity, Callable[[Transaction], None]]:
        """Send the network to the relay; returns who we are and what to store.

        Raises:
            NetworkError: the relay refuses or cannot be reached.
            RelayMisbehaviour: ``control-contradicts-log``: the receipt is not for what was sent.
        """
        name, unit, unit_type, role, member_name, label = self._words
        plan = NetworkPlan(
            relay_key=relay_key,
            name=name,
            unit_name=unit,
            unit_type=unit_type,
            role=role,
            member_name=member_name,
            label=label,
            schema=shipped_schema(),
        )
        created = create_network(self._secrets, plan, self.entropy)
        answer = channel.create_network(created.entries, created.blobs)
        log_times = answer[2]
        log = CompactRange()
        if len(log_times) != len(created.entries):
            raise RelayMisbehaviour("control-contradicts-log")
        for time, entry in zip(log_times, created.entries, strict=True):
            log.append(leaf_hash(control_leaf(time, entry)))
        origin = LogName(created.network, "control")
        checkpoint = Checkpoint.from_binary(origin, answer[0], relay_key)
        if (checkpoint.size, checkpoint.root) != (log.size, log.root()):
            raise RelayMisbehaviour("control-contradicts-log")
        identity = Identity(
            network=created.network,
            device=DeviceNumber(1),
            relay_url=relay_url,
            relay_key=relay_key,
            plain_http=plain_http,
            secrets=self._secrets,
        )

        def store(tx: Transaction) -> None:
            tx.put_value(IDENTITY, identity.to_bytes())
            tx.put_value(NETWORK_KEYS, canonical.pack([created.network_key]))
            for blob in created.blobs:
                tx.put_blob(BlobHash(sha256(blob).digest()), blob)
            rows = list(zip(log_times, created.entries, strict=True))
            for index, (time, entry) in enumerate(rows):
                tx.append_control(index, time, entry)
            _keep_seeds(tx, created.seeds)
            tx.put_value(CONTROL_RANGE, log.to_bytes())
            tx.put_value(CONTROL_CHECKPOINT, answer[0])
            tx.put_value(CHANGE_RANGE, CompactRange().to_bytes())
            empty = CompactRange()
            tx.put_value(CHECKED_CHECKPOINT, canonical.pack([0, empty.root()]))
            control = _folded(identity.network, tx)
            tx.put_value(CONTROL_VOIDS, control)

        return identity, store


def _folded(network: NetworkId, tx: Transaction) -> bytes:
    control = ControlState()
    for index, time, entry in tx.control_entries():
        control.apply(index, time, entry, opener_of(network, tx), tx.blob)
    return control.voids_bytes()


def _keep_seeds(tx: Transaction, seeds: dict[UnitKeyId, bytes]) -> None:
    for key, seed in seeds.items():
        tx.put_seed(key.unit, key.compartment, key.epoch, seed)
