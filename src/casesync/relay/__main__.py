"""``python -m casesync.relay``: runs a relay (relay).

An entry point of its own, so that the process never loads what could open a seal. The command line
starts the same ``run``. One line goes to standard output when the relay is ready; counts go to the
log; nothing that identifies anybody is written anywhere but the database.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import ssl
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import web

from casesync.foundation.errors import CasesyncError, UsageError
from casesync.relay.http_app import RelayApp
from casesync.relay.mailbox import Mailbox
from casesync.relay.sqlite_store import SqliteStore
from casesync.relay.system_ports import SystemClock, SystemEntropy

_SHUTDOWN_S: Final = 20
"""How long requests under way may take after SIGTERM."""
_log = logging.getLogger(__name__)

Announce = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """How a relay is run."""

    db: Path
    host: str = "127.0.0.1"
    port: int = 8443
    """0 = a free one."""
    networks_max: int = 16
    tls_cert: Path | None = None
    tls_key: Path | None = None


class Counts(NamedTuple):
    """Of the requests of one run."""

    served: int
    refused: int


def announcer(*, print_key: bool) -> Announce:
    """What says in one line on standard output that the relay is ready.

    Args:
        print_key: say its log key, too, in hex as clients take it.
    """

    def announce(url: str, key: bytes) -> None:
        said = f"listening on {url} key {key.hex()}" if print_key else f"listening on {url}"
        sys.stdout.write(said + "\n")
        sys.stdout.flush()

    return announce


def run(options: ServeOptions, announce: Announce) -> Counts:
    """Serve until SIGTERM or SIGINT; requests under way are finished.

    A relay that a shell put into the background was told to ignore SIGINT, and does: Ctrl-C is
    for what runs before it.

    Args:
        options: how.
        announce: called once with address and log key when the relay is ready.

    Returns: how many requests were served and refused.

    Raises:
        UsageError: ``relay-tls-files``.
        LocalStateError: ``relay-store-failed``, ``relay-store-damaged``.
        OSError: the address cannot be used.
    """
    return asyncio.run(_serve(options, announce))


async def _serve(options: ServeOptions, announce: Announce) -> Counts:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    for number in (signal.SIGTERM,) if ignored else (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # not on every system's event loop
            loop.add_signal_handler(number, stopping.set)
    loop.set_exception_handler(_count_only)
    tls = _tls(options)
    store = _open_store(options.db)
    clock = SystemClock()
    mailbox = Mailbox(store, clock, SystemEntropy(), networks_max=options.networks_max)
    if mailbox.is_damaged:
        _log.error("the database is damaged: what it says of a network contradicts its logs")
    relay = RelayApp(mailbox, clock)
    runner = web.AppRunner(
        relay.app,
        access_log=None,
        logger=_silent_logger(),
        auto_decompress=False,
        keepalive_timeout=60,
        handle_signals=False,
        shutdown_timeout=_SHUTDOWN_S,
    )
    try:
        await runner.setup()
        await web.TCPSite(runner, options.host, options.port, ssl_context=tls).start()
        assert runner.server is not None
        sweeping = asyncio.create_task(relay.guard.run(runner.server))
        announce(_url(options, runner.addresses[0][1]), mailbox.relay_key)
        await stopping.wait()
        sweeping.cancel()
    finally:
        await runner.cleanup()
        relay.close()
        store.close()
    return Counts(relay.served, relay.refused)


def _url(options: ServeOptions, port: int) -> str:
    scheme = "http" if options.tls_cert is None else "https"
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"{scheme}://{host}:{port}"


def _open_store(db: Path) -> SqliteStore:
    db.touch(mode=0o600, exist_ok=True)  # nobody else reads it, not even while it is made
    return SqliteStore(db)


def _tls(options: ServeOptions) -> ssl.SSLContext | None:
    if options.tls_cert is None and options.tls_key is None:
        return None
    if options.tls_cert is None or options.tls_key is None:
        raise UsageError("relay-tls-files")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key)
    except OSError as error:
        raise UsageError("relay-tls-files") from error
    return context


def _silent_logger() -> logging.Logger:
    """The HTTP library's own lines name addresses and paths: none of them is written."""
    logger = logging.getLogger("casesync.relay.http")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger


def _count_only(_loop: asyncio.AbstractEventLoop, _context: dict[str, object]) -> None:
    """An error of a connection; its text would name the peer."""
    _log.warning("a connection ended with an error")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of ``python -m casesync.relay``; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m casesync.relay", description="Run a relay.")
    parser.add_argument("--db", type=Path, required=True, help="the relay's SQLite file")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8443, help="0 = a free one")
    parser.add_argument("--print-key", action="store_true", help="say the log key, too, in hex")
    parser.add_argument("--networks-max", type=int, default=16)
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        options = ServeOptions(
            db=given.db,
            host=given.host,
            port=given.port,
            networks_max=given.networks_max,
            tls_cert=given.tls_cert,
            tls_key=given.tls_key,
        )
        counts = run(options, announcer(print_key=given.print_key))
    except CasesyncError as error:
        sys.stderr.write(f"{error.message()}\n{error.advice()}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"{error.strerror}\n")
        return 4
    _log.info("stopped; served %d, refused %d", *counts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
