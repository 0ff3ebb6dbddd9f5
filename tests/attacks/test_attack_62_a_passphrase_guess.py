"""Attack 62: a passphrase guess costs one Argon2id.

The thief has the whole folder. Refused by design of the vault (client): nothing in the folder tells
a right guess from a wrong one without deriving the passphrase key once, at the floor's costs.
"""

from __future__ import annotations

from collections import Counter

import pytest

from casesync.client import anchor
from casesync.client.home import Home
from casesync.client.system_ports import SystemEntropy
from casesync.client.unlock_agent import fetch_key
from casesync.client.vault import create_vault, open_vault
from casesync.crypto import passphrase
from casesync.foundation.errors import LocalStateError
from casesync.foundation.limits import ARGON2_ITERATIONS_MIN, ARGON2_MEMORY_KIB_MIN


@pytest.fixture
def counted(monkeypatch):
    """Counts derivations and notes what they cost."""
    calls = Counter()
    real = passphrase.Argon2id

    class Counted:
        def __init__(self, **costs):
            assert costs["memory_cost"] >= ARGON2_MEMORY_KIB_MIN
            assert costs["iterations"] >= ARGON2_ITERATIONS_MIN
            self._real = real(**costs)

        def derive(self, typed):
            calls["argon2id"] += 1
            return self._real.derive(typed)

    monkeypatch.setattr(passphrase, "Argon2id", Counted)
    return calls


def test_each_guess_costs_exactly_one_derivation(tmp_path, counted):
    create_vault(tmp_path, "correct horse battery", SystemEntropy())
    counted.clear()
    for guesses, guess in enumerate(("password", "correct horsf", "", "Correct horse"), start=1):
        with pytest.raises(LocalStateError) as raised:
            open_vault(tmp_path, guess)
        assert raised.value.code == "passphrase-wrong"
        assert counted["argon2id"] == guesses


def test_the_right_passphrase_costs_the_same(tmp_path, counted):
    key = create_vault(tmp_path, "correct horse battery", SystemEntropy())
    counted.clear()
    assert open_vault(tmp_path, "correct horse battery") == key
    assert counted["argon2id"] == 1


def test_no_file_of_the_folder_holds_the_key_or_anything_of_the_passphrase(tmp_path, counted):
    key = create_vault(tmp_path, "correct horse battery", SystemEntropy())
    anchor.write(tmp_path, anchor.EMPTY)
    with Home(tmp_path).locked("sync"):
        found = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert found
    assert key.reveal() not in found
    assert key.reveal().hex().encode() not in found
    assert b"correct" not in found
    assert fetch_key(tmp_path) is None


def test_two_replicas_with_one_passphrase_share_no_work(tmp_path, counted):
    """A table made for one salt says nothing about another."""
    for name in ("one", "two"):
        create_vault(tmp_path / name, "correct horse battery", SystemEntropy())
    one, two = ((tmp_path / name / "vault").read_bytes() for name in ("one", "two"))
    assert not {one[i : i + 16] for i in range(len(one) - 16)} & {
        two[i : i + 16] for i in range(len(two) - 16)
    }
