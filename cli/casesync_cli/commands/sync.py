"""``sync``, ``outbox`` and ``status`` (cli)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casesync_cli.command import command
from casesync_cli.render import Output, deliver, deliver_list, time_or_dash, yes_no
from casesync_cli.session import open_replica, open_with_bars
from casesync_cli.settings import Settings
from casesync_cli.texts import tr

if TYPE_CHECKING:
    from casesync.client.network_views import StatusView, SyncProgress, SyncReport


@command("sync")
def sync(settings: Settings) -> None:
    """Exchange changes with the relay."""
    with open_with_bars(settings) as (replica, bars):

        def advance(now: SyncProgress) -> None:
            bars.show("sync.progress", now.received, now.expected)

        bars.wait("sync.asking")
        report = replica.sync(advance)
    deliver(settings, report, lambda out: _tell(out, report))


def _tell(out: Output, report: SyncReport) -> None:
    out.say("sync.sent", pushed=report.pushed, confirmed=report.confirmed)
    out.say("sync.received", received=report.received)
    if report.conflicts:
        out.say("sync.conflicts", count=report.conflicts)
    if report.quarantined > report.awaiting:
        out.say("sync.quarantined", count=report.quarantined - report.awaiting)
    if report.awaiting:
        out.say("sync.awaiting", count=report.awaiting)
    out.say("sync.synced" if report.synced else "sync.missing")
    out.facts(report.missing)


@command("outbox")
def outbox(settings: Settings) -> None:
    """List what the relay has not acknowledged yet."""
    with open_replica(settings) as replica:
        rows = replica.outbox()
    deliver_list(
        settings,
        rows,
        ("number", "what", "case", "bytes", "acknowledged"),
        lambda r: (
            str(r.number),
            tr(settings.lang, f"outbox.{r.what}"),
            r.case or "-",
            str(r.size_bytes),
            yes_no(settings.lang, r.acknowledged),
        ),
    )


@command("status")
def status(settings: Settings) -> None:
    """Say where this replica stands."""
    with open_replica(settings) as replica:
        view = replica.status()
    deliver(settings, view, lambda out: _tell_status(out, view))


def _tell_status(out: Output, view: StatusView) -> None:
    out.pairs(
        (
            ("network", view.network),
            ("unit", view.unit),
            ("relay", view.relay_url),
            ("last-sync", time_or_dash(view.last_sync_ms)),
            ("cases", str(view.cases)),
            ("changes", str(view.changes)),
            ("outbox", str(view.outbox)),
            ("conflicts", str(view.conflicts)),
            ("not-counting", str(view.quarantined - view.awaiting)),
            ("awaiting", str(view.awaiting)),
            ("entries-of-control", view.control_checkpoint.split()[0]),
            ("comparison-code", view.comparison_code),
        )
    )
    not_synced = "sync.missing" if view.missing else "status.never"
    out.say("status.synced" if view.synced else not_synced)
    out.facts(view.missing)
    if view.warnings:
        out.say("status.warnings")
        out.facts(view.warnings)
