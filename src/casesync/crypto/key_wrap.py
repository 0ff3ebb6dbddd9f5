"""Keys that travel: unit keys, boxes, wraps and predecessors (crypto).

Specification: ``protocol/keys.md``. Device -> unit -> stream: a wrap gives a device unit seeds, a
box gives a unit a stream key, and each key opens its predecessor where the specification says so.
All context stands in ``info`` (HPKE) or in key and associated data (SIV), so that nothing opens in
another place. HPKE draws its randomness inside the crypto library; nobody may order anything by
its bytes. HPKE does not say who sealed: the act around it is signed. The relay never imports this.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    Suite,
)
from typing_extensions import override

from casesync.codec.canonical import pack, unpack
from casesync.codec.padding import pad, unpad
from casesync.crypto.aead import (
    NONCE_BYTES,
    TAG_BYTES,
    ZERO_NONCE,
    prepare,
    siv_open,
    siv_seal,
)
from casesync.crypto.kem_keys import kem_public, unit_key_from_seed
from casesync.crypto.key_schedule import H, check_secret, expand, label
from casesync.crypto.sealing import KEY_NAME_BYTES, segment_keys, statement_context
from casesync.foundation.errors import CryptoError, RemoteProtocolError
from casesync.foundation.ids import ChangeNumber, DeviceNumber, NetworkId, StreamId, UnitId

HPKE_OVERHEAD_BYTES: Final = 1120 + TAG_BYTES
SYMMETRIC_BOX_BYTES: Final = 48
HPKE_BOX_BYTES: Final = 32 + HPKE_OVERHEAD_BYTES
_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class UnitKeyId(NamedTuple):
    """Which key of a unit: its compartment and epoch (1, 2, 3...)."""

    unit: UnitId
    compartment: int
    epoch: int

    def encoded(self) -> bytes:
        """Unit | compartment u8 | epoch u32, 21 bytes."""
        return self.unit + self.compartment.to_bytes(1, "big") + self.epoch.to_bytes(4, "big")


class StatementId(NamedTuple):
    """Where a stream key was introduced: once, by this statement."""

    network: NetworkId
    stream: StreamId
    compartment: int
    device: DeviceNumber
    number: ChangeNumber
    position: int

    def context(self) -> bytes:
        """What the stream key's derivations are bound to; see ``sealing.statement_context``."""
        return statement_context(*self)

    def _tail(self) -> bytes:
        """Stream | device | number | position: the context without network and compartment."""
        context = self.context()
        return context[32:48] + context[49:]


def unit_key_name(key: UnitKeyId, public: bytes) -> bytes:
    """8 bytes by which boxes name the unit key ``key`` with this public key."""
    return H("unit-key", key.encoded(), public)[:KEY_NAME_BYTES]


def hpke_seal(public: bytes, info: bytes, plaintext: bytes) -> bytes:
    """HPKE base mode to a 1216-byte public key: enc 1120 | ciphertext with tag.

    Raises:
        CryptoError: ``does-not-verify`` if the key is unfit.
    """
    try:
        return _SUITE.encrypt(plaintext, kem_public(public), info=info)
    except ValueError as error:
        raise CryptoError("does-not-verify") from error


def hpke_open(private: MLKEM768X25519PrivateKey, info: bytes, sealed: bytes) -> bytes:
    """The plaintext of ``hpke_seal``.

    Raises:
        CryptoError: ``does-not-verify``, whatever the reason.
    """
    try:
        return _SUITE.decrypt(sealed, private, info=info)
    except (InvalidTag, ValueError) as error:
        raise CryptoError("does-not-verify") from error


# -- boxes: a stream key to a unit ---------------------------------------------------------------


def box_cipher(seed: bytes, network: NetworkId, key: UnitKeyId) -> AESGCMSIV:
    """What makes and opens the symmetric boxes of one unit key; keep it.

    Raises:
        CryptoError: ``does-not-verify`` if the seed has another length or is all zero.
    """
    return prepare(expand(check_secret(seed), "box-key", network + key.encoded()))


def box_context(statement: StatementId, key: UnitKeyId, commitment: bytes) -> bytes:
    """Everything a box is bound to (112 bytes)."""
    return statement.network + key.encoded() + statement._tail() + commitment


def box_symmetric(
    cipher: AESGCMSIV,
    statement: StatementId,
    key: UnitKeyId,
    commitment: bytes,
    stream_key: bytes,
) -> bytes:
    """A box (48 bytes) by somebody who holds the unit's seed.

    Args:
        cipher: ``box_cipher`` of the unit key.
        statement: what introduces the stream key.
        key: the unit key; of the statement's compartment.
        commitment: the stream key's, 32 bytes.
        stream_key: 32 bytes.
    """
    assert key.compartment == statement.compartment
    context = box_context(statement, key, commitment)
    return siv_seal(cipher, _box_nonce(context), context, check_secret(stream_key))


def _box_nonce(context: bytes) -> bytes:
    return H("box-nonce", context)[:NONCE_BYTES]


def open_box_symmetric(
    cipher: AESGCMSIV, statement: StatementId, key: UnitKeyId, commitment: bytes, box: bytes
) -> tuple[bytes, bytes]:
    """(stream key, sealing key) out of a symmetric box, the commitment checked.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    context = box_context(statement, key, commitment)
    opened = siv_open(cipher, _box_nonce(context), context, box)
    return opened, check_commitment(opened, statement, commitment)


def box_public(
    public: bytes, statement: StatementId, key: UnitKeyId, commitment: bytes, stream_key: bytes
) -> bytes:
    """A box (1168 bytes) by somebody who knows only the unit's public key.

    Raises:
        CryptoError: ``does-not-verify`` if the public key is unfit.
    """
    assert key.compartment == statement.compartment
    info = label("box") + box_context(statement, key, commitment)
    return hpke_seal(public, info, check_secret(stream_key))


def open_box_public(
    private: MLKEM768X25519PrivateKey,
    statement: StatementId,
    key: UnitKeyId,
    commitment: bytes,
    box: bytes,
) -> tuple[bytes, bytes]:
    """(stream key, sealing key) out of an HPKE box, the commitment checked.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    info = label("box") + box_context(statement, key, commitment)
    opened = hpke_open(private, info, box)
    return opened, check_commitment(opened, statement, commitment)


def check_commitment(stream_key: bytes, statement: StatementId, commitment: bytes) -> bytes:
    """The sealing key, if the stream key is the one the statement commits to.

    Raises:
        CryptoError: ``does-not-verify``: another key, another length, all zero.
    """
    sealing, derived = segment_keys(stream_key, statement.context())
    if not hmac.compare_digest(derived, commitment):
        raise CryptoError("does-not-verify")
    return sealing


# -- predecessors: a newer key opens the older -----------------------------------------------


def seal_predecessor(seed: bytes, network: NetworkId, key: UnitKeyId, predecessor: bytes) -> bytes:
    """The seed of epoch - 1 under the seed of ``key`` (48 bytes)."""
    cipher = prepare(expand(check_secret(seed), "predecessor", key.encoded()))
    return siv_seal(cipher, ZERO_NONCE, network, check_secret(predecessor))


def open_predecessor(
    seed: bytes, network: NetworkId, key: UnitKeyId, predecessor_public: bytes, sealed: bytes
) -> bytes:
    """The predecessor's seed, if its public key is the one in the control log.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    cipher = prepare(expand(check_secret(seed), "predecessor", key.encoded()))
    opened = siv_open(cipher, ZERO_NONCE, network, sealed)
    _check_seed(opened, predecessor_public)
    return opened


def _check_seed(seed: bytes, public: bytes) -> None:
    if not hmac.compare_digest(unit_key_from_seed(seed), public):
        raise CryptoError("does-not-verify")


def _base_predecessor_cipher(stream_key: bytes, predecessor: StatementId) -> AESGCMSIV:
    context = predecessor.network + predecessor._tail()
    return prepare(expand(check_secret(stream_key), "base-predecessor", context))


def seal_base_predecessor(
    stream_key: bytes, commitment: bytes, predecessor: StatementId, predecessor_key: bytes
) -> bytes:
    """An older ``base`` key under the new one (48 bytes).

    Args:
        stream_key: the new key, 32 bytes.
        commitment: the new key's.
        predecessor: the statement of the older key, of the same stream.
        predecessor_key: the older key, 32 bytes.
    """
    cipher = _base_predecessor_cipher(stream_key, predecessor)
    return siv_seal(cipher, ZERO_NONCE, commitment, check_secret(predecessor_key))


def open_base_predecessor(
    stream_key: bytes,
    commitment: bytes,
    predecessor: StatementId,
    predecessor_commitment: bytes,
    sealed: bytes,
) -> tuple[bytes, bytes]:
    """(stream key, sealing key) of the older ``base`` key, its commitment checked.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    cipher = _base_predecessor_cipher(stream_key, predecessor)
    opened = siv_open(cipher, ZERO_NONCE, commitment, sealed)
    return opened, check_commitment(opened, predecessor, predecessor_commitment)


# -- wraps: unit seeds to a device ----------------------------------------------------------------


class Wrap(NamedTuple):
    """What a wrap gives a device."""

    network_keys: list[bytes]
    """32 bytes each, newest first; empty if the device has them."""
    seeds: dict[UnitKeyId, bytes]

    @override
    def __repr__(self) -> str:
        """Names the keys, shows none."""
        return f"Wrap({len(self.network_keys)} network keys, {sorted(self.seeds)})"


def _wrap_info(network: NetworkId, device: DeviceNumber, control_index: int) -> bytes:
    place = device.to_bytes(4, "big") + control_index.to_bytes(6, "big")
    return label("wrap") + network + place


def wrap_seeds(
    public: bytes,
    network: NetworkId,
    device: DeviceNumber,
    control_index: int,
    network_keys: Sequence[bytes],
    seeds: Mapping[UnitKeyId, bytes],
) -> bytes:
    """A wrap for a device.

    Args:
        public: the device's KEM key, 1216 bytes.
        network: network id.
        device: its number.
        control_index: index of the entry that names the wrap.
        network_keys: newest first.
        seeds: the unit keys its role reads and the caller holds.

    Raises:
        CryptoError: ``does-not-verify`` if a key is unfit.
    """
    rows = [[*key, check_secret(seed)] for key, seed in sorted(seeds.items())]
    body = pack([[check_secret(key) for key in network_keys], rows])
    return hpke_seal(public, _wrap_info(network, device, control_index), pad(body, TAG_BYTES))


def open_wrap(
    private: MLKEM768X25519PrivateKey,
    network: NetworkId,
    device: DeviceNumber,
    control_index: int,
    publics: Mapping[UnitKeyId, bytes],
    wrap: bytes,
) -> Wrap:
    """What the wrap holds, every seed checked against the control log.

    Args:
        private: the device's ``kem_private``.
        network: network id.
        device: this device's number.
        control_index: index of the entry that names the wrap.
        publics: the unit keys of the control log, at least up to that entry.
        wrap: the blob.

    Raises:
        CryptoError: ``does-not-verify``: does not open; a seed of another length, all zero, of a
            key the log does not hold, or whose public key is not the one in the log.
        RemoteProtocolError: ``malformed`` (``what="wrap"``).
    """
    content = unseal_wrap(private, network, device, control_index, wrap)
    check_wrap(content, publics)
    return content


def unseal_wrap(
    private: MLKEM768X25519PrivateKey,
    network: NetworkId,
    device: DeviceNumber,
    control_index: int,
    wrap: bytes,
) -> Wrap:
    """What the wrap claims, for a joiner that needs the network key to read the control log.

    Its seeds MUST pass ``check_wrap`` before use. Raises as ``open_wrap`` does.
    """
    body = unpad(hpke_open(private, _wrap_info(network, device, control_index), wrap))
    return _wrap_content(unpack(body))


def check_wrap(content: Wrap, publics: Mapping[UnitKeyId, bytes]) -> None:
    """Refuse a wrap with a seed whose public key is not the one in the control log.

    Raises:
        CryptoError: ``does-not-verify``.
    """
    for key_id, seed in content.seeds.items():
        public = publics.get(key_id)
        if public is None:
            raise CryptoError("does-not-verify")
        _check_seed(seed, public)


def _wrap_content(value: object) -> Wrap:
    match value:
        case [[*network_keys], [*rows]]:
            seeds = dict(map(_wrap_row, rows))
            if len(seeds) == len(rows):
                return Wrap([check_secret(key) for key in network_keys], seeds)
        case _:
            pass
    raise RemoteProtocolError("malformed", what="wrap")


def _wrap_row(row: object) -> tuple[UnitKeyId, bytes]:
    match row:
        case [bytes(unit), int(compartment), int(epoch), bytes(seed)] if (
            len(unit) == 16
            and type(compartment) is type(epoch) is int  # True is an int for ``match``
            and 0 < compartment < 256
            and 0 < epoch < 2**32
        ):
            return UnitKeyId(UnitId(unit), compartment, epoch), seed
        case _:
            raise RemoteProtocolError("malformed", what="wrap")
