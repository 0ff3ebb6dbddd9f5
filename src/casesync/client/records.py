"""Cases and their records: listing, showing, editing, conflicts (client).

Every look is logged before its result is returned, and a refused one too (``refusals_logged``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from casesync.access.stream_facts import END_OF_LOG
from casesync.client.case_edit import CaseEdit
from casesync.client.case_history import check_field, keys_of
from casesync.client.case_reader import CaseReader
from casesync.client.conflicts import Conflicts
from casesync.client.core import Core
from casesync.client.listing import disputed, refresh_listings
from casesync.client.look_log import log_case, log_list
from casesync.client.names import Names
from casesync.client.paging import newest
from casesync.client.refusals import refusals_logged
from casesync.client.subscriptions import notify
from casesync.client.views import (
    Assignment,
    CaseSummary,
    CaseView,
    HistoryView,
    Page,
)
from casesync.codec.crockford import case_code, parse_case_code
from casesync.foundation.errors import AccessDenied, UsageError
from casesync.foundation.ids import RecordId, StreamId, StreamKind
from casesync.model.value_format import json_element, json_value
from casesync.model.value_text import parse_element, parse_value
from casesync.sync.access_log import log_access
from casesync.sync.author import open_stream, write_change
from casesync.sync.ports import ListingRow
from casesync.sync.stream_row import StreamRow

REASON_CHARS_MAX: Final = 500
"""At most 2,000 bytes; an access entry's detail may have 2,048."""


class Records:
    """The part of a replica that reads and writes cases."""

    def __init__(self, core: Core) -> None:
        """Args: core: the open replica."""
        self._core = core
        self.conflicts = Conflicts(core, self.edit)

    # -- finding ------------------------------------------------------------------------------

    def resolve_case(self, text: str) -> StreamId:
        """The case people mean by a code or the beginning of one, or by its stream id in hex.

        Raises:
            UsageError: ``case-unknown``, ``case-ambiguous`` (with the candidates),
                ``case-code-mistyped``.
        """
        refresh_listings(self._core)
        with self._core.store.transaction() as tx:
            if len(text) == 32 and _is_hex(text):
                stream = StreamId(bytes.fromhex(text))
                if tx.stream_rows([stream]):
                    return stream
            rows = tx.cases_by_code(parse_case_code(text).shown)
        if not rows:
            raise UsageError("case-unknown", case=text)
        if len(rows) > 1:
            known = ", ".join(row.code for row in rows[:10])
            raise UsageError("case-ambiguous", case=text, known=known)
        return rows[0].stream

    def case_code(self, stream: StreamId) -> str:
        """The code of a case that is here. Raises: UsageError: ``case-unknown``."""
        with self._core.store.transaction() as tx:
            row = StreamRow(tx.stream_rows([stream]).get(stream))
        opening = row.rights.opening
        if opening is None or opening[2] is None:
            raise UsageError("case-unknown", case=stream.hex()[:8])
        return case_code(opening[2])

    def cases(
        self,
        filters: Mapping[str, str] | None = None,
        *,
        limit: int = 50,
        after: str | None = None,
        purpose: str | None = None,
    ) -> Page[CaseSummary]:
        """Cases by effective values, newest first."""
        refresh_listings(self._core)
        wanted = {name: self._filter(name, text) for name, text in (filters or {}).items()}
        with self._core.store.transaction() as tx:
            rows, count = tx.list_cases(wanted, limit, after)
        return self._page("list", rows, count, limit, purpose)

    def _filter(self, name: str, text: str) -> object:
        """What a filter that people typed compares with: the JSON of the effective value."""
        schema = self._core.engine.schema
        _, field = schema.field_by_name(name)
        if field.element is not None:
            return json_element(parse_element(schema, field, text))
        return json_value(field, parse_value(schema, field, text))

    def find(
        self, text: str, *, limit: int = 50, after: str | None = None, purpose: str | None = None
    ) -> Page[CaseSummary]:
        """Folded full-text search, exact matches first."""
        refresh_listings(self._core)
        with self._core.store.transaction() as tx:
            rows, count = tx.find_cases(text, limit, after)
        return self._page("search", rows, count, limit, purpose)

    def _page(
        self, action: str, rows: list[ListingRow], count: int, limit: int, purpose: str | None
    ) -> Page[CaseSummary]:
        log_list(self._core, action, (row.record for row in rows), hits=count, purpose=purpose)
        names = Names(self._core)
        items = []
        with self._core.store.transaction() as tx:
            held = tx.stream_rows([row.stream for row in rows])
            conflicts = Counter(row.stream for row in tx.conflicts())
            for row in rows:
                owner = StreamRow(held.get(row.stream)).rights.owner
                items.append(
                    CaseSummary(
                        case=row.code,
                        stream_hex=row.stream.hex(),
                        owner="" if owner is None else names.unit(owner),
                        changed_ms=row.sort_ms or None,
                        fields=row.fields,
                        conflicts=conflicts[row.stream],
                        disputed=disputed(CaseReader(self._core, tx, row.stream))
                        if conflicts[row.stream]
                        else {},
                    )
                )
        more = items[-1].case if items and len(items) == limit else None
        return Page(items=tuple(items), count=count, after=more)

    # -- showing --------------------------------------------------------------------------------

    def show(self, case: StreamId, *, purpose: str | None = None, action: str = "read") -> CaseView:
        """The whole case as this device may see it; the access entry is durable first."""
        self._log_case(action, case, purpose)
        with self._core.store.transaction() as tx:
            return CaseReader(self._core, tx, case).view()

    def history(
        self,
        case: StreamId,
        *,
        field: str | None = None,
        purpose: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Page[HistoryView]:
        """Every write that can be read, oldest first. Raises: UsageError: unknown type or field."""
        if field is not None:
            check_field(self._core.engine.schema, field)
        self._log_case("history", case, purpose)
        with self._core.store.transaction() as tx:
            rows = CaseReader(self._core, tx, case).history(field)
        return newest(rows, keys_of(rows), limit=limit, after=after)

    def _log_case(self, action: str, case: StreamId, purpose: str | None) -> None:
        with self._core.store.transaction() as tx:
            reader = CaseReader(self._core, tx, case)
            compartments = reader.readable()
            records = [w.cell.record for w in reader.state().live_writes()]
            basis = self._basis(reader)
        log_case(
            self._core,
            action,
            records,
            stream=case,
            compartments=compartments,
            purpose=purpose,
            basis=basis,
        )

    def _basis(self, reader: CaseReader) -> bytes | None:
        """The grant a look rests on, where the case is another office's."""
        rights = reader.row.rights
        if rights.owner == self._core.engine.unit:
            return None
        mine = [g for g in rights.grants if g.unit == self._core.engine.unit]
        return mine[-1].grant if mine else None

    # -- editing --------------------------------------------------------------------------------

    def new_case(
        self,
        kinds: Sequence[str],
        sets: Sequence[Assignment] = (),
        *,
        purpose: str | None = None,
    ) -> CaseView:
        """Open a case of this office.

        Raises:
            UsageError: unknown kind, field or value.
            AccessDenied: ``role-opens-no-cases``: a visitor, whose unit is herself alone;
                ``compartment-not-written``. The attempt is logged.
        """
        core = self._core
        with refusals_logged(core, "create", purpose=purpose):
            stream = self._open_case(kinds, sets, purpose)
        notify(core, [stream], END_OF_LOG)
        with core.store.transaction() as tx:
            return CaseReader(core, tx, stream).view()

    def _open_case(
        self, kinds: Sequence[str], sets: Sequence[Assignment], purpose: str | None
    ) -> StreamId:
        core = self._core
        record = RecordId(core.entropy.bytes(16))
        unit = core.engine.control.unit(core.engine.unit)
        assert unit is not None
        if unit.type == "one":  # nobody else could ever read it
            raise AccessDenied("role-opens-no-cases")
        with core.transaction() as tx:
            opening = open_stream(core.engine, tx, StreamKind.CASE, record, unit.feed)
            edit = CaseEdit(core, tx, opening.stream, StreamRow(), case_record=record)
            for kind in kinds:
                edit.add("case.kinds", kind)
            edit.set("case.opened_at", core.clock.now_ms())
            edit.set("case.opened_by_unit", bytes(core.engine.unit))
            if not any(a.type == "case" and a.field == "status" for a in sets):
                edit.set("case.status", "open")
            edit.apply_each(sets)
            [draft] = edit.drafts()
            opening.bodies, opening.decoded = draft.bodies, draft.decoded
            log_access(
                core.engine,
                tx,
                "create",
                stream=opening.stream,
                records=[record],
                compartments=edit.compartments,
                purpose=core.purpose(purpose),
            )
            write_change(core.engine, tx, opening)
        return opening.stream

    @contextmanager
    def edit(
        self,
        case: StreamId,
        *,
        base: str | None = None,
        purpose: str | None = None,
        action: str = "update",
        reason: str | None = None,
    ) -> Iterator[CaseEdit]:
        """Change a case; on leaving the block everything becomes one change.

        ``reason`` (500 characters of it) is kept in the access log.

        Raises:
            ConflictStop: ``conflict-open``; nothing was written.
            AccessDenied: the role or grant does not allow it; the attempt is logged.
            UsageError: unknown names or wrong values; nothing was written.
        """
        core = self._core
        with core.store.transaction() as tx:
            reader = CaseReader(core, tx, case)
            state = None if base is None else reader.state_at(base)
            edit = CaseEdit(core, tx, case, reader.row, base=state)
        with refusals_logged(core, action, stream=case, purpose=purpose):
            yield edit
            if edit.empty:
                return
            with core.transaction() as tx:
                log_access(
                    core.engine,
                    tx,
                    action,
                    stream=case,
                    compartments=edit.compartments,
                    purpose=core.purpose(purpose),
                    detail=reason[:REASON_CHARS_MAX] if reason else None,
                )
                numbers = [write_change(core.engine, tx, draft)[0] for draft in edit.drafts()]
        notify(core, [case], END_OF_LOG + min(numbers))


def _is_hex(text: str) -> bool:
    return all(char in "0123456789abcdefABCDEF" for char in text)
