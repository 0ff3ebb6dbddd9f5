"""``join``: this device becomes a member of a network (cli)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from casesync.foundation.errors import LocalStateError
from casesync_cli.command import argument, command, option
from casesync_cli.render import Output, deliver
from casesync_cli.session import passphrase_to_create
from casesync_cli.settings import Settings

if TYPE_CHECKING:
    from casesync.client.replica import Joining

    from casesync.client.network_views import JoinStatus

POLL_S: Final = 1.0
"""How often the relay is asked whether the other side has answered."""


@command(
    "join",
    argument("invitation"),
    option("--name", required=True, metavar="NAME"),
    option("--device-label", default="", metavar="TEXT"),
    option("--no-wait", is_flag=True),
)
def join(
    settings: Settings, *, invitation: str, name: str, device_label: str, no_wait: bool
) -> None:
    """Accept an invitation; the code on this screen is typed by the person who invited."""
    joining = _begin(settings, invitation, name, device_label)
    status = joining.step()
    if settings.json or no_wait:
        deliver(settings, status, lambda out: _tell(out, status))
        return
    out = Output(settings)
    told = None
    while True:
        if (status.state, status.code) != told:
            _tell(out, status)
            told = (status.state, status.code)
        if status.state == "joined":
            return
        time.sleep(POLL_S)
        status = joining.step()


def _begin(settings: Settings, invitation: str, name: str, device_label: str) -> Joining:
    """Continue what an earlier call began here, else begin."""
    from casesync.client.replica import Joining  # noqa: PLC0415 - the engine, not for help

    passphrase = passphrase_to_create(settings)
    try:
        return Joining.resume(settings.home, passphrase)
    except LocalStateError as error:
        if error.code != "no-replica":
            raise
    return Joining.start(
        settings.home, passphrase, invitation, name=name, device_label=device_label
    )


def _tell(out: Output, status: JoinStatus) -> None:
    out.say(f"join.{status.state}", code=status.code or "")
