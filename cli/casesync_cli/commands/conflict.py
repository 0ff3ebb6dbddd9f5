"""``conflict list``, ``conflict show`` and ``conflict resolve`` (cli)."""

from __future__ import annotations

from casesync.foundation.errors import ConflictStop
from casesync_cli.command import LocalisedGroup, argument, command, option
from casesync_cli.editing import (
    conflict_lines,
    conflict_name,
    conflict_text,
    facts_of_saving,
    show_conflicts,
    warn,
)
from casesync_cli.render import Output, deliver, deliver_list
from casesync_cli.session import open_replica
from casesync_cli.settings import Settings
from casesync_cli.times import people_time
from casesync_cli.value_display import Shown, shown_by


@command("conflict list", option("--purpose", metavar="PURPOSE"))
def conflict_list(settings: Settings, *, purpose: str | None) -> None:
    """List what needs a person's decision."""
    with open_replica(settings) as replica:
        conflicts = replica.conflicts(purpose)
        shown = shown_by(replica, settings.lang)
    deliver_list(
        settings,
        conflicts,
        (("id", "case", "time"), "field", "values", "effective"),
        lambda c: (
            c.id,
            c.case,
            people_time(c.since_ms),
            conflict_name(settings.lang, c),
            " / ".join(conflict_text(c, value.value, shown) for value in c.values),
            conflict_text(c, c.effective, shown),
        ),
    )


@command(
    "conflict show", argument("conflict", metavar="ID"), option("--purpose", metavar="PURPOSE")
)
def conflict_show(settings: Settings, *, conflict: str, purpose: str | None) -> None:
    """Show a conflict: who wrote what, where and when."""
    with open_replica(settings) as replica:
        view = replica.conflict(conflict, purpose)
        shown = shown_by(replica, settings.lang)

    def people(out: Output) -> None:
        for line in conflict_lines(out.lang, view, shown):
            out.text(line)

    deliver(settings, view, people)


@command(
    "conflict resolve",
    argument("conflict", metavar="ID"),
    option("--value", required=True, metavar="VALUE"),
    option("--reason", metavar="TEXT"),
    option("--purpose", metavar="PURPOSE"),
)
def conflict_resolve(
    settings: Settings, *, conflict: str, value: str, reason: str | None, purpose: str | None
) -> None:
    """Decide a conflict; the decision carries your name."""
    with open_replica(settings) as replica:
        shown = shown_by(replica, settings.lang)
        try:
            settled = replica.resolve(conflict, value, reason=reason, purpose=purpose)
        except ConflictStop as stop:
            if stop.code != "conflict-decided":
                raise show_conflicts(settings, replica, stop, purpose) from stop
            raise ConflictStop(stop.code, **_in_words(stop, shown)) from stop
        unsendable = facts_of_saving(replica)
    shape = {"resolved": conflict, "value": value}
    words = conflict_text(settled, settled.effective, shown)
    deliver(settings, shape, lambda out: out.say("conflict.resolved", id=settled.id, value=words))
    warn(settings, unsendable)


def _in_words(stop: ConflictStop, shown: Shown) -> dict[str, object]:
    """What somebody decided, by its label."""
    given = stop.params
    kind, _, field = str(given["field"]).partition(".")
    part = None if given["part"] is None else str(given["part"])
    value = shown.of(kind, field, part, given["element"], given["value"])
    return {**given, "value": value}


conflict = LocalisedGroup("conflict", [conflict_list, conflict_show, conflict_resolve])
