"""Appending control acts: sync, write over the head, append, again if the head moved (client).

Control acts work on line only, and before the receipt nothing of them is stored or shown: what an
act did is learned from the log like everybody else's (DESIGN.md 3 and 6).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from casesync.access.control_acts import rotate
from casesync.access.control_writer import ControlWriter, Position
from casesync.client.core import Core
from casesync.client.exchange import pull_and_push
from casesync.crypto.key_wrap import UnitKeyId
from casesync.foundation.errors import NetworkError
from casesync.foundation.ids import UnitId
from casesync.sync.control_flow import network_keys_of
from casesync.sync.held_log import checked_checkpoint
from casesync.sync.session import SyncReport
from casesync.wire.refusals import HeadMoved

HEAD_TRIES = 5
"""Two administrators at once is rare; five in a row is a relay that plays games."""

Result = TypeVar("Result")
Write = Callable[[ControlWriter], Result]


def writer_over_head(core: Core) -> ControlWriter:
    """A writer over the head this replica holds."""
    engine = core.engine
    with core.store.transaction() as tx:
        size, root = checked_checkpoint(tx)
        keys = network_keys_of(tx)
    return ControlWriter.over(
        engine.control,
        device=engine.device,
        signer=engine.secrets.composite_signer(),
        network_keys=keys,
        position=Position(size, root),
        entropy=core.entropy,
    )


def unit_seeds(core: Core) -> dict[UnitKeyId, bytes]:
    """Unit seeds this device holds."""
    return {
        UnitKeyId(UnitId(unit), compartment, epoch): seed
        for (unit, compartment, epoch), seed in core.engine.keys.held().items()
    }


def append_act(core: Core, write: Write[Result]) -> Result:
    """Sync, let ``write`` write over the head, append, and take the entry in from the log.

    Args:
        core: the open replica.
        write: adds entries to the writer; called again if the head moved.

    Raises:
        NetworkError: the relay cannot be reached, or the head moved too often; nothing was kept.
    """
    for _ in range(HEAD_TRIES):
        pull(core)
        writer = writer_over_head(core)
        result = write(writer)
        if not writer.entries:
            return result
        try:
            core.channel.append_control(writer.entries, writer.blobs)
        except HeadMoved:
            continue
        pull(core)
        return result
    raise NetworkError("relay-head-moves")


def pull(core: Core) -> None:
    """Exchange until this replica is at the relay's newest size; own changes go along."""
    pull_and_push(core, SyncReport())


def append_due_acts(core: Core) -> bool:
    """Rotate what was retired and this device may replace; returns whether something was due."""
    control = core.engine.control
    if not control.rotation_for(core.engine.device):
        return False

    def write(writer: ControlWriter) -> None:
        due = control.rotation_for(core.engine.device)
        if due:
            rotate(writer, control, due, unit_seeds(core))

    append_act(core, write)
    return True
