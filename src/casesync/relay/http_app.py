"""The relay over HTTP: a thin shell around the mailbox (relay; ``protocol/relay-http.md``).

Decides nothing about logs or rights. What it adds: a signed request is authenticated from its
headers before a byte of its body is read, bodies are bounded, and one worker thread runs the
mailbox, so that requests are served one after the other. Nothing is logged but counts: no
addresses, no ids.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar, final

from aiohttp import web

from casesync.foundation.errors import CasesyncError, RemoteProtocolError
from casesync.foundation.limits import RENDEZVOUS_MESSAGE_BYTES_MAX, REQUEST_BODY_BYTES_MAX
from casesync.foundation.ports import Clock
from casesync.relay.connection_guard import ConnectionGuard
from casesync.relay.http_exchange import read_body, send_answer, send_refusal
from casesync.relay.mailbox import Caller, Mailbox
from casesync.relay.rendezvous import INVITER_SLOTS
from casesync.wire.messages import encode_key
from casesync.wire.refusals import Refusal, RequestRefused
from casesync.wire.request_signature import Target, check_body, check_created, read_claim

_WAITING_MAX: Final = 128
"""Requests waiting for the worker; more are told to come back."""
_CREATING_MAX: Final = 2
"""Bodies of up to 4 MB of unknown senders held at once."""
_EXPIRY_BODY_BYTES_MAX: Final = 64
_HEX32: Final = "[0-9a-f]{32}"
_HEX64: Final = "[0-9a-f]{64}"
_NETWORK: Final = f"/v1/networks/{{network:{_HEX64}}}"
_RENDEZVOUS: Final = f"{_NETWORK}/rendezvous/{{invitation:{_HEX32}}}"
_SLOT: Final = f"{_RENDEZVOUS}/{{slot:[1-4]}}"

Operation = Callable[[web.Request], Awaitable[bytes | None]]
"""Serves one request: the answer's body, or None for "nothing there yet" (204)."""
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@final
class RelayApp:
    """The aiohttp application of one mailbox."""

    def __init__(self, mailbox: Mailbox, clock: Clock) -> None:
        """Args: mailbox: the logic; clock: for ``Date`` and the check of signed times."""
        self._mailbox = mailbox
        self._clock = clock
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="relay-mailbox")
        self._waiting = 0
        self._creating = asyncio.Semaphore(_CREATING_MAX)
        self.guard = ConnectionGuard()
        self.served = 0
        self.refused = 0
        self.app = web.Application()
        routes: list[tuple[str, str, Operation]] = [
            ("GET", "/v1/key", self._key),
            ("POST", "/v1/networks", self._create),
            ("POST", f"{_NETWORK}/sync", self._sync),
            ("POST", f"{_NETWORK}/control", self._control),
            ("GET", f"{_NETWORK}/blobs/{{name:{_HEX64}}}", self._blob),
            ("POST", _RENDEZVOUS, self._rendezvous_open),
            ("DELETE", _RENDEZVOUS, self._rendezvous_cancel),
            ("GET", _SLOT, self._rendezvous_get),
            ("PUT", _SLOT, self._rendezvous_put),
            ("*", "/{tail:.*}", self._nothing),
        ]
        for method, path, operation in routes:
            self.app.router.add_route(method, path, self._answering(operation))

    def close(self) -> None:
        """End the worker after what it is doing."""
        self._worker.shutdown(wait=True)

    # -- every request ------------------------------------------------------------------------
    def _answering(
        self, operation: Operation
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The aiohttp handler that turns every outcome of ``operation`` into an answer."""

        async def handler(request: web.Request) -> web.StreamResponse:
            with self.guard.serving(request):
                try:
                    body = await self._converted(operation, request)
                except RequestRefused as refused:
                    self.refused += 1
                    return await send_refusal(request, refused, self._clock.now_ms())
                self.served += 1
                status = 204 if body is None else 200
                return await send_answer(request, status, body or b"", self._clock.now_ms())

        return handler

    async def _converted(self, operation: Operation, request: web.Request) -> bytes | None:
        try:
            return await operation(request)
        except RequestRefused:
            raise
        except RemoteProtocolError:
            raise RequestRefused(Refusal.MALFORMED) from None
        except CasesyncError as error:
            if error.code == "relay-store-damaged":
                _log.error("the database is damaged")
                raise RequestRefused(Refusal.STORE_DAMAGED) from None
            _log.exception("a request failed in the store")
            raise RequestRefused(Refusal.INTERNAL) from None

    async def _work(self, task: Callable[[], _T]) -> _T:
        """Run ``task`` on the one worker thread."""
        if self._waiting >= _WAITING_MAX:
            raise RequestRefused(Refusal.BUSY)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, task)
        finally:
            self._waiting -= 1

    async def _signed(self, request: web.Request, bytes_max: int) -> tuple[Caller, bytes]:
        """Authenticate from the headers, then read the body and hold it against its digest."""
        if request.query_string:
            raise RequestRefused(Refusal.MALFORMED)
        target = Target(request.method, request.headers.get("Host", "").lower(), request.raw_path)
        claim = read_claim(request.headers, target)
        check_created(claim, self._clock.now_ms())
        network = _network(request)
        await self._work(lambda: self._mailbox.authenticate(network, claim))
        body = await read_body(request, bytes_max)
        check_body(claim, body)
        return Caller(network, claim.device, claim.counter), body

    # -- operations ----------------------------------------------------------------------------
    async def _key(self, _request: web.Request) -> bytes:
        return encode_key(self._mailbox.relay_key)

    async def _create(self, request: web.Request) -> bytes:
        async with self._creating:
            body = await read_body(request, REQUEST_BODY_BYTES_MAX)
            return await self._work(lambda: self._mailbox.create_network(body))

    async def _sync(self, request: web.Request) -> bytes:
        caller, body = await self._signed(request, REQUEST_BODY_BYTES_MAX)
        return await self._work(lambda: self._mailbox.sync(caller, body))

    async def _control(self, request: web.Request) -> bytes:
        caller, body = await self._signed(request, REQUEST_BODY_BYTES_MAX)
        return await self._work(lambda: self._mailbox.append_control(caller, body))

    async def _blob(self, request: web.Request) -> bytes:
        caller, _body = await self._signed(request, 0)
        name = bytes.fromhex(request.match_info["name"])
        return await self._work(lambda: self._mailbox.blob(caller, name))

    async def _rendezvous_open(self, request: web.Request) -> bytes:
        caller, body = await self._signed(request, _EXPIRY_BODY_BYTES_MAX)
        invitation = _invitation(request)
        await self._work(lambda: self._mailbox.rendezvous_open(caller, invitation, body))
        return b""

    async def _rendezvous_cancel(self, request: web.Request) -> bytes:
        caller, _body = await self._signed(request, 0)
        invitation = _invitation(request)
        await self._work(lambda: self._mailbox.rendezvous_cancel(caller, invitation))
        return b""

    async def _rendezvous_get(self, request: web.Request) -> bytes | None:
        network, invitation, slot = _network(request), _invitation(request), _slot(request)
        return await self._work(lambda: self._mailbox.rendezvous_get(network, invitation, slot))

    async def _rendezvous_put(self, request: web.Request) -> bytes:
        network, invitation, slot = _network(request), _invitation(request), _slot(request)
        caller = None
        if slot in INVITER_SLOTS:
            caller, body = await self._signed(request, RENDEZVOUS_MESSAGE_BYTES_MAX)
        else:
            body = await read_body(request, RENDEZVOUS_MESSAGE_BYTES_MAX)
        await self._work(
            lambda: self._mailbox.rendezvous_put(network, invitation, slot, body, caller)
        )
        return b""

    async def _nothing(self, _request: web.Request) -> bytes:
        raise RequestRefused(Refusal.NOT_FOUND)


def _network(request: web.Request) -> bytes:
    return bytes.fromhex(request.match_info["network"])


def _invitation(request: web.Request) -> bytes:
    return bytes.fromhex(request.match_info["invitation"])


def _slot(request: web.Request) -> int:
    return int(request.match_info["slot"])
