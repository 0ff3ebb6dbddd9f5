"""``case new``, ``list``, ``find``, ``show``, ``history``, ``set`` and ``unset`` (cli)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casesync.foundation.errors import UsageError
from casesync_cli.assignments import parse_assignment, parse_filter, parse_target
from casesync_cli.case_display import show_case
from casesync_cli.command import LocalisedGroup, argument, command, option
from casesync_cli.commands.case_import import case_import
from casesync_cli.editing import edit_case, facts_of_saving, warn
from casesync_cli.pages import LIMIT, deliver_newest, limit_of, page_options
from casesync_cli.render import Output, copied_words, deliver, time_or_dash, value_text
from casesync_cli.session import open_replica
from casesync_cli.settings import Settings
from casesync_cli.value_display import shown_by

if TYPE_CHECKING:
    from casesync.client.views import CaseSummary, HistoryView, Page
    from casesync.model.schema_types import Schema
    from casesync_cli.value_display import Shown


@command(
    "case new",
    option("--kind", "kinds", multiple=True, required=True, metavar="KIND"),
    option("--set", "sets", multiple=True, metavar="TYPE.FIELD=VALUE"),
    option("--purpose", metavar="PURPOSE"),
)
def case_new(
    settings: Settings, *, kinds: tuple[str, ...], sets: tuple[str, ...], purpose: str | None
) -> None:
    """Open a case and print its code."""
    assignments = [parse_assignment(text) for text in sets]
    with open_replica(settings) as replica:
        view = replica.new_case(list(kinds), assignments, purpose=purpose)
        unsendable = facts_of_saving(replica)
    deliver(settings, view, lambda out: out.text(view.case))
    warn(settings, unsendable)


@command(
    "case list",
    option("--filter", "filters", multiple=True, metavar="FIELD=VALUE"),
    option("--limit", default=50, type=LIMIT, metavar="COUNT"),
    option("--after", metavar="CASE"),
    option("--purpose", metavar="PURPOSE"),
)
def case_list(
    settings: Settings,
    *,
    filters: tuple[str, ...],
    limit: int,
    after: str | None,
    purpose: str | None,
) -> None:
    """List cases, the newest change first."""
    typed = dict(parse_filter(text) for text in filters)
    with open_replica(settings) as replica:
        wanted = {full_name(replica.schema(), name): value for name, value in typed.items()}
        page = replica.cases(wanted, limit=limit, after=after, purpose=purpose)
        shown = shown_by(replica, settings.lang)
    _deliver_page(settings, page, shown)


@command(
    "case find",
    argument("text"),
    option("--limit", default=50, type=LIMIT, metavar="COUNT"),
    option("--after", metavar="CASE"),
    option("--purpose", metavar="PURPOSE"),
)
def case_find(
    settings: Settings, *, text: str, limit: int, after: str | None, purpose: str | None
) -> None:
    """Search cases; accents may be left out."""
    with open_replica(settings) as replica:
        page = replica.find(text, limit=limit, after=after, purpose=purpose)
        shown = shown_by(replica, settings.lang)
    _deliver_page(settings, page, shown)


NAMES = ("person.family_name", "person.middle_name", "person.given_name")
DISPUTED = "(!)"
COLUMNS = (("case", "changed"), ("name", "unit"), ("kinds", "status"), ("risk", "safe"))
SUMMARY = ("case.kinds", "case.status", "case.risk_level", "person.safe_to_contact")


def _summary_row(item: CaseSummary, shown: Shown) -> tuple[str, ...]:
    """Code, whose it is, what it is about and where it stands, and what protects the person."""
    parts = [_summary_words(item, part, shown) for part in NAMES]
    name = " ".join(part for part in parts if part != "-")
    words = [_summary_words(item, path, shown) for path in SUMMARY]
    changed = time_or_dash(item.changed_ms)
    return (item.case, changed, name or "-", item.owner, *words)


def _summary_words(item: CaseSummary, path: str, shown: Shown) -> str:
    """One field of a line; in conflict what counts, or else all values, with a mark."""
    _, field = shown.schema.field_by_name(path)
    value = item.fields.get(path)
    if isinstance(value, list) and field.element is not None:
        return ", ".join(shown.element(field, element) for element in value) or "-"
    if path not in item.disputed:
        return shown.value(field, value)
    values = item.disputed[path] if value is None else (value,)
    return " / ".join(shown.value(field, each) for each in values) + f" {DISPUTED}"


def full_name(schema: Schema, name: str) -> str:
    """``TYPE.FIELD`` for a field given with or without its type; the first type that has it.

    Raises: UsageError: ``filter-field-unknown``.
    """
    if "." in name:
        return name
    for record_type in schema.types.values():
        if any(field.name == name for field in record_type.fields.values()):
            return f"{record_type.name}.{name}"
    raise UsageError("filter-field-unknown", field=name)


def _deliver_page(settings: Settings, page: Page[CaseSummary], shown: Shown) -> None:
    def people(out: Output) -> None:
        rows = [_summary_row(item, shown) for item in page.items]
        if any(item.conflicts for item in page.items):  # else a column of dashes
            counts = (str(item.conflicts or "-") for item in page.items)
            rows = [(*row, count) for row, count in zip(rows, counts, strict=True)]
            out.table((*COLUMNS, "conflicts"), rows)
        else:
            out.table(COLUMNS, rows)
        out.say("case.page", shown=len(page.items), count=page.count)
        if any(item.disputed for item in page.items):
            out.say("case.disputed-mark", mark=DISPUTED)
        if page.after is not None:
            out.say("case.more", after=page.after)

    deliver(settings, page, people)


@command("case show", argument("case"), option("--purpose", metavar="PURPOSE"))
def case_show(settings: Settings, *, case: str, purpose: str | None) -> None:
    """Show a case as this device may see it."""
    with open_replica(settings) as replica:
        view = replica.show(replica.resolve_case(case), purpose=purpose)
        shown = shown_by(replica, settings.lang)
    deliver(settings, view, lambda out: show_case(out, view, shown))


@command(
    "case history",
    argument("case"),
    option("--field", metavar="TYPE.FIELD"),
    *page_options(),
    option("--purpose", metavar="PURPOSE"),
)
def case_history(
    settings: Settings,
    *,
    case: str,
    field: str | None,
    limit: int | None,
    after: str | None,
    purpose: str | None,
) -> None:
    """Show every write of a case, replaced ones too."""
    limit = limit_of(settings, limit)
    with open_replica(settings) as replica:
        page = replica.history(replica.resolve_case(case), field, purpose, limit, after)
        shown = shown_by(replica, settings.lang)
    columns = (("time", "state"), ("field", "value"), ("member", "unit"))
    deliver_newest(settings, page, columns, lambda out, row: _history_row(out, row, shown))


def _history_row(out: Output, row: HistoryView, shown: Shown) -> tuple[str, ...]:
    name = f"{row.type}.{row.field}"
    value = shown.of(row.type, row.field, row.part, row.element, row.value)
    if row.element is not None:
        name += f"[{value_text(out.lang, row.element)}]"
    if row.part is not None:
        name += f".{row.part}"
    state = "history.live" if row.live else "history.replaced"
    return (
        time_or_dash(row.time_ms),
        out.words(state if row.sent else "history.unsent") + copied_words(out.lang, row.copied_by),
        name,
        value,
        row.author,
        row.unit,
    )


@command(
    "case set",
    argument("case"),
    argument("assignments", nargs=-1, required=True, metavar="TYPE[/ID].FIELD=VALUE..."),
    option("--resolve", is_flag=True),
    option("--base", metavar="TOKEN"),
    option("--purpose", metavar="PURPOSE"),
)
def case_set(
    settings: Settings,
    *,
    case: str,
    assignments: tuple[str, ...],
    resolve: bool,
    base: str | None,
    purpose: str | None,
) -> None:
    """Set fields of a case in one change."""
    wanted = [parse_assignment(text) for text in assignments]
    edit_case(settings, case, wanted, resolve=resolve, base=base, purpose=purpose)


@command(
    "case unset",
    argument("case"),
    argument("fields", nargs=-1, required=True, metavar="TYPE[/ID].FIELD..."),
    option("--resolve", is_flag=True),
    option("--base", metavar="TOKEN"),
    option("--purpose", metavar="PURPOSE"),
)
def case_unset(
    settings: Settings,
    *,
    case: str,
    fields: tuple[str, ...],
    resolve: bool,
    base: str | None,
    purpose: str | None,
) -> None:
    """Make fields of a case absent in one change."""
    wanted = [parse_target(text) for text in fields]
    edit_case(settings, case, wanted, resolve=resolve, base=base, purpose=purpose)


case = LocalisedGroup(
    "case",
    [
        case_new,
        case_list,
        case_find,
        case_show,
        case_history,
        case_set,
        case_unset,
        case_import,
    ],
)
