"""Small commits find room in the log and leave a database that anybody can read (log_room.py)."""

from __future__ import annotations

import resource
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.log_room import PATIENCE, ROOM_BYTES, SMALL_BYTES_MAX
from casesync.storage.sql_store import SqlStore, open_encrypted, open_plain

KEY = SecretBytes(b"k" * 32)
OPENERS = [open_plain, lambda path: open_encrypted(path, KEY)]


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    return folder / "replica.db"


def log_bytes(path: Path) -> int:
    return Path(f"{path}-wal").stat().st_size


def small(store: SqlStore, count: int) -> None:
    """So many commits of a page or two."""
    for at in range(count):
        with store.transaction() as transaction:
            transaction.put_value("small", b"%d" % at)


def large(store: SqlStore, mark: bytes) -> None:
    with store.transaction() as transaction:
        transaction.put_value("large", mark * SMALL_BYTES_MAX)


@pytest.mark.parametrize("opener", OPENERS)
def test_many_small_commits_seldom_lengthen_the_log(path, opener):
    store = opener(path)
    small(store, PATIENCE)
    sizes = []
    for _ in range(100):
        small(store, 1)
        sizes.append(log_bytes(path))
    assert len(set(sizes)) <= 5
    assert sizes[-1] <= sizes[0] + 100 * 3 * 16_384 + ROOM_BYTES
    store.close()


def test_a_command_of_a_few_commits_makes_no_room(path):
    store = open_plain(path)
    before = log_bytes(path)
    small(store, PATIENCE - 1)
    assert log_bytes(path) - before < ROOM_BYTES
    store.close()


def test_bulk_work_makes_none_either(path):
    store = open_plain(path)
    small(store, PATIENCE - 1)
    sizes = [log_bytes(path)]
    for at in range(4):
        large(store, b"%d" % at)
        small(store, 2)
        sizes.append(log_bytes(path))
    grown = [after - before for before, after in pairwise(sizes)]
    assert max(grown) < ROOM_BYTES
    store.close()


@pytest.mark.parametrize("opener", OPENERS)
def test_after_a_crash_everything_is_there(path, opener, tmp_path):
    """With room behind the last commit, and with half of it (the file system had no more)."""
    store = opener(path)
    small(store, 3 * PATIENCE)
    used = log_bytes(path)
    for cut in (0, 5_000, ROOM_BYTES // 2):
        copy = tmp_path / f"{cut}"
        shutil.copytree(path.parent, copy)
        with Path(f"{copy / path.name}-wal").open("r+b") as file:
            file.truncate(used - cut)
        again = opener(copy / path.name)
        with again.transaction() as transaction:
            assert transaction.value("small") == b"%d" % (3 * PATIENCE - 1)
        small(again, 1)
        again.check()
        again.close()
    store.close()


def test_where_the_disk_has_no_room_the_log_stays_as_it_was(path):
    store = open_plain(path)
    small(store, PATIENCE - 2)
    size = log_bytes(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + ROOM_BYTES // 2, limits[1]))
    try:
        small(store, 4)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert size < log_bytes(path) < size + ROOM_BYTES // 2
    with store.transaction() as transaction:
        assert transaction.value("small") == b"3"
    store.close()
