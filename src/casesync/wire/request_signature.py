"""Signed requests: HTTP message signatures of one fixed shape (wire).

RFC 9421 with Ed25519, RFC 9530 ``Content-Digest``; ``protocol/relay-http.md``, *Signed requests*.
There is exactly one shape: same components, same order, same parameters. Anything else is refused,
so no general structured-field parser (RFC 8941) is needed and none is here. Pure: time, keys and
headers are parameters. Whether the counter was used before is the relay's store's to say.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from casesync.crypto.signatures import ed25519_verify
from casesync.foundation.errors import CryptoError
from casesync.foundation.ids import DeviceNumber
from casesync.foundation.limits import REQUEST_CREATED_SKEW_S
from casesync.wire.refusals import Refusal, RequestRefused

COUNTER_HEADER: Final = "Casesync-Counter"
DIGEST_HEADER: Final = "Content-Digest"
INPUT_HEADER: Final = "Signature-Input"
SIGNATURE_HEADER: Final = "Signature"
TAG: Final = "casesync/v1"
_LABEL: Final = "casesync"
_COMPONENTS: Final = '("@method" "@authority" "@path" "content-digest" "casesync-counter")'
_COUNTER_MAX: Final = 2**63 - 1
"""What the relay's store holds in one integer."""

_INPUT_RE: Final = re.compile(
    re.escape(f"{_LABEL}={_COMPONENTS}")
    + r';created=([1-9][0-9]{0,14});keyid="([1-9][0-9]{0,9})";alg="ed25519";tag="casesync/v1"'
)
_DIGEST_RE: Final = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_SIGNATURE_RE: Final = re.compile(re.escape(_LABEL) + r"=:([A-Za-z0-9+/]{86}==):")
_COUNTER_RE: Final = re.compile(r"[1-9][0-9]{0,18}")


class Target(NamedTuple):
    """What a request is sent to, as both sides see it."""

    method: str
    """Upper case."""
    authority: str
    """Host, and port unless it is the scheme's default; lower case."""
    path: str
    """Absolute path; the protocol has no query strings."""


class RequestClaim(NamedTuple):
    """What the headers of a signed request say, nothing of it verified yet."""

    device: DeviceNumber
    counter: int
    created_s: int
    digest: bytes
    """SHA-256 the body must have."""
    base: bytes
    """The RFC 9421 signature base."""
    signature: bytes


def sign_request(
    sign: Callable[[bytes], bytes],
    target: Target,
    body: bytes,
    *,
    device: DeviceNumber,
    counter: int,
    created_s: int,
) -> dict[str, str]:
    """The four headers that sign one request.

    Args:
        sign: Ed25519 with the device's request key: message -> 64 bytes.
        target: Where the request goes.
        body: The whole body; may be empty.
        device: The signing device's number.
        counter: Larger than in every request of this device before.
        created_s: Seconds since 1970, by the relay's clock as far as it is known.
    """
    digest = f"sha-256=:{_b64(hashlib.sha256(body).digest())}:"
    parameters = f'{_COMPONENTS};created={created_s};keyid="{device}";alg="ed25519";tag="{TAG}"'
    signature = sign(_base(target, digest, str(counter), parameters))
    return {
        DIGEST_HEADER: digest,
        COUNTER_HEADER: str(counter),
        INPUT_HEADER: f"{_LABEL}={parameters}",
        SIGNATURE_HEADER: f"{_LABEL}=:{_b64(signature)}:",
    }


def read_claim(headers: Mapping[str, str], target: Target) -> RequestClaim:
    """Read the signature headers of a request; nothing is verified here.

    Args:
        headers: Looked up by the names above (a case-insensitive mapping, or exactly these).
        target: Method, authority and path as the request line and Host header gave them.

    Raises:
        RequestRefused: ``malformed`` if a header is missing or not of the one shape.
    """
    digest = _match(_DIGEST_RE, headers, DIGEST_HEADER)
    counter = _match(_COUNTER_RE, headers, COUNTER_HEADER)
    given = _match(_INPUT_RE, headers, INPUT_HEADER)
    signature = _match(_SIGNATURE_RE, headers, SIGNATURE_HEADER)
    device = int(given[2])
    if device > 0xFFFFFFFF or int(counter[0]) > _COUNTER_MAX:
        raise RequestRefused(Refusal.MALFORMED)
    parameters = given[0].removeprefix(f"{_LABEL}=")
    return RequestClaim(
        device=DeviceNumber(device),
        counter=int(counter[0]),
        created_s=int(given[1]),
        digest=_unb64(digest[1]),
        base=_base(target, digest[0], counter[0], parameters),
        signature=_unb64(signature[1]),
    )


def check_created(claim: RequestClaim, now_ms: int) -> None:
    """Refuse a request whose time is off; says nothing about networks or devices.

    Raises:
        RequestRefused: ``clock-skew``; the answer's ``Date`` header tells the relay's time.
    """
    if abs(claim.created_s - now_ms // 1000) > REQUEST_CREATED_SKEW_S:
        raise RequestRefused(Refusal.CLOCK_SKEW)


def verify_claim(claim: RequestClaim, request_key: bytes | None) -> None:
    """Verify the signature; an unknown device costs and answers like a wrong signature.

    Args:
        claim: From ``read_claim``.
        request_key: The device's request key (32 bytes), None if there is no such device.

    Raises:
        RequestRefused: ``not-found``.
    """
    try:
        ed25519_verify(request_key or _NOBODY, claim.base, claim.signature)
    except CryptoError:
        raise RequestRefused(Refusal.NOT_FOUND) from None
    if request_key is None:
        raise RequestRefused(Refusal.NOT_FOUND)


def check_body(claim: RequestClaim, body: bytes) -> None:
    """Refuse a body that is not the signed one.

    Raises:
        RequestRefused: ``malformed``.
    """
    if not hmac.compare_digest(hashlib.sha256(body).digest(), claim.digest):
        raise RequestRefused(Refusal.MALFORMED)


def verify_request(
    headers: Mapping[str, str],
    target: Target,
    body: bytes,
    key_of: Callable[[DeviceNumber], bytes | None],
    now_ms: int,
) -> tuple[DeviceNumber, int]:
    """All steps at once: (device, counter) of a request that this device signed.

    The relay takes them one by one, so that a body is read only for a known device.

    Raises:
        RequestRefused: ``malformed``, ``clock-skew`` or ``not-found``.
    """
    claim = read_claim(headers, target)
    check_created(claim, now_ms)
    verify_claim(claim, key_of(claim.device))
    check_body(claim, body)
    return claim.device, claim.counter


_NOBODY: Final = bytes.fromhex("58" + "66" * 31)
"""The Ed25519 base point: a well-formed key, for unknown devices, so that both cost alike."""


def _base(target: Target, digest: str, counter: str, parameters: str) -> bytes:
    """The signature base (RFC 9421 section 2.5) over the five components."""
    lines = (
        f'"@method": {target.method}',
        f'"@authority": {target.authority}',
        f'"@path": {target.path}',
        f'"content-digest": {digest}',
        f'"casesync-counter": {counter}',
        f'"@signature-params": {parameters}',
    )
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _match(pattern: re.Pattern[str], headers: Mapping[str, str], name: str) -> re.Match[str]:
    found = pattern.fullmatch(headers.get(name, ""))
    if found is None:
        raise RequestRefused(Refusal.MALFORMED)
    return found


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unb64(text: str) -> bytes:
    """Decode canonical base64 only: one signature must not have several spellings."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RequestRefused(Refusal.MALFORMED) from None
    if _b64(data) != text:
        raise RequestRefused(Refusal.MALFORMED)
    return data
