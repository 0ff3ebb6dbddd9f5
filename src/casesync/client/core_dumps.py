"""No core dump of a process that does nothing but hold keys (client; POSIX)."""

from __future__ import annotations

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4
"""linux/prctl.h."""


def refuse_core_dumps() -> None:
    """A crash of this process leaves no key on the disk, and none with who collects crashes.

    The limit does not hold where the kernel hands dumps to a program (core(5)); there Linux is told
    that this process is not to be dumped, which also keeps other processes of its user from
    reading its memory (prctl(2)).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
