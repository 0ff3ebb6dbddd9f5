"""The replica's durable state over SQLCipher (storage floor, DESIGN.md 9).

``open_encrypted`` is what a device uses; ``open_plain`` is the same store over plain SQLite, for
tests, simulation and benchmarks. One process at a time holds a store.
"""

from __future__ import annotations

import _thread
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from typing_extensions import override

from casesync.foundation.errors import LocalStateError
from casesync.foundation.secret_bytes import SecretBytes
from casesync.storage.connection import (
    Connection,
    connect_encrypted,
    connect_plain,
    page_hash_of,
)
from casesync.storage.database_errors import DATABASE_ERRORS, converted
from casesync.storage.log_ahead import LogAhead
from casesync.storage.log_room import LogRoom
from casesync.storage.migrations.runner import migrate
from casesync.storage.session import Session
from casesync.storage.space import AccessReserve, reserve_of
from casesync.storage.sql_transaction import SqlTransaction
from casesync.sync.ports import ReplicaStore, Transaction

_BACKUP: Final = ".before-version-"
_Connect = Callable[[Path, str | None], Connection]
"""Of a file, and what authenticates its pages; None: as it is, or as is best."""


class _Commit:
    """A commit that a thread of its own carries out; the library lets others run meanwhile.

    An interruption reaches the main thread between any two of its steps, so it calls here what is
    harmless twice, and waits with bare locks: it could leave an ``Event`` locked for ever.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._decided = threading.Lock()
        self._decided.acquire()
        self._begun = threading.Lock()
        self._begun.acquire()
        self._over = threading.Lock()
        self._over.acquire()
        self._is_over = False
        self._wanted = False
        self._error: BaseException | None = None

    def start(self) -> None:
        """Have the thread ready."""
        _thread.start_new_thread(self._run, ())

    def _run(self) -> None:
        self._decided.acquire()
        self._begun.release()
        try:
            if self._wanted:
                self._session.commit()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error
        self._is_over = True
        self._over.release()

    def begin(self) -> None:
        """Let the thread commit; once more is harmless."""
        self._wanted = True
        self.abandon()

    def abandon(self) -> None:
        """Let the thread end, if it has not begun."""
        if self._decided.locked():
            self._decided.release()

    def let_begin(self) -> None:
        """Wait until the thread is at it.

        It could not begin while this one keeps the interpreter to itself, as it does while it
        frees a page.
        """
        self._begun.acquire()

    def settle(self) -> None:
        """Return when the thread leaves the connection alone, interrupted or not."""
        interrupted: BaseException | None = None
        while not self._is_over:
            try:
                self._over.acquire()
            except BaseException as error:  # noqa: BLE001 - raised when the thread has ended
                interrupted = error
        if interrupted is not None:
            raise interrupted

    def wait(self) -> None:
        """Return when it is durable. Raises: what the commit raised, to everybody who waits."""
        self.settle()
        if self._error is not None:
            raise self._error


class SqlStore(ReplicaStore):
    """A replica's store over one connection."""

    def __init__(
        self,
        connection: Connection,
        reserve: AccessReserve | None = None,
        room: LogRoom | None = None,
        path: Path | None = None,
    ) -> None:
        """A store.

        Args:
            connection: a migrated database.
            reserve: room for access entries, if it is on a disk.
            room: likewise, in its log.
            path: likewise, its file: copies of it lie beside.
        """
        self._connection = connection
        self._reserve = reserve
        self._room = room
        self._path = path
        self._folder = None if reserve is None else reserve.folder
        self._session = Session(connection, None if path is None else LogAhead(path))
        self._transaction = SqlTransaction(self._session, reserve)
        self._commit: _Commit | None = None
        self._unfinished = False
        """From before the beginning of a step until nothing is left of it, done or undone."""
        self._inside = False
        """While the caller's block runs."""

    @override
    @contextmanager
    def transaction(self, meanwhile: Callable[[], None] | None = None) -> Iterator[Transaction]:
        """One atomic step: committed and durable on exit, undone on any exception.

        Args:
            meanwhile: called on exit, while another thread encrypts and writes.

        Raises:
            LocalStateError: ``disk-full``, ``disk-error``, ``database-locked``,
                ``database-corrupt``; nothing was written.
            UsageError: ``transaction-nested``.
        """
        commit = None if meanwhile is None else _Commit(self._session)
        with _converting(self._folder):
            if self._commit is not None:
                self._commit.wait()
            if self._unfinished and not self._inside:
                self._clear()  # an interruption came while the step before was being undone
            try:
                if commit is not None:
                    commit.start()
                self._unfinished = True
                self._session.begin()
                self._transaction.begin()
                self._transaction.wrote_access = False
                try:
                    yield from self._step()
                    if self._transaction.destroyed and self._path is not None:
                        remove_backups(self._path)
                    self._transaction.flush()
                    if meanwhile is None or commit is None:
                        self._session.commit()
                    else:
                        self._commit_beside(commit, meanwhile)
                except BaseException as error:
                    self._undo(error)
                    raise
            finally:
                if commit is not None:
                    commit.abandon()
            self._transaction.end(undone=False)
            self._unfinished = False
        if self._room is not None:
            self._room.follow()

    def _step(self) -> Iterator[Transaction]:
        self._inside = True
        try:
            yield self._transaction
        finally:
            self._inside = False

    def _commit_beside(self, commit: _Commit, meanwhile: Callable[[], None]) -> None:
        self._transaction.end(undone=False)
        self._commit = commit
        self._unfinished = False  # as far as others may begin: they wait for the commit
        try:
            commit.begin()
            commit.let_begin()
            meanwhile()
        finally:
            commit.begin()
            commit.wait()
            self._commit = None

    def check(self) -> None:
        """Read every page and check what it claims; slow, for ``doctor``.

        Raises:
            LocalStateError: ``database-corrupt``.
        """
        with _converting(self._folder):
            # The cipher's check reads the file alone, where pages that the log has may be torn.
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            # Plain SQLite knows no cipher and answers nothing to this one.
            failures = self._connection.execute("PRAGMA cipher_integrity_check").fetchall()
            failures += self._connection.execute("PRAGMA integrity_check").fetchall()
        if failures != [("ok",)]:
            raise LocalStateError("database-corrupt")

    @override
    def close(self) -> None:
        with _converting(self._folder):
            self._connection.close()

    def _undo(self, error: BaseException) -> None:
        self._unfinished = True
        self._clear()
        if (
            self._transaction.wrote_access
            and self._reserve is not None
            and _is_full(error, self._folder)
        ):
            # Room by other measures than the disk's (a quota) ended: the next attempt has some.
            self._reserve.release()

    def _clear(self) -> None:
        """Leave nothing of a step that is not done, neither in the database nor in memory."""
        if self._commit is not None:
            self._commit.abandon()
            self._commit.settle()
            self._commit = None
        # If even the roll-back fails the connection is unusable; the first error says why.
        with suppress(*DATABASE_ERRORS):
            self._session.roll_back()
        self._transaction.end(undone=True)
        self._unfinished = False


def open_encrypted(path: Path, key: SecretBytes, *, create: bool = True) -> SqlStore:
    """Open a replica's encrypted database, made or brought up to date as needed.

    Args:
        path: the database file; its log, the reserve and backups lie beside it.
        key: 32 random bytes.
        create: whether a missing file is made; otherwise it does not open.

    Raises:
        LocalStateError: ``database-does-not-open``, ``database-locked``, ``database-corrupt``,
            ``database-newer``, ``disk-full``, ``disk-error``.
    """
    return _open_file(
        path, lambda file, page_hash: connect_encrypted(file, key, page_hash), create=create
    )


def open_plain(path: Path | str = ":memory:") -> SqlStore:
    """The same store unencrypted, on disk or in memory; never for real data.

    Raises:
        LocalStateError: as ``open_encrypted``.
    """
    if path != ":memory:":
        return _open_file(Path(path), lambda file, _: connect_plain(file), create=True)
    connection = connect_plain(None)
    migrate(connection, back_up=lambda _: None)
    return SqlStore(connection)


def remove_backups(path: Path) -> None:
    """Remove the copies that migrations left; what was erased since may stand in them."""
    for copy in path.parent.iterdir():
        if copy.name.startswith(path.name + _BACKUP):
            copy.unlink(missing_ok=True)


def _open_file(path: Path, connect: _Connect, *, create: bool) -> SqlStore:
    reserve = AccessReserve(reserve_of(path))
    reserve.ensure()
    try:
        if create:
            _make_private(path)
        elif not path.is_file():
            raise LocalStateError("database-does-not-open")
    except OSError as error:
        raise LocalStateError("database-does-not-open") from error
    connection = connect(path, None)
    try:
        with _converting(path.parent):
            migrate(connection, lambda version: _back_up(connection, path, version, connect))
    except BaseException:
        connection.close()
        raise
    reserve.prepare()
    return SqlStore(connection, reserve, LogRoom(path), path)


def _make_private(path: Path) -> None:
    """Nobody else on this machine has business with the file, not even encrypted."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _back_up(connection: Connection, path: Path, version: int, connect: _Connect) -> None:
    """Copy the database under the same key; older copies go when the new one is whole."""
    unfinished = path.with_name(path.name + ".copy")
    unfinished.unlink(missing_ok=True)
    _make_private(unfinished)
    try:
        copy = connect(unfinished, page_hash_of(connection))
        try:
            connection.backup(copy)
        finally:
            copy.close()
    except BaseException:
        unfinished.unlink()
        raise
    remove_backups(path)
    unfinished.replace(path.with_name(f"{path.name}{_BACKUP}{version + 1}"))


@contextmanager
def _converting(folder: Path | None) -> Iterator[None]:
    try:
        yield
    except DATABASE_ERRORS as error:
        found = converted(error, folder=folder)
        if found is error:
            raise
        raise found from error


def _is_full(error: BaseException, folder: Path | None) -> bool:
    return (
        isinstance(error, DATABASE_ERRORS)
        and getattr(converted(error, folder=folder), "code", None) == "disk-full"
    )
