"""Reading bodies and writing answers with bounds (relay; ``protocol/relay-http.md``, *Limits*)."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Final

from aiohttp import hdrs, web

from casesync.wire.messages import encode_refusal
from casesync.wire.refusals import HTTP_STATUS, Refusal, RequestRefused

MEDIA_TYPE: Final = "application/vnd.casesync"
BODY_TIMEOUT_S: Final = 30
"""For a whole body; 4 MB in it is 140 kB/s."""
CHUNK_BYTES: Final = 64 * 1024
CHUNK_TIMEOUT_S: Final = 30
"""For each chunk of an answer that somebody reads slowly."""

RETRY_AFTER_S: Final = {Refusal.QUOTA: 3600, Refusal.BUSY: 5, Refusal.INTERNAL: 5}
"""When asking again may help."""


async def read_body(request: web.Request, bytes_max: int) -> bytes:
    """The body, never more than ``bytes_max`` of it in memory.

    Raises:
        RequestRefused: ``encoding-refused`` for a compressed one, ``too-large`` (by its
            Content-Length before a byte is read, else while counting), ``too-slow``, ``malformed``
            if the connection broke off.
    """
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise RequestRefused(Refusal.ENCODING_REFUSED)
    if request.content_length is not None and request.content_length > bytes_max:
        raise RequestRefused(Refusal.TOO_LARGE)
    chunks = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.content.iter_any():
                size += len(chunk)
                if size > bytes_max:
                    raise RequestRefused(Refusal.TOO_LARGE)
                chunks.append(chunk)
    except TimeoutError:
        raise RequestRefused(Refusal.TOO_SLOW) from None
    except (web.HTTPException, web.RequestPayloadError, ConnectionError):
        raise RequestRefused(Refusal.MALFORMED) from None
    return b"".join(chunks)


async def send_answer(
    request: web.Request, status: int, body: bytes, now_ms: int, retry_after_s: int | None = None
) -> web.StreamResponse:
    """Write an answer chunk by chunk; a connection that does not take it is ended.

    Args:
        request: What is answered.
        status: HTTP status; 204 has no body.
        body: Canonical msgpack or a blob's or message's bytes.
        now_ms: The relay's clock, for the ``Date`` header.
        retry_after_s: When asking again may help.
    """
    answer = web.StreamResponse(status=status)
    answer.headers[hdrs.DATE] = formatdate(now_ms / 1000, usegmt=True)
    answer.headers[hdrs.SERVER] = "casesync"
    answer.headers[hdrs.CACHE_CONTROL] = "no-store"
    if retry_after_s is not None:
        answer.headers[hdrs.RETRY_AFTER] = str(retry_after_s)
    if status != 204:
        answer.content_type = MEDIA_TYPE
        answer.content_length = len(body)
    if status >= 400:
        answer.force_close()  # a body that was not read cannot be told from the next request
    try:
        await answer.prepare(request)
        for start in range(0, len(body), CHUNK_BYTES):
            async with asyncio.timeout(CHUNK_TIMEOUT_S):
                await answer.write(body[start : start + CHUNK_BYTES])
        await answer.write_eof()
    except (TimeoutError, ConnectionError):
        if request.transport is not None:
            request.transport.abort()
    return answer


async def send_refusal(
    request: web.Request, refused: RequestRefused, now_ms: int
) -> web.StreamResponse:
    """Write the answer of a request that is not served."""
    status = HTTP_STATUS[refused.refusal]
    body = encode_refusal(refused.refusal)
    retry_after_s = refused.retry_after_s or RETRY_AFTER_S.get(refused.refusal)
    return await send_answer(request, status, body, now_ms, retry_after_s)
