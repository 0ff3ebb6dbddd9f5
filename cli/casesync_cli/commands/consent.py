"""``consent give``, ``consent withdraw`` and ``consent show`` (cli)."""

from __future__ import annotations

from pathlib import Path

import click

from casesync.foundation.errors import UsageError
from casesync.foundation.limits import TEXT_BYTES_MAX
from casesync_cli.command import LocalisedGroup, argument, command, option
from casesync_cli.labels import code, codes, label, labels
from casesync_cli.render import Output, deliver, deliver_list, time_or_dash, until_or_dash, yes_no
from casesync_cli.session import open_replica
from casesync_cli.settings import Settings
from casesync_cli.times import end_of_day_ms


def notice_text(file: Path | None) -> str | None:
    """The exact text of the notice.

    Raises: UsageError: ``notice-file``: unreadable, not UTF-8, or larger than a text may be.
    """
    if file is None:
        return None
    try:
        with file.open("rb") as stream:
            data = stream.read(TEXT_BYTES_MAX + 1)
        if len(data) <= TEXT_BYTES_MAX:
            return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("notice-file", file=file.name) from error
    raise UsageError("notice-file", file=file.name)


@command(
    "consent give",
    argument("case"),
    option("--purpose", required=True, metavar="PURPOSE"),
    option("--to", "unit", required=True, metavar="UNIT"),
    option("--compartments", required=True, metavar="C,..."),
    option("--notice", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE"),
    option("--form", default="written", metavar="FORM"),
    option("--until", metavar="DATE"),
)
def consent_give(
    settings: Settings,
    *,
    case: str,
    purpose: str,
    unit: str,
    compartments: str,
    notice: Path | None,
    form: str,
    until: str | None,
) -> None:
    """Record a consent and print its id."""
    until_ms = None if until is None else end_of_day_ms(until)
    text = notice_text(notice)
    with open_replica(settings) as replica:
        stream = replica.resolve_case(case)
        record = replica.give_consent(
            stream,
            code("purpose", purpose),
            unit,
            codes("compartment", compartments),
            text,
            code("form", form),
            until_ms,
        )
    record_hex = record.hex()
    deliver(settings, {"id": record_hex}, lambda out: out.text(record_hex))


@command(
    "consent withdraw",
    argument("case"),
    argument("consent", metavar="ID"),
    option("--purpose", metavar="PURPOSE"),
)
def consent_withdraw(settings: Settings, *, case: str, consent: str, purpose: str | None) -> None:
    """Record that a consent was withdrawn; it counts at once."""
    with open_replica(settings) as replica:
        stream = replica.resolve_case(case)
        done = replica.withdraw_consent(stream, consent, purpose)
        case = replica.case_code(stream)

    def people(out: Output) -> None:
        out.say("consent.withdrawn")
        for grant in done.grants:
            out.say(
                "consent.still-granted",
                id=grant.id_hex[:8],
                case=case,
                unit=grant.unit,
                compartments=labels(settings.lang, "compartment", grant.compartments),
            )
        out.say("sync.next")

    deliver(settings, done, people)


@command("consent show", argument("case"), option("--purpose", metavar="PURPOSE"))
def consent_show(settings: Settings, *, case: str, purpose: str | None) -> None:
    """List a case's consents."""
    with open_replica(settings) as replica:
        consents = replica.consents(replica.resolve_case(case), purpose)
    deliver_list(
        settings,
        consents,
        (("id", "time"), ("unit", "compartments"), ("purpose", "form"), ("in-force", "until")),
        lambda c: (
            c.id_hex[:8],
            time_or_dash(c.given_at_ms),
            c.unit or "-",
            labels(settings.lang, "compartment", c.compartments),
            label(settings.lang, "purpose", c.purpose or "-"),
            label(settings.lang, "form", c.form or "-"),
            yes_no(settings.lang, c.given),
            until_or_dash(settings.lang, c.until_ms),
        ),
    )


consent = LocalisedGroup("consent", [consent_give, consent_withdraw, consent_show])
