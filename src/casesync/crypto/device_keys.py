"""A device's own key pairs (crypto).

Specification: ``protocol/keys.md``, *Device*. Two Ed25519 keys (changes, requests), a composite
key (control entries) and a hybrid KEM key; the composite and the KEM public key travel as one
blob, named by its SHA-256. Where the secrets are stored is not decided here. Seals and opens
nothing, so that the relay may import it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, NamedTuple, Self, final

from casesync.crypto.kem_keys import KEM_PUBLIC_BYTES, kem_check_public, unit_key_from_seed
from casesync.crypto.key_schedule import KEY_BYTES
from casesync.crypto.signatures import (
    COMPOSITE_PUBLIC_BYTES,
    COMPOSITE_SEEDS_BYTES,
    CompositeSigner,
    Ed25519Signer,
    composite_check_public,
    ed25519_check_public,
)
from casesync.foundation.errors import CryptoError
from casesync.foundation.ids import BlobHash
from casesync.foundation.ports import Entropy
from casesync.foundation.secret_bytes import SecretBytes

DEVICE_KEYS_BLOB_BYTES: Final = COMPOSITE_PUBLIC_BYTES + KEM_PUBLIC_BYTES
DEVICE_SECRETS_BYTES: Final = 3 * KEY_BYTES + COMPOSITE_SEEDS_BYTES


class DevicePublic(NamedTuple):
    """The public halves; existing means: right lengths, nothing more (see ``check``)."""

    change: bytes
    """Ed25519, 32 bytes."""
    request: bytes
    """Ed25519, 32 bytes."""
    composite: bytes
    """ML-DSA-65 | Ed25519, 1984 bytes."""
    kem: bytes
    """ML-KEM-768 | X25519, 1216 bytes."""

    @classmethod
    def from_blob(cls, change: bytes, request: bytes, blob: bytes) -> Self:
        """From the two short keys of an entry and its device keys blob (3200 bytes).

        Raises:
            CryptoError: ``does-not-verify`` on another length or an unfit key.
        """
        if len(blob) != DEVICE_KEYS_BLOB_BYTES:
            raise CryptoError("does-not-verify")
        public = cls(change, request, blob[:COMPOSITE_PUBLIC_BYTES], blob[COMPOSITE_PUBLIC_BYTES:])
        public.check()
        return public

    def blob(self) -> bytes:
        """Composite | KEM, 3200 bytes."""
        return self.composite + self.kem

    def blob_hash(self) -> BlobHash:
        """The name of the blob."""
        return BlobHash(sha256(self.blob()).digest())

    def check(self) -> None:
        """Refuse unfit keys (``keys.md``, *One verifier*); once, when the device is enrolled.

        Raises:
            CryptoError: ``does-not-verify``: a key of small or mixed order, not canonical, of
                another length, or one key in two places.
        """
        ed25519_check_public(self.change)
        ed25519_check_public(self.request)
        composite_check_public(self.composite)
        kem_check_public(self.kem)
        if len({self.change, self.request, self.composite[-KEY_BYTES:]}) != 3:
            raise CryptoError("does-not-verify")


@final
class DeviceSecrets:
    """The secret halves of this device's keys, as seeds."""

    __slots__ = ("change_seed", "composite_seeds", "kem_seed", "request_seed")

    def __init__(
        self,
        *,
        change_seed: SecretBytes,
        request_seed: SecretBytes,
        composite_seeds: SecretBytes,
        kem_seed: SecretBytes,
    ) -> None:
        """Args: seeds of 32 bytes each; composite_seeds: 64, ML-DSA-65 | Ed25519."""
        assert len(composite_seeds) == COMPOSITE_SEEDS_BYTES
        assert all(len(seed) == KEY_BYTES for seed in (change_seed, request_seed, kem_seed))
        self.change_seed: Final = change_seed
        self.request_seed: Final = request_seed
        self.composite_seeds: Final = composite_seeds
        self.kem_seed: Final = kem_seed

    @classmethod
    def generate(cls, entropy: Entropy) -> Self:
        """Fresh keys for a new device."""
        return cls(
            change_seed=SecretBytes(entropy.bytes(KEY_BYTES)),
            request_seed=SecretBytes(entropy.bytes(KEY_BYTES)),
            composite_seeds=SecretBytes(entropy.bytes(COMPOSITE_SEEDS_BYTES)),
            kem_seed=SecretBytes(entropy.bytes(KEY_BYTES)),
        )

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """From ``to_bytes``.

        Raises:
            CryptoError: ``does-not-verify`` on another length.
        """
        if len(stored) != DEVICE_SECRETS_BYTES:
            raise CryptoError("does-not-verify")
        return cls(
            change_seed=SecretBytes(stored[:32]),
            request_seed=SecretBytes(stored[32:64]),
            composite_seeds=SecretBytes(stored[64:128]),
            kem_seed=SecretBytes(stored[128:]),
        )

    def to_bytes(self) -> bytes:
        """All seeds, 160 bytes, for the encrypted database and nowhere else."""
        return b"".join(
            seed.reveal()
            for seed in (
                self.change_seed,
                self.request_seed,
                self.composite_seeds,
                self.kem_seed,
            )
        )

    def change_signer(self) -> Ed25519Signer:
        """Signs changes."""
        return Ed25519Signer(self.change_seed)

    def request_signer(self) -> Ed25519Signer:
        """Signs requests to the relay."""
        return Ed25519Signer(self.request_seed)

    def composite_signer(self) -> CompositeSigner:
        """Signs control entries."""
        return CompositeSigner(self.composite_seeds)

    def public(self) -> DevicePublic:
        """The public halves; costs three key derivations, so keep it."""
        return DevicePublic(
            self.change_signer().public,
            self.request_signer().public,
            self.composite_signer().public,
            unit_key_from_seed(self.kem_seed.reveal()),
        )
