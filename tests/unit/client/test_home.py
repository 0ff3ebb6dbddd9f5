"""The folder of one replica and its lock, with real processes (DESIGN.md 9; attack 63)."""

from __future__ import annotations

import stat
import subprocess
import sys

import pytest

from casesync.client import durable_file, home, opening
from casesync.client.durable_file import read_small, replace_durably
from casesync.client.home import LOCK_ATTEMPTS, Home
from casesync.client.system_ports import SystemEntropy
from casesync.foundation.errors import LocalStateError

HOLD = """
import sys
from pathlib import Path
from casesync.client.home import Home
with Home(Path(sys.argv[1])).locked("sync"):
    print("held", flush=True)
    sys.stdin.read()
"""


class Holder:
    """Another process that holds the lock until it is told to stop."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "held\n"

    def finish(self):
        self.process.communicate(timeout=30)

    def kill(self):
        self.process.kill()
        self.finish()


@pytest.fixture
def holder(tmp_path):
    holder = Holder(tmp_path)
    yield holder
    holder.kill()


class CountedSleep:
    def __init__(self, then=None, at=1):
        self.slept_s = 0.0
        self.count = 0
        self._then, self._at = then, at

    def __call__(self, seconds):
        self.slept_s += seconds
        self.count += 1
        if self.count == self._at and self._then:
            self._then()


def test_a_second_process_waits_three_seconds_and_says_who_holds_the_replica(tmp_path, holder):
    sleep = CountedSleep()
    with (
        pytest.raises(LocalStateError) as raised,
        Home(tmp_path).locked("case list", sleep=sleep),
    ):
        pytest.fail("two processes hold one replica")
    assert raised.value.code == "database-locked"
    assert raised.value.params == {"pid": holder.process.pid, "command": "sync"}
    assert sleep.count == LOCK_ATTEMPTS - 1
    assert sleep.slept_s == pytest.approx(3.0)


@pytest.mark.parametrize("end", ["finish", "kill"])
def test_whoever_waits_gets_the_lock_when_the_holder_ends_or_is_killed(tmp_path, holder, end):
    sleep = CountedSleep(then=getattr(holder, end), at=3)
    with Home(tmp_path).locked("sync", sleep=sleep):
        assert sleep.count == 3


def test_one_process_cannot_hold_a_replica_twice(tmp_path):
    one, other = Home(tmp_path), Home(tmp_path)
    with one.locked("sync"), pytest.raises(LocalStateError), other.locked("x", CountedSleep()):
        pytest.fail("held twice")
    with other.locked("x", CountedSleep()):
        pass


def test_the_lock_is_released_when_the_command_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), Home(tmp_path).locked("sync"):
        raise ZeroDivisionError
    with Home(tmp_path).locked("sync", CountedSleep()):
        pass


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b'{"pid": "x"}', b"\xff" * 600])
def test_a_lock_whose_note_is_unreadable_is_still_a_lock(tmp_path, holder, note):
    (tmp_path / "lock").write_bytes(note)
    with pytest.raises(LocalStateError) as raised, Home(tmp_path).locked("x", CountedSleep()):
        pytest.fail("held twice")
    assert raised.value.params == {"pid": "?", "command": "?"}


def test_the_lock_file_is_not_followed_elsewhere(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "lock").symlink_to(victim)
    with pytest.raises(LocalStateError), Home(folder).locked("sync"):
        pytest.fail("followed a link")
    assert victim.read_text() == "precious"


def test_the_folder_belongs_to_its_owner_alone(tmp_path):
    folder = tmp_path / "deep" / "home"
    Home(folder).prepare()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    Home(folder).prepare()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_place_that_cannot_be_a_folder_is_an_error_of_this_device(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalStateError):
        Home(tmp_path / "file" / "home").prepare()


def test_every_home_has_a_short_socket_path_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
    long = tmp_path / ("y" * 200)
    paths = {str(Home(folder).socket()) for folder in (tmp_path, long, tmp_path / "z")}
    assert len(paths) == 3
    assert max(map(len, paths)) <= 103
    assert Home(tmp_path).socket() == Home(tmp_path / "z" / "..").socket()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_runtime_folder_others_may_enter_is_not_used(tmp_path, monkeypatch, mode):
    for name in (tmp_path / "run", tmp_path / "tmp"):
        name.mkdir()
    monkeypatch.setattr(home, "SOCKET_FOLDER_BYTES_MAX", 4096)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "run" / "casesync").mkdir(mode=0o700)
    assert Home(tmp_path).socket().parent == tmp_path / "run" / "casesync"
    (tmp_path / "run" / "casesync").chmod(mode)
    assert Home(tmp_path).socket().parent != tmp_path / "run" / "casesync"


# -- small durable files ------------------------------------------------------------------------


def test_a_small_file_is_replaced_whole_and_is_its_owners_alone(tmp_path):
    path = tmp_path / "vault"
    for content in (b"one", b"a longer one", b""):
        replace_durably(path, content)
        assert read_small(path) == content
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["vault"]


def test_what_does_not_exist_is_none(tmp_path):
    assert read_small(tmp_path / "vault") is None


@pytest.mark.parametrize("step", ["write", "fsync"])
@pytest.mark.parametrize(
    ("number", "code"), [(28, "disk-full"), (122, "disk-full"), (5, "disk-error")]
)
def test_a_failure_at_any_step_keeps_the_old_file(tmp_path, monkeypatch, step, number, code):
    path = tmp_path / "vault"
    replace_durably(path, b"old")

    def fail(*_):
        raise OSError(number, "no")

    monkeypatch.setattr(durable_file.os, step, fail)
    with pytest.raises(LocalStateError) as raised:
        replace_durably(path, b"new")
    monkeypatch.undo()
    assert raised.value.code == code
    assert read_small(path) == b"old"


def test_short_writes_are_completed(tmp_path, monkeypatch):
    real = durable_file.os.write
    monkeypatch.setattr(durable_file.os, "write", lambda fd, data: real(fd, bytes(data[:1])))
    replace_durably(tmp_path / "vault", b"whole")
    assert read_small(tmp_path / "vault") == b"whole"


def test_a_link_laid_in_the_way_is_not_written_through(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "vault.new").symlink_to(victim)
    with pytest.raises(LocalStateError):
        replace_durably(tmp_path / "vault", b"new")
    assert victim.read_text() == "precious"


def test_what_an_interrupted_start_left_is_made_anew(tmp_path):
    """Cut off before the database, again after it: neither is a replica that lost its own."""
    place = Home(tmp_path / "home")
    opening.create_folder(place.folder, "hoa sen ven hồ Tây", SystemEntropy(), lambda _: None)
    assert not place.starting.exists()
    place.database.unlink()
    place.starting.touch()
    opening.refuse_existing(place.folder)
    opening.create_folder(place.folder, "hoa sen ven hồ Tây", SystemEntropy(), lambda _: None)
    place.starting.touch()
    opening.database_key(place.folder, "hoa sen ven hồ Tây")
    place.database.unlink()
    for use in (
        opening.refuse_existing,
        lambda folder: opening.database_key(folder, "hoa sen ven hồ Tây"),
    ):
        with pytest.raises(LocalStateError) as raised:
            use(place.folder)
        assert raised.value.code == "database-missing"
