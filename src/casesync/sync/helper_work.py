"""Content taken in by another process: what is asked of it, and what it answers (sync floor).

``protocol/decisions/0023``. A request says everything that a batch needs; a helper remembers
nothing of one. Both ends are this program: the bytes are private to it and never stored or sent.
What a helper makes of a batch is what ``PlainBatch.take`` makes of it here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgpack

from casesync.model.cells import Form, simple_form
from casesync.sync.stream_kernels import handing_kernel, packed_kernel

if TYPE_CHECKING:  # the helper's own process does without the rest of the engine
    from casesync.sync.plain_batch import PlainBatch, Work
    from casesync.sync.plain_path import Device

FORMAT: Final = 2
"""Raised with every change of what a request or an answer says."""
_NOBODY: Final[Device] = (None, 0)
Answer = tuple[list[bytes | None], list[int], int]
"""As ``PlainBatch.taken`` has it."""


class Rules(NamedTuple):
    """What the control log says, as far as content that simply comes next has to keep to it."""

    control_size: int
    devices: dict[int, Device]
    """Every author of the batch."""
    forms: list[tuple[int, int, list[int]]]
    """(schema version, compartment, row of a form) that belong together."""


def forms_of(checked: dict[tuple[int, int, Form], bool]) -> list[tuple[int, int, list[int]]]:
    """``Rules.forms`` out of ``Engine.forms_checked``."""
    return [
        (version, kind, form.row)
        for (version, kind, form), allowed in checked.items()
        if allowed and not form.elements
    ]


def request(work: Work, rules: Rules) -> tuple[bytes, bytes]:
    """What ``answer`` takes, in two parts: the second are the changes, as they are stored."""
    batch, placed, changes, *rest = work
    counts = [
        0 if last is None else len(leaves) for (_, leaves), last in zip(batch, placed, strict=True)
    ]
    said = handing_kernel.beside(batch, placed)
    return msgpack.packb((said, counts, placed, *rest, *rules)), changes


def answer(front: bytes, changes: bytes) -> bytes:
    """Do what a request asks, in the helper.

    Raises: any exception, where it is not what ``request`` made.
    """
    said, counts, placed, rows, keys, locations, own_device, *rules = msgpack.unpackb(
        front, strict_map_key=False
    )
    batch = [(None, some) for some in handing_kernel.leaves(changes, said, counts)]
    made = packed_kernel.take(batch, placed, rows, keys, locations, _Path(*rules), own_device)
    answered: bytes = msgpack.packb(made)
    return answered


def read_answer(packed: bytes, batch: PlainBatch) -> Answer | None:
    """What ``answer`` made of this batch; None if that cannot be."""
    try:
        rows, shared, segments = msgpack.unpackb(packed)
    except (ValueError, TypeError, msgpack.UnpackException):
        return None
    placed = batch.placed
    if type(segments) is not int or not _are_rows(rows, placed) or not _are_of(shared, rows):
        return None
    return rows, shared, segments


def _are_rows(rows: object, placed: Sequence[int | None]) -> bool:
    """Whether it is a row or None by stream, and none where the stream was not to be taken."""
    if type(rows) is not list or len(rows) != len(placed):
        return False
    if set(map(type, rows)) == {bytes} and None not in placed:  # nearly all
        return True
    return all(
        row is None or (type(row) is bytes and last is not None)
        for row, last in zip(rows, placed, strict=True)
    )


def _are_of(positions: object, rows: Sequence[bytes | None]) -> bool:
    """Whether it is a list of positions of streams that were taken."""
    return type(positions) is list and all(
        type(at) is int and 0 <= at < len(rows) and rows[at] is not None for at in positions
    )


class _Path:
    """As much of ``PlainPath`` as the twin looks at."""

    def __init__(
        self,
        control_size: int,
        devices: dict[int, list[Any]],
        forms: list[tuple[int, int, list[int]]],
    ) -> None:
        """Args: as ``Rules`` has them."""
        self.control_size = control_size
        self.devices = devices
        self.forms_checked = {(v, kind, simple_form(row)): True for v, kind, row in forms}

    def device(self, _device: int) -> Device:
        """An author that the request does not say is nobody whose content is taken unseen."""
        return _NOBODY
