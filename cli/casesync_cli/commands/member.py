"""``member approve``, ``member list``, ``device list``, ``device suspend``, ``whoami`` (cli)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from casesync.foundation.errors import UsageError
from casesync_cli.command import LocalisedGroup, argument, command, option
from casesync_cli.failure import report
from casesync_cli.labels import label
from casesync_cli.progress import say_that_waiting_may_end
from casesync_cli.render import Output, deliver, deliver_list, yes_no
from casesync_cli.session import can_ask, open_replica
from casesync_cli.settings import Settings
from casesync_cli.texts import tr

if TYPE_CHECKING:
    from casesync.client.network_views import ApproveStatus
    from casesync.client.replica import Replica

POLL_S: Final = 1.0
"""How often the relay is asked whether the other side has answered."""


@command(
    "member approve",
    argument("invitation", metavar="[ID]", required=False),
    option("--code", metavar="CODE"),
    option("--no-wait", is_flag=True),
)
def member_approve(
    settings: Settings, *, invitation: str | None, code: str | None, no_wait: bool
) -> None:
    """Let an invited person in, or hand keys to a colleague somebody else let in."""
    with open_replica(settings) as replica:
        if settings.json or no_wait:
            status = replica.approve_step(invitation, code)
            deliver(settings, status, lambda out: _tell(out, status))
        else:
            _wait(settings, replica, invitation, code)


def _wait(settings: Settings, replica: Replica, invitation: str | None, typed: str | None) -> None:
    """Step until the newcomer is in; each new state is told once.

    Raises: UsageError: ``enrolment-code-needed``: nobody is there to type it.
    """
    out = Output(settings)
    told = None
    while True:
        try:
            status = replica.approve_step(invitation, typed)
        except UsageError as error:
            if error.code != "enrolment-code-mistyped" or not can_ask(settings):
                raise
            report(settings, error)
        else:
            first = told is None
            if status.state != told:
                _tell(out, status, asks=True)
                told = status.state
            if status.state == "joined":
                return
            if first:
                again = " ".join(("casesync member approve", invitation or "")).rstrip()
                say_that_waiting_may_end(settings, again)
        typed = None
        if told == "code":
            typed = _typed_code(settings)
        else:
            time.sleep(POLL_S)


def _typed_code(settings: Settings) -> str:
    if not can_ask(settings):
        raise UsageError("enrolment-code-needed")
    typed: str = click.prompt(tr(settings.lang, "ask.code"), err=True)
    return typed


def _tell(out: Output, status: ApproveStatus, *, asks: bool = False) -> None:
    key = "approve.ask" if asks and status.state == "code" else f"approve.{status.state}"
    if status.admitted:
        key = "approve.admitted"
    out.say(key, member=status.member or "", device=status.device or "")


@command("member list")
def member_list(settings: Settings) -> None:
    """List the members."""
    with open_replica(settings) as replica:
        members = replica.members()
    deliver_list(
        settings,
        members,
        ("member", "role", "unit", "administrator", "devices"),
        lambda m: (
            m.name,
            label(settings.lang, "role", m.role),
            m.unit,
            yes_no(settings.lang, m.administrator),
            ", ".join(str(number) for number in m.devices) or "-",
        ),
    )


@command("device list")
def device_list(settings: Settings) -> None:
    """List the devices."""
    with open_replica(settings) as replica:
        devices = replica.devices()
    deliver_list(
        settings,
        devices,
        ("device", "label", "member", "unit", "role", "state"),
        lambda d: (
            str(d.number),
            d.label or "-",
            d.member,
            d.unit,
            label(settings.lang, "role", d.role),
            ": ".join(filter(None, (tr(settings.lang, f"device.{d.state}"), d.reason))),
        ),
    )


@command(
    "device suspend",
    argument("device", type=click.IntRange(min=1)),
    option("--reason", default="", metavar="TEXT"),
    option("--yes", is_flag=True),
)
def device_suspend(settings: Settings, *, device: int, reason: str, yes: bool) -> None:
    """Shut a lost or stolen device out."""
    with open_replica(settings) as replica:
        preview = replica.suspend_preview(device)
        if not settings.json:
            Output(settings).facts(preview)
        if not yes:
            if not can_ask(settings):
                raise UsageError("suspend-unconfirmed", device=device)
            click.confirm(tr(settings.lang, "ask.suspend", device=device), abort=True, err=True)
        result = replica.suspend_device(device, reason=reason)

    def people(out: Output) -> None:
        out.say("device.done", device=result.device, unit=result.unit)
        if result.sole_device:
            out.say("device.sole", unit=result.unit)
        else:
            out.say("device.rotated" if result.unit_rotated else "device.rotates", unit=result.unit)

    deliver(settings, result, people)


@command("whoami")
def whoami(settings: Settings) -> None:
    """Who this device acts for."""
    with open_replica(settings) as replica:
        who = replica.whoami()
    rows = (
        ("network", who.network),
        ("member", who.member),
        ("role", label(settings.lang, "role", who.role)),
        ("unit", who.unit),
        ("device", str(who.device)),
        ("administrator", yes_no(settings.lang, who.administrator)),
        ("relay", who.relay_url),
        ("relay-key", who.relay_key_hex),
    )
    deliver(settings, who, lambda out: out.pairs(rows))


member = LocalisedGroup("member", [member_approve, member_list])
device = LocalisedGroup("device", [device_list, device_suspend])
