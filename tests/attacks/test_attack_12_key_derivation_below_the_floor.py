"""Attack 12: costs of the key derivation below the floor.

Somebody who reaches the folder rewrites the vault with cheap costs, so that the next passphrase
change, or the guess of one who looks on, costs nothing. Refused by the crypto floor before anything
is derived (keys.md, Passphrase).
"""

from __future__ import annotations

import pytest

from casesync.client.home import Home
from casesync.client.system_ports import SystemEntropy
from casesync.client.vault import change_passphrase, create_vault, open_vault
from casesync.codec.canonical import pack, unpack
from casesync.crypto import passphrase
from casesync.foundation.errors import CryptoError, LocalStateError
from casesync.foundation.limits import ARGON2_ITERATIONS_MIN, ARGON2_MEMORY_KIB_MIN

FLOOR = [ARGON2_MEMORY_KIB_MIN, ARGON2_ITERATIONS_MIN, 1]


@pytest.fixture
def folder(tmp_path):
    create_vault(tmp_path, "correct horse battery", SystemEntropy())
    return tmp_path


def _with_costs(folder, costs):
    vault = Home(folder).vault
    version, salt, _, wrapped = unpack(vault.read_bytes())
    vault.write_bytes(pack([version, salt, costs, wrapped]))


@pytest.mark.parametrize(
    "costs",
    [
        [FLOOR[0] - 1, FLOOR[1], 1],
        [FLOOR[0], FLOOR[1] - 1, 1],
        [FLOOR[0], FLOOR[1], 0],
        [8, 1, 1],
        [0, 0, 0],
    ],
)
def test_a_vault_with_cheap_costs_is_refused_and_nothing_is_derived(folder, costs, monkeypatch):
    _with_costs(folder, costs)
    before = Home(folder).vault.read_bytes()
    monkeypatch.setattr(passphrase, "Argon2id", None)
    with pytest.raises(CryptoError) as raised:
        open_vault(folder, "correct horse battery")
    assert raised.value.code == "kdf-below-floor"
    with pytest.raises(CryptoError):
        change_passphrase(folder, "correct horse battery", "another one of four words")
    assert Home(folder).vault.read_bytes() == before


def test_costs_are_bound_into_the_wrap(folder):
    """Even costs above the floor cannot be exchanged: the key would come out another."""
    _with_costs(folder, FLOOR)
    with pytest.raises(LocalStateError) as raised:
        open_vault(folder, "correct horse battery")
    assert raised.value.code == "passphrase-wrong"
