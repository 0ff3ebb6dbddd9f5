"""A control entry with its seal opened and its blobs read (access floor).

``protocol/membership.md``, *Acts*. Turns the bytes of an entry into a typed act, or into the
reason why it is void; judges no rights. Whatever a hostile signer put inside the seal ends here as
``Unusable`` and never as another exception, so that every replica voids the same entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final, NamedTuple, Protocol

from casesync.access import control_bodies as bodies
from casesync.access.roles import RoleTable
from casesync.crypto.device_keys import DEVICE_KEYS_BLOB_BYTES, DevicePublic
from casesync.crypto.key_wrap import UnitKeyId
from casesync.crypto.sealing import NetworkKey, network_keys, open_blob, open_control
from casesync.crypto.signatures import COMPOSITE_PUBLIC_BYTES
from casesync.foundation.errors import (
    CannotDecide,
    CryptoError,
    RelayMisbehaviour,
    RemoteProtocolError,
)
from casesync.foundation.ids import BlobHash, NetworkId
from casesync.foundation.limits import CONTROL_BODY_BYTES_MAX
from casesync.model.schema import Schema, schema_from_bytes
from casesync.translog.control_acts import (
    AdmitPublic,
    BlobPublic,
    EmptyPublic,
    EnrolPublic,
    FoundPublic,
    GenesisPublic,
    Public,
    RotatePublic,
    SuspendPublic,
    decode_public,
)
from casesync.translog.control_entry import Act, ControlEntry, parse_entry

BLOB_UNIT_KEYS: Final = 1
BLOB_SCHEMAS: Final = 2
BLOB_ROLES: Final = 3

Blobs = Callable[[BlobHash], bytes | None]
"""Blobs by name, None if it is not here (yet)."""


class Unusable(Exception):
    """The entry is void; ``args[0]`` is the reason's code."""


class SealOpener(Protocol):
    """What opens the seals of the control log."""

    def control(self, entry: ControlEntry) -> bytes:
        """The sealed body of an entry. Raises: CryptoError, RemoteProtocolError."""
        ...

    def blob(self, kind: int, blob: bytes) -> bytes:
        """The body of a sealed blob. Raises: CryptoError, RemoteProtocolError."""
        ...


class NetworkOpener:
    """Opens with the network keys this device holds, newest first."""

    def __init__(self, network: NetworkId, keys: Iterable[bytes]) -> None:
        """Args: network: its id; keys: 32 bytes each."""
        self._keys: list[NetworkKey] = [network_keys(key, network) for key in keys]

    @property
    def newest(self) -> NetworkKey:
        """The key under which new entries are sealed."""
        return self._keys[0]

    def control(self, entry: ControlEntry) -> bytes:
        """See ``SealOpener``; the entry names its key."""
        for key in self._keys:
            if entry.sealed[: len(key.name)] == key.name:
                return open_control(key, entry.sealed_prefix, entry.sealed)
        raise CryptoError("does-not-verify")

    def blob(self, kind: int, blob: bytes) -> bytes:
        """See ``SealOpener``; a blob does not name its key."""
        for key in self._keys[:-1]:
            try:
                return open_blob(key, kind, blob)
            except CryptoError:
                continue
        return open_blob(self._keys[-1], kind, blob)


class GenesisAct(NamedTuple):
    """Act 1."""

    public: GenesisPublic
    keys: DevicePublic


class CharterAct(NamedTuple):
    """Act 2."""

    name: str


class RolesAct(NamedTuple):
    """Act 3."""

    blob: BlobHash
    table: RoleTable


class SchemasAct(NamedTuple):
    """Act 4; ``schema`` is None if its format is newer than this program."""

    blob: BlobHash
    body: bytes
    schema: Schema | None


class UnitAct(NamedTuple):
    """Act 5."""

    body: bodies.UnitBody


class EnrolAct(NamedTuple):
    """Act 6."""

    public: EnrolPublic
    keys: DevicePublic
    body: bodies.EnrolBody
    unit_keys: tuple[bodies.UnitKeyRow, ...]


class AdmitAct(NamedTuple):
    """Act 7."""

    public: AdmitPublic
    keys: tuple[UnitKeyId, ...]


class SuspendAct(NamedTuple):
    """Act 8; ``unit_keys`` is None if the blob it names cannot be read."""

    public: SuspendPublic
    reason: str
    unit_keys: tuple[bodies.UnitKeyRow, ...] | None


class RotateAct(NamedTuple):
    """Act 9."""

    public: RotatePublic
    unit_keys: tuple[bodies.UnitKeyRow, ...]


class FoundAct(NamedTuple):
    """Act 10."""

    public: FoundPublic
    body: bodies.FoundBody
    unit_keys: tuple[bodies.UnitKeyRow, ...]


class NetworkBoxAct(NamedTuple):
    """Act 11."""

    boxes: tuple[bodies.NetworkBox, ...]


OpenedAct = (
    GenesisAct
    | CharterAct
    | RolesAct
    | SchemasAct
    | UnitAct
    | EnrolAct
    | AdmitAct
    | SuspendAct
    | RotateAct
    | FoundAct
    | NetworkBoxAct
)


def state_blobs(entry: bytes) -> tuple[BlobHash, ...]:
    """Blobs without which an entry cannot be judged; wraps are not among them.

    Empty for an entry that is malformed: it is void without them.
    """
    try:
        parsed = parse_entry(entry)
        public = decode_public(parsed.act, parsed.public)
    except RemoteProtocolError:
        return ()
    names: tuple[bytes | None, ...] = ()
    match public:
        case GenesisPublic():
            names = (public.keys_blob,)
        case BlobPublic():
            names = (public.blob,)
        case EnrolPublic():
            names = (public.keys_blob, public.unit_keys_blob)
        case SuspendPublic() | RotatePublic() | FoundPublic():
            names = (public.unit_keys_blob,)
        case AdmitPublic() | EmptyPublic():
            pass
    return tuple(BlobHash(name) for name in names if name is not None)


def open_act(entry: ControlEntry, opener: SealOpener, blobs: Blobs) -> OpenedAct:
    """The typed act of an authentic entry.

    Raises:
        Unusable: the entry is void: ``act-unknown``, ``malformed``, ``sealed-unreadable``.
        CannotDecide: ``blob-missing`` (``blob``: its name in hex): fetch it, then again.
        RelayMisbehaviour: ``blob-differs``: bytes that do not have the name they were given under.
    """
    if entry.act not in Act.__members__.values():
        raise Unusable("act-unknown")
    try:
        public = decode_public(entry.act, entry.public)
    except RemoteProtocolError as error:
        raise Unusable("malformed") from error
    reader = _Reader(entry, opener, blobs)
    try:
        return reader.read(Act(entry.act), public)
    except CryptoError as error:
        raise Unusable("sealed-unreadable") from error
    except RemoteProtocolError as error:
        raise Unusable("malformed") from error


class _Reader:
    """One entry being opened."""

    def __init__(self, entry: ControlEntry, opener: SealOpener, blobs: Blobs) -> None:
        self._entry = entry
        self._opener = opener
        self._blobs = blobs

    def read(self, act: Act, public: Public) -> OpenedAct:
        opened: OpenedAct
        match public:
            case GenesisPublic():
                opened = GenesisAct(public, self._device_keys(public, public.keys_blob))
            case EmptyPublic():
                opened = self._read_sealed(act)
            case BlobPublic():
                opened = self._read_blob(act, public)
            case EnrolPublic():
                body = bodies.decode_enrol(self._sealed())
                keys = self._device_keys(public, public.keys_blob)
                opened = EnrolAct(public, keys, body, self._unit_keys(public.unit_keys_blob))
            case AdmitPublic():
                opened = AdmitAct(public, bodies.decode_admit(self._sealed()))
            case SuspendPublic():
                opened = self._read_suspension(public)
            case RotatePublic():
                bodies.check_empty(self._sealed())
                opened = RotateAct(public, self._unit_keys(public.unit_keys_blob))
            case FoundPublic():
                found = bodies.decode_found(self._sealed())
                opened = FoundAct(public, found, self._unit_keys(public.unit_keys_blob))
        return opened

    def _read_sealed(self, act: Act) -> OpenedAct:
        if act is Act.CHARTER:
            return CharterAct(bodies.decode_charter(self._sealed()))
        if act is Act.UNIT:
            return UnitAct(bodies.decode_unit(self._sealed()))
        assert act is Act.NETWORK_BOX
        return NetworkBoxAct(bodies.decode_network_boxes(self._sealed()))

    def _read_blob(self, act: Act, public: BlobPublic) -> OpenedAct:
        bodies.check_empty(self._sealed())
        name = BlobHash(public.blob)
        if act is Act.ROLES:
            return RolesAct(
                name, RoleTable.from_bytes(self._opener.blob(BLOB_ROLES, self._blob(name)))
            )
        body = self._opener.blob(BLOB_SCHEMAS, self._blob(name))
        try:
            return SchemasAct(name, body, schema_from_bytes(body))
        except RemoteProtocolError as error:
            if error.code != "schema-newer":
                raise
        return SchemasAct(name, body, None)

    def _read_suspension(self, public: SuspendPublic) -> SuspendAct:
        """A suspension stands even if the new keys beside it are nonsense."""
        reason = bodies.decode_suspend(self._sealed())
        try:
            unit_keys = self._unit_keys(public.unit_keys_blob)
        except (CryptoError, RemoteProtocolError):
            return SuspendAct(public, reason, None)
        return SuspendAct(public, reason, unit_keys)

    def _sealed(self) -> bytes:
        if not self._entry.sealed:
            raise RemoteProtocolError("malformed", what="sealed part")
        body = self._opener.control(self._entry)
        if len(body) > CONTROL_BODY_BYTES_MAX:
            raise RemoteProtocolError("malformed", what="sealed part")
        return body

    def _blob(self, name: bytes) -> bytes:
        blob = self._blobs(BlobHash(name))
        if blob is None:
            raise CannotDecide("blob-missing", blob=name.hex())
        if sha256(blob).digest() != name:
            raise RelayMisbehaviour("blob-differs", blob=name.hex())
        return blob

    def _unit_keys(self, name: bytes | None) -> tuple[bodies.UnitKeyRow, ...]:
        if name is None:
            return ()
        return bodies.decode_unit_keys(self._opener.blob(BLOB_UNIT_KEYS, self._blob(name)))

    def _device_keys(self, public: GenesisPublic | EnrolPublic, name: bytes) -> DevicePublic:
        blob = self._blob(name)
        if len(blob) != DEVICE_KEYS_BLOB_BYTES:
            raise RemoteProtocolError("malformed", what="device keys")
        return DevicePublic(
            public.change_key,
            public.request_key,
            blob[:COMPOSITE_PUBLIC_BYTES],
            blob[COMPOSITE_PUBLIC_BYTES:],
        )
