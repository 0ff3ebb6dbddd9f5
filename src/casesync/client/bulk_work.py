"""Python's cyclic collector kept out of bulk work (client, DESIGN.md 10).

A page makes hundreds of thousands of objects and no cycles; looking for cycles among them, again
and again, cost several times the work itself.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
