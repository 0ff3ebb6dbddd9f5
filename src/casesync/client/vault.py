"""The database key of a replica, wrapped under a passphrase (client).

Specification: ``protocol/keys.md``, *Passphrase*. The key is random and stays the same when the
passphrase changes. A guess costs one Argon2id, whose floors are pinned in the program
(``crypto/passphrase.py``). How long an opened key is kept is decided by ``unlock_agent.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from casesync.client.durable_file import read_small, replace_durably
from casesync.client.home import Home
from casesync.client.system_ports import SystemEntropy
from casesync.codec.canonical import pack, unpack
from casesync.crypto.key_schedule import KEY_BYTES
from casesync.crypto.passphrase import (
    SALT_BYTES,
    WRAPPED_DATABASE_KEY_BYTES,
    KdfCosts,
    derive,
    in_one_form,
    unwrap_database_key,
    wrap_database_key,
)
from casesync.foundation.errors import (
    CryptoError,
    LocalStateError,
    RemoteProtocolError,
    UsageError,
)
from casesync.foundation.limits import (
    ARGON2_ITERATIONS_MIN,
    ARGON2_MEMORY_KIB_MIN,
    PASSPHRASE_CHARS_MIN,
)
from casesync.foundation.ports import Entropy
from casesync.foundation.secret_bytes import SecretBytes

VAULT_VERSION: Final = 1
COSTS: Final = KdfCosts(ARGON2_MEMORY_KIB_MIN, ARGON2_ITERATIONS_MIN, 4)
"""RFC 9106, second recommended option: a fifth of a second on a laptop of 2015."""


class _Vault(NamedTuple):
    salt: bytes
    costs: KdfCosts
    wrapped: bytes

    def encoded(self) -> bytes:
        return pack([VAULT_VERSION, self.salt, list(self.costs), self.wrapped])


def create_vault(folder: Path, passphrase: str, entropy: Entropy) -> SecretBytes:
    """A fresh database key, 32 bytes, wrapped under ``passphrase`` in the replica's folder.

    A wrapped key without a database is replaced: whoever calls has made sure that it is left from
    a start that was interrupted (``Home.refuse_lost_database``).

    Raises:
        LocalStateError: ``replica-exists``, ``disk-full``, ``disk-error``.
        UsageError: ``passphrase-short``.
    """
    home = Home(folder)
    if home.exists():
        raise LocalStateError("replica-exists")
    home.prepare()
    key = SecretBytes(entropy.bytes(KEY_BYTES))
    _store(home, passphrase, key, entropy)
    return key


def open_vault(folder: Path, passphrase: str) -> SecretBytes:
    """The database key, 32 bytes; costs one Argon2id.

    Raises:
        LocalStateError: ``vault-missing``, ``vault-damaged``, ``passphrase-wrong``.
        CryptoError: ``kdf-below-floor``, ``kdf-above-ceiling``: the file was changed.
    """
    vault = _read(Home(folder))
    passphrase_key = derive(passphrase, vault.salt, vault.costs)
    try:
        return unwrap_database_key(passphrase_key, vault.salt, vault.costs, vault.wrapped)
    except CryptoError as error:
        raise LocalStateError("passphrase-wrong") from error


def change_passphrase(folder: Path, old: str, new: str, entropy: Entropy | None = None) -> None:
    """Wrap the same database key under another passphrase; an open replica goes on.

    Args:
        folder: the replica's folder.
        old: opens it now.
        new: will open it.
        entropy: the system's by default.

    Raises:
        LocalStateError: as ``open_vault`` and ``create_vault``; the old one then still opens.
        UsageError: ``passphrase-short``.
    """
    refuse_short(new)
    key = open_vault(folder, old)
    _store(Home(folder), new, key, entropy or SystemEntropy())


def refuse_short(passphrase: str) -> None:
    """Of new passphrases only: what opens a replica already is not asked how long it is.

    Raises: UsageError: ``passphrase-short``: fewer code points in NFC than the minimum.
    """
    length = len(in_one_form(passphrase))
    if length < PASSPHRASE_CHARS_MIN:
        raise UsageError("passphrase-short", count=length, least=PASSPHRASE_CHARS_MIN)


def _store(home: Home, passphrase: str, key: SecretBytes, entropy: Entropy) -> None:
    refuse_short(passphrase)
    salt = entropy.bytes(SALT_BYTES)
    wrapped = wrap_database_key(derive(passphrase, salt, COSTS), salt, COSTS, key)
    replace_durably(home.vault, _Vault(salt, COSTS, wrapped).encoded())


def _read(home: Home) -> _Vault:
    data = read_small(home.vault)
    if data is None:
        raise LocalStateError("vault-missing", folder=str(home.folder))
    try:
        value: object = unpack(data)
    except RemoteProtocolError as error:
        raise LocalStateError("vault-damaged") from error
    match value:
        case [
            int(version),
            bytes(salt),
            [int(memory), int(iterations), int(lanes)],
            bytes(wrapped),
        ]:
            pass
        case _:
            raise LocalStateError("vault-damaged")
    if version > VAULT_VERSION:
        raise LocalStateError("vault-newer")
    if (
        version != VAULT_VERSION
        or len(salt) != SALT_BYTES
        or len(wrapped) != WRAPPED_DATABASE_KEY_BYTES
    ):
        raise LocalStateError("vault-damaged")
    return _Vault(salt, KdfCosts(memory, iterations, lanes), wrapped)
