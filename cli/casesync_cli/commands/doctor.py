"""``doctor``: a health check that says what to do (cli)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from casesync.foundation.error_texts import TEXTS
from casesync.foundation.errors import CasesyncError
from casesync_cli.command import command
from casesync_cli.render import Output, deliver, fact_params
from casesync_cli.session import with_passphrase
from casesync_cli.settings import Settings
from casesync_cli.texts import catalogue, fact_text

if TYPE_CHECKING:
    from casesync.client.network_views import Finding


def words_of(lang: str, finding: Finding) -> str:
    """A finding in words: its own, a fact's, or an error's message and advice."""
    params = fact_params(lang, finding.params)
    own = f"finding.{finding.code}"
    if own in catalogue("facts", lang):
        return fact_text(lang, own, params)
    if finding.code in TEXTS:
        error = CasesyncError(finding.code, **params)
        advice = error.advice(lang)
        if "casesync doctor" in advice:  # which is what she just did
            advice = fact_text(lang, "finding.keep", {})
        return f"{error.message(lang)} {advice}"
    return fact_text(lang, finding.code, params)


@command("doctor")
def doctor(settings: Settings) -> None:
    """Check this replica and its relay; a damaged one, too, as far as can be."""
    from casesync.client.examination import examine  # noqa: PLC0415 - the engine, not for help

    findings, failed = with_passphrase(settings, lambda given: examine(settings.home, given))
    shapes = [
        {
            "level": finding.level,
            "code": finding.code,
            "params": dict(finding.params),
            "text": words_of(settings.lang, finding),
        }
        for finding in findings
    ]

    def people(out: Output) -> None:
        for finding in findings:
            level = out.words("doctor." + finding.level)
            out.text(f"{level}: {words_of(out.lang, finding)}")

    deliver(settings, {"items": shapes, "count": len(shapes)}, people)
    if failed is not None:
        raise click.exceptions.Exit(failed.exit_code)
