"""The relay as the engine sees it, over HTTP (transport; ``protocol/relay-http.md``).

``HttpChannel`` implements ``relay_port.RelayChannel``: synchronous, for one thread, over aiohttp on
an event loop of its own, with one kept-alive connection. What the relay answers is bounded and
converted; what it *says* is checked by the engine. Plain http is refused unless it stays on this
machine or the caller insists: contents and signatures would hold, but who talks to whom would not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, final
from urllib.parse import urlsplit

from casesync.foundation.errors import (
    CasesyncError,
    NetworkError,
    RemoteProtocolError,
    UsageError,
)
from casesync.foundation.ids import BlobHash, DeviceNumber
from casesync.foundation.limits import (
    ANSWER_BYTES_MAX,
    BLOB_BYTES_MAX,
    RENDEZVOUS_MESSAGE_BYTES_MAX,
)
from casesync.foundation.ports import Clock
from casesync.wire.messages import (
    ControlAppend,
    decode_appended,
    decode_created,
    decode_key,
    decode_refusal,
    encode_expiry,
)
from casesync.wire.refusals import (
    Refusal,
    blob_error_for,
    error_for,
    rendezvous_error_for,
)
from casesync.wire.request_signature import Target, sign_request

if TYPE_CHECKING:
    from casesync.transport.http_loop import Answer, HttpLoop

_SMALL_BYTES_MAX: Final = 64 * 1024
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}

Signer = Callable[[bytes], bytes]
"""Ed25519 with the device's request key: message -> 64 bytes."""
ErrorOf = Callable[[Refusal], CasesyncError]


@final
class HttpChannel:
    """Signed requests of one device to one relay; unsigned ones before it is enrolled."""

    def __init__(
        self,
        url: str,
        network: bytes | None,
        device: int | None,
        signer: Signer | None,
        clock: Clock,
        counter_next: Callable[[], int],
        *,
        allow_plain_http: bool = False,
    ) -> None:
        """Open no connection yet.

        Args:
            url: ``https://host[:port]``, or plain http where it is allowed.
            network: Network id (32 bytes); None before the network exists.
            device: This device's number; None before it is enrolled.
            signer: Signs requests; None together with ``device``.
            clock: This device's clock, right or wrong.
            counter_next: A larger number at every call, for ever; durable before it returns.
            allow_plain_http: Accept http to other machines too.

        Raises:
            UsageError: ``relay-url-invalid``, ``relay-not-https``.
        """
        self._base, self._authority = _checked_url(url, allow_plain_http)
        self._network = network
        self._device = device
        self._signer = signer
        self._clock = clock
        self._counter_next = counter_next
        self._offset_ms = 0
        self._http: HttpLoop | None = None

    # -- sync.relay_port.RelayChannel ------------------------------------------------------------
    def relay_key(self) -> bytes:
        """The relay's log key (32 bytes), as it says."""
        return decode_key(self._unsigned("GET", "/v1/key", b"", _SMALL_BYTES_MAX))

    def create_network(self, entries: Sequence[bytes], blobs: Sequence[bytes]) -> dict[int, Any]:
        """``{0: control checkpoint, 1: change checkpoint, 2: [log time, ...]}``."""
        body = ControlAppend(entries=tuple(entries), blobs=tuple(blobs)).encode()
        return decode_created(self._unsigned("POST", "/v1/networks", body, _SMALL_BYTES_MAX))

    def sync(self, request: bytes, patience_s: float | None = None) -> bytes:
        """Answer to an encoded ``SyncRequest``.

        Raises: AnswerTooSlow: see ``HttpLoop.exchange``.
        """
        path = self._path("/sync")
        return self._signed("POST", path, request, ANSWER_BYTES_MAX, patience_s=patience_s)

    def append_control(self, entries: Sequence[bytes], blobs: Sequence[bytes]) -> dict[int, Any]:
        """``{0: control checkpoint, 1: [log time, ...]}``.

        Raises:
            HeadMoved: the first entry no longer extends the head.
        """
        body = ControlAppend(entries=tuple(entries), blobs=tuple(blobs)).encode()
        return decode_appended(self._signed("POST", self._path("/control"), body, _SMALL_BYTES_MAX))

    def blob(self, name: BlobHash) -> bytes:
        """The blob's bytes; that they have this hash is for the caller to check."""
        path = self._path(f"/blobs/{name.hex()}")
        return self._signed("GET", path, b"", BLOB_BYTES_MAX, blob_error_for)

    def rendezvous_open(self, invitation: bytes, expires_ms: int) -> None:
        """Open the rendezvous of an invitation (16 bytes)."""
        body = encode_expiry(expires_ms)
        self._signed("POST", self._rendezvous(invitation), body, 0, rendezvous_error_for)

    def rendezvous_cancel(self, invitation: bytes) -> None:
        """Remove it; AccessDenied ``invitation-gone`` if it is not there (any more)."""
        self._signed("DELETE", self._rendezvous(invitation), b"", 0, rendezvous_error_for)

    def rendezvous_put(self, invitation: bytes, slot: int, message: bytes) -> None:
        """Fill slot 1 to 4; 2 and 4 are signed."""
        path = f"{self._rendezvous(invitation)}/{slot}"
        if slot in {2, 4}:
            self._signed("PUT", path, message, 0, rendezvous_error_for)
        else:
            self._unsigned("PUT", path, message, 0, rendezvous_error_for)

    def rendezvous_get(self, invitation: bytes, slot: int) -> bytes | None:
        """The message in a slot, None while it is empty."""
        path = f"{self._rendezvous(invitation)}/{slot}"
        message = self._unsigned(
            "GET", path, b"", RENDEZVOUS_MESSAGE_BYTES_MAX, rendezvous_error_for
        )
        return message or None

    def now_offset_ms(self) -> int:
        """Relay's clock minus ours, to the second; 0 before the first answer."""
        return self._offset_ms

    # -- lifetime --------------------------------------------------------------------------
    def close(self) -> None:
        """End the connection and the event loop."""
        if self._http is not None:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- requests --------------------------------------------------------------------------
    def _path(self, rest: str) -> str:
        assert self._network is not None
        return f"/v1/networks/{self._network.hex()}{rest}"

    def _rendezvous(self, invitation: bytes) -> str:
        return self._path(f"/rendezvous/{invitation.hex()}")

    def _unsigned(
        self, method: str, path: str, body: bytes, bytes_max: int, error_of: ErrorOf = error_for
    ) -> bytes:
        answer = self._once(method, path, body, bytes_max, headers=lambda: {})
        return _served(answer, error_of)

    def _signed(
        self,
        method: str,
        path: str,
        body: bytes,
        bytes_max: int,
        error_of: ErrorOf = error_for,
        *,
        patience_s: float | None = None,
    ) -> bytes:
        def headers() -> dict[str, str]:
            assert self._signer is not None
            assert self._device is not None
            return sign_request(
                self._signer,
                Target(method, self._authority, path),
                body,
                device=DeviceNumber(self._device),
                counter=self._counter_next(),
                created_s=(self._clock.now_ms() + self._offset_ms) // 1000,
            )

        answer = self._once(method, path, body, bytes_max, headers, patience_s)
        if answer.status == 401 and decode_refusal(answer.body) is Refusal.CLOCK_SKEW:
            # now with its Date
            answer = self._once(method, path, body, bytes_max, headers, patience_s)
        return _served(answer, error_of)

    def _once(
        self,
        method: str,
        path: str,
        body: bytes,
        bytes_max: int,
        headers: Callable[[], dict[str, str]],
        patience_s: float | None = None,
    ) -> Answer:
        """One exchange; every request may be repeated, so a broken connection is tried again."""
        url = self._base + path
        answer = self._session().exchange(method, url, body, headers, bytes_max, patience_s)
        self._learn_offset(answer.date)
        return answer

    def _session(self) -> HttpLoop:
        """The HTTP session; its library is loaded when the first request is made, not before.

        Most commands work offline and would pay a fifth of a second for it.
        """
        if self._http is None:
            from casesync.transport.http_loop import HttpLoop  # noqa: PLC0415 - see above

            self._http = HttpLoop()
        return self._http

    def _learn_offset(self, date: str | None) -> None:
        """Take the relay's clock from an answer; it tells time, it decides no authority."""
        try:
            relay_ms = int(parsedate_to_datetime(date or "").timestamp()) * 1000
        except (ValueError, TypeError, OverflowError, IndexError):
            return
        offset_ms = relay_ms - self._clock.now_ms()
        # Date counts whole seconds: an offset below one second is noise.
        self._offset_ms = offset_ms if abs(offset_ms) >= 2000 else 0


def _served(answer: Answer, error_of: ErrorOf) -> bytes:
    """The body of an answer that serves; anything else becomes the error it stands for."""
    if answer.status in {200, 204}:
        if answer.too_large:
            raise RemoteProtocolError("malformed", what="answer length")
        return answer.body
    if not 400 <= answer.status < 600:
        raise NetworkError("relay-unreachable")
    raise error_of(decode_refusal(answer.body))


def _checked_url(url: str, allow_plain_http: bool) -> tuple[str, str]:
    """(base URL without trailing slash, authority) of a relay's address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError("relay-url-invalid") from None
    if parts.scheme not in _DEFAULT_PORTS or not host or parts.path.strip("/"):
        raise UsageError("relay-url-invalid")
    if parts.query or parts.fragment or parts.username is not None:
        raise UsageError("relay-url-invalid")
    if parts.scheme == "http" and host not in _LOOPBACK and not allow_plain_http:
        raise UsageError("relay-not-https")
    authority = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        authority += f":{port}"
    return f"{parts.scheme}://{authority}", authority
