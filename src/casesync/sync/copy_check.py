"""Whether copies say what their originals say, where the originals are here (sync floor).

``protocol/record-model.md``, *Copies*: who holds the original merges as if there were no copies, so
a forged one changes nothing here; but an office with a grant may hold nothing else. So it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from casesync.model.copies import copy_differs
from casesync.model.segment_body import Copy, copy_at, is_copies
from casesync.sync.change_reader import OpenedSegment, ReadChange


class CopyCheck:
    """Takes in the changes of a stream in log order; a copy comes after its original."""

    def __init__(self, *, whole: bool) -> None:
        """Args: whole: every change of the stream is here, so that what is missing never was."""
        self._whole = whole
        self._links: dict[tuple[int, int], bytes] = {}
        self._kinds: dict[tuple[int, int], set[int]] = {}
        self._originals: dict[tuple[int, int, int], list[Any]] = {}

    def take(self, change: ReadChange, opened: Iterable[OpenedSegment]) -> bool:
        """Note a change; whether a copy in it differs from what is held of its original."""
        header = change.header
        dot = (header.device, header.number)
        differs = False
        for part in opened:
            if not is_copies(part.body):
                self._originals[*dot, part.compartment] = part.body
                continue
            copies = (copy_at(part.body, at) for at in range(len(part.body[3][3])))
            differs = differs or any(self._differs(copy, part.compartment) for copy in copies)
        self._links[dot] = change.link[:8]
        self._kinds[dot] = {segment.kind for segment in header.segments}
        return differs

    def _differs(self, copy: Copy, compartment: int) -> bool:
        dot = (copy.device, copy.number)
        original = self._originals.get((*dot, compartment))
        if original is not None:
            return copy_differs(copy, self._links[dot], original)
        kinds = self._kinds.get(dot)
        if kinds is None:
            return self._whole
        return copy.link8 != self._links[dot] or compartment not in kinds
