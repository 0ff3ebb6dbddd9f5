"""One kept-alive HTTP session on an event loop of its own (transport).

Knows nothing of the protocol: bounds, timeouts, one retry of a broken connection, and the
conversion of every exception of the HTTP library. Redirects are not followed, answers are not
decompressed, proxies of the environment are not used, cookies are not kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Final, final

import aiohttp

from casesync.foundation.errors import AnswerTooSlow, NetworkError

CONNECT_TIMEOUT_S: Final = 15
READ_TIMEOUT_S: Final = 60
"""Longest silence; a page over a slow line takes longer in all."""
LOOK_S: Final = 3.0
"""How long an answer has been coming when it is asked how long the rest will take."""
_ATTEMPTS: Final = 2
_ERROR_BODY_BYTES_MAX: Final = 1024
_MEDIA_TYPE: Final = "application/vnd.casesync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    date: str | None
    too_large: bool
    """The body was longer than allowed; the rest was not read."""


@final
class HttpLoop:
    """Runs exchanges one at a time; the loop and session begin with the first."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession | None = None

    def exchange(
        self,
        method: str,
        url: str,
        body: bytes,
        headers: Callable[[], dict[str, str]],
        bytes_max: int,
        patience_s: float | None = None,
    ) -> Answer:
        """Send one request and read its answer.

        Args:
            method: Upper case.
            url: Absolute.
            body: May be empty.
            headers: Called for each attempt: a signed request is signed anew.
            bytes_max: Longest body accepted.
            patience_s: An answer that shows how long it is and would take longer than this to
                come is let go; None waits for as long as it takes.

        Raises:
            NetworkError: ``relay-unreachable``, ``relay-certificate``.
            AnswerTooSlow: it was let go.
        """
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            # A session nobody closed ends with the process; no line about it on a terminal.
            self._loop.set_exception_handler(lambda _loop, _context: None)
        for attempt in range(_ATTEMPTS):
            try:
                return self._loop.run_until_complete(
                    self._attempt(method, url, body, headers(), bytes_max, patience_s)
                )
            except aiohttp.ClientConnectorCertificateError as error:
                raise NetworkError("relay-certificate") from error
            except (aiohttp.ClientConnectorError, TimeoutError) as error:
                raise NetworkError("relay-unreachable") from error
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
                if attempt == _ATTEMPTS - 1:
                    raise NetworkError("relay-unreachable") from error
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise NetworkError("relay-unreachable") from error
        raise AssertionError("every attempt returns or raises")

    def close(self) -> None:
        """End session and loop; the object can be used again."""
        if self._loop is None:
            return
        if self._session is not None:
            self._loop.run_until_complete(self._session.close())
            self._session = None
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
        self._loop = None

    async def _attempt(
        self,
        method: str,
        url: str,
        body: bytes,
        headers: dict[str, str],
        bytes_max: int,
        patience_s: float | None,
    ) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept-Encoding"),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=READ_TIMEOUT_S
                ),
            )
        if body:
            headers = {**headers, "Content-Type": _MEDIA_TYPE}
        async with self._session.request(
            method, url, data=body or None, headers=headers, allow_redirects=False
        ) as answer:
            if answer.status >= 400:
                bytes_max = max(bytes_max, _ERROR_BODY_BYTES_MAX)
            payload = BytesIO()  # gives its bytes away without a copy
            begun_s = asyncio.get_running_loop().time()
            async for chunk in answer.content.iter_any():
                payload.write(chunk)
                if payload.tell() > bytes_max:
                    break
                if patience_s is not None and answer.content_length is not None:
                    took_s = asyncio.get_running_loop().time() - begun_s
                    left = answer.content_length - payload.tell()
                    if took_s > LOOK_S and left * took_s > patience_s * payload.tell():
                        answer.close()
                        raise AnswerTooSlow(int(payload.tell() / took_s))
            too_large = payload.tell() > bytes_max
            if too_large:
                answer.close()
            return Answer(
                status=answer.status,
                body=b"" if too_large else payload.getvalue(),
                date=answer.headers.get("Date"),
                too_large=too_large,
            )
