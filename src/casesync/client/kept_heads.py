"""What a replica keeps of its logs' ends, held against the logs themselves (client).

A checkpoint or head that was changed here would go out with the next change, or let the next entry
follow what nobody wrote. ``protocol/access-log.md``.
"""

from __future__ import annotations

from typing import Any

from casesync.client.core import Core
from casesync.codec import canonical
from casesync.foundation.errors import AuditFailed, RemoteProtocolError
from casesync.foundation.ids import DeviceNumber
from casesync.sync.access_log import ACCESS_HEAD, ACCESS_SEALED
from casesync.sync.author import OWN_CHAIN, PUSHED_CHECKPOINT
from casesync.sync.held_log import CHECKED_CHECKPOINT
from casesync.sync.ports import Transaction


def kept_roots(tx: Transaction, size: int) -> list[tuple[int, bytes]]:
    """(size, root) of the change log at which this device checked it, and told others of it.

    Args: size: of the change log that is here.

    Raises: AuditFailed: ``audit-log-differs``: they say more than is here, or cannot be read.
    """
    roots = []
    for key in (CHECKED_CHECKPOINT, PUSHED_CHECKPOINT):
        pair = _pair(tx, key, "change", size)
        if pair is not None:
            if not 0 <= pair[0] <= size:
                raise AuditFailed("audit-log-differs", log="change", index=size)
            roots.append(pair)
    return roots


def prove_own_chain(tx: Transaction, newest: tuple[int, bytes]) -> None:
    """The end of this device's chain of changes is not before, nor beside, what the log has of it.

    Args: newest: number and link of its newest change in the log; (0, enrolment hash) before.

    Raises: AuditFailed: ``audit-log-differs``.
    """
    kept = _pair(tx, OWN_CHAIN, "change", newest[0])
    if kept is not None and (kept[0] < newest[0] or (kept[0] == newest[0] and kept != newest)):
        raise AuditFailed("audit-log-differs", log="change", index=newest[0])


def prove_access_ends(core: Core, tx: Transaction) -> None:
    """The ends of this device's access chain, of all and of what is sealed, are its last entries.

    Raises: AuditFailed: ``audit-log-differs``.
    """
    rows = list(tx.access_rows(DeviceNumber(core.engine.device)))
    sealed = [row for row in rows if row.change is not None]
    for key, behind in ((ACCESS_HEAD, rows), (ACCESS_SEALED, sealed)):
        last = behind[-1] if behind else None
        kept = _pair(tx, key, "access", 0 if last is None else last.sequence)
        if kept != (None if last is None else (last.sequence, last.entry_hash)):
            raise AuditFailed(
                "audit-log-differs", log="access", index=0 if last is None else last.sequence
            )


def _pair(tx: Transaction, key: str, log: str, index: int) -> tuple[int, bytes] | None:
    stored = tx.value(key)
    if stored is None:
        return None
    try:
        value: Any = canonical.unpack(stored)
    except RemoteProtocolError as error:
        raise AuditFailed("audit-log-differs", log=log, index=index) from error
    if type(value) is not list or [type(part) for part in value] != [int, bytes]:
        raise AuditFailed("audit-log-differs", log=log, index=index)
    return value[0], value[1]
