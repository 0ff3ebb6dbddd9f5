"""Sealing of segments, control entries and blobs (crypto).

Specification: ``protocol/change.md``, *Sealing a segment*; ``protocol/membership.md``, *Entry*
(sealed part); ``protocol/keys.md``, *Network key*. A stream key or network key is never used
itself: it yields a sealing key and a commitment, and the whole commitment stands in the associated
data, because the cipher alone would let one ciphertext open under two keys. The relay never
imports this module.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from casesync.codec.padding import pad, unpad
from casesync.crypto.aead import NONCE_BYTES, TAG_BYTES, prepare, siv_open, siv_seal
from casesync.crypto.key_schedule import H, check_secret, expand, label
from casesync.foundation.errors import CryptoError
from casesync.foundation.ids import NetworkId, StreamId
from casesync.foundation.limits import SEGMENTS_PER_CHANGE_MAX

KEY_NAME_BYTES: Final = 8
_NONCE_LABEL: Final = label("nonce")
_NUMBER: Final = tuple(number.to_bytes(1, "big") for number in range(SEGMENTS_PER_CHANGE_MAX))
"""A segment number as its byte; made once, since every segment of every change needs it."""


def statement_context(
    network: NetworkId,
    stream: StreamId,
    compartment: int,
    device: int,
    number: int,
    position: int,
) -> bytes:
    """What a stream key is bound to: its statement, and where that stands (60 bytes).

    Args:
        network: network id, 32 bytes.
        stream: stream id, 16 bytes.
        compartment: 1 to 9.
        device: who made the statement.
        number: in which of its changes.
        position: index of the statement in the unsealed segment, below 256.
    """
    return b"".join(
        (
            network,
            stream,
            compartment.to_bytes(1, "big"),
            device.to_bytes(4, "big"),
            number.to_bytes(6, "big"),
            position.to_bytes(1, "big"),
        )
    )


def segment_keys(stream_key: bytes, context: bytes) -> tuple[bytes, bytes]:
    """(sealing key, commitment) of a stream key, 32 bytes each.

    Args:
        stream_key: 32 bytes, not all zero.
        context: see ``statement_context``.

    Raises:
        CryptoError: ``does-not-verify`` if the key has another length or is all zero.
    """
    key = check_secret(stream_key)
    return expand(key, "sealing-key", context), expand(key, "commitment", context)


def segment_nonce(previous_link: bytes, head: bytes, segment_number: int) -> bytes:
    """12 bytes that a cloned device does not repeat, since ``head`` holds 8 random ones."""
    number = _NUMBER[segment_number]
    return sha256(_NONCE_LABEL + previous_link + head + number).digest()[:NONCE_BYTES]


def seal_segment(
    cipher: AESGCMSIV,
    previous_link: bytes,
    head: bytes,
    head_hash: bytes,
    segment_number: int,
    commitment: bytes,
    body: bytes,
) -> bytes:
    """The sealed segment, padded to an allowed length.

    Args:
        cipher: ``prepare(sealing key)``.
        previous_link: 32 bytes.
        head: the change's header before its segment table.
        head_hash: SHA-256 of ``head``, computed once per change.
        segment_number: position in the segment table, from 0.
        commitment: the whole commitment, 32 bytes.
        body: canonical msgpack, unpadded.
    """
    nonce = segment_nonce(previous_link, head, segment_number)
    aad = head_hash + _NUMBER[segment_number] + commitment
    return siv_seal(cipher, nonce, aad, pad(body, TAG_BYTES))


def open_segment(
    cipher: AESGCMSIV,
    previous_link: bytes,
    head: bytes,
    head_hash: bytes,
    segment_number: int,
    commitment: bytes,
    sealed: bytes,
) -> bytes:
    """The unpadded body of a sealed segment; arguments as in ``seal_segment``.

    Raises:
        CryptoError: ``does-not-verify``.
        RemoteProtocolError: ``malformed`` padding inside a seal that opened.
    """
    number = _NUMBER[segment_number]
    nonce = sha256(_NONCE_LABEL + previous_link + head + number).digest()[:NONCE_BYTES]
    return unpad(siv_open(cipher, nonce, head_hash + number + commitment, sealed))


class NetworkKey(NamedTuple):
    """A network key made ready: what opens the sealed parts of control entries and blobs."""

    name: bytes
    """First 8 bytes of the commitment."""
    cipher: AESGCMSIV
    commitment: bytes


def network_keys(network_key: bytes, network: NetworkId) -> NetworkKey:
    """The prepared form of a 32-byte network key.

    Raises:
        CryptoError: ``does-not-verify`` if the key has another length or is all zero.
    """
    key = check_secret(network_key)
    commitment = expand(key, "network-commitment", network)
    sealing = expand(key, "network-sealing", network)
    return NetworkKey(commitment[:KEY_NAME_BYTES], prepare(sealing), commitment)


def seal_control(network_key: NetworkKey, prefix: bytes, body: bytes) -> bytes:
    """The sealed part of a control entry: key name, then ciphertext.

    Args:
        network_key: see ``network_keys``.
        prefix: everything in the entry before the field "sealed length".
        body: canonical msgpack, unpadded.
    """
    nonce = H("control-nonce", prefix)[:NONCE_BYTES]
    aad = sha256(prefix).digest() + network_key.commitment
    return network_key.name + siv_seal(network_key.cipher, nonce, aad, pad(body, TAG_BYTES))


def open_control(network_key: NetworkKey, prefix: bytes, sealed: bytes) -> bytes:
    """The body of the sealed part ``sealed`` of the entry that starts with ``prefix``.

    Raises:
        CryptoError: ``does-not-verify``, also when the key name is another key's.
        RemoteProtocolError: ``malformed`` padding.
    """
    if sealed[:KEY_NAME_BYTES] != network_key.name:
        raise CryptoError("does-not-verify")
    nonce = H("control-nonce", prefix)[:NONCE_BYTES]
    aad = sha256(prefix).digest() + network_key.commitment
    return unpad(siv_open(network_key.cipher, nonce, aad, sealed[KEY_NAME_BYTES:]))


def _blob_aad(network_key: NetworkKey, kind: int) -> bytes:
    return label("blob") + kind.to_bytes(1, "big") + network_key.commitment


def seal_blob(network_key: NetworkKey, kind: int, body: bytes, nonce: bytes) -> bytes:
    """A sealed blob: nonce, then ciphertext; its name is the SHA-256 of the whole.

    Args:
        network_key: see ``network_keys``.
        kind: 1 unit keys, 2 schemas, 3 role table.
        body: canonical msgpack, unpadded.
        nonce: 12 random bytes.
    """
    assert len(nonce) == NONCE_BYTES
    aad = _blob_aad(network_key, kind)
    return nonce + siv_seal(network_key.cipher, nonce, aad, pad(body, TAG_BYTES))


def open_blob(network_key: NetworkKey, kind: int, blob: bytes) -> bytes:
    """The body of a sealed blob of this kind.

    Raises:
        CryptoError: ``does-not-verify``.
        RemoteProtocolError: ``malformed`` padding.
    """
    nonce, sealed = blob[:NONCE_BYTES], blob[NONCE_BYTES:]
    if len(nonce) != NONCE_BYTES:
        raise CryptoError("does-not-verify")
    return unpad(siv_open(network_key.cipher, nonce, _blob_aad(network_key, kind), sealed))
