"""The anchor outside the database (DESIGN.md 6, Restored and cloned devices; attack 60)."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casesync.client import anchor, durable_file
from casesync.client.anchor import EMPTY, SLOT_BYTES, Anchor
from casesync.client.home import Home
from casesync.codec.canonical import pack
from casesync.foundation.errors import LocalStateError
from casesync.testing.offices import Offices

HERE = Anchor(7, b"l" * 32, 12, 400)
RECORD_BYTES = 76


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


BEFORE = HERE._replace(number=6, link=b"k" * 32, cursor=390)


def _with_changed_byte(path, position):
    whole = path.read_bytes()
    path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
    return whole


def test_every_changed_byte_of_the_newer_moment_leaves_the_older(tmp_path):
    anchor.write(tmp_path, BEFORE)
    anchor.write(tmp_path, HERE)
    path = Home(tmp_path).anchor
    for position in range(RECORD_BYTES):
        whole = _with_changed_byte(path, SLOT_BYTES + position)
        assert anchor.read(tmp_path) == BEFORE
        _with_changed_byte(path, position)
        with pytest.raises(LocalStateError) as raised:
            anchor.read(tmp_path)
        assert raised.value.code == "anchor-damaged"
        path.write_bytes(whole)
    assert anchor.read(tmp_path) == HERE


def test_a_torn_write_leaves_the_moment_before(tmp_path):
    """Whatever part of the new moment reached the disk (protocol/decisions/0014)."""
    path = Home(tmp_path).anchor
    anchor.write(tmp_path, EMPTY)
    anchor.write(tmp_path, BEFORE)
    before = path.read_bytes()
    anchor.write(tmp_path, HERE)
    after = path.read_bytes()
    changed = [at for at in range(len(after)) if before[at] != after[at]]
    assert changed
    assert changed[-1] < RECORD_BYTES, "the block of the moment before was not touched"
    for torn in range(changed[0] + 1, changed[-1] + 1):
        path.write_bytes(after[:torn] + before[torn:])
        assert anchor.read(tmp_path) == BEFORE
        path.write_bytes(before[:torn] + after[torn:])
        assert anchor.read(tmp_path) == BEFORE


def test_after_a_torn_write_the_next_goes_over_the_torn_one(tmp_path):
    anchor.write(tmp_path, BEFORE)
    anchor.write(tmp_path, HERE)
    _with_changed_byte(Home(tmp_path).anchor, SLOT_BYTES)
    anchor.write(tmp_path, HERE)
    assert anchor.read(tmp_path) == HERE
    _with_changed_byte(Home(tmp_path).anchor, SLOT_BYTES)
    assert anchor.read(tmp_path) == BEFORE


def test_an_anchor_of_the_older_form_is_read_and_then_replaced(tmp_path):
    body = pack([1, *BEFORE])
    Home(tmp_path).anchor.write_bytes(body + sha256(body).digest()[:8])
    assert anchor.read(tmp_path) == BEFORE
    anchor.write(tmp_path, HERE)
    assert anchor.read(tmp_path) == HERE
    assert Home(tmp_path).anchor.stat().st_size == 2 * SLOT_BYTES


@pytest.mark.parametrize("length", [None, 0, 9, SLOT_BYTES, 2 * SLOT_BYTES - 1, 9000])
def test_a_file_that_lost_its_length_under_a_running_process_is_replaced_whole(tmp_path, length):
    slot = anchor.write(tmp_path, EMPTY)
    slot = anchor.write(tmp_path, BEFORE, slot)
    path = Home(tmp_path).anchor
    if length is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().ljust(length, b"\0")[:length])
    for moment in (HERE, HERE._replace(cursor=401), HERE._replace(cursor=402)):
        slot = anchor.write(tmp_path, moment, slot)
        assert anchor.read(tmp_path) == moment
        assert path.stat().st_size == 2 * SLOT_BYTES


@pytest.mark.parametrize(("number", "code"), [(28, "disk-full"), (5, "disk-error")])
@pytest.mark.parametrize("step", ["pwrite", "_flush_data"])
def test_a_write_that_fails_keeps_a_whole_moment(tmp_path, monkeypatch, step, number, code):
    anchor.write(tmp_path, BEFORE)

    def fail(*_):
        raise OSError(number, "no")

    owner = durable_file.os if step == "pwrite" else durable_file
    monkeypatch.setattr(owner, step, fail)
    with pytest.raises(LocalStateError) as raised:
        anchor.write(tmp_path, HERE)
    assert raised.value.code == code
    monkeypatch.undo()
    assert anchor.read(tmp_path) in (BEFORE, HERE)


def test_a_link_laid_in_the_way_is_not_written_through(tmp_path):
    anchor.write(tmp_path, BEFORE)
    path, victim = Home(tmp_path).anchor, tmp_path / "victim"
    path.rename(victim)
    path.symlink_to(victim)
    held = victim.read_bytes()
    with pytest.raises(LocalStateError) as raised:
        anchor.write(tmp_path, HERE)
    assert raised.value.code == "disk-error"
    assert victim.read_bytes() == held


def test_a_look_leaves_the_anchor_alone_and_a_save_moves_it(tmp_path):
    """An access entry changes no number that the anchor holds, so it costs no flush of it."""
    replica = Offices("anchor").found()
    core = replica.core
    core.folder = tmp_path
    core.log("read")
    held = Home(tmp_path).anchor.read_bytes()
    core.log("read")
    assert Home(tmp_path).anchor.read_bytes() == held
    before = anchor.read(tmp_path)
    replica.new_case(["gbv"])
    assert anchor.read(tmp_path).number == before.number + 1


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
