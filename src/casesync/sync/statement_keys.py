"""Opening every stream key of a stream that some box or predecessor holds for us (sync floor).

``protocol/keys.md``, *Stream key, statement, box*: boxes for a statement may follow in any later
change, and a newer ``base`` key carries its predecessor, so keys are opened before anything is
judged, whatever the order of the changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from casesync.foundation.errors import CasesyncError
from casesync.foundation.ids import UNSEALED_KIND, Compartment, StreamId
from casesync.sync.change_reader import ReadChange
from casesync.sync.context import Engine
from casesync.sync.keyring import Dot
from casesync.sync.ports import Transaction
from casesync.translog.unsealed import Box, Statement, UnsealedItems, decode_unsealed


def keep_keys_behind(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    changes: Sequence[ReadChange],
    given_up_at: int,
) -> None:
    """Drop content keys that no box behind a revocation gives (``stream_facts.given_up_at``)."""
    kept = [
        key
        for (compartment, _), key in engine.keys.stream(stream).items()
        if compartment == Compartment.BASE
    ]
    tx.drop_stream_keys(stream)
    engine.keys.forget(stream)
    for key in kept:
        engine.keys.add(tx, stream, key)
    open_stream_keys(engine, tx, stream, changes, given_up_at)


def open_stream_keys(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    changes: Iterable[ReadChange],
    given_up_at: int = -1,
) -> None:
    """Open and keep every key of the stream that this device can open.

    Args:
        engine: with the unit seeds.
        tx: the running transaction.
        stream: the stream.
        changes: its changes in log order.
        given_up_at: boxes of changes up to this log index are left closed, but those of ``base``.
    """
    engine.keys.load(tx, [stream])
    statements: dict[Dot, Statement] = {}
    boxes: dict[Dot, list[Box]] = {}
    for change in changes:
        items = unsealed_of(change)
        if items is None:
            continue
        for statement in items.statements:
            dot = (change.header.device, change.header.number, statement.position)
            statements.setdefault(dot, statement)
            if change.log_index > given_up_at or statement.compartment == Compartment.BASE:
                boxes.setdefault(dot, []).extend(statement.boxes)
        if change.log_index > given_up_at:
            for more in items.boxes:
                boxes.setdefault((more.device, more.number, more.position), []).extend(more.boxes)
    for dot, statement in statements.items():
        if engine.keys.get(stream, statement.compartment, statement.commitment[:8]) is None:
            key = engine.keys.open_boxes(
                engine.control,
                stream,
                statement.compartment,
                dot,
                statement.commitment,
                boxes.get(dot, ()),
            )
            if key is not None:
                engine.keys.add(tx, stream, key)
    _open_predecessors(engine, tx, stream, statements)


def _open_predecessors(
    engine: Engine, tx: Transaction, stream: StreamId, statements: dict[Dot, Statement]
) -> None:
    todo = [s for s in statements.values() if s.predecessor is not None]
    progress = True
    while progress:
        progress = False
        for statement in todo:
            named = statement.predecessor
            assert named is not None
            dot = (named.device, named.number, named.position)
            older = statements.get(dot)
            key = engine.keys.get(stream, Compartment.BASE, statement.commitment[:8])
            if older is None or key is None:
                continue
            if engine.keys.get(stream, Compartment.BASE, older.commitment[:8]) is not None:
                continue
            opened = engine.keys.open_predecessor(stream, key, dot, older.commitment, named.sealed)
            if opened is not None:
                engine.keys.add(tx, stream, opened)
                progress = True


def unsealed_of(change: ReadChange) -> UnsealedItems | None:
    """The unsealed items of a change, None if there are none or they are malformed."""
    if change.header.segments[0].kind != UNSEALED_KIND or change.stored.segments[0] is None:
        return None
    try:
        return decode_unsealed(change.stored.segments[0])
    except CasesyncError:
        return None
