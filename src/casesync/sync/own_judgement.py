"""One's own change judged as everybody will judge it, before it is kept (sync floor)."""

from __future__ import annotations

from typing import NamedTuple

from casesync.access.stream_facts import ChangeFacts
from casesync.access.verdicts import COUNTS, VERDICTS
from casesync.foundation.errors import AccessDenied, CannotDecide
from casesync.foundation.ids import StreamId
from casesync.sync.change_reader import read_change
from casesync.sync.context import Engine
from casesync.sync.ports import StoredChange, Transaction, UnsignedChange
from casesync.sync.stream_merge import SeenVectors, load_changes
from casesync.sync.stream_row import StreamRow


class OwnChange(NamedTuple):
    """A change that was made here; what it is read for does not ask for its signature."""

    made: UnsignedChange
    link: bytes


def check_fetched(tx: Transaction, stream: StreamId) -> None:
    """Start no key before the stream's earlier changes are here: who is entitled stands in them.

    The change names later ones in ``after``, and through these its author counts as having seen
    all grants; a key without a box for each would be refused everywhere (``protocol/keys.md``).

    Raises:
        CannotDecide: ``case-incomplete``.
    """
    if any(owed == stream for owed, _, _ in tx.owed()):
        raise CannotDecide("case-incomplete")


def judge_own(
    engine: Engine,
    tx: Transaction,
    stream: StreamId,
    row: StreamRow,
    facts: ChangeFacts,
    own: OwnChange,
) -> None:
    """Refuse what everybody would refuse.

    Args:
        engine: with the control log as it is known here.
        tx: the running transaction.
        stream: the stream.
        row: its row, without the change.
        facts: of the change.
        own: the change itself, for the few verdicts that ask what its author had seen.

    Raises:
        AccessDenied: with the reason of the verdict.
    """

    def seen() -> dict[int, int]:
        stored = StoredChange(own.made.previous_link, own.made.header, b"", own.made.segments)
        change = read_change(stored, own.link, facts.location, facts.log_index, 0)
        vectors = SeenVectors()
        for earlier in load_changes(tx, row.in_log_order()):
            vectors.note(earlier)
        vectors.note(change)
        return dict(vectors.of(change))

    code = row.rights.judge(facts, engine.control, stream, engine.network, seen)
    if code != COUNTS:
        raise AccessDenied(VERDICTS[code].reason)


def fold_own(engine: Engine, row: StreamRow, facts: ChangeFacts) -> None:
    """Take in what a change that counts does to the stream's rights."""
    if facts.unsealed is not None or facts.base:
        rights = row.rights
        rights.fold(facts, COUNTS, engine.control)
        row.put_rights(rights)
