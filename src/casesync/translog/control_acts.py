"""Public parts of control acts, typed (translog; ``protocol/membership.md``, *Acts*).

A public part is a canonical array; its shape is checked here once, for the relay and the client
alike, so that a malformed one is void on every replica. It names large things by hash.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from casesync.codec.canonical import pack, unpack
from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.limits import CONTROL_ENTRY_BYTES_MAX
from casesync.translog.control_entry import Act

FEEDS_MAX: Final = 64
WRAPS_MAX: Final = CONTROL_ENTRY_BYTES_MAX // 36
"""As many as an entry has room for."""

KIND_STAFF: Final = 1
KIND_PAPER: Final = 2
KIND_PROVIDER: Final = 3

ACTS_STAFF: Final = 1 << Act.ADMIT | 1 << Act.ROTATE | 1 << Act.NETWORK_BOX
ACTS_ADMINISTRATOR: Final = (
    ACTS_STAFF
    | 1 << Act.ROLES
    | 1 << Act.SCHEMAS
    | 1 << Act.UNIT
    | 1 << Act.ENROL
    | 1 << Act.SUSPEND
)
ACTS_FOUNDER: Final = ACTS_ADMINISTRATOR | 1 << Act.CHARTER | 1 << Act.FOUND


class GenesisPublic(NamedTuple):
    """Act 1: the network's first device and its relay."""

    relay_key: bytes
    change_key: bytes
    request_key: bytes
    keys_blob: bytes
    acts: int
    feeds: tuple[bytes, ...]
    random32: bytes


class EmptyPublic(NamedTuple):
    """Acts 2, 5 and 11: everything is sealed."""


class BlobPublic(NamedTuple):
    """Acts 3 and 4: the role table or the schemas, a sealed blob."""

    blob: bytes


class EnrolPublic(NamedTuple):
    """Act 6: a new device."""

    kind: int
    """1 staff, 2 paper, 3 provider."""
    change_key: bytes
    request_key: bytes
    keys_blob: bytes
    acts: int
    feeds: tuple[bytes, ...]
    wrap_blob: bytes
    unit_keys_blob: bytes | None


class AdmitPublic(NamedTuple):
    """Act 7: a further wrap to a device."""

    device: int
    wrap_blob: bytes


class WrapFor(NamedTuple):
    """One device's wrap."""

    device: int
    blob: bytes


class SuspendPublic(NamedTuple):
    """Act 8: a device that no longer counts; perhaps its unit's new keys."""

    device: int
    unit_keys_blob: bytes | None
    wraps: tuple[WrapFor, ...]


class RotatePublic(NamedTuple):
    """Act 9: new keys of a unit."""

    unit_keys_blob: bytes
    wraps: tuple[WrapFor, ...]


class FoundPublic(NamedTuple):
    """Act 10: the founder's own unit keys."""

    wrap_blob: bytes
    unit_keys_blob: bytes


Public = (
    GenesisPublic
    | EmptyPublic
    | BlobPublic
    | EnrolPublic
    | AdmitPublic
    | SuspendPublic
    | RotatePublic
    | FoundPublic
)


def encode_public(public: Public) -> bytes:
    """The canonical array of ``public``."""
    return pack(public)


def decode_public(act: int, data: bytes) -> Public:
    """The public part ``data`` of an entry whose act is ``act``.

    Raises:
        RemoteProtocolError: ``malformed``: an unknown act, or not the array that belongs to it.
    """
    row = unpack(data)
    decoder = _DECODERS.get(act)
    if decoder is None or type(row) is not list:
        raise _malformed(f"act {act}")
    length, decode = decoder
    if len(row) != length:
        raise _malformed(f"act {act}")
    return decode(row)


def blobs_named(public: Public) -> tuple[bytes, ...]:  # noqa: PLR0911 - one case per act
    """The hashes of all blobs that ``public`` names: they must be at the relay."""
    match public:
        case EmptyPublic():
            return ()
        case GenesisPublic():
            return (public.keys_blob,)
        case BlobPublic():
            return (public.blob,)
        case EnrolPublic():
            return (public.keys_blob, public.wrap_blob, *_present(public.unit_keys_blob))
        case AdmitPublic():
            return (public.wrap_blob,)
        case SuspendPublic() | RotatePublic():
            return (*_present(public.unit_keys_blob), *(wrap.blob for wrap in public.wraps))
        case FoundPublic():
            return (public.wrap_blob, public.unit_keys_blob)


def _present(name: bytes | None) -> tuple[bytes, ...]:
    return () if name is None else (name,)


def _bytes(value: object, length: int) -> bytes:
    if type(value) is not bytes or len(value) != length:
        raise _malformed(f"{length} bytes")
    return value


def _hash(value: object) -> bytes:
    return _bytes(value, 32)


def _hash_or_none(value: object) -> bytes | None:
    return None if value is None else _bytes(value, 32)


def _int(value: object, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise _malformed("integer")
    return value


def _device(value: object) -> int:
    return _int(value, 1, (1 << 32) - 1)


def _acts(value: object) -> int:
    return _int(value, 0, (1 << 64) - 1)


def _feeds(value: object) -> tuple[bytes, ...]:
    if type(value) is not list or len(value) > FEEDS_MAX:
        raise _malformed("feeds")
    feeds = tuple(_bytes(feed, 16) for feed in value)
    if len(set(feeds)) != len(feeds):
        raise _malformed("feeds")
    return feeds


def _wraps(value: object) -> tuple[WrapFor, ...]:
    if type(value) is not list or len(value) > WRAPS_MAX:
        raise _malformed("wraps")
    wraps = []
    for row in value:
        if type(row) is not list or len(row) != 2:
            raise _malformed("wraps")
        wraps.append(WrapFor(_device(row[0]), _hash(row[1])))
    if len({wrap.device for wrap in wraps}) != len(wraps):
        raise _malformed("wraps")
    return tuple(wraps)


def _genesis(row: list[Any]) -> Public:
    return GenesisPublic(
        _hash(row[0]),
        _hash(row[1]),
        _hash(row[2]),
        _hash(row[3]),
        _acts(row[4]),
        _feeds(row[5]),
        _hash(row[6]),
    )


def _empty(_row: list[Any]) -> Public:
    return EmptyPublic()


def _blob(row: list[Any]) -> Public:
    return BlobPublic(_hash(row[0]))


def _enrol(row: list[Any]) -> Public:
    return EnrolPublic(
        _int(row[0], KIND_STAFF, KIND_PROVIDER),
        _hash(row[1]),
        _hash(row[2]),
        _hash(row[3]),
        _acts(row[4]),
        _feeds(row[5]),
        _hash(row[6]),
        _hash_or_none(row[7]),
    )


def _admit(row: list[Any]) -> Public:
    return AdmitPublic(_device(row[0]), _hash(row[1]))


def _suspend(row: list[Any]) -> Public:
    return SuspendPublic(_device(row[0]), _hash_or_none(row[1]), _wraps(row[2]))


def _rotate(row: list[Any]) -> Public:
    return RotatePublic(_hash(row[0]), _wraps(row[1]))


def _found(row: list[Any]) -> Public:
    return FoundPublic(_hash(row[0]), _hash(row[1]))


_DECODERS: Final[dict[int, tuple[int, Callable[[list[Any]], Public]]]] = {
    Act.GENESIS: (7, _genesis),
    Act.CHARTER: (0, _empty),
    Act.ROLES: (1, _blob),
    Act.SCHEMAS: (1, _blob),
    Act.UNIT: (0, _empty),
    Act.ENROL: (8, _enrol),
    Act.ADMIT: (2, _admit),
    Act.SUSPEND: (3, _suspend),
    Act.ROTATE: (2, _rotate),
    Act.FOUND: (2, _found),
    Act.NETWORK_BOX: (0, _empty),
}


def _malformed(part: str) -> RemoteProtocolError:
    return RemoteProtocolError("malformed", what=f"public part: {part}")
