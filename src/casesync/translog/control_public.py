"""Public directory: what the control log says without opening a seal (translog).

Specification: ``protocol/membership.md``, *Entry*, *Acts*. Folds entries into devices with their
keys, feeds and acts, and refuses an entry that may not be appended: chain, position, signature,
whether the signer is active and may sign this act, shape and keys of the public part. What lies
sealed, and so whether an entry is void for its members, is judged by ``access``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final, NamedTuple, Self, final

from casesync.crypto.device_keys import DevicePublic
from casesync.crypto.signatures import (
    COMPOSITE_PUBLIC_BYTES,
    composite_verify,
    ed25519_check_public,
)
from casesync.foundation.errors import (
    AccessDenied,
    CannotDecide,
    CryptoError,
    RemoteProtocolError,
)
from casesync.foundation.ids import BlobHash
from casesync.merkle.hashing import EMPTY_ROOT
from casesync.translog.control_acts import (
    ACTS_ADMINISTRATOR,
    ACTS_FOUNDER,
    ACTS_STAFF,
    KIND_STAFF,
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
from casesync.translog.control_entry import (
    GENESIS_NETWORK,
    GENESIS_PREVIOUS,
    Act,
    ControlEntry,
    parse_entry,
)

FOUNDER: Final = 1
_ADMINISTRATOR_ONLY: Final = ACTS_ADMINISTRATOR & ~ACTS_STAFF

Blobs = Callable[[BlobHash], bytes | None]
"""A blob by its name, None if it is not here."""
Verify = Callable[[bytes, bytes, bytes], None]
"""(composite public key, message, signature); raises CryptoError."""


class PublicDevice(NamedTuple):
    """What everybody may know of a device."""

    number: int
    kind: int
    change_key: bytes
    request_key: bytes
    composite_key: bytes
    kem_key: bytes
    acts: int
    """Bit n allows act n."""
    feeds: tuple[bytes, ...]
    enrolment_hash: bytes
    """Hash of its enrolment entry: the previous link of its first change."""
    suspended: tuple[int, int] | None
    """(control index, change size from which it does not count); None while it is active."""

    @property
    def active(self) -> bool:
        """Whether anything is taken from it and served to it."""
        return self.suspended is None


@final
class PublicDirectory:
    """The devices after the entries folded so far; an entry that is refused changes nothing."""

    __slots__ = (
        "_devices",
        "_founded",
        "_signing_keys",
        "_verify",
        "change_root",
        "change_size",
        "head",
        "network",
        "relay_key",
        "size",
    )

    def __init__(self, verify: Verify = composite_verify) -> None:
        """Args: verify: checks composite signatures; replaced in tests that count."""
        self._verify = verify
        self._devices: dict[int, PublicDevice] = {}
        self._signing_keys: set[bytes] = set()
        self._founded = False
        self.size = 0
        """Entries folded so far; index of the next."""
        self.head = GENESIS_PREVIOUS
        """Hash of the newest entry."""
        self.network = GENESIS_NETWORK
        """32 bytes, once genesis stands."""
        self.relay_key = b""
        """The relay's public log key."""
        self.change_size = 0
        """Where the newest entry takes effect."""
        self.change_root = EMPTY_ROOT

    def copy(self) -> Self:
        """An independent copy, to try entries on."""
        other = type(self)(self._verify)
        other._devices = dict(self._devices)
        other._signing_keys = set(self._signing_keys)
        other._founded = self._founded
        other.size, other.head, other.network = self.size, self.head, self.network
        other.relay_key = self.relay_key
        other.change_size, other.change_root = self.change_size, self.change_root
        return other

    def device(self, number: int) -> PublicDevice | None:
        """The device with this number, suspended or not; None if there is none."""
        return self._devices.get(number)

    def devices(self) -> Iterable[PublicDevice]:
        """All devices, in the order of their enrolment."""
        return self._devices.values()

    def change_key(self, number: int) -> bytes:
        """The key that verifies the changes of a device that exists. Raises: KeyError."""
        return self._devices[number].change_key

    def apply(
        self,
        data: bytes,
        blobs: Blobs,
        *,
        change_size_max: int | None = None,
        trusted: bool = False,
    ) -> ControlEntry:
        """Check the next entry and fold it in.

        Args:
            data: its bytes.
            blobs: gives the device keys blob that an enrolment names.
            change_size_max: size of the change log here: an entry cannot have seen more.
            trusted: its signature and keys were verified when it was stored.

        Returns: the entry's frame.

        Raises:
            RemoteProtocolError: ``malformed``; ``control-log-broken`` (``what``: index, previous,
                network, change-size, signer): it does not extend this log.
            CryptoError: ``does-not-verify``: its signature, or a key it introduces.
            AccessDenied: ``control-act-void`` (``what``): its signer may not do this.
            CannotDecide: ``blob-missing`` (``blob``: its name in hex).
        """
        entry = parse_entry(data)
        self._check_place(entry, change_size_max)
        public = decode_public(entry.act, entry.public)
        if isinstance(public, GenesisPublic):
            self._genesis(entry, public, blobs, trusted=trusted)
        else:
            signer = self._check_signer(entry, trusted=trusted)
            self._act(entry, public, signer, blobs, trusted=trusted)
        self.size = entry.index + 1
        self.head = entry.entry_hash
        self.change_size, self.change_root = entry.change_size, entry.change_root
        return entry

    def _check_place(self, entry: ControlEntry, change_size_max: int | None) -> None:
        if entry.index != self.size:
            raise RemoteProtocolError("control-log-broken", what="index")
        if entry.previous != self.head:
            raise RemoteProtocolError("control-log-broken", what="previous")
        if entry.network != self.network:
            raise RemoteProtocolError("control-log-broken", what="network")
        same_place = entry.change_size == self.change_size
        if entry.change_size < self.change_size or (
            same_place and entry.change_root != self.change_root
        ):
            raise RemoteProtocolError("control-log-broken", what="change-size")
        if change_size_max is not None and entry.change_size > change_size_max:
            raise RemoteProtocolError("control-log-broken", what="change-size")

    def _check_signer(self, entry: ControlEntry, *, trusted: bool) -> PublicDevice:
        """Who signed (first), and whether that device may (then)."""
        signer = self._devices.get(entry.signer)
        if signer is None:
            raise RemoteProtocolError("control-log-broken", what="signer")
        if not trusted:
            self._verify(signer.composite_key, entry.signed_bytes, entry.signature)
        if not signer.active:
            raise AccessDenied("control-act-void", what="signer-suspended")
        if not signer.acts >> entry.act & 1:
            raise AccessDenied("control-act-void", what="act-not-allowed")
        return signer

    def _genesis(
        self, entry: ControlEntry, public: GenesisPublic, blobs: Blobs, *, trusted: bool
    ) -> None:
        keys = _device_keys(public, blobs, trusted=trusted)
        if not trusted:
            ed25519_check_public(public.relay_key)
            self._verify(keys.composite, entry.signed_bytes, entry.signature)
        if public.acts != ACTS_FOUNDER:
            raise AccessDenied("control-act-void", what="acts-differ")
        self.network = entry.entry_hash
        self.relay_key = public.relay_key
        self._enrol(FOUNDER, KIND_STAFF, entry, public, keys)

    def _act(
        self,
        entry: ControlEntry,
        public: Public,
        signer: PublicDevice,
        blobs: Blobs,
        *,
        trusted: bool,
    ) -> None:
        match public:
            case EnrolPublic():
                self._check_enrolment(public)
                keys = _device_keys(public, blobs, trusted=trusted)
                self._enrol(entry.index + 1, public.kind, entry, public, keys)
            case SuspendPublic():
                self._suspend(entry, public)
            case AdmitPublic():
                self._active(public.device)
            case RotatePublic():
                for wrap in public.wraps:
                    self._active(wrap.device)
            case FoundPublic():
                self._found(signer)
            case EmptyPublic():
                if entry.act == Act.CHARTER and entry.index != 1:
                    raise AccessDenied("control-act-void", what="out-of-place")
            case BlobPublic() | GenesisPublic():
                pass

    def _found(self, signer: PublicDevice) -> None:
        if self._founded or signer.number != FOUNDER:
            raise AccessDenied("control-act-void", what="out-of-place")
        self._founded = True

    def _check_enrolment(self, public: EnrolPublic) -> None:
        """The acts are those of the kind; no key serves two devices or two purposes."""
        allowed = (ACTS_STAFF, ACTS_ADMINISTRATOR) if public.kind == KIND_STAFF else (0,)
        if public.acts not in allowed:
            raise AccessDenied("control-act-void", what="acts-differ")
        if not self._signing_keys.isdisjoint((public.change_key, public.request_key)):
            raise AccessDenied("control-act-void", what="keys-taken")

    def _enrol(
        self,
        number: int,
        kind: int,
        entry: ControlEntry,
        public: GenesisPublic | EnrolPublic,
        keys: DevicePublic,
    ) -> None:
        self._signing_keys |= {public.change_key, public.request_key}
        self._devices[number] = PublicDevice(
            number=number,
            kind=kind,
            change_key=public.change_key,
            request_key=public.request_key,
            composite_key=keys.composite,
            kem_key=keys.kem,
            acts=public.acts,
            feeds=public.feeds,
            enrolment_hash=entry.entry_hash,
            suspended=None,
        )

    def _suspend(self, entry: ControlEntry, public: SuspendPublic) -> None:
        device = self._active(public.device)
        if device.acts & _ADMINISTRATOR_ONLY:
            raise AccessDenied("control-act-void", what="target-administrator")
        for wrap in public.wraps:
            if self._active(wrap.device) is device:
                raise AccessDenied("control-act-void", what="wrap-for-suspended")
        self._devices[device.number] = device._replace(suspended=(entry.index, entry.change_size))

    def _active(self, number: int) -> PublicDevice:
        device = self._devices.get(number)
        if device is None or not device.active:
            raise AccessDenied("control-act-void", what="device-unknown")
        return device


def _device_keys(
    public: GenesisPublic | EnrolPublic, blobs: Blobs, *, trusted: bool
) -> DevicePublic:
    name = BlobHash(public.keys_blob)
    blob = blobs(name)
    if blob is None:
        raise CannotDecide("blob-missing", blob=name.hex())
    if trusted:
        composite, kem = blob[:COMPOSITE_PUBLIC_BYTES], blob[COMPOSITE_PUBLIC_BYTES:]
        return DevicePublic(public.change_key, public.request_key, composite, kem)
    if sha256(blob).digest() != name:
        raise CryptoError("does-not-verify")
    return DevicePublic.from_blob(public.change_key, public.request_key, blob)
