"""SQLite's errors as the project's own (STYLE 17)."""

from __future__ import annotations

import sqlite3

import pytest
import sqlcipher3

from casesync.foundation.errors import LocalStateError
from casesync.storage.database_errors import DATABASE_ERRORS, converted


def raised(module, code: int) -> Exception:
    error = module.OperationalError("text with a planted value")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize("module", [sqlite3, sqlcipher3])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, "database-locked"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "database-locked"),
        (sqlite3.SQLITE_CORRUPT, "database-corrupt"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "database-corrupt"),
        (sqlite3.SQLITE_FULL, "disk-full"),
        (sqlite3.SQLITE_IOERR_WRITE, "disk-error"),
        (sqlite3.SQLITE_READONLY, "disk-error"),
        (sqlite3.SQLITE_CANTOPEN, "database-does-not-open"),
        (sqlite3.SQLITE_NOTADB, "database-corrupt"),
    ],
)
def test_codes_of_either_library_become_the_same_error(module, code, expected):
    error = raised(module, code)
    assert isinstance(error, DATABASE_ERRORS)
    found = converted(error)
    assert isinstance(found, LocalStateError)
    assert found.code == expected
    assert "planted" not in str(found)


def test_an_unreadable_first_page_means_a_wrong_key_only_while_opening():
    error = raised(sqlcipher3, sqlite3.SQLITE_NOTADB)
    assert converted(error, opening=True).code == "database-does-not-open"


@pytest.mark.parametrize("error", [sqlite3.IntegrityError("x"), sqlite3.ProgrammingError("x")])
def test_our_own_mistakes_stay_what_they_are(error):
    assert converted(error) is error


def test_errors_without_a_code_are_known_by_their_words():
    assert converted(sqlcipher3.OperationalError("database or disk is full")).code == "disk-full"
