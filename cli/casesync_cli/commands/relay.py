"""``relay serve``, ``relay status`` and ``relay what-it-sees`` (cli)."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casesync.foundation.errors import NetworkError, UsageError
from casesync_cli.command import LocalisedGroup, command, option
from casesync_cli.render import Output, deliver
from casesync_cli.settings import Settings
from casesync_cli.texts import catalogue, tr
from casesync_cli.times import people_time

if TYPE_CHECKING:
    from casesync.relay.operator_view import SeenDatum

DB = click.Path(dir_okay=False, path_type=Path)
PORT_DEFAULT = 8443


@command(
    "relay serve",
    option("--db", required=True, type=DB, metavar="FILE"),
    option("--host", default="127.0.0.1", metavar="ADDRESS"),
    option("--port", default=PORT_DEFAULT, type=click.IntRange(0, 65535), metavar="PORT"),
    option("--print-key", is_flag=True),
    option("--networks-max", default=16, type=click.IntRange(min=0), metavar="COUNT"),
    option("--tls-cert", type=DB, metavar="FILE"),
    option("--tls-key", type=DB, metavar="FILE"),
)
def relay_serve(
    settings: Settings,
    *,
    db: Path,
    host: str,
    port: int,
    print_key: bool,
    networks_max: int,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> None:
    """Run a relay until SIGTERM or Ctrl-C."""
    from casesync.relay.__main__ import ServeOptions, run  # noqa: PLC0415 - not for help

    def announce(url: str, key: bytes) -> None:
        if settings.json:
            click.echo(json.dumps({"url": url, "key": key.hex()}))
            return
        out = Output(settings)
        out.say("relay.listening", url=url)
        if print_key:
            out.say("relay.key", key=key.hex())

    level = logging.ERROR if settings.json else logging.INFO
    logging.basicConfig(level=level, format="%(message)s")
    options = ServeOptions(
        db=db,
        host=host,
        port=port,
        networks_max=networks_max,
        tls_cert=tls_cert,
        tls_key=tls_key,
    )
    if not db.absolute().parent.is_dir():
        raise UsageError("relay-folder-missing", folder=str(db.parent))
    try:
        counts = run(options, announce)
    except OSError as error:
        raise NetworkError("relay-address", host=host, port=port) from error
    if not settings.json:
        said = tr(settings.lang, "relay.stopped", served=counts.served, refused=counts.refused)
        click.echo(said, err=True)


@command("relay status", option("--db", required=True, type=DB, metavar="FILE"))
def relay_status(settings: Settings, *, db: Path) -> None:
    """Count what a relay's database holds."""
    from casesync.relay.operator_view import status  # noqa: PLC0415 - not for help

    found = status(db)

    def people(out: Output) -> None:
        rows = [
            (
                network.network_hex[:32],
                str(network.control_entries),
                str(network.changes),
                str(network.devices),
                str(network.streams),
                str(network.stored_bytes),
                people_time(network.last_log_time_ms),
            )
            for network in found.networks
        ]
        columns = ("network", "entries", "changes", "devices", "streams", "bytes", "time")
        out.table(columns, rows)
        out.say("relay.size", bytes=found.database_bytes, open=found.rendezvous_open)

    deliver(settings, found, people)


@command("relay what-it-sees", option("--db", required=True, type=DB, metavar="FILE"))
def relay_what_it_sees(settings: Settings, *, db: Path) -> None:
    """List every kind of datum a relay stores, with examples of its own."""
    from casesync.relay.operator_view import what_it_sees  # noqa: PLC0415 - not for help

    found = what_it_sees(db)
    words = catalogue("seen", settings.lang)

    def people(out: Output) -> None:
        rows = [
            (
                f"{datum.table}.{datum.column}",
                str(datum.rows),
                *words[f"{datum.table}.{datum.column}"].split(" | ", 1),
                _example(out, datum),
            )
            for datum in found
        ]
        out.table((("what", "count"), ("meaning", "concludes"), "example"), rows)
        out.say("relay.nothing-else")

    deliver(settings, {"items": list(found), "count": len(found)}, people)


def _example(out: Output, datum: SeenDatum) -> str:
    if datum.hidden:
        return out.words("relay.hidden")
    if datum.example_bytes is None:
        return datum.example
    return tr(out.lang, "relay.example", hex=datum.example, bytes=datum.example_bytes)


relay = LocalisedGroup("relay", [relay_serve, relay_status, relay_what_it_sees])
