"""The wrapped database key (keys.md, Passphrase)."""

from __future__ import annotations

import stat
import unicodedata
from hashlib import sha256

import pytest

from casesync.client import durable_file, vault
from casesync.client.home import Home
from casesync.client.system_ports import SystemEntropy
from casesync.client.vault import change_passphrase, create_vault, open_vault
from casesync.codec.canonical import pack, unpack
from casesync.crypto import passphrase
from casesync.foundation.errors import LocalStateError, UsageError

FIRST, SECOND, OTHER = (f"the {word} of some words" for word in ("first", "second", "other"))


@pytest.fixture(autouse=True)
def _cheap_argon2id(monkeypatch):
    """Derivation itself is tested on the crypto floor; here it may be fast."""

    class Cheap:
        def __init__(self, *, salt, **_):
            self._salt = salt

        def derive(self, typed):
            return sha256(self._salt + typed).digest()

    monkeypatch.setattr(passphrase, "Argon2id", Cheap)


@pytest.fixture
def key(tmp_path):
    return create_vault(tmp_path, FIRST, SystemEntropy())


def test_the_key_comes_back_with_the_passphrase_only(tmp_path, key):
    assert len(key) == 32
    assert open_vault(tmp_path, FIRST) == key
    for wrong in (FIRST.capitalize(), FIRST + " ", ""):
        with pytest.raises(LocalStateError) as raised:
            open_vault(tmp_path, wrong)
        assert raised.value.code == "passphrase-wrong"


def test_a_changed_passphrase_opens_the_same_key_and_the_old_one_nothing(tmp_path, key):
    before = Home(tmp_path).vault.read_bytes()
    change_passphrase(tmp_path, FIRST, SECOND)
    assert open_vault(tmp_path, SECOND) == key
    with pytest.raises(LocalStateError):
        open_vault(tmp_path, FIRST)
    after = Home(tmp_path).vault.read_bytes()
    assert unpack(before)[1] != unpack(after)[1], "each wrap has a salt of its own"


def test_a_failed_change_leaves_the_old_passphrase(tmp_path, key, monkeypatch):
    with pytest.raises(LocalStateError):
        change_passphrase(tmp_path, "wrong", SECOND)
    with pytest.raises(UsageError):
        change_passphrase(tmp_path, FIRST, "second")

    def full(*_):
        raise OSError(28, "no space")

    monkeypatch.setattr(durable_file.os, "fsync", full)
    with pytest.raises(LocalStateError) as raised:
        change_passphrase(tmp_path, FIRST, SECOND)
    assert raised.value.code == "disk-full"
    assert open_vault(tmp_path, FIRST) == key


def test_the_key_of_an_existing_replica_is_never_replaced(tmp_path, key):
    Home(tmp_path).database.touch()
    with pytest.raises(LocalStateError) as raised:
        create_vault(tmp_path, FIRST, SystemEntropy())
    assert raised.value.code == "replica-exists"
    assert open_vault(tmp_path, FIRST) == key


def test_a_start_that_was_interrupted_can_be_begun_again(tmp_path, key):
    assert not Home(tmp_path).exists()
    assert create_vault(tmp_path, OTHER, SystemEntropy()) != key
    assert open_vault(tmp_path, OTHER)


@pytest.mark.parametrize("short", ["", "hoa sen ven hồ", "hoa sen ven hô\u0323"])
def test_a_new_passphrase_has_fifteen_characters_however_the_keyboard_types_them(tmp_path, short):
    """keys.md, Passphrase: code points in NFC, where an o with a dot below is one."""
    for typed in (short, unicodedata.normalize("NFD", short)):
        with pytest.raises(UsageError) as raised:
            create_vault(tmp_path, typed, SystemEntropy())
        assert raised.value.code == "passphrase-short"
        assert raised.value.params["count"] == len(unicodedata.normalize("NFC", short)) < 15
    assert not Home(tmp_path).vault.exists()
    assert create_vault(tmp_path, "hoa sen ven hồ!", SystemEntropy())


def test_a_vault_of_before_opens_with_its_short_passphrase_and_can_be_given_a_longer_one(
    tmp_path, monkeypatch
):
    with monkeypatch.context() as before:
        before.setattr(vault, "PASSPHRASE_CHARS_MIN", 1)
        key = create_vault(tmp_path, "ngắn", SystemEntropy())
    assert open_vault(tmp_path, "ngắn") == key
    change_passphrase(tmp_path, "ngắn", SECOND)
    assert open_vault(tmp_path, SECOND) == key


def test_a_folder_without_a_vault_says_so(tmp_path):
    for use in (
        lambda: open_vault(tmp_path, "x"),
        lambda: change_passphrase(tmp_path / "no", "x", SECOND),
    ):
        with pytest.raises(LocalStateError) as raised:
            use()
        assert raised.value.code == "vault-missing"


def test_the_file_is_its_owners_alone(tmp_path, key):
    assert stat.S_IMODE(Home(tmp_path).vault.stat().st_mode) == 0o600


SALT, WRAPPED = b"s" * 16, b"w" * 48


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xc1",
        b"garbage",
        pack(None),
        pack([1]),
        pack([1, SALT, [65536, 3], WRAPPED]),
        pack([1, SALT, [65536, 3, "4"], WRAPPED]),
        pack([1, SALT[:15], [65536, 3, 4], WRAPPED]),
        pack([1, SALT, [65536, 3, 4], WRAPPED[:47]]),
        pack([1, SALT, [65536, 3, 4], WRAPPED, 1]),
        pack([1, SALT, [65536, 3, 4], WRAPPED]) + b"\x00",
        bytes(10_000),
    ],
)
def test_a_damaged_file_says_so_and_is_not_a_wrong_passphrase(tmp_path, content):
    Home(tmp_path).vault.write_bytes(content)
    with pytest.raises(LocalStateError) as raised:
        open_vault(tmp_path, FIRST)
    assert raised.value.code == "vault-damaged"
