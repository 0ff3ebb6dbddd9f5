"""Consents, grants, revocations (client).

A consent is a record of the case; a grant is an act in the stream's base segments that rests on
one. Whether a consent covers a grant is checked here, by the granting client: the verdict on the
grant does not depend on it (DESIGN.md 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime
from hashlib import sha256

from casesync.access.stream_facts import END_OF_LOG, GrantFact
from casesync.client.case_reader import CaseReader
from casesync.client.core import Core
from casesync.client.look_log import log_list
from casesync.client.names import Names
from casesync.client.network_admin import NetworkAdmin
from casesync.client.records import Records
from casesync.client.refusals import refusals_logged
from casesync.client.subscriptions import notify
from casesync.client.views import CaseView, ConsentView, GrantView, Withdrawal
from casesync.codec.crockford import case_code
from casesync.foundation.errors import AccessDenied, CannotDecide, UsageError
from casesync.foundation.ids import (
    Compartment,
    RecordId,
    StreamId,
    StreamKind,
    UnitId,
    compartment_by_word,
)
from casesync.sync.access_log import log_access
from casesync.sync.grants import GrantTerms, write_grant, write_revocation
from casesync.sync.stream_row import StreamRow

_ALWAYS = END_OF_LOG * 2
_STREAMS_PER_READ = 1000
"""Rows in memory at a time."""
_DAY_MS = 24 * 3600 * 1000
_VIETNAM_MS = 7 * 3600 * 1000


class Sharing:
    """The part of a replica that records consents and shares cases."""

    def __init__(self, core: Core, admin: NetworkAdmin, records: Records) -> None:
        """Args: the open replica and the parts that name units and read cases."""
        self._core = core
        self._admin = admin
        self._records = records

    # -- consents -------------------------------------------------------------------------------

    def give_consent(
        self,
        case: StreamId,
        purpose: str,
        to_unit: str,
        compartments: list[str],
        notice_text: str | None,
        form: str,
        until_ms: int | None,
    ) -> bytes:
        """Record a consent; returns its record id (16 bytes).

        Raises:
            UsageError: unknown unit, compartment, purpose or form; ``until-past``.
            AccessDenied: the role does not write consents.
        """
        self._check_until(until_ms)
        unit = self._admin.unit_named(to_unit)
        words = [compartment.word for compartment in parse_compartments(compartments)]
        with self._records.edit(case, action="consent") as edit:
            record_type = self._core.engine.schema.type_by_name("consent")
            values: dict[str, object] = {
                "purpose": purpose,
                "recipient_unit": bytes(unit),
                "compartments": sorted(words),
                "form": form,
                "given_by": "self",
                "given_at": self._core.clock.now_ms(),
                "permission": True,
            }
            if notice_text is not None:
                values["notice_text"] = notice_text
                values["notice_hash"] = sha256(notice_text.encode()).digest()
            if until_ms is not None:
                values["expires_on"] = _day(until_ms)
            return edit.new_record(record_type.name, values)

    def withdraw_consent(
        self, case: StreamId, consent: str, purpose: str | None = None
    ) -> Withdrawal:
        """Record a withdrawal; it beats anything written beside it.

        Raises: UsageError: ``consent-unknown``, ``consent-withdrawn-already``.
        """
        view = _named(self.consents(case, purpose), consent)
        if not view.given:
            raise UsageError("consent-withdrawn-already", consent=view.id_hex[:8], case=view.case)
        with self._records.edit(case, action="consent", purpose=purpose) as edit:
            path = f"consent/{view.id_hex}"
            edit.set(f"{path}.permission", False, resolve=True)
            edit.set(f"{path}.withdrawn_at", self._core.clock.now_ms(), resolve=True)
            edit.set(f"{path}.withdrawn_by", "self", resolve=True)
        resting = [g for g in self._views(case) if g.consent_hex == view.id_hex]
        active = tuple(grant for grant in resting if grant.state == "active")
        return Withdrawal(withdrawn_hex=view.id_hex, grants=active)

    def consents(self, case: StreamId, purpose: str | None = None) -> list[ConsentView]:
        """Every consent recorded in a case."""
        return self._consents_of(self._records.show(case, action="consent", purpose=purpose))

    def _consents_of(self, view: CaseView) -> list[ConsentView]:
        found = []
        for record in view.records:
            if record.type != "consent":
                continue
            field = {name: f.value for name, f in record.fields.items()}
            given = record.fields.get("permission")
            first = given.values[0] if given is not None and given.values else None
            until = field.get("expires_on")
            unit_hex = str(field.get("recipient_unit") or "")
            found.append(
                ConsentView(
                    id_hex=record.id_hex,
                    case=view.case,
                    purpose=_text(field.get("purpose")),
                    unit=Names(self._core).unit_hex(unit_hex) or None,
                    compartments=_words(field.get("compartments")),
                    form=_text(field.get("form")),
                    notice=_text(field.get("notice_text")),
                    given=field.get("permission") is True,
                    given_at_ms=_moment_ms(field.get("given_at")),
                    until_ms=_end_of_day(str(until)) if until else None,
                    author="" if first is None else first.author,
                )
            )
        return found

    # -- grants ---------------------------------------------------------------------------------

    def grant(
        self,
        case: StreamId,
        to_unit: str,
        compartments: list[str],
        purpose: str,
        consent_id: str,
        until_ms: int | None = None,
        *,
        write: bool = False,
        history: bool = False,
    ) -> GrantView:
        """Share compartments of a case with another office, at most as long as the consent lasts.

        What rights or the consent do not allow is logged as a refused grant.

        Raises:
            AccessDenied: ``may-not-grant``, ``consent-withdrawn``, ``consent-expired``.
            UsageError: ``consent-unknown``, ``consent-other-unit``, ``consent-other-purpose``,
                ``consent-not-covering``, ``identity-needs-contact``, ``grant-to-owner``,
                ``until-past``.
        """
        core = self._core
        self._check_until(until_ms)
        unit = self._admin.unit_named(to_unit)
        chosen = parse_compartments(compartments)
        with self._refusals_logged("grant", case, chosen, purpose):
            consent = self._consent(case, consent_id)
            if purpose != consent.purpose:
                raise UsageError("consent-other-purpose", purpose=consent.purpose or "-")
            self._check_consent(consent, unit, chosen, until_ms)
        until_ms = consent.until_ms if until_ms is None else until_ms
        view = core.engine.control.unit(unit)
        assert view is not None
        devices = [d for d in core.engine.control.devices() if d.unit == unit]
        if not devices:
            raise CannotDecide("unit-without-device", unit=view.name)
        if not any(device.active for device in devices):
            raise CannotDecide("unit-suspended", unit=view.name)
        terms = GrantTerms(
            to_unit=unit,
            compartments=tuple(chosen),
            write=write,
            history=history,
            purpose=purpose,
            expires_ms=until_ms,
            consent=RecordId(bytes.fromhex(consent.id_hex)),
        )
        with (
            self._refusals_logged("grant", case, chosen, purpose),
            core.transaction() as tx,
        ):
            log_access(core.engine, tx, "grant", stream=case, compartments=chosen, purpose=purpose)
            grant = write_grant(core.engine, tx, case, terms, view.feed)
        notify(core, [case], END_OF_LOG)
        return next(view for view in self._views(case) if view.id_hex == grant.hex())

    def _consent(self, case: StreamId, prefix: str) -> ConsentView:
        """What a grant is to rest on; it is not shown, so the grant's own entry is the only one."""
        with self._core.store.transaction() as tx:
            view = CaseReader(self._core, tx, case).view()
        return _named(self._consents_of(view), prefix)

    def _refusals_logged(
        self, action: str, case: StreamId, compartments: list[Compartment], purpose: str | None
    ) -> AbstractContextManager[None]:
        return refusals_logged(
            self._core,
            action,
            stream=case,
            compartments=compartments,
            purpose=purpose,
            refusals=(AccessDenied, UsageError),
        )

    def _check_until(self, until_ms: int | None) -> None:
        now_ms = self._core.clock.now_ms()
        if until_ms is not None and until_ms < now_ms:
            raise UsageError("until-past", day=_people_day(until_ms), today=_people_day(now_ms))

    def _check_consent(
        self,
        consent: ConsentView,
        unit: UnitId,
        chosen: list[Compartment],
        until_ms: int | None,
    ) -> None:
        if not consent.given:
            raise AccessDenied("consent-withdrawn", consent=consent.id_hex[:8])
        now = self._core.engine.log_now_ms()
        if consent.until_ms is not None and (
            now > consent.until_ms or (until_ms or 0) > consent.until_ms
        ):
            raise AccessDenied("consent-expired", consent=consent.id_hex[:8])
        if consent.unit != Names(self._core).unit(unit):
            raise UsageError("consent-other-unit", unit=consent.unit or "-")
        missing = [c.word for c in chosen if c.word not in consent.compartments]
        if missing:
            raise UsageError("consent-not-covering", compartments=", ".join(missing))

    def grants(self, case: StreamId | None = None, purpose: str | None = None) -> list[GrantView]:
        """Grants of one case, or of all cases here; the access entries are durable first."""
        names = Names(self._core)
        shared = list(self._shared(case))
        records = (record for _, record, _ in shared)
        log_list(self._core, "list", records, hits=len(shared), stream=case, purpose=purpose)
        return [self._grant_view(names, record, fact) for _, record, fact in shared]

    def _views(self, case: StreamId) -> list[GrantView]:
        names = Names(self._core)
        return [self._grant_view(names, record, fact) for _, record, fact in self._shared(case)]

    def _shared(self, case: StreamId | None) -> Iterator[tuple[StreamId, RecordId, GrantFact]]:
        """Every grant of a case, or of all cases here, with the case's stream and record."""
        with self._core.store.transaction() as tx:
            streams = [case] if case is not None else tx.stream_ids(int(StreamKind.CASE))
        for at in range(0, len(streams), _STREAMS_PER_READ):
            with self._core.store.transaction() as tx:
                rows = tx.stream_rows(streams[at : at + _STREAMS_PER_READ])
            for stream, raw in rows.items():
                row = StreamRow(raw)
                opening = row.rights.opening if row.is_shared() else None
                if opening is not None and opening[2] is not None:
                    for fact in row.rights.grants:
                        yield stream, RecordId(opening[2]), fact

    def _grant_view(self, names: Names, record: RecordId, fact: GrantFact) -> GrantView:
        now = self._core.engine.log_now_ms()
        expired = fact.expires_ms is not None and now >= fact.expires_ms
        state = "revoked" if fact.revoked else "expired" if expired else "active"
        return GrantView(
            id_hex=fact.grant.hex(),
            case=case_code(record),
            unit=names.unit(UnitId(fact.unit)),
            compartments=tuple(c.word for c in Compartment if fact.mask >> c & 1),
            purpose=fact.purpose,
            consent_hex=fact.consent.hex(),
            write=fact.write,
            history=fact.history,
            granted_ms=fact.log_time_ms or now,
            until_ms=fact.expires_ms,
            state=state,  # type: ignore[arg-type]
            author=names.device(fact.device).author,
        )

    def revoke_grant(
        self, case: StreamId | None, grant: str, reason: str = "", purpose: str | None = None
    ) -> None:
        """End a grant; its unit's clients destroy their copy when they sync.

        Args:
            case: whose grant it is; None: it is looked for in all.
            grant: its id, or the beginning of it.
            reason: kept with the revocation.
            purpose: of the access.

        Raises: UsageError: ``grant-unknown``, ``grant-revoked-already``; AccessDenied.
        """
        core = self._core
        found = [
            (stream, fact)
            for stream, _, fact in self._shared(case)
            if fact.grant.hex().startswith(grant.lower())
        ]
        if len(found) != 1:
            raise UsageError("grant-unknown", grant=grant)
        case, fact = found[0]
        if fact.revoked is not None:
            raise UsageError("grant-revoked-already", grant=grant)
        view = core.engine.control.unit(UnitId(fact.unit))
        assert view is not None
        with self._refusals_logged("revoke", case, [], purpose), core.transaction() as tx:
            log_access(
                core.engine,
                tx,
                "revoke",
                stream=case,
                basis=fact.grant,
                purpose=core.purpose(purpose),
            )
            write_revocation(core.engine, tx, case, fact, view.feed, reason)
        notify(core, [case], END_OF_LOG)


def parse_compartments(words: list[str]) -> list[Compartment]:
    """Content compartments by their names.

    Raises: UsageError: ``compartment-unknown``, ``compartments-none``.
    """
    found = []
    for word in words:
        compartment = compartment_by_word(word.strip().lower())
        if compartment is None or compartment in (Compartment.BASE, Compartment.ACCESS):
            known = ", ".join(c.word for c in Compartment if 1 < c < Compartment.ACCESS)
            raise UsageError("compartment-unknown", compartment=word, known=known)
        found.append(compartment)
    if not found:
        raise UsageError("compartments-none")
    return sorted(set(found))


def _named(consents: list[ConsentView], prefix: str) -> ConsentView:
    found = [consent for consent in consents if consent.id_hex.startswith(prefix.lower())]
    if len(found) != 1:
        raise UsageError("consent-unknown", consent=prefix)
    return found[0]


def _day(ms: int) -> str:
    """The day in Vietnam; the first or the last of the calendar for what lies outside."""
    ordinal = (ms + _VIETNAM_MS) // _DAY_MS + date(1970, 1, 1).toordinal()
    return date.fromordinal(min(max(ordinal, 1), date.max.toordinal())).isoformat()


def _people_day(ms: int) -> str:
    return "/".join(reversed(_day(ms).split("-")))


def _end_of_day(day: str) -> int | None:
    try:
        days = date.fromisoformat(day).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        return None
    return (days + 1) * _DAY_MS - _VIETNAM_MS - 1


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()


def _text(value: object) -> str | None:
    return None if value in (None, "") else str(value)


def _moment_ms(value: object) -> int | None:
    """A timestamp as ``json_value`` gives it, in ms; None for what is none."""
    if isinstance(value, int):
        return value
    try:
        return round(datetime.fromisoformat(str(value)).timestamp() * 1000)
    except (OverflowError, ValueError):
        return None
