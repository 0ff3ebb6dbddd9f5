"""``join``: this device becomes a member of a network (cli)."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Final

from casesync.client.network_views import JoinStatus
from casesync.codec.crockford import grouped
from casesync.foundation.errors import UsageError
from casesync_cli.command import argument, command, option
from casesync_cli.failure import word
from casesync_cli.progress import say_that_waiting_may_end
from casesync_cli.render import Output, deliver
from casesync_cli.session import open_replica, passphrase_to_create, passphrase_to_open
from casesync_cli.settings import Settings

if TYPE_CHECKING:
    from casesync.client.network_views import JoinStatus
    from casesync.client.replica import Joining

POLL_S: Final = 1.0
"""How often the relay is asked whether the other side has answered."""


@command(
    "join",
    argument("invitation", required=False),
    option("--name", metavar="NAME"),
    option("--device-label", default="", metavar="TEXT"),
    option("--plain-http", is_flag=True),
    option("--no-wait", is_flag=True),
)
def join(
    settings: Settings,
    *,
    invitation: str | None,
    name: str | None,
    device_label: str,
    plain_http: bool,
    no_wait: bool,
) -> None:
    """Accept an invitation; the code on this screen is typed by the person who invited.

    What was begun here goes on without invitation and name.
    """
    joining = _begin(settings, invitation, name, device_label, plain_http=plain_http)
    if joining is None:
        done = JoinStatus("joined")
        deliver(settings, done, lambda out: _tell(out, done))
        return
    with closing(joining):
        if settings.json or no_wait:
            status = joining.step()
            deliver(settings, status, lambda out: _tell(out, status))
        else:
            _wait(settings, joining)


def _wait(settings: Settings, joining: Joining) -> None:
    """Step until this device is in; each new state is told once."""
    out = Output(settings)
    told: JoinStatus | None = None
    while True:
        status = joining.step()
        first = told is None
        if status != told:
            _tell(out, status)
            told = status
        if status.state == "joined":
            return
        if first:
            say_that_waiting_may_end(settings, "casesync join")
        time.sleep(POLL_S)


def _begin(
    settings: Settings,
    invitation: str | None,
    name: str | None,
    device_label: str,
    *,
    plain_http: bool,
) -> Joining | None:
    """Go on with what an earlier call began here, else begin; None if that call's join is done.

    Raises:
        UsageError: ``usage-missing``: there is nothing to go on with, or no name to begin with;
            ``joined-already``: not by this invitation, or by none.
    """
    from casesync.client.home import Home  # noqa: PLC0415 - the engine, not for help
    from casesync.client.joining import Joining, joined_by  # noqa: PLC0415 - likewise

    home = Home(settings.home)
    home.refuse_lost_database()
    begun = home.exists()
    if not begun and (invitation is None or name is None):
        lacking = word(settings, "INVITATION") if invitation is None else "--name"
        raise UsageError("usage-missing", what=lacking, command="casesync join")
    passphrase = (passphrase_to_open if begun else passphrase_to_create)(settings)
    begin = Joining.restart if begun else Joining.start
    try:
        if invitation is None:
            return Joining.resume(settings.home, passphrase)
        return begin(
            settings.home,
            passphrase,
            invitation,
            name=name or "",
            device_label=device_label,
            plain_http=plain_http,
        )
    except UsageError as error:
        if error.code != "joined-already":
            raise
        with open_replica(settings) as replica:
            if not joined_by(replica.core, invitation):
                raise
    return None


def _tell(out: Output, status: JoinStatus) -> None:
    out.say(f"join.{status.state}", code=grouped(status.code or ""))
