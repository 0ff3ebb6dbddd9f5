"""Attack 48: "wrong key", "wrong tag" and "no such" look the same from outside (relay level).

Layer that refuses: the relay's mailbox and HTTP app. ``protocol/relay-http.md``: one status, one
body, one set of headers.
"""

from __future__ import annotations

import pytest

from casesync.crypto.signatures import Ed25519Signer
from casesync.foundation.secret_bytes import SecretBytes
from casesync.relay.system_ports import SystemClock
from casesync.testing.blind_device import BlindNetwork
from casesync.wire.request_signature import Target, sign_request
from relay.raw_http import RawAnswer, send
from relay.relay_processes import COUNTERS, RelayProcess

STRANGER = Ed25519Signer(SecretBytes(b"\x07" * 32))


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory):
    with RelayProcess(tmp_path_factory.mktemp("relay")) as process:
        yield process


@pytest.fixture(scope="module")
def network(relay: RelayProcess):
    with relay.channel() as channel:
        return BlindNetwork(channel)


def ask(relay: RelayProcess, method: str, path: str, sign, device: int) -> RawAnswer:
    authority = relay.url.removeprefix("http://")
    headers = sign_request(
        sign,
        Target(method, authority, path),
        b"",
        device=device,
        counter=next(COUNTERS),
        created_s=SystemClock().now_ms() // 1000,
    )
    answer = send(relay.url, method, path, b"", {"Host": authority, **headers})
    return answer._replace(headers={k: v for k, v in answer.headers.items() if k != "date"})


@pytest.mark.parametrize(
    ("method", "rest"),
    [("POST", "/sync"), ("POST", "/control"), ("GET", "/blobs/" + "00" * 32)],
)
def test_a_stranger_cannot_tell_what_exists(
    relay: RelayProcess, network: BlindNetwork, method: str, rest: str
):
    """No such network, no such device, a wrong key of a real device: one answer."""
    real, absent = network.id.hex(), "ab" * 32
    answers = {
        str(ask(relay, method, f"/v1/networks/{known}{rest}", STRANGER.sign, device))
        for known, device in ((real, 1), (real, 77), (absent, 1))
    }
    assert len(answers) == 1
    assert "404" in answers.pop()


def test_a_member_cannot_tell_a_blob_of_others_from_none(
    relay: RelayProcess, network: BlindNetwork
):
    path = f"/v1/networks/{network.id.hex()}/blobs/" + "00" * 32
    member = ask(relay, "GET", path, network.founder.keys.request.sign, 1)
    nowhere = ask(relay, "GET", "/nothing/here", network.founder.keys.request.sign, 1)
    assert member == nowhere


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/networks/short/sync",
        "/v1/networks/" + "AB" * 32 + "/sync",
        "/v1/networks/" + "ab" * 32 + "/rendezvous/" + "00" * 16 + "/5",
        "/v1/networks/" + "ab" * 32 + "/rendezvous/" + "00" * 16 + "/1",
        "/v1/networks/" + "ab" * 32 + "/../../key",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_every_other_path_is_not_found(relay: RelayProcess, path: str, method: str):
    assert send(relay.url, method, path, b"", {"Host": "x"}).status == 404


def test_answers_say_nothing_about_the_machine(relay: RelayProcess):
    headers = send(relay.url, "GET", "/v1/key", b"", {"Host": "x"}).headers
    assert headers["server"] == "casesync"
    assert set(headers) <= {
        "server",
        "date",
        "cache-control",
        "content-type",
        "content-length",
        "connection",
    }
