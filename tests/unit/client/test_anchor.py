"""The anchor outside the database (DESIGN.md 6, Restored and cloned devices; attack 60)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.client import anchor
from casesync.client.anchor import EMPTY, Anchor
from casesync.client.home import Home
from casesync.foundation.errors import LocalStateError

HERE = Anchor(7, b"l" * 32, 12, 400)


def test_the_anchor_comes_back(tmp_path):
    assert anchor.read(tmp_path) is None
    for value in (EMPTY, HERE, HERE._replace(number=2**48 - 1)):
        anchor.write(tmp_path, value)
        assert anchor.read(tmp_path) == value


@pytest.mark.parametrize(
    "database",
    [
        HERE._replace(number=6, link=b"k" * 32),
        HERE._replace(link=b"k" * 32),
        HERE._replace(control_size=11),
        HERE._replace(cursor=399),
        HERE._replace(number=8, link=b"m" * 32, cursor=399),
        EMPTY,
    ],
    ids=["number", "link", "control size", "cursor", "ahead and behind", "empty"],
)
def test_a_database_behind_its_anchor_is_rolled_back(database):
    with pytest.raises(LocalStateError) as raised:
        anchor.check(HERE, database)
    assert raised.value.code == "database-rolled-back"


def test_a_database_without_its_anchor_was_copied_here():
    with pytest.raises(LocalStateError) as raised:
        anchor.check(None, HERE)
    assert raised.value.code == "database-rolled-back"
    anchor.check(None, EMPTY)


@pytest.mark.parametrize(
    "database",
    [HERE, HERE._replace(number=8, link=b"m" * 32), HERE._replace(control_size=13, cursor=500)],
)
def test_a_database_ahead_of_its_anchor_is_a_crash_and_goes_on(database):
    anchor.check(HERE, database)


def test_the_enrolment_gives_a_link_before_any_change():
    anchor.check(EMPTY, Anchor(0, b"e" * 32, 8, 0))


@given(st.binary(max_size=120))
def test_a_damaged_anchor_says_so(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("home")
    Home(folder).anchor.write_bytes(data)
    with pytest.raises(LocalStateError) as raised:
        anchor.read(folder)
    assert raised.value.code == "anchor-damaged"


def test_every_changed_byte_is_noticed(tmp_path):
    anchor.write(tmp_path, HERE)
    path = Home(tmp_path).anchor
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(LocalStateError):
            anchor.read(tmp_path)


WRITE = """
import sys
from itertools import count
from pathlib import Path
from casesync.client.anchor import Anchor, write
for number in count(1):
    write(Path(sys.argv[1]), Anchor(number, number.to_bytes(32, "big"), number, number))
    print(number, flush=True)
"""


def test_a_process_killed_while_writing_leaves_a_whole_anchor(tmp_path):
    for kills in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        said = 0
        for _ in range(20 + 7 * kills):
            said = int(process.stdout.readline())
        process.kill()
        rest = process.communicate(timeout=30)[0].split()
        said = int(rest[-1]) if rest else said
        found = anchor.read(tmp_path)
        assert found is not None
        assert found == Anchor(
            found.number, found.number.to_bytes(32, "big"), found.number, found.number
        )
        assert found.number >= said, "what was reported written is there"
