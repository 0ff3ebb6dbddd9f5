"""Copies of writes: what a snapshot or supplement holds, and whether a copy is true (model).

Specified in ``protocol/record-model.md``, *Copies*, and ``protocol/keys.md``, *Grants*. A copy is a
write under its original's identity with what that write replaces. How copies merge is in
``replacement``; who may be given one is for the engine to say.
"""

from __future__ import annotations

from collections.abc import Callable

from casesync.model.cells import CellId
from casesync.model.merge import LiveWrite, StreamState
from casesync.model.resolvers.resolution import canonical_bytes
from casesync.model.segment_body import (
    Content,
    Copy,
    Replacement,
    cells_of,
    copy_at,
    is_copies,
    write_at,
)

OpenBody = Callable[[int, int], Content | None]
"""(location, compartment) -> what ``decode_content`` gave; None = not readable here."""


def snapshot_copies(state: StreamState, compartment: int, open_body: OpenBody) -> list[Copy]:
    """Copies of the live writes of a compartment, ascending by identity.

    Each carries what is replaced in its cell but has not arrived here: it may arrive later under
    a key that the receiver of the snapshot does not get, and must not come alive there. What was
    replaced and is here is neither live nor copied, so it is not named.
    """
    named: dict[CellId, list[Replacement]] = {}
    for cell, replacement in state.named_writes(compartment):
        if replacement not in named.setdefault(cell, []):
            named[cell].append(replacement)
    found = []
    for write in sorted(state.live_writes((compartment,)), key=_identity):
        copy = _copy(write, open_body)
        if copy is not None:
            found.append(copy._replace(replaces=tuple(sorted(named.get(write.cell, ())))))
    return found


def supplement_copies(
    state: StreamState,
    change: tuple[int, int, int],
    content: Content,
    open_body: OpenBody,
) -> list[Copy]:
    """Copies that bring a change which landed behind a grant, under an older key, to the grantee.

    A live write of the change is copied with all that the change replaces. Where a write of the
    change is replaced already, the live writes of its cell are copied and name what it replaced:
    its value does not travel, its effect does. (What replaced it names it by itself.)

    Args:
        state: the merged stream, the change applied.
        change: (device, number, compartment) of the segment.
        content: the segment's decoded body, not one of copies.
        open_body: opens a stored segment.
    """
    device, number, compartment = change
    replaces = tuple(Replacement(*entry) for entry in content[2])
    live: dict[CellId, list[LiveWrite]] = {}
    for write in state.live_writes((compartment,)):
        live.setdefault(write.cell, []).append(write)
    found: dict[tuple[int, int, int], Copy] = {}
    for position, cell in enumerate(cells_of(content)):
        here = live.get(cell, [])
        own = [write for write in here if write[1:4] == (device, number, position)]
        for write in own or here:
            copy = _copy(write, open_body)
            if copy is not None:
                found[copy[0], copy[1], copy[3]] = copy._replace(replaces=replaces)
    return [found[identity] for identity in sorted(found)]


def copy_differs(copy: Copy, link8: bytes, original: Content) -> bool:
    """Whether a copy contradicts its original, which the receiver holds (it then reports it).

    Args:
        copy: the copy.
        link8: first 8 bytes of the original change's link.
        original: the original segment's decoded body, of the same compartment.
    """
    if copy.link8 != link8 or is_copies(original):
        return True
    try:
        cell, code, value = write_at(original, copy.position)
    except IndexError:
        return True
    return (
        cell != copy.cell
        or code != copy.code
        or original[0] != copy.clock_ms
        or canonical_bytes(value) != canonical_bytes(copy.value)
    )


def _copy(write: LiveWrite, open_body: OpenBody) -> Copy | None:
    content = open_body(write.location, write.compartment)
    if content is None:
        return None
    if write.copy is not None:
        return copy_at(content, write.copy)._replace(replaces=())
    cell, code, value = write_at(content, write.position)
    identity = (write.device, write.number, write.link8, write.position)
    return Copy(*identity, cell, code, content[0], value, ())


def _identity(write: LiveWrite) -> tuple[int, int, int]:
    return write.device, write.number, write.position
