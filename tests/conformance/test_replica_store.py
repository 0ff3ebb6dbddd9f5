"""The replica's store keeps its contract, encrypted and plain (sync/ports.py, DESIGN.md 9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.sql_store import open_encrypted, open_plain
from casesync.testing import (
    conformance_store,
    conformance_store_lists,
    conformance_store_own,
)
from casesync.testing.conformance_store import CHECKS
from casesync.testing.conformance_store_lists import CHECKS_OF_LISTS
from casesync.testing.conformance_store_own import CHECKS_OF_OWN


class Encrypted:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "replica.db"

    def open(self):
        return open_encrypted(self.path, SecretBytes(b"k" * 32))


class Plain(Encrypted):
    def open(self):
        return open_plain(self.path)


@pytest.mark.parametrize("place", [Encrypted, Plain])
@pytest.mark.parametrize(
    "check", [*CHECKS, *CHECKS_OF_LISTS, *CHECKS_OF_OWN], ids=lambda check: check.__name__
)
def test_the_store_keeps_the_contract(check, place, tmp_path):
    check(place(tmp_path))


def test_every_check_is_in_the_suite():
    for module, checks in (
        (conformance_store, CHECKS),
        (conformance_store_lists, CHECKS_OF_LISTS),
        (conformance_store_own, CHECKS_OF_OWN),
    ):
        written = {
            name
            for name, value in vars(module).items()
            if getattr(value, "__annotations__", {}) == {"place": "StorePlace", "return": "None"}
        }
        assert written == {check.__name__ for check in checks}
