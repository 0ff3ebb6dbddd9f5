"""``invite``, ``invite list`` and ``invite cancel`` (cli)."""

from __future__ import annotations

from casesync.foundation.limits import INVITATION_LIFETIME_MS
from casesync_cli.command import LocalisedGroup, argument, command, option
from casesync_cli.labels import code, label
from casesync_cli.render import Output, deliver, deliver_list
from casesync_cli.session import open_replica
from casesync_cli.settings import Settings
from casesync_cli.texts import tr
from casesync_cli.times import duration_s, people_time


@command(
    "invite create",
    option("--unit", required=True, metavar="UNIT"),
    option("--role", required=True, metavar="ROLE"),
    option("--administrator", is_flag=True),
    option("--for", "lifetime", metavar="TIME"),
)
def invite_create(
    settings: Settings, *, unit: str, role: str, administrator: bool, lifetime: str | None
) -> None:
    """Invite one person's device into the network."""
    lifetime_ms = INVITATION_LIFETIME_MS if lifetime is None else duration_s(lifetime) * 1000
    with open_replica(settings) as replica:
        view = replica.invite(unit, code("role", role), administrator, lifetime_ms)

    def people(out: Output) -> None:
        out.say(
            "invite.created",
            unit=view.unit,
            role=label(settings.lang, "role", view.role),
            until=people_time(view.expires_ms),
        )
        out.text(view.text or "")
        out.say("invite.next", id=view.id_hex[:8])

    deliver(settings, view, people)


@command("invite list")
def invite_list(settings: Settings) -> None:
    """List the invitations of this device."""
    with open_replica(settings) as replica:
        invitations = replica.invitations()
    deliver_list(
        settings,
        invitations,
        ("id", "unit", "role", "state", "until"),
        lambda i: (
            i.id_hex[:8],
            i.unit,
            label(settings.lang, "role", i.role),
            _state(settings.lang, i.state),
            people_time(i.expires_ms),
        ),
    )


def _state(lang: str, state: str) -> str:
    return tr(lang, "invite.cancelled-state" if state == "cancelled" else f"invite.{state}")


@command("invite cancel", argument("invitation", metavar="ID"))
def invite_cancel(settings: Settings, *, invitation: str) -> None:
    """Make an invitation worthless."""
    with open_replica(settings) as replica:
        replica.cancel_invitation(invitation)
    deliver(settings, {"cancelled": invitation}, lambda out: out.say("invite.cancelled"))


invite = LocalisedGroup("invite", [invite_create, invite_list, invite_cancel], default="create")
