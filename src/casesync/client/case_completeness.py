"""What of a case is known to exist and is not here (client; DESIGN.md 4, ``after``)."""

from __future__ import annotations

from collections.abc import Iterable

from casesync.access.base_acts import Grant, decode_acts
from casesync.access.stream_facts import END_OF_LOG, GrantFact
from casesync.client.core import Core
from casesync.client.names import Names
from casesync.client.views import Fact
from casesync.foundation.ids import Compartment, StreamId
from casesync.model.segment_body import copy_at, is_copies
from casesync.sync.change_reader import ReadChange, open_at
from casesync.sync.grants import ContentCache
from casesync.sync.ports import Transaction
from casesync.sync.stream_merge import SeenVectors, load_changes
from casesync.sync.stream_row import StreamRow


class Completeness:
    """Asks one case what its changes have seen that this replica has not."""

    def __init__(self, core: Core, tx: Transaction, stream: StreamId, row: StreamRow) -> None:
        """Args: row: the case's stream row."""
        self._core = core
        self._tx = tx
        self._stream = stream
        self._row = row
        self._cache = ContentCache(core.engine, tx, stream, row)
        self._names = Names(core)
        self._entries = list(row.history())
        self._vectors: SeenVectors | None = None

    def facts(self) -> list[Fact]:
        """What of the case is known to exist and is not here."""
        facts: list[Fact] = []
        held = {(e.device, e.number) for e in self._entries}
        covers = self._covered()
        missing: dict[int, int] = {}
        for change in load_changes(self._tx, self._entries):
            header = change.header
            named = [(header.device, header.previous_here)]
            named += [(device, number) for device, number, _ in header.after]
            for device, number in named:
                if number and (device, number) not in held and number > covers.get(device, 0):
                    missing[device] = max(missing.get(device, 0), number)
        for device, number in sorted(missing.items()):
            unit = self._names.device(device).unit
            facts.append(Fact("waiting-for-change", {"number": number, "unit": unit}))
        if any(stream == self._stream for stream, _, _ in self._tx.owed()):
            facts.append(Fact("backfill-owed"))
        facts += self._grant_facts()
        return facts

    def _covered(self) -> dict[int, int]:
        """Per device the last number that a grant's snapshot absorbs, for a grantee."""
        if self._row.rights.owner == self._core.engine.unit:
            return {}
        covers: dict[int, int] = {}
        for grant in self._row.rights.grants:
            if grant.unit == self._core.engine.unit:
                covers.update(grant.covers)
        return covers

    def _grant_facts(self) -> list[Fact]:
        rights = self._row.rights
        unit = self._core.engine.unit
        if rights.owner is None or rights.owner == unit:
            return []
        facts: list[Fact] = []
        owner = self._names.unit(rights.owner)
        now_ms = self._core.engine.log_now_ms()
        in_force = rights.grants_in_force(END_OF_LOG * 2, now_ms)
        granted = [grant for grant in in_force if grant.unit == unit]
        if any(not g.history for g in granted):
            facts.append(Fact("before-grant", {"unit": owner}))
        if self._awaits_supplement(granted):
            facts.append(Fact("waiting-for-unit", {"unit": owner}))
        return facts

    def _awaits_supplement(self, granted: Iterable[GrantFact]) -> bool:
        keys = self._core.engine.keys.stream(self._stream)
        reads = self._core.engine.reads
        copied = self._copied()
        for entry, change in zip(self._entries, load_changes(self._tx, self._entries), strict=True):
            for segment in change.header.segments:
                kind = segment.kind
                content = Compartment.BASE < kind < Compartment.ACCESS
                if not content or not reads(kind) or (kind, segment.key_name) in keys:
                    continue
                if not entry.counts or (entry.device, entry.number, kind) in copied:
                    continue
                behind = [
                    g
                    for g in granted
                    if g.mask >> kind & 1 and g.lies_behind(entry.device, entry.number)
                ]
                if not behind or self._grants(change):
                    continue
                if not any(self._answered(change, kind, grant) for grant in behind):
                    return True
        return False

    def _grants(self, change: ReadChange) -> bool:
        """Whether the change is a grant, to whomever: then its content is a snapshot for them."""
        for position, segment in enumerate(change.header.segments):
            if segment.kind == Compartment.BASE:
                body = open_at(self._core.engine, self._stream, change, position)
                return body is not None and any(isinstance(a, Grant) for a in decode_acts(body))
        return False

    def _answered(self, change: ReadChange, kind: int, grant: GrantFact) -> bool:
        """Whether a device that copies had seen change and grant when it wrote later.

        Then it copied what was to be copied, or there was nothing: what we cannot open may be
        copies for another office.
        """
        control = self._core.engine.control
        named = (change.header.device, change.header.number)
        if self._vectors is None:
            self._vectors = SeenVectors()
            for noted in load_changes(self._tx, self._row.in_log_order()):
                self._vectors.note(noted)
        for entry in self._entries:
            if control.unit_of(entry.device) != self._row.rights.owner:
                continue
            if (entry.device, entry.number) == named or not control.writes_mask(
                entry.device
            ) >> kind & 1:
                continue
            seen = self._vectors.seen_by(entry.device, entry.number)
            both = (named, (grant.device, grant.number))
            if all(seen.get(device, 0) >= number for device, number in both):
                return True
        return False

    def _copied(self) -> set[tuple[int, int, int]]:
        found: set[tuple[int, int, int]] = set()
        for entry in self._entries:
            for segment in self._cache.change(entry.location).header.segments:
                if not Compartment.BASE < segment.kind < Compartment.ACCESS:
                    continue
                content = self._cache.content(entry.location, segment.kind)
                if content is not None and is_copies(content):
                    for at in range(len(content[3][3])):
                        copy = copy_at(content, at)
                        found.add((copy.device, copy.number, segment.kind))
                        found.update((r.device, r.number, segment.kind) for r in copy.replaces)
        return found
