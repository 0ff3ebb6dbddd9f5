"""The formats of both logs, written down a second time, byte by byte (for the vectors).

Nothing is imported from the implementation: where the two disagree, one of them has left the
specification. Integers are big-endian; ``h`` is SHA-256.
"""

from __future__ import annotations

import base64
import hashlib

import msgpack
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

COMPOSITE_LABEL = b"COMPSIG-MLDSA65-Ed25519-SHA512"
CONTEXT = b"casesync/v1/control"

CONTENT = (2, b"c" * 64)
LONG = (3, b"d" * 544)
UNSEALED = (0, b"\x91\x92\x01\xc4\x10" + bytes(16))
STREAM = bytes(range(16))
OTHER_STREAM = bytes(range(16, 32))


def h(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


NETWORK = h(b"a network for vectors")


def label(use):
    return b"casesync/v1/" + use + b"\x00"


def u(width, number):
    return number.to_bytes(width, "big")


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


# -- changes -------------------------------------------------------------------------------------


def head(
    *,
    device=1,
    number=1,
    stream=b"s" * 16,
    previous_here=0,
    after=(),
    control_size=6,
    random=b"R" * 8,
    checkpoint=(0, b""),
    suite=1,
    generation=0,
):
    size, root = checkpoint
    return (
        u(1, suite)
        + u(2, generation)
        + u(4, device)
        + u(6, number)
        + stream
        + u(6, previous_here)
        + u(1, len(after))
        + b"".join(u(4, d) + u(6, n) + link8 for d, n, link8 in after)
        + u(6, control_size)
        + random
        + u(6, size)
        + root
    )


def segment_row(kind, segment, key_name=None):
    name = key_name or (bytes(8) if kind == 0 else b"K" * 7 + u(1, kind))
    return u(1, kind) + name + u(4, len(segment)) + h(segment)


def header(head_bytes, segments):
    """``segments``: (kind, bytes) in the order of the table."""
    return head_bytes + u(1, len(segments)) + b"".join(segment_row(*row) for row in segments)


def link(previous, header_bytes):
    return h(label(b"link"), previous, h(header_bytes))


def change_leaf(log_time, previous, header_bytes, signature):
    return u(6, log_time) + previous + header_bytes + signature


# -- Merkle tree -----------------------------------------------------------------------------------


def leaf_hash(leaf):
    return h(b"\x00", leaf)


def root(leaf_hashes):
    """RFC 9162, 2.1.1, as it stands there."""
    count = len(leaf_hashes)
    if count == 0:
        return h()
    if count == 1:
        return leaf_hashes[0]
    split = 1
    while split * 2 < count:
        split *= 2
    return h(b"\x01", root(leaf_hashes[:split]), root(leaf_hashes[split:]))


def subtrees(leaf_hashes, low, high):
    """Hashes of the maximal aligned subtrees of [low, high), by trying sizes downwards."""
    hashes = []
    while low < high:
        size = 1 << 20
        while low % size or low + size > high:
            size //= 2
        hashes.append(root(leaf_hashes[low : low + size]))
        low += size
    return hashes


def compact_range(leaf_hashes):
    return u(6, len(leaf_hashes)) + b"".join(subtrees(leaf_hashes, 0, len(leaf_hashes)))


# -- checkpoints -----------------------------------------------------------------------------------


def ed25519(seed_byte):
    return Ed25519PrivateKey.from_private_bytes(bytes([seed_byte]) * 32)


def public(key):
    return key.public_key().public_bytes_raw()


def note_line(name, key_hash, signature):
    blob = base64.b64encode(key_hash + signature)
    return b"\xe2\x80\x94 " + name + b" " + blob + b"\n"


# -- control entries -------------------------------------------------------------------------------


class Device:
    """Keys of a device out of one byte."""

    def __init__(self, seed_byte):
        self.change = ed25519(seed_byte)
        self.request = ed25519(seed_byte + 1)
        self.mldsa = MLDSA65PrivateKey.from_seed_bytes(bytes([seed_byte + 2]) * 32)
        self.composite_ed25519 = ed25519(seed_byte + 3)
        expanded = hashlib.shake_256(bytes([seed_byte + 4]) * 32).digest(96)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        self.blob = (
            public(self.mldsa) + public(self.composite_ed25519) + public(mlkem) + public(x25519)
        )

    def composite_sign(self, message):
        prime = (
            b"CompositeAlgorithmSignatures2025"
            + COMPOSITE_LABEL
            + u(1, len(CONTEXT))
            + CONTEXT
            + hashlib.sha512(message).digest()
        )
        return self.mldsa.sign(prime, COMPOSITE_LABEL) + self.composite_ed25519.sign(prime)


def entry_before_signature(
    *,
    network,
    index,
    previous,
    signer,
    act,
    public_part,
    sealed,
    change=(0, None),
    suite=1,
):
    size, change_root = change
    return (
        u(1, suite)
        + network
        + u(6, index)
        + previous
        + u(4, signer)
        + u(6, size)
        + (change_root or h())
        + u(1, act)
        + u(4, len(public_part))
        + public_part
        + u(4, len(sealed))
        + sealed
    )


def varint(number):
    """Unsigned LEB128, as short as it goes."""
    low, rest = number % 128, number // 128
    return u(1, low + 128) + varint(rest) if rest else u(1, low)


def frame(
    *,
    since,
    stream_ref,
    device_ref,
    head_bytes,
    segments,
    signature,
    previous=None,
    withheld=(),
    number=varint,
):
    """One frame of a page; ``segments`` as for ``header``, ``number`` writes the change's."""
    rows = b""
    for position, (kind, segment) in enumerate(segments):
        whole = segment_row(kind, segment)
        rows += whole[:9] + varint(len(segment)) + (whole[13:] if position in withheld else b"")
    mask = sum(1 << position for position in withheld)
    served = [row[1] for position, row in enumerate(segments) if position not in withheld]
    return (
        u(1, (1 if previous else 0) + (4 if withheld else 0))
        + varint(since)
        + varint(stream_ref)
        + varint(device_ref)
        + (varint(mask) if withheld else b"")
        + (previous or b"")
        + number(int.from_bytes(head_bytes[7:13], "big"))
        + frame_head(head_bytes)
        + u(1, len(segments))
        + rows
        + signature
        + b"".join(served)
    )


def frame_head(head_bytes):
    """What a frame has of a head behind the change's number."""

    def fixed(start, width):
        return varint(int.from_bytes(head_bytes[start : start + width], "big"))

    count = head_bytes[35]
    made = fixed(29, 6) + u(1, count)
    before = 0
    for at in range(36, 36 + 18 * count, 18):
        device = int.from_bytes(head_bytes[at : at + 4], "big")
        made += varint(device - before) + fixed(at + 4, 6) + head_bytes[at + 10 : at + 18]
        before = device
    at = 36 + 18 * count
    return (
        made
        + fixed(at, 6)
        + head_bytes[at + 6 : at + 14]
        + fixed(at + 14, 6)
        + head_bytes[at + 20 :]
    )


def own_frame(since, number):
    return u(1, 2) + varint(since) + varint(number)
