"""The relay over HTTP as the engine sees it (``protocol/relay-http.md``)."""

from __future__ import annotations

import gzip
import itertools

import pytest

from casesync.crypto.signatures import Ed25519Signer
from casesync.foundation.errors import (
    AccessDenied,
    AnswerTooSlow,
    CasesyncError,
    LocalStateError,
    NetworkError,
    RelayMisbehaviour,
    RemoteProtocolError,
    UsageError,
)
from casesync.foundation.ids import BlobHash
from casesync.foundation.secret_bytes import SecretBytes
from casesync.testing.clock import START_MS, FakeClock
from casesync.transport import http_channel, http_loop
from casesync.transport.http_channel import HttpChannel
from casesync.wire.messages import encode_key, encode_refusal
from casesync.wire.refusals import HTTP_STATUS, HeadMoved, Refusal
from unit.transport.hostile_servers import HostileServer, answer

SIGNER = Ed25519Signer(SecretBytes(b"\x01" * 32))
DATE = "Date: Thu, 01 Jan 2026 00:00:00 GMT"


def channel(url: str, clock: FakeClock | None = None) -> HttpChannel:
    counter = itertools.count(1)
    return HttpChannel(url, b"n" * 32, 7, SIGNER.sign, clock or FakeClock(), lambda: next(counter))


def refusal(reason: Refusal) -> bytes:
    return answer(f"{HTTP_STATUS[reason]} X", encode_refusal(reason), DATE)


def error_after(*answers: bytes | None, act=lambda c: c.sync(b"\x80")) -> CasesyncError:
    with HostileServer(answers) as server, channel(server.url) as open_channel:
        with pytest.raises(CasesyncError) as caught:
            act(open_channel)
        return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "",
        "relay.example",
        "ftp://relay.example",
        "https://",
        "https://relay.example/path",
        "https://relay.example?x=1",
        "https://relay.example#x",
        "https://user@relay.example",
        "https://relay.example:port",
        "https://relay.example:99999",
        "https://[::1",
    ],
)
def test_what_is_no_relays_address_is_refused(url: str):
    with pytest.raises(UsageError) as caught:
        channel(url)
    assert caught.value.code == "relay-url-invalid"


@pytest.mark.parametrize("url", ["http://relay.example", "http://192.168.1.5:8443"])
def test_plain_http_to_another_machine_needs_to_be_asked_for(url: str):
    """Who talks to whom would stand in clear on the wire."""
    with pytest.raises(UsageError) as caught:
        channel(url)
    assert caught.value.code == "relay-not-https"
    HttpChannel(url, None, None, None, FakeClock(), lambda: 1, allow_plain_http=True).close()


@pytest.mark.parametrize(
    "url",
    ["http://localhost:1", "http://127.0.0.1:1/", "http://[::1]:1", "https://relay.example"],
)
def test_https_and_this_machine_are_accepted(url: str):
    channel(url).close()


def test_the_default_port_is_not_part_of_the_authority():
    """The relay sees the Host header, which leaves it out."""
    assert http_channel._checked_url("https://R.example:443", False)[1] == "r.example"
    assert http_channel._checked_url("https://[::1]:8443", False)[1] == "[::1]:8443"


def test_a_relay_that_is_not_there_is_unreachable():
    with channel("http://127.0.0.1:9") as open_channel, pytest.raises(NetworkError) as caught:
        open_channel.relay_key()
    assert caught.value.code == "relay-unreachable"
    assert caught.value.exit_code == 4


def test_a_connection_that_breaks_is_tried_once_more_signed_anew():
    """Every request may be repeated; a signature may not."""
    good = answer("200 OK", b"\x80", DATE)
    with HostileServer([None], [good]) as server, channel(server.url) as open_channel:
        assert open_channel.sync(b"\x80") == b"\x80"
    counters = [
        line
        for request in server.requests
        for line in request.split(b"\r\n")
        if line.lower().startswith(b"casesync-counter")
    ]
    assert len(set(counters)) == 2


def test_a_connection_that_breaks_twice_is_unreachable():
    with (
        HostileServer([None], [None]) as server,
        channel(server.url) as open_channel,
        pytest.raises(NetworkError) as caught,
    ):
        open_channel.sync(b"\x80")
    assert caught.value.code == "relay-unreachable"


@pytest.mark.parametrize(
    ("reason", "family", "code"),
    [
        (Refusal.NOT_FOUND, NetworkError, "relay-other-network"),
        (Refusal.DEVICE_SUSPENDED, AccessDenied, "device-suspended"),
        (Refusal.COUNTER_REPLAYED, LocalStateError, "counter-replayed"),
        (Refusal.RELAY_BEHIND, RelayMisbehaviour, "relay-behind"),
        (Refusal.QUOTA, NetworkError, "relay-quota"),
        (Refusal.HEAD_MOVED, HeadMoved, "head-moved"),
        (Refusal.MALFORMED, NetworkError, "relay-refused"),
    ],
)
def test_a_refusal_becomes_its_error(reason: Refusal, family: type, code: str):
    error = error_after(refusal(reason))
    assert isinstance(error, family)
    assert error.code == code


def test_a_missing_rendezvous_is_an_invitation_that_is_over():
    error = error_after(refusal(Refusal.NOT_FOUND), act=lambda c: c.rendezvous_get(b"i" * 16, 1))
    assert (type(error), error.code) == (AccessDenied, "invitation-gone")


def test_a_missing_blob_is_refused_not_another_network():
    error = error_after(refusal(Refusal.NOT_FOUND), act=lambda c: c.blob(BlobHash(b"b" * 32)))
    assert (type(error), error.code) == (NetworkError, "relay-refused")


@pytest.mark.parametrize(
    "bytes_back",
    [
        b"nonsense\r\n\r\n",
        answer("302 Found", b"", "Location: http://127.0.0.1:9/"),
        answer("500 X", b"<html>"),
        answer("502 Bad Gateway", b"x" * 100_000),
        answer("299 X", b"\x80"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
    ],
)
def test_whatever_comes_back_is_an_error_of_the_network(bytes_back: bytes):
    with (
        HostileServer([bytes_back], [bytes_back]) as server,
        channel(server.url) as open_channel,
        pytest.raises(CasesyncError) as caught,
    ):
        open_channel.sync(b"\x80")
    assert caught.value.exit_code == 4


def test_an_answer_beyond_its_bound_is_not_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http_channel, "_SMALL_BYTES_MAX", 1000)
    error = error_after(answer("200 OK", bytes(100_000)), act=lambda c: c.relay_key())
    assert isinstance(error, RemoteProtocolError)


def test_a_compressed_answer_is_not_unpacked():
    bomb = gzip.compress(encode_key(b"k" * 32))
    error = error_after(
        answer("200 OK", bomb, "Content-Encoding: gzip"), act=lambda c: c.relay_key()
    )
    assert isinstance(error, RemoteProtocolError)


def test_a_wrong_clock_is_learned_and_the_request_repeated_once():
    """Attack 66: nine hours wrong does not lock a laptop out."""
    clock = FakeClock(START_MS - 9 * 3600 * 1000)
    good = answer("200 OK", b"\x80", DATE)
    answers = [refusal(Refusal.CLOCK_SKEW), good]
    with HostileServer(answers) as server, channel(server.url, clock) as open_channel:
        assert open_channel.sync(b"\x80") == b"\x80"
        assert open_channel.now_offset_ms() == 9 * 3600 * 1000
    assert f"created={START_MS // 1000 - 9 * 3600}".encode() in server.requests[0]
    assert f"created={START_MS // 1000}".encode() in server.requests[1]


def test_a_relay_that_never_accepts_the_time_is_given_up():
    skew = refusal(Refusal.CLOCK_SKEW)
    assert error_after(skew, skew, skew).code == "relay-clock-skew"


def test_a_date_that_is_none_teaches_nothing():
    answers = [answer("200 OK", b"\x80", "Date: yesterday")]
    with HostileServer(answers) as server, channel(server.url) as open_channel:
        open_channel.sync(b"\x80")
        assert open_channel.now_offset_ms() == 0


def test_an_empty_slot_is_none_and_an_open_one_its_bytes():
    answers = [answer("204 No Content"), answer("200 OK", b"message")]
    with HostileServer(answers) as server, channel(server.url) as open_channel:
        assert open_channel.rendezvous_get(b"i" * 16, 2) is None
        assert open_channel.rendezvous_get(b"i" * 16, 2) == b"message"


def test_requests_say_nothing_about_the_machine():
    answers = [answer("200 OK", encode_key(b"k" * 32))]
    with HostileServer(answers) as server, channel(server.url) as open_channel:
        open_channel.relay_key()
    names = {line.split(b":")[0].lower() for line in server.requests[0].split(b"\r\n")[1:]}
    assert names <= {b"host", b"accept", b"connection", b"content-length"}


def test_a_closed_channel_can_be_used_again():
    key = answer("200 OK", encode_key(b"k" * 32))
    with HostileServer([key], [key]) as server:
        open_channel = channel(server.url)
        assert open_channel.relay_key() == b"k" * 32
        open_channel.close()
        assert open_channel.relay_key() == b"k" * 32
        open_channel.close()


def test_an_answer_that_would_take_too_long_is_let_go(monkeypatch):
    """Its first byte is here and the rest never comes: nobody waits for it, nor asks again."""
    monkeypatch.setattr(http_loop, "LOOK_S", 0.0)
    part = answer("200 OK", bytes(100_000), DATE)[:-1]
    with (
        HostileServer([part, None]) as server,
        channel(server.url) as open_channel,
        pytest.raises(AnswerTooSlow) as caught,
    ):
        open_channel.sync(b"\x80", patience_s=0.0)
    assert len(server.requests) == 1
    assert caught.value.bytes_per_s > 0
    assert caught.value.exit_code == 4


def test_an_answer_that_comes_soon_enough_is_waited_for(monkeypatch):
    monkeypatch.setattr(http_loop, "LOOK_S", 0.0)
    whole = answer("200 OK", bytes(100_000), DATE)
    with HostileServer([whole]) as server, channel(server.url) as open_channel:
        assert open_channel.sync(b"\x80", patience_s=3600.0) == bytes(100_000)
