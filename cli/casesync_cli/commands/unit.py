"""``unit add`` and ``unit list`` (cli)."""

from __future__ import annotations

import click

from casesync_cli.command import LocalisedGroup, argument, command, option
from casesync_cli.labels import label
from casesync_cli.render import deliver, deliver_list, yes_no
from casesync_cli.session import open_replica
from casesync_cli.settings import Settings

UNIT_TYPES = ("shelter", "osso", "union", "provider", "audit")


@command(
    "unit add",
    argument("name"),
    option("--type", "unit_type", required=True, type=click.Choice(UNIT_TYPES)),
    option("--parent", metavar="UNIT"),
)
def unit_add(settings: Settings, *, name: str, unit_type: str, parent: str | None) -> None:
    """Add an office to the network."""
    with open_replica(settings) as replica:
        view = replica.add_unit(name, unit_type, parent)
    kind = label(settings.lang, "type", view.type)
    deliver(settings, view, lambda out: out.say("unit.added", unit=view.name, type=kind))


@command("unit list")
def unit_list(settings: Settings) -> None:
    """List the offices."""
    with open_replica(settings) as replica:
        units = replica.units()
    deliver_list(
        settings,
        units,
        ("unit", "type", "parent", "devices", "keys"),
        lambda u: (
            u.name,
            label(settings.lang, "type", u.type),
            u.parent or "-",
            str(u.devices),
            yes_no(settings.lang, u.keys_current),
        ),
    )


unit = LocalisedGroup("unit", [unit_add, unit_list])
