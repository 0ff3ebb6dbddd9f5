"""Unit seeds that the control log brings this device (access floor; ``protocol/keys.md``).

Which wrap of an entry is ours, what it gives, and the older epochs behind a seed. Every seed is
checked against the public keys in the log, so that nobody can hand out a key of their own as the
unit's, nor two members different ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from typing_extensions import override

from casesync.access.control_state import ControlState
from casesync.crypto.kem_keys import kem_private
from casesync.crypto.key_wrap import UnitKeyId, check_wrap, open_predecessor, unseal_wrap
from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.ids import BlobHash, DeviceNumber, NetworkId
from casesync.translog.control_acts import (
    AdmitPublic,
    EnrolPublic,
    FoundPublic,
    RotatePublic,
    SuspendPublic,
    decode_public,
)
from casesync.translog.control_entry import parse_entry


class OpenedWrap(NamedTuple):
    """What a wrap gave this device."""

    network_keys: list[bytes]
    """Newest first; empty where the device has them already."""
    seeds: dict[UnitKeyId, bytes]
    missing: frozenset[UnitKeyId]
    """Keys that the log says this device was given and that it does not hold now: an alarm."""

    @override
    def __repr__(self) -> str:
        """Names the keys, shows none."""
        return f"OpenedWrap({sorted(self.seeds)}, missing {sorted(self.missing)})"


def wrap_for(entry: bytes, device: int) -> BlobHash | None:
    """The name of the wrap that ``entry`` holds for the device, None if there is none."""
    try:
        parsed = parse_entry(entry)
        public = decode_public(parsed.act, parsed.public)
    except RemoteProtocolError:
        return None
    match public:
        case EnrolPublic():
            named = {parsed.index + 1: public.wrap_blob}
        case FoundPublic():
            named = {parsed.signer: public.wrap_blob}
        case AdmitPublic():
            named = {public.device: public.wrap_blob}
        case SuspendPublic() | RotatePublic():
            named = {wrap.device: wrap.blob for wrap in public.wraps}
        case _:
            named = {}
    name = named.get(device)
    return None if name is None else BlobHash(name)


def joiner_network_keys(
    network: NetworkId, device: DeviceNumber, control_index: int, kem_seed: bytes, wrap: bytes
) -> list[bytes]:
    """The network key out of a newcomer's wrap: with it the newcomer folds the log.

    The seeds in it are opened again with ``open_wrap_for_device`` once the log is folded.

    Raises:
        CryptoError: ``does-not-verify``.
        RemoteProtocolError: ``malformed``, also for a wrap without a network key, or with a second
            one: what is sealed under that would count here and be void to everybody else.
    """
    content = unseal_wrap(kem_private(kem_seed), network, device, control_index, wrap)
    if len(content.network_keys) != 1:
        raise RemoteProtocolError("malformed", what="wrap")
    return content.network_keys


def open_wrap_for_device(
    state: ControlState,
    control_index: int,
    device: DeviceNumber,
    kem_seed: bytes,
    wrap: bytes,
    held: Iterable[UnitKeyId] = (),
) -> OpenedWrap:
    """What the wrap in the entry at ``control_index`` gives this device.

    Args:
        state: folded at least up to that entry, which counts.
        control_index: where the wrap is named.
        device: this device.
        kem_seed: of its KEM key.
        wrap: the blob.
        held: unit keys this device holds already (a joiner: those it made).

    Raises:
        CryptoError: ``does-not-verify``: not for us, not for this entry, or a seed that is not
            the one whose public key stands in the log.
        RemoteProtocolError: ``malformed``.
    """
    content = unseal_wrap(kem_private(kem_seed), state.network, device, control_index, wrap)
    check_wrap(content, state.unit_key_publics())
    unit, reads = state.unit_of(device), state.reads_mask(device)
    assert unit is not None
    seeds = {
        key: seed
        for key, seed in content.seeds.items()
        if key.unit == unit and reads >> key.compartment & 1
    }
    kept = set(held) | set(seeds)
    given = {
        key.id
        for compartment in range(reads.bit_length())
        if reads >> compartment & 1
        and state.holds_key(device, unit, compartment)
        and (key := state.newest_unit_key(unit, compartment)) is not None
    }
    return OpenedWrap(content.network_keys, seeds, frozenset(given - kept))


def older_seeds(state: ControlState, seeds: Mapping[UnitKeyId, bytes]) -> dict[UnitKeyId, bytes]:
    """Seeds of earlier epochs that ``seeds`` open, each checked against the log.

    Raises:
        CryptoError: ``does-not-verify``: a predecessor is not the key it claims to be.
    """
    found: dict[UnitKeyId, bytes] = {}
    for key_id, seed in seeds.items():
        newer_id, newer_seed = key_id, seed
        while (key := state.unit_key(newer_id)) is not None and key.predecessor is not None:
            older_id = newer_id._replace(epoch=newer_id.epoch - 1)
            older = state.unit_key(older_id)
            if older is None or older_id in seeds or older_id in found:
                break
            opened = open_predecessor(
                newer_seed, state.network, newer_id, older.public, key.predecessor
            )
            found[older_id] = opened
            newer_id, newer_seed = older_id, opened
    return found
