"""Ends connections that hold a place without asking for anything (relay).

A connection that sends its request line byte by byte, or nothing at all, costs memory for as long
as it lives. Time is the event loop's, not a clock: only durations matter here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, final

from aiohttp import web

IDLE_S: Final = 60
"""Longest wait for the next complete request head."""
SWEEP_S: Final = 5
CONNECTIONS_MAX: Final = 512
"""Beyond that the longest idle ones are ended first."""


@final
class ConnectionGuard:
    """Knows which connections are being served and since when the others are idle."""

    def __init__(self) -> None:
        self._serving: dict[web.RequestHandler, int] = {}
        self._idle_since: dict[web.RequestHandler, float] = {}

    @contextmanager
    def serving(self, request: web.Request) -> Iterator[None]:
        """While a request of this connection is served it is not idle."""
        handler = request.protocol
        self._serving[handler] = self._serving.get(handler, 0) + 1
        try:
            yield
        finally:
            self._serving[handler] -= 1
            if not self._serving[handler]:
                del self._serving[handler]
            self._idle_since.pop(handler, None)

    def sweep(self, server: web.Server, now_s: float) -> int:
        """End what is idle too long, or too many; how many were ended."""
        connections = [c for c in server.connections if c not in self._serving]
        self._idle_since = {c: self._idle_since.get(c, now_s) for c in connections}
        by_age = sorted(connections, key=lambda c: self._idle_since[c])
        excess = len(self._serving) + len(connections) - CONNECTIONS_MAX
        ended = [
            c
            for position, c in enumerate(by_age)
            if position < excess or now_s - self._idle_since[c] >= IDLE_S
        ]
        for connection in ended:
            connection.force_close()
        return len(ended)

    async def run(self, server: web.Server) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            self.sweep(server, asyncio.get_running_loop().time())
