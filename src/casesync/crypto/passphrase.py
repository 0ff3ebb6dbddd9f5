"""From a passphrase to the key of the database (crypto).

Specification: ``protocol/keys.md``, *Passphrase*. The costs of Argon2id are stored beside the
wrapped key, and whoever can change that file could lower them: the floors are pinned here and the
costs are bound into the wrap (attacks 12 and 62). Files are the caller's.
"""

from __future__ import annotations

import unicodedata
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from casesync.crypto.aead import ZERO_NONCE, prepare, siv_open, siv_seal
from casesync.crypto.key_schedule import KEY_BYTES, check_secret, expand, label
from casesync.foundation.errors import CryptoError
from casesync.foundation.limits import (
    ARGON2_ITERATIONS_MAX,
    ARGON2_ITERATIONS_MIN,
    ARGON2_LANES_MAX,
    ARGON2_MEMORY_KIB_MAX,
    ARGON2_MEMORY_KIB_MIN,
)
from casesync.foundation.secret_bytes import SecretBytes

SALT_BYTES: Final = 16
WRAPPED_DATABASE_KEY_BYTES: Final = 48


class KdfCosts(NamedTuple):
    """What one guess of a passphrase costs."""

    memory_kib: int
    iterations: int
    lanes: int

    def check(self) -> None:
        """Refuse costs below the floor, or so high that they are an attack on this machine.

        Raises:
            CryptoError: ``kdf-below-floor`` or ``kdf-above-ceiling``.
        """
        if (
            self.memory_kib < ARGON2_MEMORY_KIB_MIN
            or self.iterations < ARGON2_ITERATIONS_MIN
            or self.lanes < 1
        ):
            raise CryptoError("kdf-below-floor")
        if (
            self.memory_kib > ARGON2_MEMORY_KIB_MAX
            or self.iterations > ARGON2_ITERATIONS_MAX
            or self.lanes > ARGON2_LANES_MAX
        ):
            raise CryptoError("kdf-above-ceiling")

    def encoded(self) -> bytes:
        """memory u32 | iterations u32 | lanes u8."""  # noqa: D403 - field names
        return b"".join(
            (
                self.memory_kib.to_bytes(4, "big"),
                self.iterations.to_bytes(4, "big"),
                self.lanes.to_bytes(1, "big"),
            )
        )


def in_one_form(passphrase: str) -> str:
    """The passphrase in NFC, because Vietnamese keyboards type one letter in several ways."""
    return unicodedata.normalize("NFC", passphrase)


def derive(passphrase: str, salt: bytes, costs: KdfCosts) -> SecretBytes:
    """Argon2id (RFC 9106) of a passphrase in NFC; 32 bytes.

    Args:
        passphrase: as typed.
        salt: 16 random bytes.
        costs: checked against floors and ceilings before anything is computed.

    Raises:
        CryptoError: ``kdf-below-floor`` or ``kdf-above-ceiling``; ``does-not-verify`` if the salt
            has another length.
    """
    costs.check()
    if len(salt) != SALT_BYTES:
        raise CryptoError("does-not-verify")
    typed = in_one_form(passphrase).encode("utf-8", "surrogateescape")
    kdf = Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=costs.iterations,
        lanes=costs.lanes,
        memory_cost=costs.memory_kib,
    )
    return SecretBytes(kdf.derive(typed))


def wrap_database_key(
    passphrase_key: SecretBytes, salt: bytes, costs: KdfCosts, database_key: SecretBytes
) -> bytes:
    """The database key under the passphrase; 48 bytes.

    Args:
        passphrase_key: ``derive(passphrase, salt, costs)``.
        salt: 16 random bytes, fresh for each wrap, so that the zero nonce never repeats.
        costs: what the salt was used with.
        database_key: 32 bytes.
    """
    context = salt + costs.encoded()
    cipher = prepare(expand(passphrase_key.reveal(), "database-key", context))
    aad = label("database-key") + context
    return siv_seal(cipher, ZERO_NONCE, aad, check_secret(database_key.reveal()))


def unwrap_database_key(
    passphrase_key: SecretBytes, salt: bytes, costs: KdfCosts, wrapped: bytes
) -> SecretBytes:
    """The database key.

    Raises:
        CryptoError: ``does-not-verify``: another passphrase, or changed bytes.
    """
    context = salt + costs.encoded()
    cipher = prepare(expand(passphrase_key.reveal(), "database-key", context))
    aad = label("database-key") + context
    return SecretBytes(check_secret(siv_open(cipher, ZERO_NONCE, aad, wrapped)))
