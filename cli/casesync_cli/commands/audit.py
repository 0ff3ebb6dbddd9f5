"""``audit list``, ``audit verify`` and ``audit mine`` (cli)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from casesync_cli.command import LocalisedGroup, command, option
from casesync_cli.labels import done_words, label, labels
from casesync_cli.pages import deliver_newest, limit_of, page_options
from casesync_cli.render import Output, deliver
from casesync_cli.session import open_replica
from casesync_cli.settings import Settings
from casesync_cli.texts import fact_text, refusal_text, tr
from casesync_cli.times import people_time

if TYPE_CHECKING:
    from casesync.client.network_views import AuditDevice, AuditEntryView
    from casesync.client.views import Page


COLUMNS = ("time", "member", "unit", "device", "action", "case", "compartments", "purpose",
           "outcome")  # fmt: skip


def _deliver(settings: Settings, page: Page[AuditEntryView]) -> None:
    """The reasons have a column where there are any: most pages have none."""
    if not any(_reason(settings.lang, entry) for entry in page):
        deliver_newest(settings, page, COLUMNS, _row)
        return
    deliver_newest(
        settings,
        page,
        (*COLUMNS, "reason"),
        lambda out, entry: (*_row(out, entry), _reason(out.lang, entry) or "-"),
    )


def _reason(lang: str, entry: AuditEntryView) -> str:
    """Why, as far as the entry says so; of a refusal the words, and what it was about."""
    if entry.hits is not None or not entry.detail:
        return ""
    if entry.outcome != "refused":
        return tr(lang, "audit.verified") if entry.action == "audit" else entry.detail
    words = refusal_text(lang, entry.detail)
    kind, _, what = (entry.about or "").partition(" ")
    if kind not in ("device", "unit"):
        return words
    return f"{tr(lang, f'col.{kind}')} {what}: {words}"


def _row(out: Output, entry: AuditEntryView) -> tuple[str, ...]:
    lang = out.lang
    outcome = tr(lang, f"audit.{entry.outcome}")
    return (
        people_time(entry.time_ms),
        entry.member,
        entry.unit,
        str(entry.device),
        done_words(lang, entry.action, look=entry.look),
        entry.case or "-",
        labels(lang, "compartment", entry.compartments),
        label(lang, "purpose", entry.purpose or "-"),
        outcome + (" (" + tr(lang, "audit.late") + ")" if entry.late else ""),
    )


@command(
    "audit list",
    option("--case", metavar="CASE"),
    option("--member", metavar="NAME"),
    option("--device", type=click.IntRange(min=1), metavar="NUMBER"),
    *page_options(),
    option("--purpose", metavar="PURPOSE"),
)
def audit_list(
    settings: Settings,
    *,
    case: str | None,
    member: str | None,
    device: int | None,
    limit: int | None,
    after: str | None,
    purpose: str | None,
) -> None:
    """List access entries: who looked at what, when and why."""
    limit = limit_of(settings, limit)
    with open_replica(settings) as replica:
        page = replica.audit_list(case, member, device, purpose, limit, after)
    _deliver(settings, page)


@command("audit mine", *page_options())
def audit_mine(settings: Settings, *, limit: int | None, after: str | None) -> None:
    """List this device's own access entries."""
    with open_replica(settings) as replica:
        page = replica.audit_mine(limit_of(settings, limit), after)
    _deliver(settings, page)


@command("audit verify", option("--offline", is_flag=True), option("--purpose", metavar="PURPOSE"))
def audit_verify(settings: Settings, *, offline: bool, purpose: str | None) -> None:
    """Verify the access log; exit 6 if anything contradicts."""
    with open_replica(settings) as replica:
        report = replica.audit_verify(offline, purpose)

    def people(out: Output) -> None:
        rows = [
            (str(d.device), d.member, d.unit, str(d.entries), _state(out, d))
            for d in report.devices
        ]
        out.table(("device", "member", "unit", "entries", "state"), rows)
        out.say("audit.done", entries=report.entries, control=report.control_entries)
        if report.offline:
            out.say("audit.offline")
        out.pairs(
            (
                ("control-checkpoint", report.control_checkpoint),
                ("change-checkpoint", report.change_checkpoint),
            )
        )

    deliver(settings, report, people)


def _state(out: Output, device: AuditDevice) -> str:
    state = out.words(f"audit.{device.state}")
    if device.problem is None:
        return state
    return f"{state} ({fact_text(out.lang, f'audit.{device.problem}', {})})"


audit = LocalisedGroup("audit", [audit_list, audit_verify, audit_mine])
