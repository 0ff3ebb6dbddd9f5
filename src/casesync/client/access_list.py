"""Lists of access entries: one's own, and at an audit device everybody's (client).

``protocol/access-log.md``. What is listed is not verified here (``auditing.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from casesync.access.access_entry import AccessEntry, Shown, decode_entry
from casesync.client.core import Core
from casesync.client.names import Names, meant_by
from casesync.client.network_views import AuditEntryView
from casesync.client.paging import newest
from casesync.client.views import Page
from casesync.codec.crockford import case_code
from casesync.foundation.errors import CasesyncError, UsageError
from casesync.foundation.ids import MemberId, StreamId, StreamKind
from casesync.sync.ports import AccessRow, Transaction
from casesync.sync.stream_row import StreamRow

_STREAMS_PER_READ = 200


class _Listed(NamedTuple):
    """An entry in its place."""

    clock_ms: int
    row: AccessRow
    entry: AccessEntry | None
    """None: malformed, which only the audit judges; it must not hide the others."""


class AccessList:
    """The part of a replica that lists who looked at what."""

    def __init__(self, core: Core) -> None:
        """Args: core: the open replica."""
        self._core = core

    def entries(
        self,
        case: str | None = None,
        member: str | None = None,
        device: int | None = None,
        purpose: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Page[AuditEntryView]:
        """Access entries that this device may read, filtered; the look is logged itself.

        Args:
            case: code of a case, or its stream id in hex: entries about it, or that show it.
            member: name of a person.
            device: number.
            purpose: of this look.
            limit: at most so many, the newest; None = all.
            after: the ``after`` of an earlier page: what is older than that page.

        Returns: the oldest first, by the clock of the device that wrote them.

        Raises:
            UsageError: ``case-unknown``, ``member-unknown``, ``device-unknown``, ``page-unknown``.
        """
        control = self._core.engine.control
        if device is not None and control.device(device) is None:
            raise UsageError("device-unknown", device=device)
        people = None if member is None else self._members(member)
        stream = None if case is None else self._stream(case)
        self._core.log("audit", stream=stream, purpose=purpose)
        record = None if stream is None else self._record_of(stream)
        rows = []
        for row in self._rows(device):
            if people is not None and self._member_of(row) not in people:
                continue
            rows.append(row)
        found = [
            listed
            for listed in _listed(rows)
            if stream is None or listed.entry is None or _concerns(listed.entry, stream, record)
        ]
        found.sort(key=lambda listed: (listed.clock_ms, listed.row.device, listed.row.sequence))
        page = newest(found, [_key(listed.row) for listed in found], limit=limit, after=after)
        return Page(tuple(self._views(page.items)), page.count, page.after)

    def mine(self, *, limit: int | None = None, after: str | None = None) -> Page[AuditEntryView]:
        """This device's own entries, oldest first, in the order in which it wrote them.

        Args and errors: as ``entries``.
        """
        rows = self._rows(self._core.engine.device)
        page = newest(rows, [_key(row) for row in rows], limit=limit, after=after)
        found = list(_listed(page))  # only what is shown
        return Page(tuple(self._views(found)), page.count, page.after)

    def _members(self, name: str) -> set[MemberId]:
        """Everybody of this name; accents may be left out."""
        control = self._core.engine.control
        found = meant_by(name, control.members(), lambda member: member.name)
        if not found:
            raise UsageError("member-unknown", member=name)
        return {member.member for member in found}

    def _member_of(self, row: AccessRow) -> MemberId | None:
        device = self._core.engine.control.device(int(row.device))
        return None if device is None else device.member

    def _rows(self, device: int | None) -> list[AccessRow]:
        with self._core.store.transaction() as tx:
            return list(tx.access_rows(device))

    def _stream(self, case: str) -> StreamId:
        """A case by code or stream id; an auditor knows cases by their openings."""
        wanted = case.replace("-", "").upper()
        found: list[StreamId] = []
        with self._core.store.transaction() as tx:
            for stream, record in _records_of(tx, tx.stream_ids(int(StreamKind.CASE))):
                code = case_code(record).replace("-", "")
                if code.startswith(wanted) or stream.hex() == case.lower():
                    found.append(stream)
        if not found:
            raise UsageError("case-unknown", case=case)
        if len(found) > 1:
            raise UsageError("case-ambiguous", case=case, known=str(len(found)))
        return found[0]

    def _record_of(self, stream: StreamId) -> bytes | None:
        with self._core.store.transaction() as tx:
            return dict(_records_of(tx, [stream])).get(stream)

    def _views(self, found: Sequence[_Listed]) -> list[AuditEntryView]:
        """Views of entries; each case's code is looked up once."""
        entries = [listed.entry for listed in found]
        streams = {e.stream for e in entries if e is not None and e.stream is not None}
        codes = {stream: stream.hex() for stream in streams}
        with self._core.store.transaction() as tx:
            codes |= {s: case_code(record) for s, record in _records_of(tx, sorted(streams))}
        return [
            self._malformed(clock_ms, row) if entry is None else self._view(row, entry, codes)
            for clock_ms, row, entry in found
        ]

    def _malformed(self, clock_ms: int, row: AccessRow) -> AuditEntryView:
        author = Names(self._core).device(int(row.device))
        return AuditEntryView(
            time_ms=clock_ms,
            action="malformed",
            outcome="unknown",
            member=author.author,
            role="",
            unit=author.unit,
            device=int(row.device),
            sequence=row.sequence,
            case=None,
            compartments=(),
            records=(),
            purpose=None,
            basis_hex=None,
            detail=None,
        )

    def _view(
        self, row: AccessRow, entry: AccessEntry, codes: Mapping[StreamId, str]
    ) -> AuditEntryView:
        names = Names(self._core)
        author = names.device(int(row.device))
        shown = entry.detail if isinstance(entry.detail, Shown) else None
        detail, about = _detail(entry)
        records = [*entry.records, *(() if shown is None else shown.records)]
        device = self._core.engine.control.device(int(row.device))
        late = (
            device is not None
            and device.suspended_index is not None
            and entry.control_size > device.suspended_index
        )
        return AuditEntryView(
            time_ms=entry.clock_ms,
            action=entry.action,
            outcome=entry.outcome.word,  # type: ignore[arg-type]
            member=author.author,
            role=entry.role,
            unit=names.unit(entry.unit),
            device=int(row.device),
            sequence=row.sequence,
            case=None if entry.stream is None else codes[entry.stream],
            compartments=tuple(c.word for c in entry.compartments),
            records=tuple(record.hex() for record in records),
            purpose=entry.purpose or None,
            basis_hex=None if entry.basis is None else entry.basis.hex(),
            detail=detail,
            late=late,
            hits=None if shown is None else shown.hits,
            about=about,
            look=entry.is_look,
        )


def _listed(rows: Iterable[AccessRow]) -> Iterator[_Listed]:
    """Rows by device and sequence; a malformed one has the time of the one before it."""
    device, clock_ms = 0, 0
    for row in rows:
        if row.device != device:
            device, clock_ms = int(row.device), 0
        try:
            entry: AccessEntry | None = decode_entry(row.entry)
        except CasesyncError:
            entry = None
        clock_ms = clock_ms if entry is None else entry.clock_ms
        yield _Listed(clock_ms, row, entry)


def _key(row: AccessRow) -> str:
    """What names an entry in its list."""
    return f"{row.device}.{row.sequence}"


def _detail(entry: AccessEntry) -> tuple[str | None, str | None]:
    """(reason or code of the refusal, what a refused control act was about)."""
    if isinstance(entry.detail, Shown):
        return None, None
    if entry.detail is None or entry.action != "administer":
        return entry.detail, None
    code, _, about = entry.detail.partition(" ")
    return code, about or None


def _records_of(tx: Transaction, streams: list[StreamId]) -> Iterator[tuple[StreamId, bytes]]:
    """The case records that streams are about, of those whose opening is here."""
    for at in range(0, len(streams), _STREAMS_PER_READ):
        for stream, raw in tx.stream_rows(streams[at : at + _STREAMS_PER_READ]).items():
            opening = StreamRow(raw).rights.opening
            if opening is not None and opening[2] is not None:
                yield stream, opening[2]


def _concerns(entry: AccessEntry, stream: StreamId, record: bytes | None) -> bool:
    """Whether an entry is about the case, or shows it in a list."""
    if entry.stream == stream:
        return True
    return isinstance(entry.detail, Shown) and record in entry.detail.records
