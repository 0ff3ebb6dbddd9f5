"""``network create`` (cli)."""

from __future__ import annotations

from casesync.foundation.errors import UsageError
from casesync_cli.command import LocalisedGroup, argument, command, option
from casesync_cli.labels import code
from casesync_cli.render import Output, deliver
from casesync_cli.session import passphrase_to_create
from casesync_cli.settings import Settings

RELAY_KEY_BYTES = 32


def parse_relay_key(text: str | None) -> bytes | None:
    """The relay's key as ``relay serve --print-key`` prints it, in hex.

    Raises: UsageError: ``relay-key-form``.
    """
    if text is None:
        return None
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != RELAY_KEY_BYTES:
        raise UsageError("relay-key-form")
    return key


@command(
    "network create",
    argument("name"),
    option("--relay", required=True, metavar="URL"),
    option("--relay-key", metavar="KEY"),
    option("--unit", metavar="NAME"),
    option("--type", default="shelter", metavar="TYPE"),
    option("--role", default="caseworker", metavar="ROLE"),
    option("--name", "member_name", metavar="NAME"),
    option("--device-label", default="", metavar="TEXT"),
    option("--plain-http", is_flag=True),
)
def network_create(  # noqa: PLR0913 - one parameter per option
    settings: Settings,
    *,
    name: str,
    relay: str,
    relay_key: str | None,
    unit: str | None,
    type: str,
    role: str,
    member_name: str | None,
    device_label: str,
    plain_http: bool,
) -> None:
    """Found a network with this device, its unit and its first member."""
    key = parse_relay_key(relay_key)
    from casesync.client.replica import Replica  # noqa: PLC0415 - the engine, not for help

    replica = Replica.create_network(
        settings.home,
        passphrase_to_create(settings),
        name=name,
        relay_url=relay,
        relay_key=key,
        unit=unit or name,
        unit_type=code("type", type),
        role=code("role", role),
        member_name=member_name or unit or name,
        device_label=device_label,
        plain_http=plain_http,
    )
    try:
        who = replica.whoami()
    finally:
        replica.close()

    def people(out: Output) -> None:
        out.say("network.created", network=who.network, unit=who.unit, member=who.member)
        out.say("network.relay-key", key=who.relay_key_hex)

    deliver(settings, who, people)


network = LocalisedGroup("network", [network_create])
