"""The folder of one replica: what lies where, and who may use it (client).

One process at a time works on a replica: it holds the lock of its folder. The folder is its owner's
alone (0700). What the files contain is decided by ``vault.py``, ``anchor.py`` and the storage
floor.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

from casesync.client.durable_file import FILE_MODE
from casesync.foundation.errors import LocalStateError

FOLDER_MODE: Final = 0o700
LOCK_ATTEMPTS: Final = 31
LOCK_PAUSE_S: Final = 0.1
"""31 attempts with 30 pauses: three seconds, longer than most commands take."""
LOCK_NOTE_BYTES_MAX: Final = 512
SOCKET_FOLDER_BYTES_MAX: Final = 64
"""A socket's path is at most 103 bytes long on some systems; ours adds at most 40."""
_COMMAND_CHARS_MAX: Final = 64


class Home:
    """The places in one replica's folder; creating the object touches nothing."""

    __slots__ = ("folder",)

    def __init__(self, folder: Path) -> None:
        """Args: folder: the replica's folder; need not exist."""
        self.folder: Final = folder.expanduser().absolute()

    @classmethod
    def default(cls) -> Home:
        """Where a replica lives on this system if nobody says otherwise."""
        return cls(user_data_path("casesync", appauthor=False))

    @property
    def database(self) -> Path:
        """The encrypted database."""
        return self.folder / "replica.db"

    @property
    def unfinished(self) -> Path:
        """The database while a start fills it; it gets its name when it is whole."""
        return self.folder / "replica.db.new"

    @property
    def vault(self) -> Path:
        """The database key, wrapped under the passphrase."""
        return self.folder / "vault"

    @property
    def anchor(self) -> Path:
        """How far the database had come (``anchor.py``)."""
        return self.folder / "anchor"

    @property
    def lock_file(self) -> Path:
        """Held while a process works on the replica."""
        return self.folder / "lock"

    @property
    def config(self) -> Path:
        """Settings of this installation that are not secret."""
        return self.folder / "config.toml"

    @property
    def starting(self) -> Path:
        """Lies here while the folder is being made."""
        return self.folder / "starting"

    def exists(self) -> bool:
        """Whether the database of a replica lies here."""
        return self.database.exists()

    def refuse_lost_database(self) -> None:
        """Without its database a replica is damaged, and its key must not be written over.

        What a start left that was interrupted is no replica.

        Raises:
            LocalStateError: ``database-missing``.
        """
        if self.exists() or self.starting.exists():
            return
        if self.vault.exists() or self.anchor.exists():
            raise LocalStateError("database-missing", folder=str(self.folder))

    def require(self) -> None:
        """Raises: LocalStateError: ``home-missing``, ``database-missing``."""
        self.refuse_lost_database()
        if not self.exists():
            raise LocalStateError("home-missing", folder=str(self.folder))

    def prepare(self) -> None:
        """Create the folder, or narrow it to its owner.

        Raises:
            LocalStateError: ``disk-full`` or ``disk-error``.
        """
        try:
            self.folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            if stat.S_IMODE(self.folder.stat().st_mode) != FOLDER_MODE:
                self.folder.chmod(FOLDER_MODE)
        except OSError as error:
            code = "disk-full" if error.errno == errno.ENOSPC else "disk-error"
            raise LocalStateError(code) from error

    def socket(self) -> Path:
        """Where the unlock agent of this folder listens.

        Not in the folder itself, whose path may be too long for a socket. The folder it lies in
        belongs to this user alone.

        Raises:
            LocalStateError: ``runtime-folder-unsafe``: somebody else owns or may write it.
        """
        name = sha256(os.fsencode(self.folder.resolve())).hexdigest()[:16]
        return _runtime_folder() / f"{name}.sock"

    @contextmanager
    def locked(self, command: str, sleep: Callable[[float], None] = time.sleep) -> Iterator[None]:
        """Hold the replica; waits three seconds for another process to finish.

        Args:
            command: what holds it, for the message to whoever waits: the command's name, never its
                arguments.
            sleep: waits so many seconds.

        Raises:
            LocalStateError: ``database-locked`` with ``pid`` and ``command`` of the holder;
                ``home-missing``: a start that held it failed and left nothing; ``disk-error``,
                ``disk-full``.
        """
        descriptor = self._open_lock()
        try:
            _acquire(descriptor, sleep)
            if not _lies_at(descriptor, self.lock_file):  # its holder took the folder away
                raise LocalStateError("home-missing", folder=str(self.folder))
            _leave_note(descriptor, command)
            yield
        finally:
            os.close(descriptor)  # releases the lock

    def _open_lock(self) -> int:
        self.prepare()
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            return os.open(self.lock_file, flags, FILE_MODE)
        except OSError as error:
            code = "disk-full" if error.errno == errno.ENOSPC else "disk-error"
            raise LocalStateError(code) from error


def _acquire(descriptor: int, sleep: Callable[[float], None]) -> None:
    for attempt in range(LOCK_ATTEMPTS):
        if attempt:
            sleep(LOCK_PAUSE_S)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        except OSError as error:
            raise LocalStateError("disk-error") from error
        return
    pid, command = _read_note(descriptor)
    raise LocalStateError("database-locked", pid=pid, command=command)


def _lies_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one that others find there."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def _leave_note(descriptor: int, command: str) -> None:
    """Say who holds the lock; on a full disk the lock still holds."""
    note = json.dumps({"pid": os.getpid(), "command": command[:_COMMAND_CHARS_MAX]})
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(), 0)
    except OSError:
        return


def _read_note(descriptor: int) -> tuple[int | str, str]:
    try:
        note = json.loads(os.pread(descriptor, LOCK_NOTE_BYTES_MAX, 0))
        return int(note["pid"]), str(note["command"])[:_COMMAND_CHARS_MAX]
    except (OSError, ValueError, KeyError, TypeError):
        return "?", "?"


def _runtime_folder() -> Path:
    """A folder of this user alone, with a short path, gone after logout where the system can."""
    session = os.environ.get("XDG_RUNTIME_DIR")
    candidates = [Path(session) / "casesync"] if session else []
    private = f"casesync-{os.getuid()}"
    candidates += [Path(tempfile.gettempdir()) / private, Path("/tmp") / private]  # noqa: S108
    for folder in candidates:
        if len(os.fsencode(folder)) <= SOCKET_FOLDER_BYTES_MAX and _usable(folder):
            return folder
    raise LocalStateError("runtime-folder-unsafe")


def _usable(folder: Path) -> bool:
    """Whether ``folder`` exists now, is ours and nobody else's, and is not a link."""
    try:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    ours = found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) == FOLDER_MODE
    return ours and stat.S_ISDIR(found.st_mode)
