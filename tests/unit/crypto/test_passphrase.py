"""From a passphrase to the key of the database (keys.md, Passphrase)."""

from __future__ import annotations

import unicodedata

import pytest

from casesync.crypto import passphrase
from casesync.crypto.passphrase import KdfCosts, derive, unwrap_database_key, wrap_database_key
from casesync.foundation.errors import CryptoError
from casesync.foundation.secret_bytes import SecretBytes

FLOOR = KdfCosts(64 * 1024, 3, 1)
SALT = b"s" * 16
KEY = SecretBytes(b"p" * 32)
DATABASE_KEY = SecretBytes(b"d" * 32)


def test_the_database_key_comes_back_only_under_the_same_key_salt_and_costs():
    wrapped = wrap_database_key(KEY, SALT, FLOOR, DATABASE_KEY)
    assert len(wrapped) == 48
    assert unwrap_database_key(KEY, SALT, FLOOR, wrapped) == DATABASE_KEY
    for key, salt, costs, data in [
        (SecretBytes(b"q" * 32), SALT, FLOOR, wrapped),
        (KEY, b"t" * 16, FLOOR, wrapped),
        (KEY, SALT, FLOOR._replace(lanes=2), wrapped),
        (KEY, SALT, FLOOR, wrapped[:-1] + b"x"),
        (KEY, SALT, FLOOR, b""),
    ]:
        with pytest.raises(CryptoError):
            unwrap_database_key(key, salt, costs, data)


def test_a_vietnamese_passphrase_is_one_however_the_keyboard_types_it():
    typed = "Trường học cũ"
    forms = {unicodedata.normalize(form, typed) for form in ("NFC", "NFD")}
    assert len(forms) == 2
    assert len({derive(form, SALT, FLOOR).reveal() for form in forms}) == 1


def test_argon2id_is_called_with_exactly_the_given_costs(monkeypatch):
    seen = []

    class Recorded:
        def __init__(self, **arguments):
            seen.append(arguments)

        def derive(self, typed):
            return typed.ljust(32)[:32]

    monkeypatch.setattr(passphrase, "Argon2id", Recorded)
    derive("pass", SALT, KdfCosts(70_000, 4, 2))
    assert seen == [
        {"salt": SALT, "length": 32, "iterations": 4, "lanes": 2, "memory_cost": 70_000}
    ]


def test_costs_that_would_stop_the_machine_are_refused_before_anything_is_computed(monkeypatch):
    monkeypatch.setattr(passphrase, "Argon2id", None)
    for costs in (KdfCosts(2**31, 3, 1), KdfCosts(65536, 2**31, 1), KdfCosts(65536, 3, 255)):
        with pytest.raises(CryptoError) as raised:
            derive("pass", SALT, costs)
        assert raised.value.code == "kdf-above-ceiling"


def test_a_salt_of_another_length_is_refused():
    with pytest.raises(CryptoError):
        derive("pass", b"short", FLOOR)
