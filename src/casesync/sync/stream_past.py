"""What the changes of one stream tell of its past (sync floor).

For questions that the fold of rights does not answer: what an author had seen when she wrote, and
which boxes of a key lie behind an index. Read from the stored changes where it is asked, rarely.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from casesync.sync.change_reader import ReadChange
from casesync.sync.keyring import Dot
from casesync.sync.statement_keys import unsealed_of
from casesync.sync.stream_merge import SeenVectors


class StreamPast:
    """A stream's changes, noted in log order."""

    def __init__(self, changes: Iterable[ReadChange]) -> None:
        """Args: changes: all of the stream, in log order."""
        self._vectors = SeenVectors()
        self._boxes: dict[Dot, list[tuple[int, bytes]]] = {}
        for change in changes:
            self._vectors.note(change)
            self._note_boxes(change)

    def _note_boxes(self, change: ReadChange) -> None:
        items = unsealed_of(change)
        if items is None:
            return
        dot = (change.header.device, change.header.number)
        made = [((*dot, s.position), s.boxes) for s in items.statements]
        made += [(more[:3], more.boxes) for more in items.boxes]
        for statement, boxes in made:
            labels = [(change.log_index, bytes(box.key_name)) for box in boxes]
            self._boxes.setdefault(statement, []).extend(labels)

    def seen_by(self, device: int, number: int) -> Mapping[int, int]:
        """What the author of a change had seen; empty if the change is not here."""
        return self._vectors.seen_by(device, number)

    def boxed_since(self, statement: Dot, index: int) -> set[bytes]:
        """Names of the unit keys to which the statement was boxed at ``index`` or behind it."""
        return {name for at, name in self._boxes.get(statement, ()) if at >= index}
