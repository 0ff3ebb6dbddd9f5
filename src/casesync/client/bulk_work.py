"""Bulk work without Python's cyclic collector, and on two cores (client, DESIGN.md 10).

A page makes hundreds of thousands of objects and no cycles; looking for cycles among them, again
and again, cost several times the work itself. Statements of the database run without Python's
lock: what they do not need may be made meanwhile.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar

_SWITCH_S: Final = 0.0005
_Part = TypeVar("_Part")
_Made = TypeVar("_Made")


@contextmanager
def uncollected() -> Iterator[None]:
    """Switch the collector off for the block; memory is still freed by reference counts."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _switching_often() -> Iterator[None]:
    """Who comes back from a statement waits for Python's lock half a millisecond, not five."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before_s)


def made_ahead(make: Callable[[_Part], _Made], parts: Sequence[_Part]) -> Generator[_Made]:
    """What ``make`` gives of each part, in order; the next is made while the caller has one.

    Close it before what ``make`` reads is changed: then nothing runs any more. A single part is
    made here, without a thread. What ``make`` raises is raised here.

    Args:
        make: called in another thread, for one part at a time.
        parts: each small: it is finished even if the caller is interrupted.
    """
    if len(parts) < 2:
        yield from map(make, parts)
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - not at every start

    with ThreadPoolExecutor(max_workers=1) as thread, _switching_often():
        following = thread.submit(make, parts[0])
        for part in parts[1:]:
            made = following.result()
            following = thread.submit(make, part)
            yield made
        yield following.result()
