"""Attack 45: a signed request replayed, with another path, body, authority, time, nonce.

Layer that refuses: ``wire.request_signature`` and the relay's counter. ``protocol/relay-http.md``,
*Signed requests*. The requests go through the real HTTP app; what an eavesdropper holds is exactly
the bytes of one request.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from casesync.relay.system_ports import SystemClock
from casesync.testing.blind_device import BlindDevice, BlindNetwork
from casesync.wire.messages import SyncRequest, decode_refusal
from casesync.wire.refusals import Refusal
from casesync.wire.request_signature import Target, sign_request
from relay.raw_http import RawAnswer, send
from relay.relay_processes import COUNTERS, RelayProcess


@dataclass
class Overheard:
    """One signed request as it went over the wire."""

    relay: RelayProcess
    device: BlindDevice
    network: BlindNetwork
    target: Target
    headers: dict[str, str]
    body: bytes

    def replay(self, **changed) -> RawAnswer:
        target = self.target._replace(**{k: v for k, v in changed.items() if k in Target._fields})
        headers = {**self.headers, **changed.get("headers", {})}
        return send(
            self.relay.url,
            target.method,
            target.path,
            changed.get("body", self.body),
            {"Host": target.authority, **headers},
        )


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory):
    with RelayProcess(tmp_path_factory.mktemp("relay")) as process:
        yield process


@pytest.fixture
def overheard(relay: RelayProcess, request: pytest.FixtureRequest) -> Overheard:
    with relay.channel() as channel:
        network = BlindNetwork(channel, seed=request.node.name)
    device = network.founder
    return sign(relay, network, device)


def sign(relay: RelayProcess, network: BlindNetwork, device: BlindDevice, skew_s: int = 0):
    body = SyncRequest(control_size=0, cursor=0, newest=(0, device.newest[1])).encode()
    authority = relay.url.removeprefix("http://")
    target = Target("POST", authority, f"/v1/networks/{network.id.hex()}/sync")
    headers = sign_request(
        device.keys.request.sign,
        target,
        body,
        device=device.number,
        counter=next(COUNTERS),
        created_s=SystemClock().now_ms() // 1000 + skew_s,
    )
    return Overheard(relay, device, network, target, headers, body)


def reason(answer: RawAnswer) -> tuple[int, Refusal]:
    return answer.status, decode_refusal(answer.body)


def test_the_request_itself_is_served_once(overheard: Overheard):
    assert overheard.replay().status == 200
    assert reason(overheard.replay()) == (401, Refusal.COUNTER_REPLAYED)


def test_a_refused_request_cannot_be_replayed_either(overheard: Overheard):
    """Its counter is used up even though nothing was done."""
    overheard.body = SyncRequest(control_size=99, cursor=0, newest=(0, bytes(32))).encode()
    signed = sign_request(
        overheard.device.keys.request.sign,
        overheard.target,
        overheard.body,
        device=1,
        counter=next(COUNTERS),
        created_s=SystemClock().now_ms() // 1000,
    )
    assert reason(overheard.replay(headers=signed)) == (409, Refusal.RELAY_BEHIND)
    assert reason(overheard.replay(headers=signed)) == (401, Refusal.COUNTER_REPLAYED)


@pytest.mark.parametrize(
    "changed",
    [
        {"authority": "other.example"},
        {"authority": "LOCALHOST:1"},
        {"method": "PUT", "path": "/v1/networks/{}/rendezvous/{}/2"},
        {"path": "/v1/networks/{}/control"},
        {"headers": {"Casesync-Counter": "999999999"}},
    ],
)
def test_a_request_with_one_thing_changed_is_not_found(overheard: Overheard, changed: dict):
    if "path" in changed:
        network = overheard.network.id.hex()
        changed = {**changed, "path": changed["path"].format(network, "00" * 16)}
    assert reason(overheard.replay(**changed)) == (404, Refusal.NOT_FOUND)
    assert overheard.replay().status == 200, "the real one was not used up"


def test_another_body_is_refused_before_it_is_read_as_a_request(overheard: Overheard):
    assert reason(overheard.replay(body=overheard.body + b"x")) == (400, Refusal.MALFORMED)
    assert overheard.replay().status == 200


def test_a_query_string_is_no_way_around(overheard: Overheard):
    answer = overheard.replay(path=overheard.target.path + "?a=b")
    assert reason(answer) == (400, Refusal.MALFORMED)


@pytest.mark.parametrize("skew_s", [-400, 400])
def test_an_old_or_early_request_is_refused_with_the_relays_time(overheard: Overheard, skew_s: int):
    late = sign(overheard.relay, overheard.network, overheard.device, skew_s)
    answer = late.replay()
    assert reason(answer) == (401, Refusal.CLOCK_SKEW)
    assert answer.headers["date"].endswith("GMT")


def test_a_request_of_one_network_is_not_found_in_another(overheard: Overheard):
    with overheard.relay.channel() as channel:
        twin = BlindNetwork(channel, seed="another network")
    path = overheard.target.path.replace(overheard.network.id.hex(), twin.id.hex())
    assert reason(overheard.replay(path=path)) == (404, Refusal.NOT_FOUND)
