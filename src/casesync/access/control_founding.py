"""The six entries that make a network (access floor).

``protocol/membership.md``, *Acts*: genesis, charter, roles, schemas, unit and found, sent in one
request with their blobs. The network exists once the relay has accepted them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from typing_extensions import override

from casesync.access.body_shapes import ID_BYTES
from casesync.access.control_acts import device_feeds, replace_roles, replace_schemas
from casesync.access.control_bodies import (
    FoundBody,
    UnitBody,
    UnitKeyRow,
    encode_charter,
    encode_found,
    encode_unit,
    encode_unit_keys,
)
from casesync.access.control_enrolment import FOUNDER
from casesync.access.control_opened import BLOB_UNIT_KEYS
from casesync.access.control_writer import EMPTY_POSITION, ControlWriter
from casesync.access.names import usable_name
from casesync.access.roles import ROLE_TABLE_V1, RoleTable
from casesync.crypto.device_keys import DevicePublic, DeviceSecrets
from casesync.crypto.kem_keys import unit_key_from_seed
from casesync.crypto.key_schedule import KEY_BYTES
from casesync.crypto.key_wrap import UnitKeyId
from casesync.crypto.signatures import CompositeSigner
from casesync.foundation.ids import (
    FeedId,
    MemberId,
    NetworkId,
    UnitId,
)
from casesync.foundation.ports import Entropy
from casesync.translog.control_acts import (
    ACTS_FOUNDER,
    EmptyPublic,
    FoundPublic,
    GenesisPublic,
    encode_public,
)
from casesync.translog.control_entry import (
    GENESIS_NETWORK,
    GENESIS_PREVIOUS,
    Act,
    complete_entry,
    entry_prefix,
)


class CreatedNetwork(NamedTuple):
    """A new network: what to send in one request, and what to keep once it was accepted."""

    network: NetworkId
    entries: tuple[bytes, ...]
    blobs: tuple[bytes, ...]
    network_key: bytes
    seeds: dict[UnitKeyId, bytes]
    unit: UnitId
    member: MemberId

    @override
    def __repr__(self) -> str:
        """Names the network, shows no key."""
        return f"CreatedNetwork({self.network.hex()[:32]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """What the founder decides."""

    relay_key: bytes
    """Ed25519 key of the relay's logs, 32 bytes; pinned in genesis."""
    name: str
    unit_name: str
    unit_type: str
    """See ``control_bodies.UNIT_TYPES``; not ``one``."""
    role: str
    member_name: str
    label: str
    """Of the founder's device; may be empty."""
    schema: bytes
    table: RoleTable = ROLE_TABLE_V1


def create_network(secrets: DeviceSecrets, plan: NetworkPlan, entropy: Entropy) -> CreatedNetwork:
    """Genesis, charter, roles, schemas, unit and found: the six entries of a new network.

    Args:
        secrets: of the founder's device.
        plan: what it will be.
        entropy: source of keys and ids.

    Raises:
        UsageError: ``name-invalid``.
    """
    signer, public = secrets.composite_signer(), secrets.public()
    unit, feed = UnitId(entropy.bytes(ID_BYTES)), FeedId(entropy.bytes(ID_BYTES))
    genesis = _genesis(signer, public, plan, feed, entropy)
    network = NetworkId(sha256(genesis).digest())
    network_key = entropy.bytes(KEY_BYTES)
    writer = ControlWriter(
        network=network,
        device=FOUNDER,
        signer=signer,
        network_keys=[network_key],
        position=EMPTY_POSITION,
        entropy=entropy,
        index=1,
        previous=network,
        entries=[genesis],
        blobs=[public.blob()],
    )
    writer.write(Act.CHARTER, EmptyPublic(), encode_charter(usable_name(plan.name)))
    replace_roles(writer, plan.table)
    replace_schemas(writer, plan.schema)
    body = UnitBody(unit, plan.unit_type, usable_name(plan.unit_name), None, feed)
    writer.write(Act.UNIT, EmptyPublic(), encode_unit(body))
    member = MemberId(entropy.bytes(ID_BYTES))
    rows = _first_keys(writer, unit, plan.table.reads(plan.role))
    found = FoundPublic(
        wrap_blob=writer.wrap(public.kem, FOUNDER, writer.network_keys, dict(writer.seeds)),
        unit_keys_blob=writer.sealed_blob(BLOB_UNIT_KEYS, encode_unit_keys(rows)),
    )
    founder = FoundBody(
        member, usable_name(plan.member_name), unit, plan.role, usable_name(plan.label, empty=True)
    )
    writer.write(Act.FOUND, found, encode_found(founder))
    return CreatedNetwork(
        network,
        tuple(writer.entries),
        tuple(writer.blobs),
        network_key,
        writer.seeds,
        unit,
        member,
    )


def _genesis(
    signer: CompositeSigner,
    public: DevicePublic,
    plan: NetworkPlan,
    feed: FeedId,
    entropy: Entropy,
) -> bytes:
    """The first entry: public only, signed over zeros in the place of the network id."""
    prefix = entry_prefix(
        network=GENESIS_NETWORK,
        index=0,
        previous=GENESIS_PREVIOUS,
        signer=FOUNDER,
        change_size=EMPTY_POSITION.size,
        change_root=EMPTY_POSITION.root,
        act=Act.GENESIS,
        public=encode_public(
            GenesisPublic(
                relay_key=plan.relay_key,
                change_key=public.change,
                request_key=public.request,
                keys_blob=public.blob_hash(),
                acts=ACTS_FOUNDER,
                feeds=tuple(device_feeds(plan.role, feed, entropy)),
                random32=entropy.bytes(KEY_BYTES),
            )
        ),
    )
    return complete_entry(prefix, b"", signer.sign)


def _first_keys(
    writer: ControlWriter, unit: UnitId, compartments: Iterable[int]
) -> list[UnitKeyRow]:
    rows = []
    for compartment in sorted(compartments):
        key = UnitKeyId(unit, compartment, 1)
        seed = writer.entropy.bytes(KEY_BYTES)
        writer.seeds[key] = seed
        rows.append(UnitKeyRow(key, unit_key_from_seed(seed), None))
    return rows
