"""``doctor``: a health check that says what to do (cli)."""

from __future__ import annotations

from casesync_cli.command import command
from casesync_cli.render import Output, deliver
from casesync_cli.session import open_replica
from casesync_cli.settings import Settings
from casesync_cli.texts import fact_text


@command("doctor")
def doctor(settings: Settings) -> None:
    """Check this replica and its relay."""
    with open_replica(settings) as replica:
        findings = replica.doctor()

    def text(code: str, params: dict[str, object]) -> str:
        return fact_text(settings.lang, f"finding.{code}", params)

    shapes = [
        {
            "level": finding.level,
            "code": finding.code,
            "params": dict(finding.params),
            "text": text(finding.code, dict(finding.params)),
        }
        for finding in findings
    ]

    def people(out: Output) -> None:
        for finding in findings:
            words = text(finding.code, dict(finding.params))
            out.text(f"{out.words('doctor.' + finding.level)}: {words}")

    deliver(settings, {"items": shapes, "count": len(shapes)}, people)
