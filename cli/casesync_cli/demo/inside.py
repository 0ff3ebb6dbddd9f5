"""What the demo looks up below the library's surface, to check what the story says (cli)."""

from __future__ import annotations

from casesync.access.stream_facts import StatementFact
from casesync.client.replica import Replica
from casesync.foundation.ids import StreamId
from casesync.sync.stream_row import StreamRow


def boxed_epochs(replica: Replica, stream: StreamId) -> list[int]:
    """Epochs of this unit's keys to which the newest key of each compartment is boxed."""
    core = replica.core
    with core.store.transaction() as tx:
        rights = StreamRow(tx.stream_rows([stream]).get(stream)).rights
    newest: dict[int, StatementFact] = {}
    for fact in rights.statements:
        newest[fact.compartment] = fact  # in log order, own unsent ones last
    epochs = set()
    for fact in newest.values():
        for at in range(0, len(fact.labels), 8):
            key = core.engine.control.unit_key_by_name(fact.labels[at : at + 8])
            if key is not None and key.unit == core.engine.unit:
                epochs.add(key.epoch)
    return sorted(epochs)


def newest_epoch_held(replica: Replica) -> int:
    """Newest epoch of this unit's keys whose seed this device was given."""
    engine = replica.core.engine
    return max(epoch for unit, _, epoch in engine.keys.held() if unit == engine.unit)


def keys_held(replica: Replica, stream: bytes) -> int:
    """Stream keys of one stream in the store."""
    name = StreamId(stream)
    with replica.core.store.transaction() as tx:
        return len(tx.stream_keys([name]).get(name, ()))
