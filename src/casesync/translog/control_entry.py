"""Control entry: frame and public part (translog; ``protocol/membership.md``, *Entry*, *Acts*).

Both relay and client read this much. What the sealed part says, and whether the signer's rights
cover the act, is judged by ``access``; chain and signature by ``control_public``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from struct import Struct
from typing import Final

from casesync.codec.fixed import Reader, u32
from casesync.codec.padding import is_allowed_length
from casesync.crypto.key_schedule import label
from casesync.crypto.signatures import COMPOSITE_SIGNATURE_BYTES
from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.limits import CONTROL_ENTRY_BYTES_MAX
from casesync.merkle.hashing import EMPTY_ROOT

SUITE: Final = 1
GENESIS_NETWORK: Final = bytes(32)
"""Stands where the network id will be: it is the hash of this very entry."""
GENESIS_PREVIOUS: Final = bytes(32)
KEY_NAME_BYTES: Final = 8

_FRONT: Final = Struct(">B32sHI32sIHI32sBI")  # suite ... public length; a u48 is read as H, I


class Act(IntEnum):
    """What an entry does; the numbers are permanent, 12 and above are reserved."""

    GENESIS = 1
    CHARTER = 2
    ROLES = 3
    SCHEMAS = 4
    UNIT = 5
    ENROL = 6
    ADMIT = 7
    SUSPEND = 8
    ROTATE = 9
    FOUND = 10
    NETWORK_BOX = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlEntry:
    """One entry's frame; existing means: well-formed, not verified."""

    network: bytes
    """32 zero bytes in the genesis entry."""
    index: int
    previous: bytes
    signer: int
    """Device number."""
    change_size: int
    """Where the entry takes effect, in leaves of the change log."""
    change_root: bytes
    act: int
    """An ``Act``, or a number this version does not know."""
    public: bytes
    sealed: bytes
    """Empty, or key name and ciphertext under the network key."""
    signature: bytes
    sealed_prefix: bytes
    """Everything before "sealed length": what the sealed part is bound to."""
    entry_hash: bytes
    """SHA-256 of the whole entry; in genesis the network id."""

    @property
    def signed_bytes(self) -> bytes:
        """What the composite signature covers, label included."""
        return label("control") + self.sealed_prefix + u32(len(self.sealed)) + self.sealed


def entry_hash(data: bytes) -> bytes:
    """SHA-256 of a whole entry."""
    return sha256(data).digest()


def entry_prefix(
    *,
    network: bytes,
    index: int,
    previous: bytes,
    signer: int,
    change_size: int,
    change_root: bytes,
    act: Act,
    public: bytes,
) -> bytes:
    """The entry's bytes before "sealed length" (``public`` from ``control_acts.encode_public``)."""
    return (
        _FRONT.pack(
            SUITE,
            network,
            index >> 32,
            index & 0xFFFFFFFF,
            previous,
            signer,
            change_size >> 32,
            change_size & 0xFFFFFFFF,
            change_root,
            act,
            len(public),
        )
        + public
    )


def complete_entry(prefix: bytes, sealed: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The whole entry; ``sign`` makes the composite signature over label and bytes.

    Raises: ValueError: the result would be no valid entry.
    """
    before = prefix + u32(len(sealed)) + sealed
    entry = before + sign(label("control") + before)
    try:
        parse_entry(entry)
    except RemoteProtocolError as error:
        raise ValueError(f"not a valid entry: {error.params}") from error
    return entry


def parse_entry(data: bytes) -> ControlEntry:
    """The entry that ``data`` is, exactly; its public part is not read yet.

    Raises:
        RemoteProtocolError: ``malformed``: not the frame the specification gives.
    """
    if len(data) > CONTROL_ENTRY_BYTES_MAX:
        raise _malformed("length")
    reader = Reader(data, "control entry")
    front = _FRONT.unpack(reader.take(_FRONT.size))
    public = reader.take(front[10])
    prefix_end = reader.position
    sealed = reader.take(reader.u32())
    signature = reader.take(COMPOSITE_SIGNATURE_BYTES)
    reader.done()
    entry = ControlEntry(
        network=front[1],
        index=front[2] << 32 | front[3],
        previous=front[4],
        signer=front[5],
        change_size=front[6] << 32 | front[7],
        change_root=front[8],
        act=front[9],
        public=public,
        sealed=sealed,
        signature=signature,
        sealed_prefix=data[:prefix_end],
        entry_hash=sha256(data).digest(),
    )
    _check(entry, suite=front[0])
    return entry


def _check(entry: ControlEntry, suite: int) -> None:
    if suite != SUITE:
        raise _malformed("suite")
    if not entry.signer or not entry.act:
        raise _malformed("signer or act")
    if not entry.change_size and entry.change_root != EMPTY_ROOT:
        raise _malformed("change root")
    if entry.sealed and not is_allowed_length(len(entry.sealed) - KEY_NAME_BYTES):
        raise _malformed("sealed length")
    genesis = entry.act == Act.GENESIS
    if genesis != (entry.index == 0) or genesis != (entry.network == GENESIS_NETWORK):
        raise _malformed("genesis")
    if genesis and (
        entry.previous != GENESIS_PREVIOUS or entry.signer != 1 or entry.change_size or entry.sealed
    ):
        raise _malformed("genesis")


def _malformed(part: str) -> RemoteProtocolError:
    return RemoteProtocolError("malformed", what=f"control entry: {part}")
