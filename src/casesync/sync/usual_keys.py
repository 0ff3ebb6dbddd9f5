"""The keys of a change that plans none, found without judging it anew (sync floor).

Nearly every save goes to a case of one's own office under keys that were in use before. Whether its
author may write follows then from the control log alone, and how a key stands from the same few
facts for all cases of the office: both are remembered under the head of the control log. Whatever
is uncommon (a grant, acts that cannot be read, a base key that continues another, a key that is not
held, a box that is owed) is left to ``key_plan`` and ``StreamRights.judge``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from casesync.foundation.ids import Compartment, StreamId
from casesync.sync.context import Authorship, Engine, standing_name
from casesync.sync.keyring import StreamKey
from casesync.sync.stream_row import StreamRow


def usual_keys(
    engine: Engine, stream: StreamId, row: StreamRow, compartments: Iterable[int]
) -> dict[int, StreamKey] | None:
    """Keys by compartment for a change that has content in ``compartments`` and nothing else.

    Args:
        engine: with the control log as it is known here; ``keys.load`` was called for the stream.
        stream: the stream.
        row: its row.
        compartments: of the change's segments.

    Returns: None unless the change counts, and takes neither a statement nor a box.
    """
    author = authorship(engine)
    if author is None or row.plain_owner() != author.unit or row.is_shared():
        return None
    newest = _newest_statements(row)
    if newest is None or not _stands(engine, author, newest.get(Compartment.BASE)):
        return None
    keys: dict[int, StreamKey] = {}
    for compartment in compartments:
        fact = newest.get(compartment)
        if (
            not Compartment.BASE < compartment < Compartment.ACCESS
            or not author.writes_mask >> compartment & 1
            or fact is None
            or not _stands(engine, author, fact)
        ):
            return None
        key = engine.keys.get(stream, compartment, fact[4])
        if key is None:
            return None
        keys[compartment] = key
    return keys


def authorship(engine: Engine) -> Authorship | None:
    """What the control log says of this device; None where its changes might not count."""
    control = engine.control
    known = engine.authorship
    if known is None or known.head_hash != control.head_hash:
        unit = control.unit_of(engine.device)
        if unit is None or control.suspended_from(engine.device) is not None:
            return None
        writes = control.writes_mask(engine.device)
        known = engine.authorship = Authorship(control.head_hash, unit, writes)
    return known


def _newest_statements(row: StreamRow) -> dict[int, Any] | None:
    """The newest valid statement of each compartment; None if several base keys may be forked."""
    newest: dict[int, Any] = {}
    for fact in row.statement_rows():
        if not fact[7]:
            continue
        compartment = fact[3]
        held = newest.get(compartment)
        if held is None or (fact[6], fact[1], fact[2]) > (held[6], held[1], held[2]):
            newest[compartment] = fact
        if held is not None and compartment == Compartment.BASE:
            return None
    return newest


def _stands(engine: Engine, author: Authorship, fact: Any) -> bool:  # noqa: ANN401, as stored
    """Whether a key is known to be usable, with no box owed."""
    if fact is None:
        return False
    name = standing_name(author.head_hash, author.unit, fact[0], fact[3], fact[8], fact[9])
    standing = engine.standings.get(name)
    return standing is not None and standing.usable and not standing.lacking
