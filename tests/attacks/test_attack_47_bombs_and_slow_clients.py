"""Attack 47: quota, slow clients, decompression and nesting bombs, a million parents.

Layer that refuses: the relay's HTTP app before a body is buffered, ``wire.messages`` before it is
understood, the push rules and quotas. ``protocol/relay-http.md``, *Limits*.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import msgpack
import pytest

from casesync.foundation.errors import RemoteProtocolError
from casesync.foundation.limits import REQUEST_BODY_BYTES_MAX
from casesync.relay import http_exchange
from casesync.relay.connection_guard import CONNECTIONS_MAX, IDLE_S, ConnectionGuard
from casesync.relay.system_ports import SystemClock
from casesync.testing.blind_device import BlindNetwork
from casesync.wire.messages import ControlAppend, SyncRequest, decode_refusal
from casesync.wire.refusals import Refusal
from casesync.wire.request_signature import Target, sign_request
from relay.raw_http import RawAnswer, connect, read_answer, request_bytes, send
from relay.relay_processes import COUNTERS, RelayProcess


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory):
    with RelayProcess(tmp_path_factory.mktemp("relay")) as process:
        yield process


@pytest.fixture(scope="module")
def network(relay: RelayProcess):
    with relay.channel() as channel:
        return BlindNetwork(channel)


def reason(answer: RawAnswer) -> tuple[int, Refusal]:
    return answer.status, decode_refusal(answer.body)


def memory_bytes(relay: RelayProcess) -> int:
    status = Path(f"/proc/{relay.process.pid}/status")
    if not status.exists():
        pytest.skip("this system does not show a process's memory in /proc")
    line = next(row for row in status.read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def signed(relay: RelayProcess, network: BlindNetwork, body: bytes) -> tuple[str, dict[str, str]]:
    path = f"/v1/networks/{network.id.hex()}/sync"
    authority = relay.url.removeprefix("http://")
    headers = sign_request(
        network.founder.keys.request.sign,
        Target("POST", authority, path),
        body,
        device=1,
        counter=next(COUNTERS),
        created_s=SystemClock().now_ms() // 1000,
    )
    return path, {"Host": authority, **headers}


def test_a_body_said_to_be_too_large_is_refused_before_it_is_sent(relay: RelayProcess):
    with connect(relay.url) as connection:
        connection.sendall(
            request_bytes(
                "POST", "/v1/networks", b"", {"Host": "x"}, length=REQUEST_BODY_BYTES_MAX + 1
            )
        )
        assert reason(read_answer(connection)) == (413, Refusal.TOO_LARGE)


def test_a_chunked_body_is_counted_while_it_is_read(relay: RelayProcess):
    before = memory_bytes(relay)
    with connect(relay.url) as connection:
        headers = {"Host": "x", "Transfer-Encoding": "chunked"}
        connection.sendall(request_bytes("POST", "/v1/networks", b"", headers))
        piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        try:
            for _ in range(REQUEST_BODY_BYTES_MAX // 0x10000 + 8):
                connection.sendall(piece)
        except OSError:
            pass  # it hung up: also an answer
        else:
            assert reason(read_answer(connection)) == (413, Refusal.TOO_LARGE)
    assert memory_bytes(relay) - before < 16 * REQUEST_BODY_BYTES_MAX


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_compressed_body_is_refused_not_unpacked(relay: RelayProcess, encoding: str):
    bomb = gzip.compress(bytes(50_000_000))
    before = memory_bytes(relay)
    headers = {"Host": "x", "Content-Encoding": encoding}
    answer = send(relay.url, "POST", "/v1/networks", bomb, headers)
    assert reason(answer) == (415, Refusal.ENCODING_REFUSED)
    assert memory_bytes(relay) - before < 20_000_000


def test_a_stranger_cannot_make_the_relay_read_a_body(relay: RelayProcess, network: BlindNetwork):
    """Authenticated from its headers: the answer comes although the body never does."""
    body = bytes(1_000_000)
    path, headers = signed(relay, network, body)
    headers["Signature"] = headers["Signature"].replace("=:", "=:A", 1)[:-4] + "==:"
    with connect(relay.url) as connection:
        connection.sendall(request_bytes("POST", path, b"", headers, length=len(body)))
        assert read_answer(connection).status in {400, 404}


def test_a_body_that_does_not_come_is_given_up():
    """The bound is there; its length is a constant, not waited for here."""
    assert 0 < http_exchange.BODY_TIMEOUT_S <= 30
    assert 0 < http_exchange.CHUNK_TIMEOUT_S <= 30


class Connection:
    closed = False

    def force_close(self) -> None:
        self.closed = True


class Server:
    def __init__(self, count: int) -> None:
        self.connections = [Connection() for _ in range(count)]


def test_connections_that_ask_for_nothing_are_ended():
    guard, server = ConnectionGuard(), Server(3)
    assert guard.sweep(server, 0.0) == 0
    server.connections = server.connections[1:]
    assert guard.sweep(server, IDLE_S - 1) == 0
    server.connections = [*server.connections, Connection()]
    assert guard.sweep(server, IDLE_S) == 2
    assert [one.closed for one in server.connections] == [True, True, False]


def test_too_many_connections_lose_the_longest_idle_first():
    guard, server = ConnectionGuard(), Server(CONNECTIONS_MAX)
    guard.sweep(server, 0.0)
    server.connections = [*server.connections, Connection(), Connection()]
    assert guard.sweep(server, 1.0) == 2
    assert [one.closed for one in server.connections[-2:]] == [False, False]


BOMBS = {
    "nesting": b"\x91" * 100_000,
    "an array that says it has four billion items": b"\xdd\xff\xff\xff\xff",
    "a map that says so": b"\xdf\xff\xff\xff\xff",
    "a string that says it is long": b"\xdb\xff\xff\xff\xff" + b"x" * 100,
    "ten thousand small arrays": msgpack.packb([[]] * 10_000),
    "a float": msgpack.packb({0: 1.5}),
    "an extension": msgpack.packb({0: msgpack.ExtType(1, b"")}),
    "a huge integer": msgpack.packb({0: 2**64 - 1}),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_msgpack_bomb_is_malformed(relay: RelayProcess, network: BlindNetwork, bomb: bytes):
    for decode in (SyncRequest.decode, ControlAppend.decode):
        with pytest.raises(RemoteProtocolError):
            decode(bomb)
    path, headers = signed(relay, network, bomb)
    answer = send(relay.url, "POST", path, bomb, headers)
    assert reason(answer) == (400, Refusal.MALFORMED)


def test_a_million_parents_do_not_fit(relay: RelayProcess, network: BlindNetwork):
    """``after`` and owed back-fills are bounded by the format."""
    newest = [0, network.founder.newest[1]]
    body = msgpack.packb({0: 0, 1: 0, 2: 0, 3: [], 4: newest, 5: [[0, None]] * 65, 6: 0})
    path, headers = signed(relay, network, body)
    assert reason(send(relay.url, "POST", path, body, headers)) == (400, Refusal.MALFORMED)


def test_the_relay_still_serves_after_all_of_this(relay: RelayProcess, network: BlindNetwork):
    with relay.channel(network.id, network.founder) as channel:
        assert network.founder.sync(channel).refusal is None
