"""Small files that are either the old or the new whole, whatever happens (client).

For what must stand outside the database: the wrapped key and the anchor. Not for anything large.
Replacing a file costs two flushes, a rename and the file system's journal; ``overwrite_durably``
costs one flush of data, for a file whose reader can tell a torn part and does without it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from casesync.foundation.errors import LocalStateError

FILE_MODE: Final = 0o600
SMALL_FILE_BYTES_MAX: Final = 4096
"""What ``read_small`` reads unless told otherwise; the vault has about 90 bytes."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_flush_data: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)
"""macOS has no ``fdatasync``."""


def replace_durably(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, readable by its owner only; durable when this returns.

    A crash leaves the old file or the new one. The bytes go to a file beside it, which is flushed
    and then renamed; the folder is flushed too, so that the rename survives.

    Raises:
        LocalStateError: ``disk-full`` or ``disk-error``; the old file stands.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        _write_flushed(fresh, data)
        fresh.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        raise _converted(error) from error


def overwrite_durably(path: Path, file_bytes: int, offset: int, data: bytes) -> bool:
    """Write ``data`` into a file of ``file_bytes``; durable when this returns.

    The file keeps its length and its blocks, so nothing but the data needs to be flushed. A crash
    may leave any mixture of old and new bytes in this range, and harms nothing outside the blocks
    that it touches.

    Returns: False, with nothing written, if there is no file of this length (any more).

    Raises:
        LocalStateError: ``disk-full`` or ``disk-error``.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
        try:
            if os.fstat(descriptor).st_size != file_bytes:
                return False
            done = 0
            while done < len(data):
                done += os.pwrite(descriptor, data[done:], offset + done)
            _flush_data(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _converted(error) from error
    return True


def move_durably(path: Path, target: Path) -> None:
    """Give a whole file its name; durable when this returns.

    Raises:
        LocalStateError: ``disk-full`` or ``disk-error``.
    """
    try:
        path.replace(target)
        _flush_folder(target.parent)
    except OSError as error:
        raise _converted(error) from error


def _converted(error: OSError) -> LocalStateError:
    return LocalStateError("disk-full" if error.errno in _FULL else "disk-error")


def _write_flushed(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, FILE_MODE)
    try:
        os.fchmod(descriptor, FILE_MODE)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_small(path: Path, bytes_max: int = SMALL_FILE_BYTES_MAX) -> bytes | None:
    """The bytes of a small file, or None if it does not exist; a longer one is cut off.

    Raises:
        LocalStateError: ``disk-error``.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(bytes_max)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LocalStateError("disk-error") from error
