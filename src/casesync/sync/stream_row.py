"""One stream as the replica keeps it: history, merge state, rights (sync floor).

A row is a plain list, used in place: what the store loads is what the engine changes and puts back
(DESIGN.md 9). The sealed changes themselves stand in the store's blocks; ``history`` refers to
them, so that everything here can be rebuilt from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from casesync.access.stream_facts import END_OF_LOG
from casesync.access.stream_rights import StreamRights
from casesync.access.verdicts import VERDICTS, State
from casesync.foundation.ids import StreamKind
from casesync.foundation.limits import AFTER_MAX

_HISTORY = 0
_MERGE = 1
_RIGHTS = 2
_COMPLETE_FROM = 3
_NEWEST = 4
_SEEN = 5
_OWN_PREVIOUS = 6
_KIND = 7
_GIVEN_UP = 8
_WIDTH = 6


class HistoryEntry(NamedTuple):
    """One change of the stream, wherever it stands."""

    log_index: int
    """Log index; END_OF_LOG + number while unsent."""
    device: int
    number: int
    location: int
    verdict: int
    """Position in ``access.verdicts.VERDICTS``."""
    log_time_ms: int
    """0 while unsent."""

    @property
    def sent(self) -> bool:
        """Whether the change stands in the log."""
        return self.log_index < END_OF_LOG

    @property
    def counts(self) -> bool:
        """Whether its values count."""
        return VERDICTS[self.verdict].state is State.COUNTS


class StreamRow:
    """A view on a row; every method changes the row in place."""

    __slots__ = ("_rights", "row")

    def __init__(self, row: list[Any] | None = None) -> None:
        self.row: list[Any] = row if row is not None else [[], [], [], 0, {}, {}, 0, 0, False]
        self._rights: StreamRights | None = None

    # -- parts --------------------------------------------------------------------------------

    @property
    def merge_row(self) -> list[Any]:
        """The merge state's own list (``model.merge.StreamState``)."""
        merge_row: list[Any] = self.row[_MERGE]
        return merge_row

    @merge_row.setter
    def merge_row(self, value: list[Any]) -> None:
        self.row[_MERGE] = value

    @property
    def rights(self) -> StreamRights:
        """The fold of base segments; call ``put_rights`` after changing it."""
        if self._rights is None:
            self._rights = StreamRights.from_row(self.row[_RIGHTS])
        return self._rights

    def plain_owner(self) -> bytes | None:
        """The owning unit, for the hot path.

        None unless this is a case whose base segments could all be opened.
        """
        rights = self.row[_RIGHTS]
        if not rights or rights[0] is None or rights[3] or rights[0][0] != StreamKind.CASE:
            return None
        owner: bytes = rights[0][1]
        return owner

    def case_record(self) -> bytes | None:
        """The record of a case, for lists; None of every other stream and before the opening."""
        rights = self.row[_RIGHTS]
        record: bytes | None = rights[0][2] if rights and rights[0] is not None else None
        return record

    def introduces(self, compartment: int, key_name: bytes, index: int) -> bool:
        """Whether a valid statement before ``index`` introduced the key, for the hot path."""
        for fact in self.row[_RIGHTS][2]:
            if fact[4] == key_name and fact[3] == compartment and fact[7] and fact[6] < index:
                return True
        return False

    def statement_rows(self) -> list[Any]:
        """The stored statements (``StatementFact``), for the hot path; ``plain_owner`` is one."""
        rows: list[Any] = self.row[_RIGHTS][2]
        return rows

    def put_rights(self, rights: StreamRights) -> None:
        """Store a changed fold."""
        self._rights = rights
        self.row[_RIGHTS] = rights.to_row()
        self.row[_KIND] = int(rights.kind or 0)

    @property
    def kind(self) -> StreamKind | None:
        """What the stream holds; None before its opening."""
        return StreamKind(self.row[_KIND]) if self.row[_KIND] else None

    @property
    def kind_number(self) -> int:
        """``kind`` as the store has it; 0 before the opening."""
        number: int = self.row[_KIND]
        return number

    @property
    def complete_from(self) -> int:
        """Log index from which the stream is complete here; 0 = whole."""
        value: int = self.row[_COMPLETE_FROM]
        return value

    @complete_from.setter
    def complete_from(self, index: int) -> None:
        self.row[_COMPLETE_FROM] = index

    @property
    def given_up(self) -> bool:
        """Whether this replica destroyed its copy: headers stand here, and nothing is opened."""
        return bool(self.row[_GIVEN_UP])

    @given_up.setter
    def given_up(self, destroyed: bool) -> None:
        self.row[_GIVEN_UP] = destroyed

    @property
    def own_previous(self) -> int:
        """This device's newest number in the stream; 0 = none."""
        value: int = self.row[_OWN_PREVIOUS]
        return value

    # -- history ------------------------------------------------------------------------------

    def history(self) -> Iterator[HistoryEntry]:
        """Entries in the order they were stored."""
        flat = self.row[_HISTORY]
        for at in range(0, len(flat), _WIDTH):
            yield HistoryEntry(*flat[at : at + _WIDTH])

    def in_log_order(self) -> list[HistoryEntry]:
        """Entries by index, unsent ones last by number."""
        return sorted(self.history())

    def add(
        self,
        log_index: int,
        device: int,
        number: int,
        location: int,
        verdict: int,
        log_time_ms: int,
    ) -> None:
        """``append`` without an object for it: the hot path."""
        self.row[_HISTORY].extend((log_index, device, number, location, verdict, log_time_ms))

    def has_uncounted(self) -> bool:
        """Whether any change of the stream does not count."""
        return any(self.row[_HISTORY][4::_WIDTH])

    @property
    def is_partial(self) -> bool:
        """Whether changes may be here unapplied: destroyed, or not fetched again in full yet."""
        return self.given_up or self.complete_from > 0

    def newest_number(self, device: int) -> int:
        """Largest number of a device in the history, 0 if there is none."""
        newest = self.newest_applied(device)
        if self.has_uncounted() or self.is_partial:
            newest = max([newest, *(e.number for e in self.history() if e.device == device)])
        return newest

    def newest_applied(self, device: int) -> int:
        """As ``newest_number``, of what was applied alone.

        The same unless ``has_uncounted`` or ``is_partial``.
        """
        held = self.row[_NEWEST].get(device)
        return 0 if held is None else held[0]

    def is_shared(self) -> bool:
        """Whether the stream ever had a grant."""
        rights = self.row[_RIGHTS]
        return bool(rights and rights[1])

    def append(self, entry: HistoryEntry) -> None:
        """Add an entry; the caller has checked that it is new."""
        self.row[_HISTORY].extend(entry)

    def rewrite(self, entries: list[HistoryEntry]) -> None:
        """Replace the whole history."""
        self.row[_HISTORY] = [value for entry in entries for value in entry]

    def last_index(self, but_of: int = 0) -> int:
        """Largest index in the history, of changes of device ``but_of`` apart; -1 if empty."""
        flat = self.row[_HISTORY]
        if not but_of:
            return max(flat[::_WIDTH], default=-1)
        places = zip(flat[::_WIDTH], flat[1::_WIDTH], strict=True)
        return max((index for index, device in places if device != but_of), default=-1)

    def find(self, device: int, number: int) -> HistoryEntry | None:
        """The entry of one change."""
        flat = self.row[_HISTORY]
        for at in range(0, len(flat), _WIDTH):
            if flat[at + 1] == device and flat[at + 2] == number:
                return HistoryEntry(*flat[at : at + _WIDTH])
        return None

    # -- causality ----------------------------------------------------------------------------

    def note_applied(self, device: int, number: int, link8: bytes) -> None:
        """Remember the newest applied change of a device."""
        newest = self.row[_NEWEST]
        held = newest.get(device)
        if held is None or held[0] < number:
            newest[device] = [number, link8]

    def newest(self) -> dict[int, tuple[int, bytes]]:
        """Per device the newest applied number and 8 bytes of its link."""
        return {device: (held[0], held[1]) for device, held in self.row[_NEWEST].items()}

    def reset_newest(self) -> None:
        """Forget what was applied, before a rebuild notes it again."""
        self.row[_NEWEST] = {}

    def after(self, own_device: int) -> list[tuple[int, int, bytes]]:
        """The header's ``after``: what others wrote since this device's previous change here."""
        seen = self.row[_SEEN]
        named = [
            (device, held[0], held[1])
            for device, held in sorted(self.row[_NEWEST].items())
            if device != own_device and seen.get(device, 0) < held[0]
        ]
        return named[:AFTER_MAX]  # the rest is named by this device's next change here

    def note_authored(self, number: int, after: list[tuple[int, int, bytes]]) -> None:
        """This device wrote change ``number`` here, having seen ``after``."""
        self.row[_OWN_PREVIOUS] = number
        for device, seen_number, _ in after:
            self.row[_SEEN][device] = seen_number
