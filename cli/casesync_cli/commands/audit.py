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


def _deliver(settings: Settings, page: Page[AuditEntryView]) -> None:
    """What was refused or late, and why, have places where there are any: most pages have none."""
    outcomes = ["outcome"] if any(e.outcome != "success" or e.late for e in page) else []
    reasons = ["reason"] if any(_reason(settings.lang, entry) for entry in page) else []
    columns = (
        ("time", "case"),
        ("member", "unit", "device"),
        ("purpose", "compartments"),
        ("action", *outcomes, *reasons),
    )

    def row(out: Output, entry: AuditEntryView) -> tuple[str, ...]:
        cells = _cells(out.lang, entry)
        return tuple(cells[name] for stack in columns for name in stack)

    deliver_newest(settings, page, columns, row)


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


def _cells(lang: str, entry: AuditEntryView) -> dict[str, str]:
    """What an entry says, by column."""
    done = done_words(lang, entry.action, look=entry.look)
    outcome = tr(lang, f"audit.{entry.outcome}")
    return {
        "time": people_time(entry.time_ms),
        "case": entry.case or "-",
        "member": entry.member,
        "unit": entry.unit,
        "device": str(entry.device),
        "action": done if entry.hits is None else f"{done} ({entry.hits})",
        "outcome": outcome + (" (" + tr(lang, "audit.late") + ")" if entry.late else ""),
        "reason": _reason(lang, entry) or "-",
        "purpose": label(lang, "purpose", entry.purpose or "-"),
        "compartments": labels(lang, "compartment", entry.compartments),
    }


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
