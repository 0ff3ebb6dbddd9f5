"""``record add``, ``record list`` and ``record amend`` (cli)."""

from __future__ import annotations

from casesync_cli.assignments import parse_field_value, parse_record_name
from casesync_cli.case_display import show_records
from casesync_cli.command import LocalisedGroup, argument, command, option
from casesync_cli.editing import facts_of_saving, warn
from casesync_cli.render import deliver
from casesync_cli.session import open_replica
from casesync_cli.settings import Settings
from casesync_cli.value_display import shown_by


@command(
    "record add",
    argument("case"),
    argument("type"),
    argument("values", nargs=-1, metavar="[FIELD=VALUE]..."),
    option("--purpose", metavar="PURPOSE"),
)
def record_add(
    settings: Settings,
    *,
    case: str,
    type: str,
    values: tuple[str, ...],
    purpose: str | None,
) -> None:
    """Add a record to a case and print its id."""
    assignments = [parse_field_value(type, text) for text in values]
    with open_replica(settings) as replica:
        stream = replica.resolve_case(case)
        with replica.edit(stream, purpose=purpose) as edit:
            record = edit.new_record(type, assignments)
        code, unsendable = replica.case_code(stream), facts_of_saving(replica)
    _deliver_record(settings, code, type, record.hex(), None)
    warn(settings, unsendable)


@command("record list", argument("case"), argument("type"), option("--purpose", metavar="PURPOSE"))
def record_list(
    settings: Settings,
    *,
    case: str,
    type: str,
    purpose: str | None,
) -> None:
    """List a case's records of one type."""
    with open_replica(settings) as replica:
        shown = shown_by(replica, settings.lang)
        shown.schema.type_by_name(type)
        view = replica.show(replica.resolve_case(case), purpose=purpose)
    records = [record for record in view.records if record.type == type]
    shape = {"items": records, "count": len(records)}
    deliver(settings, shape, lambda out: show_records(out, records, shown))


@command(
    "record amend",
    argument("case"),
    argument("record", metavar="TYPE/ID"),
    argument("values", nargs=-1, required=True, metavar="FIELD=VALUE..."),
    option("--purpose", metavar="PURPOSE"),
)
def record_amend(
    settings: Settings, *, case: str, record: str, values: tuple[str, ...], purpose: str | None
) -> None:
    """Amend an entry by a new record that names it."""
    type_name, prefix = parse_record_name(record)
    assignments = [parse_field_value(type_name, text) for text in values]
    with open_replica(settings) as replica:
        stream = replica.resolve_case(case)
        with replica.edit(stream, purpose=purpose) as edit:
            amended = edit.record(f"{type_name}/{prefix}")
            amendment = edit.amend(f"{type_name}/{amended.hex()}", assignments)
        code, unsendable = replica.case_code(stream), facts_of_saving(replica)
    _deliver_record(settings, code, type_name, amendment.hex(), amended.hex())
    warn(settings, unsendable)


def _deliver_record(
    settings: Settings, case: str, type_name: str, record_hex: str, amends: str | None
) -> None:
    shape = {"case": case, "type": type_name, "id": record_hex}
    if amends is not None:
        shape["amends"] = amends
    deliver(settings, shape, lambda out: out.text(f"{type_name}/{record_hex}"))


record = LocalisedGroup("record", [record_add, record_list, record_amend])
