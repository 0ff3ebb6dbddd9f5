"""Opening every stream key of a stream that some box or predecessor holds for us (sync floor).

``protocol/keys.md``, *Stream key, statement, box*: boxes for a statement may follow in any later
change, and a newer ``base`` key carries its predecessor, so keys are opened before anything is
judged, whatever the order of the changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from casesync.access.stream_facts import GrantFact, StatementFact, opens_from
from casesync.access.stream_rights import StreamRights
from casesync.foundation.errors import CasesyncError
from casesync.foundation.ids import UNSEALED_KIND, Compartment, StreamId
from casesync.sync.change_reader import ReadChange
from casesync.sync.context import Engine
from casesync.sync.keyring import Dot
from casesync.sync.ports import Transaction
from casesync.translog.unsealed import Box, Statement, UnsealedItems, decode_unsealed


def give_up_keys(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    changes: Sequence[ReadChange],
    rights: StreamRights,
) -> None:
    """Drop content keys that no box within our unit's grants gives (``opens_from``).

    What our office sealed while the owner had no key is kept until the owner has a box of it.
    """
    unread = {
        (fact.device, fact.number, fact.position)
        for fact in rights.statements
        if engine.control.unit_of(fact.device) == engine.unit
        and not reached(engine, fact, rights.owner, rights.owner)
    }
    kept = [
        key
        for (compartment, _), key in engine.keys.stream(stream).items()
        if not Compartment.BASE < compartment < Compartment.ACCESS or key.statement in unread
    ]
    tx.drop_stream_keys(stream)
    engine.keys.forget(stream)
    for key in kept:
        engine.keys.add(tx, stream, key)
    open_stream_keys(engine, tx, stream, changes, rights.grants)


def believed_boxes(engine: Engine, fact: StatementFact, owner: bytes | None) -> dict[bytes, bytes]:
    """Boxes of a key that is held here which need not be written again: unit by name of its key.

    What a box holds only the unit it names can tell. So it counts if that unit, the owner or our
    own unit wrote it; one by somebody else, if the unit is ours (it opened), or a device of it has
    boxed the key since and therefore has it.
    """
    control = engine.control
    boxes = [(label, device, control.unit_of(device)) for label, device in fact.boxes()]
    holders = {unit for _, device, unit in boxes if device != fact.device}
    if fact.device != engine.device:
        holders.add(engine.unit)
    found: dict[bytes, bytes] = {}
    for label, _, writer in boxes:
        named = control.unit_key_by_name(label)
        if named is not None and (
            writer in (named.unit, owner, engine.unit) or named.unit in holders
        ):
            found[label] = named.unit
    return found


def reached(engine: Engine, fact: StatementFact, owner: bytes | None, unit: bytes | None) -> bool:
    """Whether the statement was boxed to any key the unit ever had (``believed_boxes``)."""
    return unit in believed_boxes(engine, fact, owner).values()


def open_stream_keys(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    changes: Iterable[ReadChange],
    grants: Sequence[GrantFact] | None = None,
) -> None:
    """Open and keep every key of the stream that this device can open.

    Args:
        engine: with the unit seeds.
        tx: the running transaction.
        stream: the stream.
        changes: its changes in log order.
        grants: if given, content boxes outside our unit's grants among them are left closed.
    """
    engine.keys.load(tx, [stream])
    statements: dict[Dot, Statement] = {}
    boxes: dict[Dot, list[Box]] = {}
    carried: list[tuple[int, Dot, Iterable[Box]]] = []
    for change in changes:
        items = unsealed_of(change)
        if items is None:
            continue
        for statement in items.statements:
            dot = (change.header.device, change.header.number, statement.position)
            statements.setdefault(dot, statement)
            carried.append((change.log_index, dot, statement.boxes))
        for more in items.boxes:
            dot = (more.device, more.number, more.position)
            carried.append((change.log_index, dot, more.boxes))
    for index, dot, sealed in carried:
        compartment = Compartment.BASE if dot not in statements else statements[dot].compartment
        given = grants is None or not Compartment.BASE < compartment < Compartment.ACCESS
        if given or index >= opens_from(grants or (), engine.unit, compartment):
            boxes.setdefault(dot, []).extend(sealed)
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
