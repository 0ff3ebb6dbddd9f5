"""``quarantine list`` and ``quarantine show`` (cli)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casesync.foundation.errors import UsageError
from casesync_cli.command import LocalisedGroup, argument, command
from casesync_cli.render import deliver, deliver_list
from casesync_cli.session import open_replica
from casesync_cli.settings import Settings
from casesync_cli.texts import fact_text, tr
from casesync_cli.times import people_time

if TYPE_CHECKING:
    from casesync.client.network_views import QuarantineView


def _reason(lang: str, view: QuarantineView) -> str:
    return fact_text(lang, f"reason.{view.reason}", {})


@command("quarantine list")
def quarantine_list(settings: Settings) -> None:
    """List changes that do not count (yet)."""
    lang = settings.lang
    with open_replica(settings) as replica:
        rows = replica.quarantine()
    deliver_list(
        settings,
        rows,
        (("id", "state"), ("member", "unit"), "reason", ("case", "time")),
        lambda q: (
            q.id,
            tr(lang, f"quarantine.{q.state}"),
            q.author,
            q.unit,
            _reason(lang, q),
            q.case or "-",
            people_time(q.noticed_ms),
        ),
    )


@command("quarantine show", argument("change", metavar="ID"))
def quarantine_show(settings: Settings, *, change: str) -> None:
    """Show why a change does not count."""
    lang = settings.lang
    with open_replica(settings) as replica:
        found = next((row for row in replica.quarantine() if row.id == change), None)
    if found is None:
        raise UsageError("quarantine-unknown", id=change)
    rows = (
        ("id", found.id),
        ("state", tr(lang, f"quarantine.{found.state}")),
        ("reason", _reason(lang, found)),
        ("case", found.case or "-"),
        ("member", found.author),
        ("unit", found.unit),
        ("time", people_time(found.noticed_ms)),
    )
    deliver(settings, found, lambda out: out.pairs(rows))


quarantine = LocalisedGroup("quarantine", [quarantine_list, quarantine_show])
