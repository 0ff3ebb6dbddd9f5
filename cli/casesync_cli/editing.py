"""Edits of a case from the command line, and what happens when a conflict stops one (cli)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from casesync.client.views import Assignment, Fact
from casesync.foundation.errors import ConflictStop
from casesync_cli.failure import ConflictsShown
from casesync_cli.render import Output, copied_words, deliver, fact_params, value_text
from casesync_cli.render_json import plain
from casesync_cli.safe import safe_line
from casesync_cli.session import open_replica
from casesync_cli.settings import Settings
from casesync_cli.texts import fact_text, tr
from casesync_cli.times import people_time
from casesync_cli.value_display import shown_by

if TYPE_CHECKING:
    from casesync.client.replica import Replica
    from casesync.client.views import ConflictView
    from casesync_cli.value_display import Shown


def edit_case(
    settings: Settings,
    case: str,
    assignments: Sequence[Assignment],
    *,
    resolve: bool,
    base: str | None,
    purpose: str | None,
) -> None:
    """Apply all assignments as one change; stop with the values shown where a conflict is open."""
    with open_replica(settings) as replica:
        stream = replica.resolve_case(case)
        try:
            with replica.edit(stream, base=base, purpose=purpose) as edit:
                edit.apply_each(assignments, resolve=resolve)
                disputed = list(dict.fromkeys(edit.disputed))
        except ConflictStop as stop:
            raise show_conflicts(settings, replica, stop, purpose) from stop
        code = replica.case_code(stream)
        unsendable = facts_of_saving(replica)

    def people(out: Output) -> None:
        out.say("case.saved", case=code)
        for field in disputed:
            out.say("case.beside", field=field)

    shape = {"case": code, "saved": len(assignments), "disputed": disputed}
    deliver(settings, shape, people)
    warn(settings, unsendable)


def facts_of_saving(replica: Replica) -> list[Fact]:
    """Why what was saved just now will not be sent; usually nothing."""
    from casesync.client.health import Health  # noqa: PLC0415 - the engine, not for help

    return Health(replica.core).unsendable()


def warn(settings: Settings, facts: Sequence[Fact]) -> None:
    """Facts on stderr, for people: stdout may be read for what was made."""
    if settings.json:
        return
    for fact in facts:
        words = fact_text(settings.lang, fact.code, fact_params(settings.lang, fact.params))
        click.echo(safe_line("! " + words), err=True)


def show_conflicts(
    settings: Settings, replica: Replica, stop: ConflictStop, purpose: str | None
) -> ConflictStop:
    """The values that stand against each other: on stderr for people, in the error for programs.

    Showing them is a look like any other and stands in the access log.

    Returns: the stop to go on with.
    """
    ids = stop.params.get("ids")
    named = ids if isinstance(ids, list | tuple) else ()
    conflicts = [replica.conflict(str(conflict_id), purpose) for conflict_id in named]
    if settings.json:
        return ConflictsShown(stop, plain(conflicts, settings.lang)) if conflicts else stop
    shown = shown_by(replica, settings.lang)
    for conflict in conflicts:
        for line in conflict_lines(settings.lang, conflict, shown):
            click.echo(safe_line(line), err=True)
    return stop


def conflict_name(lang: str, conflict: ConflictView) -> str:
    """``TYPE.FIELD``, with the element and its part if it is in one."""
    name = f"{conflict.type}.{conflict.field}"
    if conflict.element is not None:
        name += f"[{value_text(lang, conflict.element)}]"
    if conflict.part is not None:
        name += f".{conflict.part}"
    return name


def conflict_text(conflict: ConflictView, value: object, shown: Shown) -> str:
    """One of the values that stand against each other, by its label."""
    return shown.of(conflict.type, conflict.field, conflict.part, conflict.element, value)


def conflict_lines(lang: str, conflict: ConflictView, shown: Shown) -> list[str]:
    """One conflict: where it is, what counts meanwhile, and who wrote what when."""
    name = conflict_name(lang, conflict)
    effective = conflict_text(conflict, conflict.effective, shown)
    head = tr(lang, "conflict.head", id=conflict.id, case=conflict.case, field=name)
    lines = [head, "  " + tr(lang, "conflict.effective", value=effective)]
    for value in conflict.values:
        words = tr(
            lang,
            "conflict.value",
            value=conflict_text(conflict, value.value, shown),
            author=value.author,
            unit=value.unit,
            time=people_time(value.time_ms),
        )
        lines.append(f"  - {words}{copied_words(lang, value.copied_by)}")
    return lines
