"""What statements and boxes add to a stream's fold (access floor; ``protocol/keys.md``).

A label says that a box was written, and by whom; that it holds the key is a claim which only the
unit it names can check.
"""

from __future__ import annotations

from collections.abc import Sequence

from casesync.access.stream_facts import ChangeFacts, StatementFact
from casesync.translog.unsealed import Box, UnsealedItems


def stated(facts: ChangeFacts, items: UnsealedItems, *, valid: bool) -> list[StatementFact]:
    """The statements of a change, with the boxes that came along."""
    return [
        StatementFact(
            device=facts.device,
            number=facts.number,
            position=statement.position,
            compartment=int(statement.compartment),
            key_name=bytes(statement.commitment[:8]),
            location=facts.location,
            log_index=facts.log_index,
            valid=valid,
            labels=_labels(statement.boxes),
            predecessor=statement.predecessor and statement.predecessor[:3],
            boxers=facts.device.to_bytes(4, "big") * len(statement.boxes),
        )
        for statement in items.statements
    ]


def boxed(
    statements: Sequence[StatementFact], device: int, items: UnsealedItems
) -> list[StatementFact]:
    """The statements once ``device`` has written further boxes for some of them."""
    found = list(statements)
    for more in items.boxes:
        named = (more.device, more.number, more.position)
        for at, fact in enumerate(found):
            if (fact.device, fact.number, fact.position) == named:
                found[at] = fact._replace(
                    labels=fact.labels + _labels(more.boxes),
                    boxers=fact.boxers + device.to_bytes(4, "big") * len(more.boxes),
                )
    return found


def _labels(boxes: Sequence[Box]) -> bytes:
    return b"".join(bytes(box.key_name) for box in boxes)
