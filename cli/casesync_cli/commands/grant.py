"""``grant CASE``, ``grant list`` and ``grant revoke`` (cli)."""

from __future__ import annotations

from casesync.foundation.errors import UsageError
from casesync_cli.command import LocalisedGroup, argument, command, option
from casesync_cli.labels import code, codes, label, labels
from casesync_cli.render import Output, deliver, deliver_list, until_or_dash, yes_no
from casesync_cli.session import open_replica
from casesync_cli.settings import Settings
from casesync_cli.texts import tr
from casesync_cli.times import end_of_day_ms


@command(
    "grant give",
    argument("case"),
    option("--to", "unit", required=True, metavar="UNIT"),
    option("--compartments", required=True, metavar="C,..."),
    option("--purpose", required=True, metavar="PURPOSE"),
    option("--consent", required=True, metavar="ID"),
    option("--until", metavar="DATE"),
    option("--write", is_flag=True),
    option("--history", is_flag=True),
)
def grant_give(  # noqa: PLR0913 - one parameter per option
    settings: Settings,
    *,
    case: str,
    unit: str,
    compartments: str,
    purpose: str,
    consent: str,
    until: str | None,
    write: bool,
    history: bool,
) -> None:
    """Share compartments of a case with another office."""
    until_ms = None if until is None else end_of_day_ms(until)
    with open_replica(settings) as replica:
        view = replica.grant(
            replica.resolve_case(case),
            unit,
            codes("compartment", compartments),
            code("purpose", purpose),
            consent,
            until_ms=until_ms,
            write=write,
            history=history,
        )

    def people(out: Output) -> None:
        shared = labels(settings.lang, "compartment", view.compartments)
        out.say("grant.given", id=view.id_hex[:8], unit=view.unit, compartments=shared)
        if view.until_ms is not None:
            out.say("grant.until", until=until_or_dash(out.lang, view.until_ms))
        out.say("sync.next")

    deliver(settings, view, people)


@command("grant list", argument("case", required=False), option("--purpose", metavar="PURPOSE"))
def grant_list(settings: Settings, *, case: str | None, purpose: str | None) -> None:
    """List grants, of one case or of all."""
    lang = settings.lang
    with open_replica(settings) as replica:
        grants = replica.grants(None if case is None else replica.resolve_case(case), purpose)
    deliver_list(
        settings,
        grants,
        (("case", "id"), ("unit", "compartments"), ("purpose", "write"), ("state", "until")),
        lambda g: (
            g.case,
            g.id_hex[:8],
            g.unit,
            labels(lang, "compartment", g.compartments),
            label(lang, "purpose", g.purpose),
            yes_no(lang, g.write),
            tr(lang, f"grant.{g.state}"),
            until_or_dash(lang, g.until_ms),
        ),
    )


@command(
    "grant revoke",
    argument("words", nargs=-1, required=True, metavar="[CASE] ID"),
    option("--purpose", metavar="PURPOSE"),
)
def grant_revoke(settings: Settings, *, words: tuple[str, ...], purpose: str | None) -> None:
    """End a grant; new keys start with the next write."""
    *cases, grant = words
    if len(cases) > 1:
        raise UsageError("usage-extra", what=words[2], command="casesync grant revoke")
    with open_replica(settings) as replica:
        case = replica.resolve_case(cases[0]) if cases else None
        replica.revoke_grant(case, grant, purpose=purpose)

    def people(out: Output) -> None:
        out.say("grant.ended")
        out.say("sync.next")

    deliver(settings, {"revoked": grant}, people)


grant = LocalisedGroup("grant", [grant_give, grant_list, grant_revoke], default="give")
