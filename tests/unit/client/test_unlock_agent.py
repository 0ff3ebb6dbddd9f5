"""Keeping a replica open: real processes and sockets that end by themselves."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from casesync.client import unlock_agent
from casesync.client.home import Home
from casesync.client.system_ports import SystemEntropy
from casesync.client.vault import create_vault
from casesync.foundation.errors import LocalStateError, UsageError
from casesync.foundation.limits import UNLOCK_SECONDS_MAX
from casesync.foundation.secret_bytes import SecretBytes

KEY = SecretBytes(b"KEY-of-the-database-32-bytes-ok!")
PATIENCE_S = 20
linux = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc (Linux)")


def _until(condition):
    """Poll until ``condition`` holds; fails after a bound no healthy machine reaches."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("it did not happen")


@pytest.fixture(autouse=True)
def runtime(monkeypatch):
    """A runtime folder of the test's own, with a short path."""
    folder = Path(tempfile.mkdtemp(prefix="cs"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder(tmp_path):
    yield tmp_path
    unlock_agent.lock(tmp_path)


def _connect(folder):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(PATIENCE_S)
    connection.connect(str(Home(folder).socket()))
    return connection


def _agent_pid(folder):
    with _connect(folder) as connection:
        layout = struct.Struct("3i")
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, layout.size)
        return layout.unpack(found)[0]


def _gone(pid):
    """Whether the process ended (an init that reaps late leaves it as a zombie)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def test_a_locked_replica_gives_no_key(folder):
    assert unlock_agent.fetch_key(folder) is None
    assert unlock_agent.lock(folder) is False


def test_an_unlocked_replica_gives_its_key_to_another_process(folder):
    unlock_agent.unlock(folder, KEY, 60)
    assert unlock_agent.fetch_key(folder) == KEY
    script = (
        "import sys; from pathlib import Path; from casesync.client.unlock_agent import fetch_key;"
        "sys.stdout.write(fetch_key(Path(sys.argv[1])).reveal().decode())"
    )
    other = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, check=True, timeout=60
    )
    assert other.stdout == KEY.reveal()


def test_the_passphrase_unlocks_and_a_wrong_one_does_not(folder):
    key = create_vault(folder, "correct horse battery", SystemEntropy())
    with pytest.raises(LocalStateError) as raised:
        unlock_agent.unlock(folder, "wrong", 60)
    assert raised.value.code == "passphrase-wrong"
    assert unlock_agent.fetch_key(folder) is None
    unlock_agent.unlock(folder, "correct horse battery", 60)
    assert unlock_agent.fetch_key(folder) == key


def test_homes_do_not_share_their_keys(folder):
    unlock_agent.unlock(folder, KEY, 60)
    assert unlock_agent.fetch_key(folder / "other") is None


@linux
def test_lock_ends_the_process_and_nobody_gets_the_key_any_more(folder):
    unlock_agent.unlock(folder, KEY, 60)
    pid = _agent_pid(folder)
    assert unlock_agent.lock(folder) is True
    assert not Home(folder).socket().exists()
    assert unlock_agent.fetch_key(folder) is None
    _until(lambda: _gone(pid))


@linux
def test_the_time_ends_the_process(folder):
    unlock_agent.unlock(folder, KEY, 1)
    pid = _agent_pid(folder)
    _until(lambda: _gone(pid))
    assert unlock_agent.fetch_key(folder) is None
    assert not Home(folder).socket().exists()


@linux
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_and_removes_the_socket(folder, number):
    unlock_agent.unlock(folder, KEY, 60)
    pid = _agent_pid(folder)
    os.kill(pid, number)
    _until(lambda: _gone(pid))
    assert not Home(folder).socket().exists()


@linux
def test_the_end_of_the_session_ends_the_process(folder):
    """The session's first process unlocks and leaves, as a login shell does at logout."""
    script = (
        "import sys; from pathlib import Path\n"
        "from casesync.client.unlock_agent import fetch_key, unlock\n"
        "from casesync.foundation.secret_bytes import SecretBytes\n"
        "unlock(Path(sys.argv[1]), SecretBytes(b'k' * 32), 600)\n"
        "print(fetch_key(Path(sys.argv[1])) is not None, flush=True)\n"
        "sys.stdin.read()\n"
    )
    session = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert session.stdout.readline() == "True\n"
    pid = _agent_pid(folder)
    assert not _gone(pid)
    session.communicate(timeout=PATIENCE_S)
    _until(lambda: _gone(pid))


@linux
def test_without_its_socket_the_process_ends(folder):
    """The system removes the runtime folder at logout."""
    unlock_agent.unlock(folder, KEY, 60)
    pid = _agent_pid(folder)
    Home(folder).socket().unlink()
    _until(lambda: _gone(pid))


@linux
def test_a_second_unlock_replaces_the_first(folder):
    unlock_agent.unlock(folder, KEY, 60)
    pid = _agent_pid(folder)
    unlock_agent.unlock(folder, SecretBytes(b"n" * 32), 60)
    assert unlock_agent.fetch_key(folder) == SecretBytes(b"n" * 32)
    _until(lambda: _gone(pid))
    assert unlock_agent.fetch_key(folder) == SecretBytes(b"n" * 32)


@linux
def test_neither_key_nor_passphrase_stands_in_arguments_or_environment(folder, monkeypatch):
    create_vault(folder, "correct horse battery", SystemEntropy())
    monkeypatch.setenv("CASESYNC_PASSPHRASE", "correct horse battery")
    unlock_agent.unlock(folder, "correct horse battery", 60)
    key = unlock_agent.fetch_key(folder)
    process = Path(f"/proc/{_agent_pid(folder)}")
    shown = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert b"unlock_agent" in shown
    assert b"correct horse battery" not in shown
    assert key.reveal() not in shown
    assert key.reveal().hex().encode() not in shown
    assert not [fd for fd in (process / "fd").iterdir() if str(folder) in str(fd.resolve())]


@linux
def test_the_process_keeps_no_pipe_of_the_command_that_started_it(folder):
    unlock_agent.unlock(folder, KEY, 60)
    standard = [Path(f"/proc/{_agent_pid(folder)}/fd/{number}") for number in range(3)]
    _until(lambda: {str(entry.readlink()) for entry in standard} == {"/dev/null"})


@linux
def test_a_crash_of_the_process_writes_no_core(folder):
    unlock_agent.unlock(folder, KEY, 60)
    limits = Path(f"/proc/{_agent_pid(folder)}/limits").read_text()
    (core,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]


def test_the_socket_is_its_owners_alone(folder):
    unlock_agent.unlock(folder, KEY, 60)
    path = Home(folder).socket()
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.lstat().st_mode) == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody else")
def test_another_user_gets_no_key_even_where_the_socket_is_open_to_all(folder, runtime):
    unlock_agent.unlock(folder, KEY, 60)
    path = Home(folder).socket()
    runtime.chmod(0o711)
    path.parent.chmod(0o711)
    path.chmod(0o666)
    assert _bytes_given_to(65534, path) == 0
    assert _bytes_given_to(0, path) == 32
    path.parent.chmod(0o700)


def _bytes_given_to(user, path):
    """How many bytes a process of ``user`` gets when it asks for the key."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 99
    try:
        if user:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_S)
            connection.connect(str(path))
            connection.sendall(b"K")
            code = len(connection.recv(64))
    except (BrokenPipeError, ConnectionResetError):
        code = 0
    finally:
        os._exit(code)


@pytest.mark.parametrize("question", [b"", b"X", b"\x00" * 4096])
def test_a_peer_that_talks_nonsense_gets_nothing_and_stops_nobody(folder, question):
    unlock_agent.unlock(folder, KEY, 60)
    with _connect(folder) as connection:
        connection.sendall(question)
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(64) == b""
    assert unlock_agent.fetch_key(folder) == KEY


def test_a_file_in_the_place_of_the_socket_is_no_agent(folder):
    Home(folder).socket().write_bytes(b"K" * 64)
    assert unlock_agent.fetch_key(folder) is None
    unlock_agent.unlock(folder, KEY, 60)
    assert unlock_agent.fetch_key(folder) == KEY


def test_a_socket_left_by_a_killed_process_is_replaced(folder):
    unlock_agent.unlock(folder, KEY, 60)
    os.kill(_agent_pid(folder), signal.SIGKILL)
    _until(lambda: unlock_agent.fetch_key(folder) is None)
    unlock_agent.unlock(folder, KEY, 60)
    assert unlock_agent.fetch_key(folder) == KEY


@pytest.mark.parametrize("for_s", [0, -1, UNLOCK_SECONDS_MAX + 1])
def test_a_time_out_of_bounds_is_refused_before_the_passphrase_is_tried(folder, for_s):
    with pytest.raises(UsageError) as raised:
        unlock_agent.unlock(folder, "whatever", for_s)
    assert raised.value.code == "unlock-time"


def test_a_process_that_does_not_start_is_said_so(folder, monkeypatch):
    for broken in ("/bin/false", str(folder / "no-python")):
        monkeypatch.setattr(sys, "executable", broken)
        with pytest.raises(LocalStateError) as raised:
            unlock_agent.unlock(folder, KEY, 60)
        assert raised.value.code == "unlock-failed"
