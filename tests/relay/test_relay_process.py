"""A real relay over HTTP (``protocol/relay-http.md``): what it answers, survives and writes."""

from __future__ import annotations

import itertools
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from casesync.foundation.errors import AccessDenied, NetworkError
from casesync.testing.blind_device import BlindDevice, BlindNetwork
from casesync.transport.http_channel import HttpChannel
from casesync.wire.messages import Receipt
from relay.relay_processes import RelayProcess

FORBIDDEN = tuple(
    f"casesync.{name}."
    for name in (
        "access",
        "client",
        "crypto.key_wrap",
        "crypto.sealing",
        "model",
        "reports",
        "storage",
        "sync",
        "transport",
    )
)


@pytest.fixture
def relay(tmp_path: Path):
    with RelayProcess(tmp_path) as process:
        yield process


@pytest.fixture
def network(relay: RelayProcess):
    with relay.channel() as channel:
        return BlindNetwork(channel, seed=str(relay.folder))


def test_it_says_where_it_listens(relay: RelayProcess):
    assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+\n", relay.line)


def test_print_key_says_its_key_in_hex_and_serves(tmp_path: Path):
    with RelayProcess(tmp_path, "--print-key") as relay:
        found = re.fullmatch(r"listening on (\S+) key ([0-9a-f]{64})\n", relay.line)
        assert found is not None
        with relay.channel() as channel:
            assert channel.relay_key().hex() == found[2]


def test_devices_sync_over_http(relay: RelayProcess, network: BlindNetwork):
    first = network.founder
    with relay.channel(network.id, first) as mine:
        second = network.enrol(mine, feeds=(first.feed,))
        stream = first.open_stream()
        for _ in range(200):
            first.write(stream)
        first.sync(mine)
        with relay.channel(network.id, second) as theirs:
            second.sync(theirs)
    assert len(second.leaves) == 201


def test_devices_that_push_at_once_get_distinct_neighbouring_indexes(
    relay: RelayProcess, network: BlindNetwork
):
    """DESIGN.md 7: leaf numbers are assigned and made visible under one lock per network."""
    with relay.channel(network.id, network.founder) as channel:
        devices = [network.enrol(channel) for _ in range(4)]
    receipts: list[Receipt] = []

    def work(device: BlindDevice) -> None:
        with relay.channel(network.id, device) as mine:
            device.sync(mine)
            stream = device.open_stream()
            for _ in range(10):
                device.write(stream)
                receipts.extend(device.sync(mine).receipts)

    threads = [threading.Thread(target=work, args=(device,)) for device in devices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    by_index = sorted(receipts, key=lambda receipt: receipt.log_index)
    assert [receipt.log_index for receipt in by_index] == list(range(44))
    times = [receipt.log_time_ms for receipt in by_index]
    assert times == sorted(times)


def test_acknowledged_changes_survive_a_kill_in_the_middle_of_a_push(tmp_path: Path):
    """Issue, *Must hold* 2: whatever a device has a receipt for is there after kill -9."""
    with RelayProcess(tmp_path) as relay:
        with relay.channel() as anonymous:
            network = BlindNetwork(anonymous)
        device = network.founder
        stream = device.open_stream()
        acknowledged: dict[int, int] = {}
        with relay.channel(network.id, device) as channel:
            for rounds in itertools.count():
                for _ in range(20):
                    device.write(stream)
                if rounds == 5:
                    threading.Thread(target=relay.process.kill).start()
                try:
                    receipts = device.sync(channel).receipts
                except NetworkError:
                    break
                acknowledged.update((r.number, r.log_index) for r in receipts)
    assert acknowledged
    with RelayProcess(tmp_path) as relay, relay.channel(network.id, device) as channel:
        answer = device.sync(channel)
        assert answer.newest == device.newest
        acknowledged.update((r.number, r.log_index) for r in answer.receipts)
        assert acknowledged == {n: n - 1 for n in range(1, device.newest[0] + 1)}
        assert device.seen.size == device.newest[0]


def test_sigterm_ends_it_cleanly(relay: RelayProcess, network: BlindNetwork):
    with relay.channel(network.id, network.founder) as channel:
        network.founder.sync(channel)
        assert relay.terminate() == 0
        with pytest.raises(NetworkError) as caught:
            network.founder.sync(channel)
    assert caught.value.code == "relay-unreachable"


def test_its_log_holds_counts_and_nothing_else(relay: RelayProcess, network: BlindNetwork):
    """No address, no id: whoever gets the log learns nothing about anybody."""
    with relay.channel(b"n" * 32, network.founder) as stranger, pytest.raises(NetworkError):
        network.founder.sync(stranger)
    with relay.channel(network.id, network.founder) as channel:
        network.founder.sync(channel)
    relay.terminate()
    log = (relay.folder / "relay.log").read_text()
    assert log == "stopped; served 3, refused 1\n"


def test_nobody_else_reads_its_files(relay: RelayProcess, network: BlindNetwork):
    assert network.id
    files = list(relay.folder.glob("relay.db*"))
    assert len(files) >= 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_the_relay_process_never_loads_what_opens_a_seal():
    """DESIGN.md 11: blindness is a property of the import graph."""
    code = "import casesync.relay.__main__, sys; print('\\n'.join(sys.modules))"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "casesync.relay.mailbox" in loaded
    assert [name for name in loaded if f"{name}.".startswith(FORBIDDEN)] == []


def test_only_so_many_networks_are_created(tmp_path: Path):
    with RelayProcess(tmp_path, "--networks-max", "1") as relay, relay.channel() as channel:
        BlindNetwork(channel, seed="one")
        with pytest.raises(NetworkError) as caught:
            BlindNetwork(channel, seed="two")
    assert caught.value.code == "relay-networks-full"


def test_an_enrolment_meets_at_a_rendezvous(relay: RelayProcess, network: BlindNetwork):
    invitation = b"i" * 16
    joiner = HttpChannel(relay.url, network.id, None, None, relay.clock, lambda: 0)
    with joiner, relay.channel(network.id, network.founder) as inviter:
        inviter.rendezvous_open(invitation, relay.clock.now_ms() + 60_000)
        assert inviter.rendezvous_get(invitation, 1) is None
        joiner.rendezvous_put(invitation, 1, b"commitment")
        inviter.rendezvous_put(invitation, 2, b"nonce")
        assert joiner.rendezvous_get(invitation, 2) == b"nonce"
        joiner.rendezvous_put(invitation, 3, b"reveal")
        inviter.rendezvous_put(invitation, 4, b"result")
        assert joiner.rendezvous_get(invitation, 4) == b"result"
        inviter.rendezvous_cancel(invitation)
        with pytest.raises(AccessDenied) as caught:
            joiner.rendezvous_get(invitation, 4)
    assert caught.value.code == "invitation-gone"
